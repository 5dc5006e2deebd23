"""The intervals of forecasts: how many held-out windows they need, and that they keep their coverage at each step."""
from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.model.forecaster import KEPT_SCORES, Spread


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("windows", [25, 60, 399, 3000])
def test_each_step_keeps_its_coverage(windows, coverage):
    """300 series: the next score lies within the factor as often as promised, and hardly more often."""
    generator = np.random.default_rng(windows)
    hits = []
    for _ in range(300):
        scores = np.abs(generator.standard_normal((windows + 1, 4))) * np.array([1.0, 1.5, 2.0, 3.0])
        hits.append(scores[-1] <= Spread.fit(scores[:-1]).factor(coverage))
    error = 3 * math.sqrt(coverage * (1 - coverage) / 1200)
    assert np.mean(hits) >= coverage - error
    assert np.mean(hits) <= coverage + error + 1 / (windows + 1) + 1 / KEPT_SCORES


def test_later_steps_are_given_more_room_and_too_few_windows_all_of_it():
    scores = np.abs(np.random.default_rng(0).standard_normal((200, 3))) * np.array([1.0, 2.0, 3.0])
    assert (np.diff(Spread.fit(scores).factor(0.9)) > 0).all()
    assert np.isinf(Spread.fit(scores[:8]).factor(0.9)).all()
    assert np.isfinite(Spread.fit(scores[:9]).factor(0.9)).all()


def test_steps_whose_truth_is_not_known_do_not_count():
    scores = np.abs(np.random.default_rng(0).standard_normal((200, 2)))
    some = scores.copy()
    some[150:, 1] = np.nan
    np.testing.assert_allclose(Spread.fit(some).factor(0.9)[1], Spread.fit(scores[:150]).factor(0.9)[1])
    some[:, 1] = np.nan
    assert np.isinf(Spread.fit(some).factor(0.9)[1])
