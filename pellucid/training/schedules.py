"""Learning-rate schedules by name: a factor for the learning rate at each fraction of training."""
from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from pellucid.core.names import SCHEDULE_ALIASES
from pellucid.core.registry import Registry

Factor = Callable[[Float[Array, ""]], Float[Array, ""]]
schedules: Registry[Factor] = Registry("schedule", SCHEDULE_ALIASES)

WARM_UP = 0.25
COLDEST = 1e-3


def _cosine(progress: Float[Array, ""]) -> Float[Array, ""]:
    return COLDEST + (1 - COLDEST) * 0.5 * (1 + jnp.cos(jnp.pi * progress))


def _one_cycle(progress: Float[Array, ""]) -> Float[Array, ""]:
    """Up from 1/25 over the first quarter, then down (Smith & Topin 2018), both along a cosine."""
    rising = 0.04 + 0.96 * 0.5 * (1 - jnp.cos(jnp.pi * progress / WARM_UP))
    falling = _cosine((progress - WARM_UP) / (1 - WARM_UP))
    return jnp.where(progress < WARM_UP, rising, falling)


def _warm_cosine(progress: Float[Array, ""]) -> Float[Array, ""]:
    """Up in a straight line over the first tenth, then down to 0 along a cosine."""
    falling = 0.5 * (1 + jnp.cos(jnp.pi * jnp.clip((progress - 0.1) / 0.9, 0, 1)))
    return jnp.minimum(progress / 0.1, 1) * falling


schedules.add("constant", lambda progress: jnp.ones_like(progress))
schedules.add("cosine", _cosine)
schedules.add("warm_cosine", _warm_cosine)
schedules.add("one_cycle", _one_cycle)
schedules.add("linear", lambda progress: 1 - (1 - COLDEST) * progress)
schedules.add("exponential", lambda progress: jnp.power(COLDEST, progress))
schedules.add("step", lambda progress: jnp.power(0.1, jnp.floor(3 * jnp.clip(progress, 0, 0.999))))
