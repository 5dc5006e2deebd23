"""Learning curves: known curves are found again, forecasts widen, and what is impossible is ruled out."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.errors import DataError
from pellucid.uncertainty.learning_curve import FAMILIES, fit_learning_curve

SIZES = np.array([31, 62, 125, 250, 500, 1000])
TRUTHS = {
    "power": lambda n: 0.1 + 0.3 * (n / 31)**-0.6,
    "exponential": lambda n: 0.2 + 0.3 * np.exp(-(n / 400)**0.8),
    "saturation": lambda n: 0.05 + 0.4 / (1 + (n / 300)**1.2),
    "flat": lambda n: 0.3 + 0.0 * n,
}


def measured(name, seed, noise=0.004):
    """Errors (sizes, repeats) with noise, and what a repeat adds to all sizes alike."""
    generator = np.random.default_rng(seed)
    own = noise * (SIZES[:, None] / 1000)**-0.3 * generator.standard_normal((len(SIZES), 4))
    return TRUTHS[name](SIZES)[:, None] + own + 0.01 * generator.standard_normal(4) * [1, -1, 1, -1]


@pytest.mark.parametrize("name", TRUTHS)
def test_forecast_holds_the_truth_nine_times_in_ten(name):
    inside, offset = 0, []
    for seed in range(6):
        errors = measured(name, seed)
        curve = fit_learning_curve(SIZES, errors)
        middle, low, high = curve.interval(2000)
        shift = errors[-1].mean() - TRUTHS[name](1000)
        inside += low - abs(shift) <= TRUTHS[name](2000) <= high + abs(shift)
        offset.append(abs(middle - TRUTHS[name](2000)))
    assert inside >= 5 and np.mean(offset) < 0.02


def test_the_further_ahead_the_wider_and_never_below_zero():
    curve = fit_learning_curve(SIZES, measured("power", 0))
    widths = [np.subtract(*curve.interval(rows)[:0:-1]) for rows in (2000, 8000, 32_000)]
    assert 0 < widths[0] < widths[1] < widths[2]
    assert min(curve.interval(10**9)[1], curve.floor_interval()[1]) >= 0
    assert np.all(np.diff(curve.curves(np.array([50, 500, 5000])), axis=1) <= 1e-12)
    low, high = curve.floor_interval()[1:]
    assert low < 0.1 < high
    assert sum(curve.families.values()) == pytest.approx(1) and set(curve.families) == set(FAMILIES)


def test_no_gain_is_forecast_where_there_was_none():
    middle, low, high = fit_learning_curve(SIZES, measured("flat", 1)).gain(2000)
    assert low <= 0.002 and abs(middle) < 0.004 and high < 0.03
    assert fit_learning_curve(SIZES, measured("exponential", 1)).gain(2000)[1] > 0


def test_same_seed_same_answer_and_exact_points_do_no_harm():
    exact = np.repeat(TRUTHS["power"](SIZES)[:, None], 3, axis=1)
    first, second = (fit_learning_curve(SIZES, exact).interval(2000) for _ in range(2))
    assert first == second and first[1] < TRUTHS["power"](2000) < first[2]
    assert np.isfinite(fit_learning_curve(SIZES, np.zeros((6, 2))).interval(2000)).all()


@pytest.mark.parametrize("shape", [(3, 4), (6, 1)])
def test_too_few_points_or_repeats(shape):
    with pytest.raises(DataError, match="needs 4 sizes and 2 repeats"):
        fit_learning_curve(SIZES[:shape[0]], np.ones(shape))
