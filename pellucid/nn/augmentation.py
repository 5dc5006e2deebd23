"""Augmentation: training images changed a little at random, so that a network learns what does not matter."""
from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys, uniform

STEEPEST = 180.0


class Augmentation(eqx.Module):
    """Mirrors, shifts, turns, zooms, brightens and partly erases each row at random while training; does nothing
    outside of training.

    All rows are changed at once, each in its own way. Without any of the changes, the layer gives what it gets.

    Source: erasing is cutout, DeVries & Taylor 2017.

    Args:
        mirror: whether half of the rows are mirrored left to right (along the last axis of positions).
        shift: the most positions by which a row moves along each axis; zeros move in.
        erase: the share of each axis that an erased box covers, from 0 (off) up to, but without, 1. The box's middle
            lies anywhere, so that part of it may be outside.
        rotate: the largest angle, in degrees, by which a row is turned to either side; images only.
        zoom: the largest share, from 0 up to, but without, 1, by which a row grows or shrinks, width and height a
            little differently; images only. While turning or zooming, the border moves in instead of zeros.
        contrast: the largest share, from 0 up to, but without, 1, by which differences from the row's mean grow or
            shrink, and half of which the mean moves up or down.

    Raises:
        SettingsError: for a shift below 0, a share outside [0, 1), an angle outside [0, 180], or when called for
            training without a key.
        ShapeError: when called with fewer than three axes, or to turn or zoom what is no image.

    Example:
        >>> layer = Augmentation(mirror=True, shift=2, erase=0.3, rotate=10)
        >>> layer(jnp.ones((5, 28, 28, 1)), key=jax.random.key(0), training=True).shape
        (5, 28, 28, 1)
    """

    mirror: bool = eqx.field(static=True)
    shift: int = eqx.field(static=True)
    erase: float = eqx.field(static=True)
    rotate: float = eqx.field(static=True)
    zoom: float = eqx.field(static=True)
    contrast: float = eqx.field(static=True)

    def __init__(self, *, mirror: bool = False, shift: int = 0, erase: float = 0.0, rotate: float = 0.0,
                 zoom: float = 0.0, contrast: float = 0.0) -> None:
        self.mirror, self.shift = bool(mirror), whole_number("Augmentation", "shift", shift, 0)
        self.erase, self.zoom = share("Augmentation", "erase", erase), share("Augmentation", "zoom", zoom)
        self.contrast = share("Augmentation", "contrast", contrast)
        if not isinstance(rotate, (int, float)) or not 0 <= rotate <= STEEPEST:
            raise SettingsError(f"`Augmentation` got rotate={rotate!r}; expected an angle from 0 to 180 degrees.",
                                "10 suits most pictures")
        self.rotate = float(rotate)

    def __call__(self, x: jax.Array, *, key: jax.Array | None, training: bool) -> jax.Array:
        """From (batch, *positions, features) to the same shape."""
        warps, asked = self.rotate or self.zoom, (self.mirror, self.shift, self.erase, self.contrast)
        if not training or not (warps or any(asked)):
            return x
        if key is None:
            raise SettingsError("`Augmentation` needs a random key while training.",
                                "pass key=jax.random.key(seed), or training=False")
        if x.ndim < 3 or warps and x.ndim != 4:
            expected = "(batch, height, width, channels)" if warps else "(batch, *positions, features)"
            raise ShapeError(f"`Augmentation` expected x of shape {expected}, got {x.shape}.",
                             "pass images or series, with the features last; only images can be turned or zoomed")
        mirror_key, shift_key, erase_key, contrast_key = subkeys(key, 4)
        if self.contrast:
            x = _brightened(x, contrast_key, self.contrast)
        if self.mirror:
            x = _mirrored(x, mirror_key)
        if warps:
            x = _warped(x, shift_key, self.shift, math.radians(self.rotate), self.zoom)
        elif self.shift:
            x = _moved(x, shift_key, self.shift)
        return _erased(x, erase_key, self.erase) if self.erase else x


