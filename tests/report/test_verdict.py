"""The first sentence says what is so."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.model.compare import Difference
from pellucid.report import words
from pellucid.report.evidence import class_promise, number_promise
from pellucid.report.result import Contender
from pellucid.report.verdict import compare_with_best, write_verdict


def test_a_good_network_beats(make_result):
    verdict = make_result("classify", skill=2.5).verdict
    assert verdict.outcome == "beats" and verdict.best == "logistic_regression"
    assert verdict.headline.startswith("The network beats the best plain method, logistic regression: ROC AUC 0.")
    assert verdict.difference.low > 0


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_a_poor_network_is_called_so_in_the_first_sentence(make_result, task):
    verdict = make_result(task, skill=0.0).verdict
    assert verdict.outcome == "worse"
    assert verdict.headline.startswith("The network does not beat the best plain method: ")
    assert "behind by" in verdict.headline and verdict.difference.high < 0


def test_a_difference_that_may_be_chance_is_not_a_win(make_result):
    verdict = make_result("classify", skill=1.15).verdict
    assert verdict.outcome == "on par"
    assert verdict.headline.startswith("The network does not clearly beat") and "may be chance" in verdict.headline


def test_equal_outputs():
    outputs = np.random.default_rng(0).dirichlet([1, 1], 50)
    compared = compare_with_best("classify", "roc_auc", np.arange(50) % 2, outputs, {"ridge": outputs})
    network = Contender("network", "network", {}, 1.0)
    verdict = write_verdict("classify", network, (Contender("ridge", "ridge", {}, 1.0),), compared)
    assert verdict.outcome == "on par" and "No difference was measured" in verdict.headline


def test_a_difference_below_the_digits_is_not_written_as_zero():
    difference = Difference("roc_auc", 0.71603, 0.71605, -0.00002, -0.019, 0.022, 200)
    networks = [Contender(name, name, {}, 1.0) for name in ("network", "ridge")]
    verdict = write_verdict("classify", networks[0], (networks[1],), ("ridge", difference))
    assert "behind" not in verdict.headline and "less than these digits show" in verdict.headline


def test_the_best_plain_method_is_the_opponent_whichever_way_the_metric_points():
    targets = np.random.default_rng(0).standard_normal(50)
    found = compare_with_best("regress", "rmse", targets, targets, {"far": targets + 9, "near": targets + 1})
    assert found[0] == "near" and found[1].outcome == "beats"


def test_rows_of_one_class_fall_back_to_accuracy():
    labels, outputs = np.zeros(20, dtype=int), np.full((20, 2), 0.5)
    assert compare_with_best("classify", "roc_auc", labels, outputs, {"majority": outputs})[1].metric == "accuracy"
    network = Contender("network", "network", {"accuracy": 1.0}, 1.0)
    alone = write_verdict("classify", network, (), None)
    assert alone.outcome == "alone" and "could not be compared" in alone.headline


def test_promises_are_measured():
    kept = class_promise(np.array([[True, False], [True, True], [False, True]]), np.array([0, 1, 0]), 0.6)
    assert (kept.measured, kept.size, kept.single) == (pytest.approx(2 / 3), pytest.approx(4 / 3),
                                                       pytest.approx(2 / 3))
    numbers = number_promise(np.full(4, -1.0), np.full(4, 1.0), np.array([0.0, 0.5, 2.0, -1.0]), 0.75)
    assert (numbers.measured, numbers.size, numbers.infinite) == (0.75, 2.0, 0.0)
    infinite = number_promise(np.full(4, -np.inf), np.full(4, np.inf), np.zeros(4), 0.99)
    sentences = write_verdict("regress", Contender("network", "n", {}, 1.0), (), None, promise=infinite).sentences
    assert "too few rows" in sentences[-1]


def test_a_broken_promise_is_said():
    broken = class_promise(np.eye(2, dtype=bool)[np.zeros(100, dtype=int)], np.arange(100) % 2, 0.9)
    sentences = write_verdict("classify", Contender("network", "n", {}, 1.0), (), None, promise=broken).sentences
    assert "less than promised" in sentences[-1]


@pytest.mark.parametrize(("value", "text"), [
    (123456.0, "123,456"), (0.5, "0.5"), (-0.25, "−0.25"), (float("inf"), "∞"), (float("nan"), "–"), (1e-7, "1e-07"),
    (0, "0"), (12.3456, "12.3")])
def test_numbers_in_words(value, text):
    assert words.number(value) == text


def test_other_words():
    assert words.score("accuracy", 0.875) == "87.5 %" and words.score("roc_auc", 0.99999) == "over 0.999"
    assert words.score("roc_auc", None) == "–" and words.fixed(-0.0001) == "0.000"
    assert words.percent(0.99999) == "over 99.9 %" and words.percent(0.00001) == "under 0.1 %"
    assert words.megabytes(2345) == "2.3 GB" and words.megabytes(None) == "–" and words.seconds(59.7) == "1 min"
    assert words.count(1, "row") == "1 row" and words.listing(["a", "b", "c"]) == "a, b and c"
