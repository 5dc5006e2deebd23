"""Changed copies of examples that still show the same thing: what self-supervised learning compares."""
from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import whole_number
from pellucid.nn._random import normal, subkeys, uniform, words

BRIGHTEST = 255


@dataclass(frozen=True)
class Views:
    """How a fresh view of each row is made, each time it is shown; 0 switches a change off.

    For images, (rows, height, width, colours): `flip`, `shift`, `stretch`, `erase`, `contrast`. For numbers: `noise`.
    For anything, tables with categories too: `swap`, which keeps every column's own distribution.

    Source: Simard, Steinkraus & Platt 2003 for shifts; DeVries & Taylor 2017 for `erase` (cutout); Bahri, Jiang, Tay &
    Metzler 2022, "SCARF", for `swap`.

    Args:
        flip: the share of images that are mirrored left to right, from 0 to 1.
        shift: how many pixels an image may move in each direction, which empties the edge.
        stretch: by which share an image may grow or shrink along each axis, from 0 up to, but without, 1.
        erase: the largest side of a blank rectangle, as a share of the image's, from 0 to 1.
        contrast: by how much brightness may be multiplied, up or down, from 0 up to, but without, 1.
        noise: the standard deviation of normal noise on numbers.
        swap: the share of entries that are taken from other rows, from 0 to 1.

    Example:
        >>> images = jnp.ones((4, 28, 28, 1))
        >>> Views(flip=0.5, shift=2, erase=0.4)(images, jax.random.key(0)).shape
        (4, 28, 28, 1)
    """

    flip: float = 0.0
    shift: int = 0
    stretch: float = 0.0
    erase: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    swap: float = 0.0

    def __post_init__(self) -> None:
        whole_number("Views", "shift", self.shift, 0)
        for field in fields(self):
            value, high = getattr(self, field.name), math.inf if field.name in ("shift", "noise") else 1.0
            if not isinstance(value, numbers.Real) or not 0 <= value <= high:
                raise SettingsError(f"`Views` got {field.name}={value!r}; expected a number from 0 to {high}.",
                                    f"leave {field.name} out to switch it off")

    def __call__(self, inputs: PyTree[Array], key: Array) -> PyTree[Array]:
        """A view of each row, of the same shapes; 8-bit pixels become numbers from 0 to 1."""
        keys = subkeys(key, 4)
        inputs = jax.tree.map(_shares, inputs)
        if self.swap:
            inputs = _swapped(inputs, self.swap, keys[0])
        if self.flip or self.shift or self.stretch:
            inputs = jax.tree.map(lambda leaf: self._moved(leaf, keys[1]), inputs)
        if self.contrast or self.erase:
            inputs = jax.tree.map(lambda leaf: self._painted(leaf, keys[2]), inputs)
        if self.noise:
            inputs = jax.tree.map(lambda leaf: _noisy(leaf, self.noise, keys[3]), inputs)
        return inputs

    def _moved(self, images: Array, key: Array) -> Array:
        """Mirrored, shifted and stretched by the nearest pixel: one row and one column index for each image."""
        rows, height, width, _ = _image_shape(images)
        mirror, *places = subkeys(key, 5)
        across, down = (self._line(size, rows, *places[2 * number:2 * number + 2])
                        for number, size in enumerate((width, height)))
        if self.flip:
            mirrored = uniform(mirror, (rows, 1)) < self.flip
            across = jnp.where(mirrored, width - 1 - across, across)
        inside = _inside(down, height)[:, :, None] & _inside(across, width)[:, None]
        picked = _choose(_choose(images, down, 1), across, 2)
        return picked if not (self.shift or self.stretch) else jnp.where(inside[..., None], picked, 0)

    def _line(self, size: int, rows: int, first: Array, second: Array) -> Array:
        """Which old pixel each new one shows along one axis: (rows, size), outside of the image for an empty edge."""
        place = jnp.arange(size)[None]
        if self.stretch:
            scale = uniform(first, (rows, 1), 1 - self.stretch, 1 + self.stretch)
            place = jnp.round((place - (size - 1) / 2) / scale + (size - 1) / 2).astype(jnp.int32)
        if self.shift:
            place = place + (words(second, (rows, 1)) % (2 * self.shift + 1)).astype(jnp.int32) - self.shift
        return place

    def _painted(self, images: Array, key: Array) -> Array:
        """With other contrast, and with a blank rectangle."""
        rows, height, width, _ = _image_shape(images)
        keys = subkeys(key, 5)
        if self.contrast:
            images = images * uniform(keys[4], (rows, 1, 1, 1), 1 - self.contrast, 1 + self.contrast, images.dtype)
        if not self.erase:
            return images
        spans = []
        for size, first, second in ((height, *keys[:2]), (width, *keys[2:4])):
            side = uniform(first, (rows, 1), 0, self.erase) * size
            spans.append(jnp.abs(jnp.arange(size) - uniform(second, (rows, 1), 0, size - 1)) < side / 2)
        blank = spans[0][:, :, None] & spans[1][:, None]
        return jnp.where(blank[..., None], 0, images)


def _choose(images: Array, place: Array, axis: int) -> Array:
    """The rows or columns of each image at `place`, as a product with a matrix of zeros and ones.

    A gather would read pixel by pixel; on a CPU this is several times faster.
    """
    size = images.shape[axis]
    pick = (jnp.clip(place, 0, size - 1)[:, :, None] == jnp.arange(size)).astype(images.dtype)
    return jnp.einsum("nij,njwc->niwc" if axis == 1 else "nij,nhjc->nhic", pick, images)


def _inside(place: Array, size: int) -> Array:
    return (place >= 0) & (place < size)


def _image_shape(images: Array) -> tuple[int, ...]:
    if images.ndim != 4:
        raise ShapeError(f"`Views` expected images of shape (rows, height, width, colours), got {images.shape}.",
                         "use noise or swap for inputs that are not images, or add an axis for the colours")
    return images.shape


def _swapped(inputs: PyTree[Array], share: float, key: Array) -> PyTree[Array]:
    """Each entry, with probability `share`, from a row chosen by chance."""
    leaves, structure = jax.tree.flatten(inputs)
    made = []
    for leaf, own in zip(leaves, subkeys(key, len(leaves)), strict=True):
        first, second = subkeys(own, 2)
        flat = leaf.reshape(len(leaf), -1)
        other = (words(first, flat.shape) % len(leaf)).astype(jnp.int32)
        foreign = jnp.take_along_axis(flat, other, axis=0)
        made.append(jnp.where(uniform(second, flat.shape) < share, foreign, flat).reshape(leaf.shape))
    return structure.unflatten(made)


def _noisy(leaf: Array, deviation: float, key: Array) -> Array:
    return leaf + deviation * normal(key, leaf.shape, leaf.dtype) if _is_number(leaf) else leaf


def _shares(leaf: Array) -> Array:
    leaf = jnp.asarray(leaf)
    return leaf.astype(jnp.float32) / BRIGHTEST if leaf.dtype == jnp.uint8 else leaf


def _is_number(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.inexact)
