"""Answering at a risk: the bound holds as often as it says, and the strictest and laxest cases are right."""
from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import beta, binom

from pellucid.errors import SettingsError
from pellucid.uncertainty import Abstention
from pellucid.uncertainty.abstention import highest_rate


def drawn(count, seed):
    """Confidences that are honest, and whether the answer was wrong."""
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.5, 1.0, count)
    return confidence, generator.random(count) > confidence


@pytest.mark.parametrize(("risk", "usually"), [(0.05, False), (0.1, True), (0.2, True)])
def test_the_true_error_rate_is_above_the_risk_in_at_most_one_of_twenty_draws(risk, usually):
    """Honest confidences above a bar b are wrong (1 - b) / 2 of the time."""
    bars = np.array([Abstention.fit(*drawn(800, seed)).bar(risk) for seed in range(400)])
    answered = bars[np.isfinite(bars)]
    true_rate = (1 - np.maximum(answered, 0.5)) / 2
    assert np.sum(true_rate > risk) <= binom.ppf(0.999, len(bars), 0.05)
    if usually:
        assert len(answered) > 0.8 * len(bars)
        assert np.mean(true_rate) > 0.4 * risk


def test_bounds_are_those_of_clopper_and_pearson():
    np.testing.assert_allclose(highest_rate(np.array([100, 200, 0]), np.array([3, 200, 0])),
                               [beta.ppf(0.95, 4, 97), 1.0, 1.0])


def test_all_are_answered_where_none_is_wrong_and_none_where_all_are():
    confidence = np.linspace(0.5, 1, 500)
    assert Abstention.fit(confidence, np.zeros(500, bool)).bar(0.05) == -np.inf
    assert Abstention.fit(confidence, np.ones(500, bool)).bar(0.5) == np.inf
    assert Abstention.fit(confidence[:5], np.zeros(5, bool)).bar(0.05) == np.inf
    assert Abstention.fit(np.zeros(0), np.zeros(0, bool)).bar(0.5) == np.inf


def test_equal_confidences_are_answered_together_or_not_at_all():
    confidence = np.repeat([0.6, 0.9], 300)
    wrong = np.arange(600) % 300 < np.repeat([120, 3], 300)
    bar = Abstention.fit(confidence, wrong).bar(0.05)
    assert 0.6 <= bar < 0.9


def test_the_lower_the_risk_the_fewer_are_answered():
    found = Abstention.fit(*drawn(2000, 0))
    bars = [found.bar(risk) for risk in (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)]
    assert bars == sorted(bars, reverse=True)


def test_json_gives_the_same_bars():
    found = Abstention.fit(*drawn(500, 0))
    again = Abstention.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert [again.bar(risk) for risk in (0.05, 0.2, 0.5)] == [found.bar(risk) for risk in (0.05, 0.2, 0.5)]
    assert Abstention.from_json(None) is None


@pytest.mark.parametrize("risk", [0, 1, -1, 2.0, "much"])
def test_a_risk_that_is_none_is_refused(risk):
    with pytest.raises(SettingsError, match="risk"):
        Abstention.fit(*drawn(100, 0)).bar(risk)
