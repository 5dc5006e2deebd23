"""Scaling there and back."""
from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pellucid.core.names import NORMALISATIONS
from pellucid.errors import SettingsError
from pellucid.features.normalise import fit_normalisation, moments, normalisation_from_json, normalisations

MODERATE = hnp.arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3)))
ANY = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(allow_nan=False, allow_infinity=False))


def test_the_registry_holds_exactly_the_declared_names():
    assert sorted(normalisations) == sorted(NORMALISATIONS)


@pytest.mark.parametrize("method", NORMALISATIONS)
@settings(max_examples=40, deadline=None)
@given(values=MODERATE)
def test_undo_brings_back_what_apply_took(method, values):
    fitted = fit_normalisation(method, values)
    back = fitted.undo(fitted.apply(values))
    spread = np.ptp(values) + 1
    if method == "quantile":  # ties and the clipped ends move by a little of the range
        inside = (values > values.min()) & (values < values.max())
        assert np.all(np.abs(back - values)[inside] <= 1e-3 * spread + 1e-3)
    elif method == "asinh":  # draws far values in, as a logarithm does
        assert np.allclose(back, values, rtol=1e-9, atol=1e-9 * spread)
    elif method == "robust":  # far beyond the quartiles the smooth clip is flat
        near = np.abs(fitted.apply(values)) < 2.9
        assert np.allclose(back[near], values[near], atol=1e-6 * spread)
    else:
        assert np.allclose(back, values, atol=1e-9 * spread)


@pytest.mark.parametrize("method", NORMALISATIONS)
@settings(max_examples=40, deadline=None)
@given(values=ANY)
def test_results_are_finite_whatever_the_values(method, values):
    fitted = fit_normalisation(method, values)
    later = np.concatenate([values, [0.0, 1e308, -1e308, 5e-324]])
    assert np.isfinite(fitted.apply(later)).all()
    assert np.isfinite(fitted.apply(later).astype(np.float32)).all()
    assert np.isfinite(fitted.undo(fitted.apply(later))).all()


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_json_keeps_every_bit(method):
    values = np.random.default_rng(0).normal(size=50)
    fitted = fit_normalisation(method, values)
    assert normalisation_from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


@pytest.mark.parametrize(("method", "low", "high"), [("minmax", 0, 1), ("symmetric", -1, 1), ("robust", -3, 3)])
def test_ranges(method, low, high):
    values = np.random.default_rng(0).normal(size=200) * 7 + 3
    scaled = fit_normalisation(method, values).apply(values)
    assert low <= scaled.min() and scaled.max() <= high
    if method != "robust":
        assert scaled.min() == pytest.approx(low) and scaled.max() == pytest.approx(high)


def test_standard_has_mean_zero_and_deviation_one():
    values = np.random.default_rng(0).normal(size=200) * 7 + 3
    scaled = fit_normalisation("standard", values).apply(values)
    assert scaled.mean() == pytest.approx(0, abs=1e-12) and scaled.std() == pytest.approx(1)


def test_quantile_gives_normal_scores_and_keeps_at_most_a_thousand_numbers():
    values = np.exp(np.random.default_rng(0).normal(size=5000))
    fitted = fit_normalisation("quantile", values)
    scaled = fitted.apply(values)
    assert len(fitted.values) == 1000
    assert abs(scaled.mean()) < 0.01 and scaled.std() == pytest.approx(1, abs=0.02)
    assert np.array_equal(np.argsort(scaled, kind="stable"), np.argsort(values, kind="stable"))


def test_quantile_puts_a_tie_in_the_middle_of_its_step():
    fitted = fit_normalisation("quantile", np.array([0.0] * 50 + list(range(1, 51))))
    assert fitted.apply(np.array([0.0]))[0] == pytest.approx(-0.68, abs=0.05)  # the normal score of a share of 1/4


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_a_constant_and_an_empty_column_are_harmless(method):
    for values in (np.full(5, 3.3), np.array([]), np.array([np.nan, np.inf])):
        assert np.isfinite(fit_normalisation(method, values).apply(np.array([3.3, 4.0]))).all()


def test_nan_stays_nan():
    assert np.isnan(fit_normalisation("standard", np.array([1.0, 2.0])).apply(np.array([np.nan]))).all()


def test_moments_of_huge_values_do_not_overflow():
    center, scale = moments(np.array([1e308, -1e308]))
    assert center == 0 and scale == pytest.approx(1e308)


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(SettingsError, match="did you mean `standard`"):
        fit_normalisation("standart", np.ones(3))
