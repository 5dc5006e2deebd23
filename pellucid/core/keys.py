"""Random keys: always derived from integers, never carried from step to step."""
from __future__ import annotations

import jax


def run_key(seed: int) -> jax.Array:
    """The key of a whole run; threefry, so that the same seed gives the same bits on every device."""
    return jax.random.key(seed, impl="threefry2x32")


def step_key(key: jax.Array, member: jax.Array, iteration: jax.Array) -> jax.Array:
    """The key of one iteration of one ensemble member."""
    return jax.random.fold_in(jax.random.fold_in(key, member), iteration)
