"""Random numbers for weights and dropout by a counter-based integer hash of the key.

A hash of (key, position) is a deterministic, parallel generator like threefry, but an order of magnitude faster to
run on a CPU and to compile; it is more than random enough for masks and starting weights, and for nothing secret.

Source: the hash is Chris Wellons' "lowbias32", found by his hash prospector; two rounds with a key word before each.
"""
from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from pellucid.core.permutation import mix


@partial(jax.jit, static_argnames="shape", inline=True)
def words(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Uniform uint32 of any shape."""
    seed = _key_words(key)
    position = jax.lax.iota(jnp.uint32, math.prod(shape))
    return mix(mix(position + seed[0]) ^ seed[-1]).reshape(shape)


@partial(jax.jit, static_argnames=("shape", "dtype"), inline=True)
def uniform(key: jax.Array, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0,
            dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Uniform numbers strictly between `low` and `high`, in steps of 2⁻²³ of the range."""
    centred = ((words(key, shape) >> 9).astype(dtype) + 0.5) * 2.0**-23
    return low + (high - low) * centred


@partial(jax.jit, static_argnames=("shape", "dtype"), inline=True)
def normal(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Standard normal numbers, by the inverse of the distribution function; none beyond ±5.3."""
    return math.sqrt(2) * jax.lax.erf_inv(uniform(key, shape, -1.0, 1.0, dtype))


@partial(jax.jit, static_argnames="count", inline=True)
def subkeys(key: jax.Array, count: int) -> list[jax.Array]:
    """`count` keys that have nothing to do with each other, of the same kind as `key`."""
    seed = _key_words(key)
    lane = np.arange(seed.shape[0], dtype=np.uint32)
    with np.errstate(over="ignore"):
        steps = [mix(mix(np.uint32(index) + np.uint32(0x9E3779B9)) + lane) for index in range(count)]
    made = [mix(mix(seed + step) ^ seed[::-1]) for step in steps]
    if jnp.issubdtype(key.dtype, jnp.integer):
        return made
    return [jax.random.wrap_key_data(data, impl=jax.random.key_impl(key)) for data in made]


def _key_words(key: jax.Array) -> jax.Array:
    return key if jnp.issubdtype(key.dtype, jnp.integer) else jax.random.key_data(key)
