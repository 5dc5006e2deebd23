"""Dropout: neurons that rest at random while training."""
from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError
from pellucid.nn._checks import share
from pellucid.nn._random import uniform, words
from pellucid.nn.buffer import Buffer


class Dropout(eqx.Module):
    """Sets each input to 0 with probability `rate` while training, and scales the rest so that the mean stays.

    The mask comes from a counter-based integer hash of the key: on a CPU ten times as fast as threefry bits.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014.

    Args:
        rate: the share of inputs that rest, from 0 (off) up to, but without, 1.

    Raises:
        SettingsError: for a rate outside [0, 1), or when called for training without a key.

    Example:
        >>> Dropout(0.5)(jnp.ones((2, 3)), key=None, training=False).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    rate: float = eqx.field(static=True)

    def __init__(self, rate: float) -> None:
        self.rate = share("Dropout", "rate", rate)

    def __call__(self, x: jax.Array, *, key: jax.Array | None, training: bool) -> jax.Array:
        """`x` itself outside of training, or with some entries at 0 and the others larger."""
        if not training or self.rate == 0:
            return x
        if key is None:
            raise SettingsError("`Dropout` needs a random key while training.",
                                "pass key=jax.random.key(seed), or training=False")
        return jnp.where(_keep(key, x.shape, self.rate), x / (1 - self.rate), 0)


class VariableDropout(eqx.Module):
    """`Dropout` whose rate is an array, so that the members of an ensemble may differ in it.

    Args:
        rate: the share of inputs that rest, from 0 up to, but without, 1.

    Raises:
        SettingsError: for a rate outside [0, 1), or when called for training without a key.
    """

    rate: Buffer
    initial: float = eqx.field(static=True)

    def __init__(self, rate: float) -> None:
        self.initial = share("VariableDropout", "rate", rate)
        self.rate = Buffer(jnp.asarray(self.initial, jnp.float32))

    def mask(self, shape: tuple[int, ...], *, key: jax.Array | None, dtype: jnp.dtype = jnp.float32) -> jax.Array:
        """Factors of the given shape: 0 with probability `rate`, else 1 / (1 - rate)."""
        if key is None:
            raise SettingsError("`VariableDropout` needs a random key while training.",
                                "pass key=jax.random.key(seed), or training=False")
        rate = self.rate.value.astype(dtype)
        return jnp.where(uniform(key, shape, dtype=dtype) >= rate, 1 / (1 - rate), 0)


def _keep(key: jax.Array, shape: tuple[int, ...], rate: float) -> jax.Array:
    """True with probability 1 - rate, independently."""
    return words(key, shape) >= np.uint32(min(round(rate * 2**32), 2**32 - 1))
