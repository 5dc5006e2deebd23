"""Temperature and the measures of calibration."""
from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from pellucid.errors import SettingsError, ShapeError
from pellucid.uncertainty import (
    brier_score,
    calibration_error,
    debiased_calibration_error,
    fit_temperature,
    log_softmax,
    reliability,
    share_interval,
    temper,
)


def drawn(count, temperature, classes=3, seed=0):
    """Logits that are `temperature` times too bold, and labels drawn from the honest probabilities."""
    generator = np.random.default_rng(seed)
    honest = generator.standard_normal((count, classes)) * 2
    noise = -np.log(-np.log(generator.random((count, classes))))
    return honest * temperature, (honest + noise).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_is_recovered(temperature):
    logits, labels = drawn(20_000, temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_temperature_never_makes_the_error_larger():
    for seed in range(20):
        logits, labels = drawn(15, 3.0, seed=seed)
        before = log_loss(labels, temper(logits), labels=range(3))
        after = log_loss(labels, temper(logits, fit_temperature(logits, labels)), labels=range(3))
        assert after <= before + 1e-9


def test_temperature_of_hopeless_logits_is_one():
    assert fit_temperature(np.zeros((5, 3)), np.zeros(5, dtype=int)) == 1.0
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=int)) == 1.0
    assert fit_temperature(np.full((2, 2), np.nan), np.zeros(2, dtype=int)) == 1.0


def test_temperature_stays_in_its_range_when_all_rows_are_right_or_wrong():
    logits = np.array([[5.0, 0.0], [0.0, 5.0]] * 50)
    assert 0.4 < fit_temperature(logits, np.array([0, 1] * 50)) < 1
    assert 19 < fit_temperature(logits * 100, np.array([1, 0] * 50)) <= 20


def test_row_weights_count_like_repeated_rows():
    logits, labels = drawn(50, 2.0)
    weight = np.random.default_rng(1).integers(0, 4, 50)
    repeated = fit_temperature(np.repeat(logits, weight, axis=0), np.repeat(labels, weight))
    assert fit_temperature(logits, labels, weight) == pytest.approx(repeated, rel=1e-3)


def test_log_softmax_survives_large_logits():
    np.testing.assert_allclose(np.exp(log_softmax(np.array([[1e4, 1e4, -1e4]]))), [[0.5, 0.5, 0.0]])


def test_shapes_are_checked():
    with pytest.raises(ShapeError):
        fit_temperature(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(ShapeError):
        reliability(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(SettingsError):
        reliability(np.zeros((3, 2)), np.zeros(3), bins=0)


def test_honest_probabilities_have_a_small_error_and_bold_ones_a_large_one():
    logits, labels = drawn(20_000, 1.0)
    honest, bold = temper(logits), temper(logits, 0.2)
    assert calibration_error(honest, labels) < 0.02 < 0.1 < calibration_error(bold, labels)
    assert debiased_calibration_error(honest, labels) < 0.02 < 0.1 < debiased_calibration_error(bold, labels)


def test_debiasing_removes_the_error_that_few_rows_make():
    plain, debiased = [], []
    for seed in range(200):
        logits, labels = drawn(60, 1.0, seed=seed)
        plain.append(calibration_error(temper(logits), labels))
        debiased.append(debiased_calibration_error(temper(logits), labels))
    assert np.mean(debiased) < 0.6 * np.mean(plain)


def test_reliability_counts_every_row_once():
    logits, labels = drawn(500, 1.0)
    found = reliability(temper(logits), labels, bins=10)
    assert found.count.sum() == 500
    assert ((found.low <= found.frequency) & (found.frequency <= found.high)).all()
    assert reliability(temper(logits), labels, bins=5, equal_count=True).count.tolist() == [100] * 5
    assert reliability(np.zeros(0), np.zeros(0)).count.sum() == 0


def test_wilson_interval_covers():
    generator = np.random.default_rng(0)
    hits = generator.binomial(30, 0.9, 5000)
    low, high = share_interval(hits, np.full(5000, 30))
    assert 0.93 < ((low <= 0.9) & (high >= 0.9)).mean() < 0.98
    assert share_interval(0, 0)[0] == 0 and share_interval(0, 0)[1] == 1


def test_brier_equals_scikit_learn():
    logits, labels = drawn(200, 1.0)
    probabilities = temper(logits)
    assert brier_score(probabilities, labels) == pytest.approx(brier_score_loss(labels, probabilities))
    two = temper(logits[:, :2])
    expected = brier_score_loss(labels == 1, two[:, 1])
    assert brier_score(two, (labels == 1).astype(int)) == pytest.approx(expected)
    assert brier_score(two[:, 1], labels == 1) == pytest.approx(expected)
