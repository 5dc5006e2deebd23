"""Augmentation of series: each is seen a little earlier, slower, larger or noisier each time."""
from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError
from pellucid.nn._checks import share
from pellucid.nn._random import normal, subkeys, uniform

Values = Float[Array, "batch time channels"]


class Jitter(eqx.Module):
    """Changes each series at random while training; does nothing outside of training.

    All rows are changed at once, each in its own way. Where a series is moved or stretched, its first and its last
    value fill what becomes empty; between two steps, values are interpolated.

    Source: Um and others 2017, "Data augmentation of wearable sensor data".

    Args:
        noise: the standard deviation of noise at each step, in units of the values, which have about variance 1.
        scale: the largest share by which all values of a row grow or shrink.
        shift: the largest share of its length by which a row moves to earlier or later.
        stretch: the largest share by which a row becomes longer or shorter around its middle.

    Raises:
        SettingsError: for a share outside [0, 1), or when called for training without a key.

    Example:
        >>> layer = Jitter(noise=0.1, shift=0.1)
        >>> layer(jnp.ones((5, 30, 2)), jnp.full(5, 30), key=jax.random.key(0), training=True).shape
        (5, 30, 2)
    """

    noise: float = eqx.field(static=True)
    scale: float = eqx.field(static=True)
    shift: float = eqx.field(static=True)
    stretch: float = eqx.field(static=True)

    def __init__(self, *, noise: float = 0.0, scale: float = 0.0, shift: float = 0.0, stretch: float = 0.0) -> None:
        self.noise, self.scale = share("Jitter", "noise", noise), share("Jitter", "scale", scale)
        self.shift, self.stretch = share("Jitter", "shift", shift), share("Jitter", "stretch", stretch)

    def __call__(self, x: Values, lengths: Int[Array, " batch"], *, key: jax.Array | None, training: bool) -> Values:
        """From (batch, time, channels) to the same shape; what is behind a length means nothing before and after."""
        if not training or not any((self.noise, self.scale, self.shift, self.stretch)):
            return x
        if key is None:
            raise SettingsError("`Jitter` needs a random key while training.",
                                "pass key=jax.random.key(seed), or training=False")
        move_key, scale_key, noise_key = subkeys(key, 3)
        if self.shift or self.stretch:
            x = self._moved(x, lengths, move_key)
        if self.scale:
            x = x * (1 + uniform(scale_key, (len(x), 1, 1), -self.scale, self.scale, x.dtype))
        return x + self.noise * normal(noise_key, x.shape, x.dtype) if self.noise else x

    def _moved(self, x: Values, lengths: Int[Array, " batch"], key: jax.Array) -> Values:
        """Each step is read, between its two neighbours, from where it was before."""
        move, pace = uniform(key, (2, len(x), 1), -1.0, 1.0, x.dtype)
        last = jnp.maximum(lengths - 1, 0)[:, None].astype(x.dtype)
        middle = last / 2
        place = jnp.arange(x.shape[1], dtype=x.dtype)[None, :] - move * self.shift * last
        place = (place - middle) * jnp.exp(pace * math.log1p(self.stretch)) + middle
        place = jnp.clip(place, 0, last)
        before = jnp.floor(place).astype(jnp.int32)
        after = jnp.minimum(before + 1, last.astype(jnp.int32))
        rest = (place - before)[..., None]
        return (jnp.take_along_axis(x, before[..., None], axis=1) * (1 - rest)
                + jnp.take_along_axis(x, after[..., None], axis=1) * rest)
