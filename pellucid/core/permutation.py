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


def _encrypt(value, seed, low_bits, low_mask, high_mask):
    high, low = value >> low_bits, value & low_mask
    for turn in range(ROUNDS):
        if turn % 2 == 0:
            high = high ^ (mix(low ^ mix(seed + np.uint32(turn))) & high_mask)
        else:
            low = low ^ (mix(high ^ mix(seed + np.uint32(turn))) & low_mask)
    return (high << low_bits) | low


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

    def walk(value):
        return jnp.where(value >= size, _encrypt(value, seed, low_bits, *masks), value)

    first = _encrypt(jnp.asarray(position, jnp.uint32), seed, low_bits, *masks)
    return jax.lax.while_loop(lambda value: jnp.any(value >= size), walk, first)


def permute_on_host(position: np.ndarray, size: int, seed: int) -> np.ndarray:
    """The same permutation as `permute`, computed with NumPy, for loaders that stream from disk."""
    bits = np.uint32(max((max(size, 2) - 1).bit_length(), 2))
    low_bits = np.uint32(bits // 2)
    masks = np.uint32((1 << int(low_bits)) - 1), np.uint32((1 << int(bits - low_bits)) - 1)
    with np.errstate(over="ignore"):
        value = _encrypt(np.asarray(position, np.uint32), np.uint32(seed), low_bits, *masks)
        while (outside := value >= size).any():
            value = np.where(outside, _encrypt(value, np.uint32(seed), low_bits, *masks), value)
    return value
