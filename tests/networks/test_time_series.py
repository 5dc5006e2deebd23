"""The network for series: lengths, sections, and how series are changed while training."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError
from pellucid.networks import TimeSeries, describe
from pellucid.networks.time_series import section_means
from pellucid.nn import Jitter

KEY = jax.random.key(0)


def test_what_is_behind_the_end_counts_for_nothing():
    network = TimeSeries(16, 1, 2, hidden=(3,), window=3, key=KEY)
    values = np.random.default_rng(0).normal(size=(2, 16, 1)).astype(np.float32)
    lengths = jnp.array([5, 16])
    changed = values.copy()
    changed[0, 5:] = 100
    assert jnp.array_equal(*(network({"values": jnp.asarray(one), "lengths": lengths})[0] for one in (values, changed)))


def test_sections_are_parts_of_the_own_length():
    value = jnp.arange(6.0)[None, :, None] * jnp.ones((2, 1, 1))
    means = section_means(value, jnp.array([6, 3]), 2)[..., 0]
    assert jnp.allclose(means, jnp.array([[1.0, 4.0], [1 / 3, 5 / 3]]))


def test_short_series_are_pooled_less_often():
    names = [row.name for row in describe(TimeSeries(20, 1, 2, hidden=(3, 3, 3), key=KEY)).rows]
    assert "pooling 1" in names and "pooling 2" not in names
    assert TimeSeries(1, 1, 2, key=KEY)(jnp.ones((3, 1, 1)))[0].shape == (3, 2)


def test_jitter_moves_within_the_own_length():
    x = jnp.arange(10.0)[None, :, None] * jnp.ones((50, 1, 1))
    lengths = jnp.full(50, 6)
    moved = Jitter(shift=0.3, stretch=0.2)(x, lengths, key=KEY, training=True)[:, :6, 0]
    assert moved.min() >= 0 and moved.max() <= 5 and float(jnp.std(moved[:, 3])) > 0.3
    assert (jnp.diff(moved, axis=1) >= -1e-5).all()
    assert jnp.array_equal(Jitter(noise=0.3)(x, lengths, key=None, training=False), x)
    noisy = Jitter(noise=0.5, scale=0.2)(jnp.zeros((400, 5, 1)), jnp.full(400, 5), key=KEY, training=True)
    assert float(noisy.std()) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("wrong", [{"hidden": ()}, {"hidden": (0,)}, {"dropout": 1}, {"window": 0}, {"sections": 0},
                                   {"jitter": {"noise": 2}}, {"normalisation": "none such"}])
def test_wrong_settings(wrong):
    with pytest.raises(SettingsError):
        TimeSeries(8, 1, 2, key=KEY, **wrong)


def test_jitter_needs_a_key():
    with pytest.raises(SettingsError, match="needs a random key"):
        Jitter(noise=0.1)(jnp.ones((2, 3, 1)), jnp.full(2, 3), key=None, training=True)
