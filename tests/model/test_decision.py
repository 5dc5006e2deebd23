"""Decisions by costs and by threshold, and what they cost."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.errors import SettingsError
from pellucid.model.decision import best_threshold, cost_matrix, decide, decision_report

CLASSES = ("bad", "good")
COSTS = {"bad": {"good": 5}, "good": {"bad": 1}}


def credit(rows=2000):
    generator = np.random.default_rng(0)
    good = generator.beta(3, 1.5, rows)
    return (generator.random(rows) < good).astype(int), np.stack([1 - good, good], axis=1)


def test_least_expected_cost_equals_the_threshold_that_follows_from_the_costs():
    _, probabilities = credit()
    matrix = cost_matrix(COSTS, CLASSES)
    threshold = best_threshold(matrix, positive=1)
    assert threshold == pytest.approx(5 / 6)
    np.testing.assert_array_equal(decide(probabilities, costs=matrix), decide(probabilities, threshold=threshold))


def test_report_compares_with_the_plain_rules():
    labels, probabilities = credit()
    report = decision_report(labels, probabilities, CLASSES, costs=COSTS)
    assert [rule.chosen for rule in report.rules] == [True, False, False, False]
    assert report.rules[0].cost < min(rule.cost for rule in report.rules[1:])
    for rule in report.rules:
        assert rule.cost == pytest.approx(rule.expected, abs=0.15)
        assert np.sum(rule.counts) == len(labels)
    always_bad = report.rules[2]
    assert always_bad.rule == "always “bad”" and always_bad.cost == pytest.approx(labels.mean())


def test_threshold_rule_and_error_costs():
    labels, probabilities = credit()
    report = decision_report(labels, probabilities, CLASSES, threshold=0.8, positive=1)
    assert report.threshold == 0.8 and report.positive == "good" and "0.8" in report.rules[0].rule
    assert report.rules[0].cost == pytest.approx(report.rules[0].error_rate)


def test_threshold_with_three_classes_falls_back_to_the_most_probable_other():
    probabilities = np.array([[0.3, 0.5, 0.2], [0.1, 0.3, 0.6], [0.6, 0.3, 0.1]])
    assert decide(probabilities, threshold=0.55, positive=2).tolist() == [1, 2, 0]


def test_unusual_costs():
    assert cost_matrix({1: {0: 2.0}, 0: {1: 1.0, 0: -3.0}}, [0, 1]).tolist() == [[-3.0, 1.0], [2.0, 0.0]]
    assert best_threshold(np.zeros((2, 2))) is None and best_threshold(np.ones((3, 3))) is None
    empty = decision_report(np.zeros(0, dtype=int), np.zeros((0, 2)), CLASSES)
    assert empty.rules[0].cost == 0


@pytest.mark.parametrize(("costs", "words"), [
    ({"bed": {"good": 1}}, "did you mean `bad`"),
    ({"bad": {"god": 1}}, "did you mean `good`"),
    ({"bad": {"good": 1}}, "does not say"),
    ({"bad": {"good": "much"}, "good": {"bad": 1}}, "finite number"),
    ({"bad": {"good": float("inf")}, "good": {"bad": 1}}, "finite number"),
])
def test_wrong_costs_are_refused(costs, words):
    with pytest.raises(SettingsError, match=words):
        cost_matrix(costs, CLASSES)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "half", float("nan")])
def test_wrong_thresholds_are_refused(threshold):
    with pytest.raises(SettingsError, match="threshold"):
        decide(np.array([[0.5, 0.5]]), threshold=threshold)


def test_costs_and_threshold_exclude_each_other():
    with pytest.raises(SettingsError, match="both"):
        decide(np.array([[0.5, 0.5]]), threshold=0.5, costs=np.eye(2))
