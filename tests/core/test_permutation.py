"""The shuffle: a permutation for every size, the same on host and device, without visible order."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.permutation import permute, permute_on_host, shuffle_seed

SIZES = [*range(1, 70), 127, 128, 129, 1000, 4096, 4097, 65_537, 100_003]
_permute = jax.jit(permute)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_a_permutation(size):
    found = permute_on_host(np.arange(size), size, 3)
    assert np.array_equal(np.sort(found), np.arange(size))


@settings(max_examples=60)
@given(size=st.integers(1, 20_000), seed=st.integers(0, 2**32 - 1))
def test_of_any_size_and_seed(size, seed):
    assert np.array_equal(np.sort(permute_on_host(np.arange(size), size, seed)), np.arange(size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 100, 1023, 1024, 2048])
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_host_and_device_agree(size, seed):
    position = np.arange(2048, dtype=np.uint32) % size  # one shape, so that the device compiles once
    device = _permute(jnp.asarray(position), jnp.uint32(size), jnp.uint32(seed))
    np.testing.assert_array_equal(device, permute_on_host(position, size, seed))


def test_very_large_sizes():
    size = 2**31 - 1
    position = np.array([0, 1, 2**30, size - 1], np.uint32)
    found = permute_on_host(position, size, 7)
    assert (found < size).all() and len(np.unique(found)) == 4
    padded = np.resize(position, 2048)
    np.testing.assert_array_equal(_permute(jnp.asarray(padded), jnp.uint32(size), jnp.uint32(7))[:4], found)


def test_any_part_can_be_computed_alone():
    whole = permute_on_host(np.arange(1000), 1000, 5)
    np.testing.assert_array_equal(permute_on_host(np.arange(400, 450), 1000, 5), whole[400:450])


@pytest.mark.parametrize("size", [50, 1000, 4096])
def test_there_is_no_visible_order(size):
    position = np.arange(size)
    orders = np.stack([permute_on_host(position, size, seed) for seed in range(60)]).astype(float)
    bound = 4.5 / np.sqrt(size)
    correlation = [np.corrcoef(position, order)[0, 1] for order in orders]
    assert np.abs(correlation).max() < bound and abs(np.mean(correlation)) < bound / 4
    assert max(abs(np.corrcoef(order[:-1], order[1:])[0, 1]) for order in orders) < bound  # neighbours
    between = np.corrcoef(orders) - np.eye(len(orders))
    assert np.abs(between).max() < 5.5 / np.sqrt(size)  # seeds


def test_every_place_is_as_likely():
    """Where the first of 10 elements goes, over 5,000 seeds: chi-squared with 9 degrees of freedom."""
    seeds = shuffle_seed(np.arange(5000, dtype=np.uint32))
    places = np.array([permute_on_host(np.array([0]), 10, seed)[0] for seed in seeds])
    counts = np.bincount(places, minlength=10)
    assert ((counts - 500) ** 2 / 500).sum() < 27.9  # 0.1 %


def test_seeds_of_counters_differ():
    with np.errstate(over="ignore"):
        seeds = {int(shuffle_seed(np.uint32(seed), np.uint32(member), np.uint32(epoch)))
                 for seed in range(10) for member in range(10) for epoch in range(100)}
    assert len(seeds) > 9_995
