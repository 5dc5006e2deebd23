"""Augmentation: training images changed a little at random, so that a network learns what does not matter."""
from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys, uniform


class Augmentation(eqx.Module):
    """Mirrors, shifts and partly erases each row at random while training; does nothing outside of training.

    All rows are changed at once, each in its own way. Without any of the three, the layer gives what it gets.

    Source: erasing is cutout, DeVries & Taylor 2017.

    Args:
        mirror: whether half of the rows are mirrored left to right (along the last axis of positions).
        shift: the most positions by which a row moves along each axis; zeros move in.
        erase: the share of each axis that an erased box covers, from 0 (off) up to, but without, 1. The box's middle
            lies anywhere, so that part of it may be outside.

    Raises:
        SettingsError: for a shift below 0, a share outside [0, 1), or when called for training without a key.
        ShapeError: when called with fewer than three axes.

    Example:
        >>> layer = Augmentation(mirror=True, shift=2, erase=0.3)
        >>> layer(jnp.ones((5, 28, 28, 1)), key=jax.random.key(0), training=True).shape
        (5, 28, 28, 1)
    """

    mirror: bool = eqx.field(static=True)
    shift: int = eqx.field(static=True)
    erase: float = eqx.field(static=True)

    def __init__(self, *, mirror: bool = False, shift: int = 0, erase: float = 0.0) -> None:
        self.mirror, self.shift = bool(mirror), whole_number("Augmentation", "shift", shift, 0)
        self.erase = share("Augmentation", "erase", erase)

    def __call__(self, x: jax.Array, *, key: jax.Array | None, training: bool) -> jax.Array:
        """From (batch, *positions, features) to the same shape."""
        if not training or not (self.mirror or self.shift or self.erase):
            return x
        if key is None:
            raise SettingsError("`Augmentation` needs a random key while training.",
                                "pass key=jax.random.key(seed), or training=False")
        if x.ndim < 3:
            raise ShapeError(f"`Augmentation` expected x of shape (batch, *positions, features), got {x.shape}.",
                             "pass images or series, with the features last")
        mirror_key, shift_key, erase_key = subkeys(key, 3)
        if self.mirror:
            x = _mirrored(x, mirror_key)
        if self.shift:
            x = _moved(x, shift_key, self.shift)
        return _erased(x, erase_key, self.erase) if self.erase else x


def _mirrored(x: jax.Array, key: jax.Array) -> jax.Array:
    chosen = uniform(key, (len(x),)) < 0.5
    return jnp.where(chosen.reshape(-1, *[1] * (x.ndim - 1)), jnp.flip(x, x.ndim - 2), x)


def _moved(x: jax.Array, key: jax.Array, most: int) -> jax.Array:
    axes = x.ndim - 2
    first = (uniform(key, (len(x), axes)) * (2 * most + 1)).astype(jnp.int32)
    room = jnp.pad(x, ((0, 0), *[(most, most)] * axes, (0, 0)))
    starts = jnp.concatenate([first, jnp.zeros((len(x), 1), jnp.int32)], axis=1)
    return jax.vmap(lambda row, start: jax.lax.dynamic_slice(row, start, x.shape[1:]))(room, starts)


def _erased(x: jax.Array, key: jax.Array, part: float) -> jax.Array:
    inside = jnp.ones((), bool)
    for axis, own in enumerate(subkeys(key, x.ndim - 2), 1):
        length = x.shape[axis]
        middle = uniform(own, (len(x), 1), 0, length)
        near = jnp.abs(jnp.arange(length) + 0.5 - middle) < part * length / 2  # (batch, length)
        inside = inside & near.reshape(len(x), *(length if one == axis else 1 for one in range(1, x.ndim)))
    return jnp.where(inside, 0, x)
