"""Shuffling by a counter-based permutation: constant memory, resumable in mid-epoch, the same on host and device.

A Feistel network permutes the integers of the next power of two; values that fall outside the range
walk on along their cycle until they are inside (format-preserving encryption).

Source: Black & Rogaway 2002, "Ciphers with arbitrary finite domains", section 4 (generalised Feistel, cycle walking);
the mixing function is a 32-bit multiply-xorshift hash.
"""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

ROUNDS = 8


def mix(value):
    """A 32-bit integer hash; works on NumPy and JAX unsigned integers alike."""
    value = value ^ (value >> 16)
    value = value * np.uint32(0x7FEB352D)
    value = value ^ (value >> 15)
    value = value * np.uint32(0x846CA68B)
    return value ^ (value >> 16)


def shuffle_seed(seed, *counters):
    """Fold `counters` (member, epoch, …) into one unsigned 32-bit seed."""
    folded = mix(seed + np.uint32(0x9E3779B9))
    for counter in counters:
        folded = mix(folded ^ mix(counter + np.uint32(0x85EBCA6B)))
    return folded


def _two_rounds(turn, halves, seed, masks):
    """Rounds `turn` and `turn + 1` of the Feistel network, on (high, low) halves of the integers."""
    high, low = halves
    high = high ^ (mix(low ^ mix(seed + turn)) & masks[1])
    return high, low ^ (mix(high ^ mix(seed + turn + np.uint32(1))) & masks[0])


def permute(position: jax.Array, size: jax.Array, seed: jax.Array) -> jax.Array:
    """Where each `position` of the shuffled order comes from, on the device.

    Args:
        position: uint32 of any shape, each below `size`.
        size: uint32 scalar, how many elements are shuffled, at least 1; may be traced.
        seed: uint32 scalar, see `shuffle_seed`.

    Returns:
        uint32 of the shape of `position`; over all positions, a permutation of `range(size)`.
    """
    size = jnp.asarray(size, jnp.uint32)
    bits = jnp.maximum(32 - jax.lax.clz(jnp.maximum(size, 2) - 1), 2).astype(jnp.uint32)
    low_bits = bits // 2
    one = jnp.uint32(1)
    masks = (one << low_bits) - one, (one << (bits - low_bits)) - one

    def two_rounds(index, halves):
        return _two_rounds(2 * index.astype(jnp.uint32), halves, seed, masks)

    def walk(walking):  # loops rather than copies of eight rounds: they compile in half the time
        value, outside = walking
        high, low = jax.lax.fori_loop(0, ROUNDS // 2, two_rounds, (value >> low_bits, value & masks[0]))
        value = jnp.where(outside, (high << low_bits) | low, value)
        return value, value >= size

    first = jnp.asarray(position, jnp.uint32)
    return jax.lax.while_loop(lambda walking: jnp.any(walking[1]), walk, (first, jnp.ones_like(first, bool)))[0]


def permute_on_host(position: np.ndarray, size: int, seed: int) -> np.ndarray:
    """The same permutation as `permute`, computed with NumPy, for loaders that stream from disk."""
    bits = np.uint32(max((max(size, 2) - 1).bit_length(), 2))
    low_bits = np.uint32(bits // 2)
    masks = np.uint32((1 << int(low_bits)) - 1), np.uint32((1 << int(bits - low_bits)) - 1)
    value, outside = np.asarray(position, np.uint32), np.ones(np.shape(position), bool)
    with np.errstate(over="ignore"):
        while outside.any():
            halves = value >> low_bits, value & masks[0]
            for turn in range(0, ROUNDS, 2):
                halves = _two_rounds(np.uint32(turn), halves, np.uint32(seed), masks)
            value = np.where(outside, (halves[0] << low_bits) | halves[1], value)
            outside = value >= size
    return value
