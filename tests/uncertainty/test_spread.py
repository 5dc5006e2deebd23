"""The learned spread of errors: found where there is one, not where there is none; intervals keep their coverage."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid.uncertainty import LearnedSpread, NumberConformal, choose_spread


def drawn(count, spread, seed=0):
    """Predictions, channels and residuals whose size is `spread(prediction, channels)`."""
    generator = np.random.default_rng(seed)
    predictions, channels = generator.normal(50, 10, count), generator.standard_normal((count, 4))
    return spread(predictions, channels) * generator.standard_normal(count), predictions, channels


EVEN = lambda predictions, channels: np.full(len(predictions), 3.0)  # noqa: E731
BY_PREDICTION = lambda predictions, channels: np.exp((predictions - 50) / 10)  # noqa: E731
BY_CHANNEL = lambda predictions, channels: np.exp(0.8 * channels[:, 1])  # noqa: E731


@pytest.mark.parametrize(("truth", "channels"), [(BY_PREDICTION, False), (BY_CHANNEL, True)])
def test_the_spread_is_found(truth, channels):
    residuals, predictions, seen = drawn(1500, truth)
    learned, own = choose_spread(residuals, predictions, seen, np.arange(1500) % 5, 0.9)
    assert learned is not None and learned.channels >= channels
    _, fresh, others = drawn(1000, truth, seed=1)
    for spread, expected in ((learned(fresh, others), truth(fresh, others)), (own, truth(predictions, seen))):
        assert np.corrcoef(np.log(spread), np.log(expected))[0, 1] > 0.9


def test_an_even_spread_stays_even():
    found = [choose_spread(*drawn(400, EVEN, seed), np.arange(400) % 5, 0.9)[0] for seed in range(8)]
    assert sum(one is not None for one in found) <= 1


@pytest.mark.parametrize("truth", [EVEN, BY_PREDICTION, BY_CHANNEL])
def test_scaled_intervals_keep_their_coverage_and_are_no_wider(truth):
    hits, widths, plain = [], [], []
    for seed in range(15):
        residuals, predictions, seen = drawn(500, truth, seed)
        learned, own = choose_spread(residuals[:300], predictions[:300], seen[:300], np.arange(300) % 5, 0.9)
        new = np.ones(200) if learned is None else learned(predictions[300:], seen[300:])
        half = NumberConformal.fit(residuals[:300] / own, np.zeros(300, int)).intervals(np.zeros((1, 200)), 0.9)[1]
        hits.append((np.abs(residuals[300:]) <= half * new).mean())
        widths.append((half * new).mean())
        plain.append(np.quantile(np.abs(residuals[:300]), 0.9))
    assert 0.87 <= np.mean(hits) <= 0.93
    assert np.mean(widths) <= 1.02 * np.mean(plain)
    if truth is not EVEN:
        assert np.mean(widths) <= 0.93 * np.mean(plain)


def test_the_spread_stays_within_bounds_far_from_what_was_seen():
    learned = LearnedSpread.fit(*drawn(500, BY_PREDICTION), pull=1.0)
    far = learned(np.array([-1e9, 1e9]), np.full((2, 4), 1e9))
    assert np.isfinite(far).all() and (far > 0).all() and far.max() <= 6.01 * learned.middle


def test_json_gives_the_same_spread():
    residuals, predictions, seen = drawn(300, BY_CHANNEL)
    learned = LearnedSpread.fit(residuals, predictions, seen, pull=10.0)
    again = LearnedSpread.from_json(json.loads(json.dumps(learned.to_json())))
    np.testing.assert_array_equal(again(predictions, seen), learned(predictions, seen))
    assert LearnedSpread.from_json(None) is None


def test_equal_predictions_few_rows_and_no_error_are_no_trouble():
    folds = np.arange(200) % 5
    residuals = np.random.default_rng(0).standard_normal(200)
    assert choose_spread(residuals, np.ones(200), np.zeros((200, 0)), folds, 0.9)[0] is None
    assert choose_spread(residuals[:50], np.ones(50), None, folds[:50], 0.9)[0] is None
    assert choose_spread(np.zeros(200), np.ones(200), None, folds, 0.9)[0] is None
