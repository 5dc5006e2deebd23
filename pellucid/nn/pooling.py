"""Pooling: one value for each window of positions, or for all of them."""
from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.nn._windows import Pairs, Slide, largest, padding_pairs, shifted
from pellucid.nn.convolution import Padding, each_axis, padding_setting, require_positions, window_sizes

KINDS = ("average", "max")


class _AbstractWindow(eqx.Module):
    """What the pooling layers with a window share: their settings."""

    window: tuple[int, ...] = eqx.field(static=True)
    stride: tuple[int, ...] = eqx.field(static=True)
    padding: str | Pairs = eqx.field(static=True)

    def slide(self, inner: Sequence[int], name: str) -> Slide:
        """The window's way over axes of these lengths."""
        bare = Slide(self.window, self.stride, (1,) * len(self.window), ())
        slide = Slide(self.window, self.stride, bare.dilation, padding_pairs(self.padding, inner, bare))
        if min(slide.positions(inner)) < 1:
            raise ShapeError(f"`{name}` of window {self.window} got positions {tuple(inner)}, too few for it.",
                             'pass larger inputs, a smaller window, or padding="same"')
        return slide

    def out_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape (*positions, features) of what one example of this shape becomes."""
        return (*self.slide(shape[:-1], type(self).__name__).positions(shape[:-1]), shape[-1])


def _settings(layer: str, window: int | Sequence[int], stride: int | Sequence[int] | None,
              padding: Padding) -> tuple[tuple[int, ...], tuple[int, ...], str | Pairs]:
    sizes = window_sizes(layer, window)
    steps = sizes if stride is None else each_axis(layer, "stride", stride, len(sizes))
    return sizes, steps, padding_setting(layer, padding, len(sizes))


class MaxPooling(_AbstractWindow):
    """The largest value of each feature under a sliding window. The gradient goes to the first of equal values.

    Args:
        window: entries of the window on each axis, such as `(2, 2)`.
        stride: how far the window moves; the window itself when `None`.
        padding: `"valid"`, `"same"` or numbers, as in `Convolution`; padded places never win.

    Raises:
        SettingsError: for a size below 1 or an unknown padding.
        ShapeError: when called with another number of axes, or on an input smaller than the window.

    Example:
        >>> MaxPooling((2, 2))(jnp.ones((5, 28, 28, 3))).shape
        (5, 14, 14, 3)
    """

    def __init__(self, window: int | Sequence[int], *, stride: int | Sequence[int] | None = None,
                 padding: Padding = "valid") -> None:
        self.window, self.stride, self.padding = _settings("MaxPooling", window, stride, padding)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, *positions, features) to (batch, *fewer positions, features)."""
        require_positions("MaxPooling", x, len(self.window))
        return largest(shifted(x, self.slide(x.shape[1:-1], "MaxPooling"), -jnp.inf))


class AveragePooling(_AbstractWindow):
    """The mean of each feature under a sliding window; padded places count as 0 with `count_padding`, else not at all.

    Args:
        window: entries of the window on each axis, such as `(2, 2)`.
        stride: how far the window moves; the window itself when `None`.
        padding: `"valid"`, `"same"` or numbers, as in `Convolution`.
        count_padding: whether padded places count.

    Raises:
        SettingsError: for a size below 1 or an unknown padding.
        ShapeError: when called with another number of axes, or on an input smaller than the window.

    Example:
        >>> AveragePooling((2,))(jnp.ones((5, 28, 3))).shape
        (5, 14, 3)
    """

    count_padding: bool = eqx.field(static=True)

    def __init__(self, window: int | Sequence[int], *, stride: int | Sequence[int] | None = None,
                 padding: Padding = "valid", count_padding: bool = False) -> None:
        self.window, self.stride, self.padding = _settings("AveragePooling", window, stride, padding)
        self.count_padding = bool(count_padding)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, *positions, features) to (batch, *fewer positions, features)."""
        require_positions("AveragePooling", x, len(self.window))
        slide = self.slide(x.shape[1:-1], "AveragePooling")
        total = sum(shifted(x, slide))
        if self.count_padding or not any(any(pair) for pair in slide.padding):
            return total / np.prod(self.window).astype(x.dtype)
        counted = sum(shifted(jnp.ones((1, *x.shape[1:-1], 1), x.dtype), slide))
        return total / jnp.maximum(counted, 1)


def _kind(layer: str, kind: str) -> str:
    if kind not in KINDS:
        raise SettingsError(f"`{layer}` got kind={kind!r}; expected one of {', '.join(KINDS)}.",
                            did_you_mean(str(kind), KINDS))
    return kind


class GlobalPooling(eqx.Module):
    """The mean or the largest value of each feature over all positions.

    Args:
        kind: `"average"` or `"max"`.

    Raises:
        SettingsError: for another kind.
        ShapeError: when called with fewer than three axes.

    Example:
        >>> GlobalPooling()(jnp.ones((5, 7, 7, 64))).shape
        (5, 64)
    """

    kind: str = eqx.field(static=True)

    def __init__(self, kind: str = "average") -> None:
        self.kind = _kind("GlobalPooling", kind)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, *positions, features) to (batch, features)."""
        if x.ndim < 3:
            raise ShapeError(f"`GlobalPooling` expected x of shape (batch, *positions, features), got "
                             f"{tuple(x.shape)}.", "pass what a convolution gives")
        axes = tuple(range(1, x.ndim - 1))
        return jnp.mean(x, axis=axes) if self.kind == "average" else jnp.max(x, axis=axes)


class AdaptivePooling(eqx.Module):
    """A fixed number of positions from any number: each is the mean, or the largest, of its share of the input.

    Output position i of n looks at inputs from floor(i · length / n) up to ceil((i + 1) · length / n).

    Args:
        positions: how many positions on each axis to give, such as `(7, 7)`.
        kind: `"average"` or `"max"`.

    Raises:
        SettingsError: for a size below 1 or another kind.
        ShapeError: when called with another number of axes.

    Example:
        >>> AdaptivePooling((3, 2))(jnp.ones((5, 28, 30, 4))).shape
        (5, 3, 2, 4)
    """

    positions: tuple[int, ...] = eqx.field(static=True)
    kind: str = eqx.field(static=True)

    def __init__(self, positions: int | Sequence[int], *, kind: str = "average") -> None:
        self.positions = window_sizes("AdaptivePooling", positions)
        self.kind = _kind("AdaptivePooling", kind)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, *any positions, features) to (batch, *positions, features)."""
        require_positions("AdaptivePooling", x, len(self.positions))
        for axis, count in enumerate(self.positions, 1):
            shares = _shares(x.shape[axis], count)
            if self.kind == "max":
                tops = [jnp.max(jax.lax.slice_in_dim(x, *share, axis=axis), axis=axis) for share in shares]
                x = jnp.stack(tops, axis=axis)
            else:
                places = np.arange(x.shape[axis])
                means = np.stack([((places >= low) & (places < high)) / (high - low) for low, high in shares])
                x = jnp.moveaxis(jnp.tensordot(means.astype(x.dtype), x, axes=(1, axis)), 0, axis)
        return x


def _shares(length: int, count: int) -> list[tuple[int, int]]:
    return [(index * length // count, -(-(index + 1) * length // count)) for index in range(count)]
