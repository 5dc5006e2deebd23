"""Coverage by simulation, and agreement with the definition written out plainly."""
from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from scipy.stats import binom

from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.uncertainty import ClassConformal, NumberConformal, class_scores
from pellucid.uncertainty.conformal import MOST_SCORES, Scores


def plain_interval(residuals, folds, outputs, coverage):
    """CV+ as in Barber et al. (2021), equation 4 of section 3, for one row."""
    count = len(residuals)
    needed = math.ceil(coverage * (count + 1) - 1e-9)
    upper = np.sort(outputs[folds] + np.abs(residuals))
    lower = np.sort(outputs[folds] - np.abs(residuals))[::-1]
    return (-np.inf, np.inf) if needed > count else (lower[needed - 1], upper[needed - 1])


def plain_set(scores, folds, member_probabilities, coverage):
    """CV+ for classes as in Romano et al. (2020), for one row."""
    needed = math.ceil(coverage * (len(scores) + 1) - 1e-9)
    strange = class_scores(member_probabilities)
    return np.array([(scores < strange[folds, label]).sum() < needed for label in range(strange.shape[1])])


@pytest.mark.parametrize("coverage", [0.05, 0.5, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("count", [3, 10, 57, 400])
def test_intervals_equal_the_plain_definition(coverage, count):
    generator = np.random.default_rng(count)
    folds = generator.integers(0, 5, count)
    folds[:3] = [0, 1, 4]
    residuals = generator.standard_normal(count) * (1 + folds)
    members = generator.standard_normal((5, 20))
    lower, upper = NumberConformal.fit(residuals, folds, 5).intervals(members, coverage)
    for row in range(20):
        expected = sorted(plain_interval(residuals, folds, members[:, row], coverage))
        np.testing.assert_allclose([lower[row], upper[row]], expected, atol=1e-6)


@pytest.mark.parametrize("coverage", [0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("count", [3, 10, 57, 400])
def test_sets_equal_the_plain_definition(coverage, count):
    generator = np.random.default_rng(count)
    folds = generator.integers(0, 4, count)
    held_out = generator.dirichlet([0.5, 1, 1], count).round(4)
    labels = generator.integers(0, 3, count)
    members = generator.dirichlet([1, 1, 1], (4, 30)).round(4)
    sets = ClassConformal.fit(held_out, labels, folds, 4).sets(members, members.mean(axis=0), coverage)
    scores = class_scores(held_out)[np.arange(count), labels]
    for row in range(30):
        expected = plain_set(scores, folds, members[:, row], coverage)
        expected[members[:, row].mean(axis=0).argmax()] = True
        np.testing.assert_array_equal(sets[row], expected)


def ridge(inputs, targets):
    return np.linalg.solve(inputs.T @ inputs + np.eye(inputs.shape[1]), inputs.T @ targets)


@pytest.mark.parametrize(("count", "coverage"), [(12, 0.8), (12, 0.9), (40, 0.9), (150, 0.95), (150, 0.5)])
def test_intervals_keep_their_coverage_over_many_splits(count, coverage):
    """300 data sets of 20 new rows, a model fitted for each fold: a hit rate below 1 - alpha would show."""
    generator = np.random.default_rng(int(count * 100 + coverage * 100))
    folds = np.arange(count) % 4
    hits = []
    for _ in range(300):
        truth = generator.standard_normal(5)
        inputs = generator.standard_normal((count + 20, 5))
        targets = inputs @ truth + generator.standard_t(3, count + 20)
        fits = [ridge(inputs[:count][folds != fold], targets[:count][folds != fold]) for fold in range(4)]
        outputs = np.stack([inputs @ fit for fit in fits])
        residuals = targets[:count] - outputs[folds, np.arange(count)]
        lower, upper = NumberConformal.fit(residuals, folds).intervals(outputs[:, count:], coverage)
        hits.append(((lower <= targets[count:]) & (targets[count:] <= upper)).mean())
    error = np.std(hits) / np.sqrt(len(hits))
    assert np.mean(hits) >= coverage - 3 * error
    assert np.mean(hits) <= coverage + 0.5 * (1 - coverage) + 0.05


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
@pytest.mark.parametrize(("count", "coverage", "classes"), [(12, 0.9, 2), (60, 0.9, 3), (200, 0.8, 6), (200, 0.95, 2)])
def test_sets_keep_their_coverage_over_many_splits(count, coverage, classes, sharpness):
    generator = np.random.default_rng(count + classes)
    folds = np.arange(count) % 4
    hits, sizes = [], []
    for _ in range(300):
        logits = generator.standard_normal((count + 20, classes)) * sharpness
        noise = -np.log(-np.log(generator.random((count + 20, classes))))
        labels = (logits + noise).argmax(axis=1)
        members = logits + 0.3 * generator.standard_normal((4, count + 20, classes))
        members = np.exp(members) / np.exp(members).sum(axis=2, keepdims=True)
        conformal = ClassConformal.fit(members[folds, np.arange(count)], labels[:count], folds)
        sets = conformal.sets(members[:, count:], members[:, count:].mean(axis=0), coverage)
        assert sets.any(axis=1).all()
        assert sets[np.arange(20), members[:, count:].mean(axis=0).argmax(axis=1)].all()
        hits.append(sets[np.arange(20), labels[count:]].mean())
        sizes.append(sets.sum(axis=1).mean())
    assert np.mean(hits) >= coverage - 3 * np.std(hits) / np.sqrt(len(hits))
    assert np.mean(sizes) <= classes


def test_one_fold_is_split_conformal_with_its_exact_bounds():
    """Coverage of split conformal given the calibration rows is Beta; over fresh ones it is in [c, c + 1/(n+1)]."""
    generator = np.random.default_rng(0)
    count, coverage, trials = 39, 0.9, 20_000
    scores = np.abs(generator.standard_normal((trials, count + 1)))
    conformals = [NumberConformal.fit(row[:count], np.zeros(count, dtype=int)) for row in scores[:3000]]
    hits = sum(float(row[-1]) <= conformal.intervals([[0.0]], coverage)[1][0]
               for row, conformal in zip(scores, conformals, strict=False))
    low, high = binom.ppf([1e-4, 1 - 1e-4], 3000, [coverage, coverage + 1 / (count + 1)])
    assert low <= hits <= high


def test_too_few_rows_say_so_honestly():
    numbers = NumberConformal.fit([1.0, 2.0, 3.0], [0, 1, 1])
    assert numbers.largest_coverage == 0.75
    assert np.isfinite(numbers.intervals([[0.0], [0.0]], 0.75)).all()
    assert numbers.intervals([[0.0], [0.0]], 0.76) == (-np.inf, np.inf)
    classes = ClassConformal.fit([[0.9, 0.1]] * 3, [0, 0, 0], [0, 1, 1])
    assert classes.sets([[[0.99, 0.01]]] * 2, [[0.99, 0.01]], 0.9).all()
    assert classes.sets([[[0.99, 0.01]]] * 2, [[0.99, 0.01]], 0.5).tolist() == [[True, False]]


def test_an_interval_holds_the_prediction_that_it_is_given_for():
    conformal = NumberConformal.fit([0.1, 0.1, 0.1, 0.1], [0, 0, 1, 1])
    lower, upper = conformal.intervals([[0.0], [10.0]], 0.2, prediction=[5.0])
    assert lower[0] <= 5.0 <= upper[0]


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 1.5, math.nan, "much", None])
def test_coverage_outside_zero_and_one_is_refused(coverage):
    conformal = NumberConformal.fit([1.0, 2.0], [0, 1])
    with pytest.raises(SettingsError, match="coverage"):
        conformal.intervals([[0.0], [0.0]], coverage)


def test_wrong_shapes_and_empty_rows_are_refused():
    with pytest.raises(DataError, match="held-out"):
        NumberConformal.fit([], np.zeros(0, dtype=int))
    with pytest.raises(DataError, match="finite"):
        NumberConformal.fit([np.nan], [0])
    with pytest.raises(ShapeError):
        NumberConformal.fit([1.0, 2.0], [0])
    with pytest.raises(ShapeError):
        NumberConformal.fit([1.0, 2.0], [0, 1]).intervals([[0.0]], 0.5)
    with pytest.raises(ShapeError):
        ClassConformal.fit([[0.5, 0.5]], [0, 1], [0])


def test_json_gives_the_same_answers_to_the_last_bit():
    generator = np.random.default_rng(1)
    members = generator.standard_normal((3, 50))
    numbers = NumberConformal.fit(generator.standard_normal(100), np.arange(100) % 3)
    again = NumberConformal.from_json(json.loads(json.dumps(numbers.to_json())))
    np.testing.assert_array_equal(numbers.intervals(members, 0.9), again.intervals(members, 0.9))
    probabilities = generator.dirichlet([1, 1], (3, 50))
    classes = ClassConformal.fit(probabilities[0], generator.integers(0, 2, 50), np.arange(50) % 3)
    again = ClassConformal.from_json(json.loads(json.dumps(classes.to_json())))
    np.testing.assert_array_equal(classes.sets(probabilities, probabilities[0], 0.9),
                                  again.sets(probabilities, probabilities[0], 0.9))


@pytest.mark.parametrize("count", [MOST_SCORES, MOST_SCORES + 1, 7 * MOST_SCORES + 3])
def test_compressed_scores_are_conservative_and_close(count):
    values = np.sort(np.random.default_rng(0).random(count))
    scores = Scores.of(values)
    assert len(scores.values) == MOST_SCORES and scores.ranks()[-1] == scores.count == count
    assert (scores.values >= values[scores.ranks()[1:] - 1]).all()
    np.testing.assert_allclose(scores.values, values[scores.ranks()[1:] - 1], rtol=1e-6)
    folds = np.arange(count) % 2
    exact = plain_interval(values, folds, np.zeros(2), 0.9)[1]
    close = NumberConformal.fit(values, folds).intervals(np.zeros((2, 1)), 0.9)[1][0]
    assert exact - 1e-12 <= close <= exact + 2e-3


def test_a_thousand_rows_are_not_taken_one_by_one():
    generator = np.random.default_rng(2)
    folds = np.arange(4000) % 8
    numbers = NumberConformal.fit(generator.standard_normal(4000), folds)
    classes = ClassConformal.fit(generator.dirichlet([1, 1], 4000), generator.integers(0, 2, 4000), folds)
    members, outputs = generator.dirichlet([1, 1], (8, 1000)), generator.standard_normal((8, 1000))
    start = time.perf_counter()
    numbers.intervals(outputs, 0.9)
    classes.sets(members, members.mean(axis=0), 0.9)
    assert time.perf_counter() - start < 3  # alone on the machine about 0.015; row by row it would be minutes