def _mirrored(x: jax.Array, key: jax.Array) -> jax.Array:
    chosen = uniform(key, (len(x),)) < 0.5
    return jnp.where(chosen.reshape(-1, *[1] * (x.ndim - 1)), jnp.flip(x, x.ndim - 2), x)


def _brightened(x: jax.Array, key: jax.Array, most: float) -> jax.Array:
    own = (len(x), *[1] * (x.ndim - 1))
    factor, step = uniform(key, (2, len(x)), -most, most, x.dtype).reshape(2, *own)
    mean = jnp.mean(x, tuple(range(1, x.ndim)), keepdims=True)
    return (x - mean) * (1 + factor) + mean + step / 2


def _moved(x: jax.Array, key: jax.Array, most: int) -> jax.Array:
    axes = x.ndim - 2
    first = (uniform(key, (len(x), axes)) * (2 * most + 1)).astype(jnp.int32)
    room = jnp.pad(x, ((0, 0), *[(most, most)] * axes, (0, 0)))
    starts = jnp.concatenate([first, jnp.zeros((len(x), 1), jnp.int32)], axis=1)
    return jax.vmap(lambda row, start: jax.lax.dynamic_slice(row, start, x.shape[1:]))(room, starts)


def _warped(x: jax.Array, key: jax.Array, shift: int, angle: float, zoom: float) -> jax.Array:
    """Each image turned, zoomed and moved at once: every pixel is read, between its four neighbours, from where it
    was before."""
    batch, height, width, features = x.shape
    turn, down, right, size, stretch = uniform(key, (5, batch), -1.0, 1.0, x.dtype)
    turn = turn * angle
    tall, wide = 1 / (1 + zoom * size + zoom / 3 * stretch), 1 / (1 + zoom * size - zoom / 3 * stretch)
    row = (jnp.arange(height, dtype=x.dtype) - (height - 1) / 2)[None, :, None]
    column = (jnp.arange(width, dtype=x.dtype) - (width - 1) / 2)[None, None, :]
    cosine, sine = jnp.cos(turn)[:, None, None], jnp.sin(turn)[:, None, None]
    y = tall[:, None, None] * (cosine * row - sine * column) + (shift * down)[:, None, None] + (height - 1) / 2
    z = wide[:, None, None] * (sine * row + cosine * column) + (shift * right)[:, None, None] + (width - 1) / 2
    y, z = jnp.clip(y, 0, height - 1), jnp.clip(z, 0, width - 1)
    top = jnp.clip(jnp.floor(y).astype(jnp.int32), 0, max(height - 2, 0))
    left = jnp.clip(jnp.floor(z).astype(jnp.int32), 0, max(width - 2, 0))
    lower, rest = (y - top)[..., None], (z - left)[..., None]
    flat, start = x.reshape(-1, features), jnp.arange(batch, dtype=jnp.int32)[:, None, None] * (height * width)

    def at(one: jax.Array, other: jax.Array) -> jax.Array:
        place = start + jnp.minimum(one, height - 1) * width + jnp.minimum(other, width - 1)
        return flat.at[place].get(mode="promise_in_bounds")

    upper_row = at(top, left) * (1 - rest) + at(top, left + 1) * rest
    lower_row = at(top + 1, left) * (1 - rest) + at(top + 1, left + 1) * rest
    return upper_row * (1 - lower) + lower_row * lower


def _erased(x: jax.Array, key: jax.Array, part: float) -> jax.Array:
    inside = jnp.ones((), bool)
    for axis, own in enumerate(subkeys(key, x.ndim - 2), 1):
        length = x.shape[axis]
        middle = uniform(own, (len(x), 1), 0, length)
        near = jnp.abs(jnp.arange(length) + 0.5 - middle) < part * length / 2  # (batch, length)
        inside = inside & near.reshape(len(x), *(length if one == axis else 1 for one in range(1, x.ndim)))
    return jnp.where(inside, 0, x)
