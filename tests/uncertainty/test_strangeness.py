"""Kinds of prediction sets: definition, coverage by simulation, and the choice between them."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.uncertainty import ClassConformal, Strangeness, choose_strangeness, class_scores


def drawn(count, classes=8, seed=0, sharpness=1.5):
    generator = np.random.default_rng(seed)
    logits = generator.standard_normal((count, classes)) * sharpness
    labels = (logits - np.log(-np.log(generator.random((count, classes))))).argmax(axis=1)
    power = np.exp(logits)
    return power / power.sum(axis=1, keepdims=True), labels


def plain_adaptive(row, label, penalty, free):
    """The definition, written out for one row."""
    order = np.argsort(-row, kind="stable").tolist()
    place = order.index(label)
    return 0.0 if place == 0 else sum(row[one] for one in order[:place]) + penalty * max(place + 1 - free, 0)


@pytest.mark.parametrize(("penalty", "free"), [(0.0, 1), (0.1, 1), (0.3, 3)])
def test_adaptive_scores_equal_their_definition(penalty, free):
    probabilities, _ = drawn(20)
    scores = Strangeness("adaptive", penalty, free)(probabilities)
    expected = [[plain_adaptive(row, label, penalty, free) for label in range(8)] for row in probabilities]
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_the_first_kind_is_the_least_ambiguous_one():
    probabilities, _ = drawn(20)
    np.testing.assert_array_equal(Strangeness()(probabilities), class_scores(probabilities))
    assert Strangeness.from_json(None) == Strangeness()


@pytest.mark.parametrize("kind", [Strangeness(), Strangeness("adaptive"), Strangeness("adaptive", 0.1, 2)])
def test_every_kind_keeps_its_coverage_and_is_never_empty(kind):
    hits = []
    for seed in range(200):
        probabilities, labels = drawn(300, seed=seed)
        conformal = ClassConformal.fit(probabilities[:200], labels[:200], np.zeros(200, int), 1, kind)
        sets = conformal.sets(probabilities[None, 200:], probabilities[200:], 0.9)
        assert sets.any(axis=1).all()
        hits.append(sets[np.arange(100), labels[200:]].mean())
    error = np.std(hits) / np.sqrt(len(hits))
    assert 0.9 - 3 * error <= np.mean(hits) <= 0.9 + 1 / 201 + 3 * error


def test_the_least_ambiguous_kind_is_kept_where_probabilities_are_honest():
    probabilities, labels = drawn(2000)
    assert choose_strangeness(probabilities, labels, np.arange(2000) % 5, 0.9) == Strangeness()


def test_another_kind_is_taken_where_it_makes_smaller_sets():
    """Probabilities that say nothing but their order: a penalty for places beats their values."""
    probabilities, labels = drawn(4000, sharpness=3.0, seed=1)
    power = np.random.default_rng(0).choice([0.05, 8.0], (4000, 1))
    spoiled = probabilities ** power
    spoiled /= spoiled.sum(axis=1, keepdims=True)
    chosen = choose_strangeness(spoiled, labels, np.arange(4000) % 5, 0.9)
    assert chosen.kind == "adaptive" and chosen.penalty > 0


def test_two_classes_and_few_rows_choose_nothing():
    probabilities, labels = drawn(90)
    assert choose_strangeness(probabilities, labels, np.arange(90) % 5, 0.9) == Strangeness()
    probabilities, labels = drawn(500, classes=2)
    assert choose_strangeness(probabilities, labels, np.arange(500) % 5, 0.9) == Strangeness()


def test_the_kind_is_in_the_record():
    probabilities, labels = drawn(50)
    conformal = ClassConformal.fit(probabilities, labels, np.zeros(50, int), 1, Strangeness("adaptive", 0.1, 2))
    again = ClassConformal.from_json(conformal.to_json())
    assert again.strangeness == conformal.strangeness
    old = {name: value for name, value in conformal.to_json().items() if name != "strangeness"}
    assert ClassConformal.from_json(old).strangeness == Strangeness()
