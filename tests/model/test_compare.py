"""The paired bootstrap: against the metrics themselves, in coverage, and for honest verdicts."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.model.compare import _scorer, paired_difference
from pellucid.model.metrics import measure, metrics_of


def outputs_of(generator, labels, skill, classes):
    logits = generator.standard_normal((len(labels), classes)) + skill * np.eye(classes)[labels]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("metric", metrics_of("classify"))
def test_row_counts_stand_for_repeated_rows(metric, classes):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, 60)
    outputs = outputs_of(generator, labels, 1.0, classes).round(1) + 0.01
    count = generator.integers(0, 3, 60)
    repeated = np.repeat(np.arange(60), count)
    expected = measure(metric, labels[repeated], outputs[repeated], positive=0)
    assert _scorer(metric, labels, outputs, 0)(count.astype(float)) == pytest.approx(expected)


@pytest.mark.parametrize("metric", metrics_of("regress"))
def test_row_counts_stand_for_repeated_numbers(metric):
    generator = np.random.default_rng(0)
    targets = generator.standard_normal(60)
    outputs, count = targets + generator.standard_normal(60), generator.integers(0, 3, 60)
    repeated = np.repeat(np.arange(60), count)
    assert _scorer(metric, targets, outputs, 1)(count.astype(float)) == pytest.approx(
        measure(metric, targets[repeated], outputs[repeated]))


def test_a_better_a_worse_and_an_equal_model():
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, 400)
    good, poor = outputs_of(generator, labels, 3.0, 2), outputs_of(generator, labels, 0.5, 2)
    assert paired_difference("roc_auc", labels, good, poor).outcome == "beats"
    assert paired_difference("roc_auc", labels, poor, good).outcome == "worse"
    assert paired_difference("log_loss", labels, good, poor).outcome == "beats"
    same = paired_difference("roc_auc", labels, good, good)
    assert (same.better, same.low, same.high, same.outcome) == (0, 0, 0, "on par")
    noise = generator.standard_normal(400)
    assert paired_difference("rmse", noise, noise * 0.5, noise * 0).outcome == "beats"


def test_same_seed_same_interval():
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 2, 100)
    first, second = outputs_of(generator, labels, 2.0, 2), outputs_of(generator, labels, 1.0, 2)
    assert paired_difference("roc_auc", labels, first, second) == paired_difference("roc_auc", labels, first, second)
    assert paired_difference("roc_auc", labels, first, second) != paired_difference("roc_auc", labels, first, second,
                                                                                   seed=1)


def test_the_interval_covers_the_true_difference():
    """Mean absolute errors of two models whose true difference is known."""
    covered = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        noise = generator.standard_normal((3, 120))
        targets = noise[0]
        found = paired_difference("mae", targets, targets + noise[1], targets + 1.2 * noise[2], resamples=200)
        covered += found.low <= 0.2 * np.sqrt(2 / np.pi) <= found.high
    assert 178 <= covered <= 199


def test_repeated_predictions_of_a_row_do_not_count_as_new_rows():
    generator = np.random.default_rng(3)
    targets = generator.standard_normal(50)
    first, second = targets + generator.standard_normal(50), targets + generator.standard_normal(50)
    once = paired_difference("mae", targets, first, second)
    thrice = paired_difference("mae", np.tile(targets, 3), np.tile(first, 3), np.tile(second, 3),
                               groups=np.tile(np.arange(50), 3))
    assert (thrice.low, thrice.high, thrice.rows) == (pytest.approx(once.low), pytest.approx(once.high), 50)


def test_undefined_metric_gives_none():
    assert paired_difference("roc_auc", np.zeros(4, dtype=int), np.full((4, 2), 0.5), np.full((4, 2), 0.5)) is None
