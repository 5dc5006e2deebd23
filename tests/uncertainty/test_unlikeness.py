"""Rows unlike the training rows: p-values are honest for rows like them, and small for others."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid.uncertainty.unlikeness import Ranks, Usual, left_out_distances


def drawn(count, seed=0):
    """Correlated channels, one of them with a heavy tail, one a flag; two columns of codes."""
    generator = np.random.default_rng(seed)
    first = generator.standard_normal(count)
    channels = np.column_stack([first, first + 0.2 * generator.standard_normal(count), generator.standard_t(2, count),
                                generator.random(count) < 0.1])
    return channels, np.column_stack([generator.integers(1, 4, count), generator.integers(1, 3, count)])


CARDINALITIES = (5, 3)


def fitted(count=1000):
    channels, codes = drawn(count)
    distances = left_out_distances(channels, codes, CARDINALITIES, np.arange(count) % 5)
    return Usual.fit(channels, codes, CARDINALITIES), Ranks.fit(distances)


@pytest.mark.parametrize("count", [60, 400, 3000])
def test_p_values_of_rows_like_the_training_are_even(count):
    usual, ranks = fitted(count)
    p_value = ranks(usual.distances(*drawn(4000, seed=1)))[1]
    noise = 3 / np.sqrt(count)
    for level in (0.05, 0.2, 0.5):
        assert level - 0.05 - noise <= np.mean(p_value <= level) <= level + 0.02 + noise
    assert (p_value > 0).all() and (p_value <= 1).all()


@pytest.mark.parametrize("kind", ["far", "unseen code", "against the correlation", "missing all over"])
def test_strange_rows_are_told(kind):
    usual, ranks = fitted()
    channels, codes = drawn(100, seed=1)
    if kind == "far":
        channels[:, 0] += 8
    elif kind == "unseen code":
        codes[:, 0] = 4
    elif kind == "against the correlation":
        channels[:, 0], channels[:, 1] = 1.5, -1.5
    else:
        codes[:], channels[:, :3] = 0, 0
    score, p_value = ranks(usual.distances(channels, codes))
    assert np.median(p_value) <= 0.01
    assert np.median(score) > 1.5


def test_no_training_row_is_inside():
    """What is kept are quantiles between the values, counts and covariances."""
    channels, codes = drawn(200)
    usual = Usual.fit(channels, codes, CARDINALITIES)
    assert usual.quantiles.size < channels.size and usual.precision.shape == (12, 12)
    assert not any(np.isclose(usual.quantiles[:3].T, row[:3]).all() for row in channels)


def test_wide_empty_and_constant_columns_are_no_trouble():
    generator = np.random.default_rng(0)
    wide = generator.standard_normal((100, 300))
    usual = Usual.fit(wide, np.zeros((100, 0), int), ())
    assert usual.precision.ndim == 1 and np.isfinite(usual.distances(wide, np.zeros((100, 0), int))).all()
    constant = Usual.fit(np.ones((50, 2)), np.zeros((50, 0), int), ())
    assert np.isfinite(constant.distances(np.array([[1.0, 1.0], [5.0, -1e30]]), np.zeros((2, 0), int))).all()
    codes = Usual.fit(np.zeros((50, 0)), np.ones((50, 1), int), (3,))
    near, far = codes.distances(np.zeros((2, 0)), np.array([[1], [2]])).max(axis=1)
    assert near < far


def test_json_gives_the_same_ranks():
    usual, ranks = fitted()
    again = Ranks.from_json(json.loads(json.dumps(ranks.to_json())))
    distances = usual.distances(*drawn(50, seed=2))
    np.testing.assert_array_equal(again(distances), ranks(distances))
