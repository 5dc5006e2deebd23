"""Convolution: neurons that look through a small window, with the same weights at every position."""
from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import whole_number
from pellucid.nn._windows import Slide, convolve, convolve_transposed, padding_pairs
from pellucid.nn.activations import activate, activations
from pellucid.nn.initialisers import initialise, initialisers

Padding = str | int | Sequence[int | tuple[int, int]]
PADDINGS = ("same", "valid")
MOST_AXES = 3


class Convolution(eqx.Module):
    """`activation(Σ over the window of x · weight + bias)` at every position of a sliding window.

    The length of `window` says over how many axes it slides: (batch, time, features), (batch, height, width,
    features), (batch, depth, height, width, features). The same few weights serve at all positions, where a dense
    layer would have weights of its own for each pair of an input and an output.

    With `transposed`, the layer is the transpose of a convolution with this stride: every input writes the window,
    times its value, `stride` apart, which makes images larger.

    Source: LeCun, Boser, Denker, Henderson, Howard, Hubbard & Jackel 1989; transposed: Zeiler, Krishnan, Taylor &
    Fergus 2010, "Deconvolutional networks"; the output sizes are those of Dumoulin & Visin 2016.

    Args:
        in_features: features of each input position, at least 1.
        out_features: neurons at each output position, at least 1.
        window: entries of the window on each axis, such as `(3,)`, `(3, 3)` or `(3, 3, 3)`.
        stride: how far the window moves, a number or one for each axis.
        dilation: how far the entries of the window are apart, a number or one for each axis.
        padding: `"same"` keeps the size, divided by the stride and rounded up (times the stride when transposed);
            `"valid"` adds no padding; or how many zeros on both sides: a number, or for each axis a number or a pair
            (before, after). Transposed, so much is cut off the output.
        groups: in how many groups the features are split, each group seeing only its own; `in_features` for
            depthwise.
        transposed: whether to transpose.
        bias: whether a bias neuron shifts the activation.
        activation: the name of an activation function.
        initialiser: the name of the rule for starting weights.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, groups that do not divide the features, or an unknown name.
        ShapeError: when called with another number of axes or features, or on an input smaller than the window.

    Example:
        >>> layer = Convolution(3, 8, (3, 3), stride=2, key=jax.random.key(0))
        >>> layer(jnp.ones((5, 28, 28, 3))).shape
        (5, 14, 14, 8)
    """

    weight: jax.Array  # (*window, in_features / groups, out_features)
    bias: jax.Array | None  # (out_features,)
    stride: tuple[int, ...] = eqx.field(static=True)
    dilation: tuple[int, ...] = eqx.field(static=True)
    padding: str | tuple[tuple[int, int], ...] = eqx.field(static=True)
    groups: int = eqx.field(static=True)
    transposed: bool = eqx.field(static=True)
    activation: str = eqx.field(static=True)
    initialiser: str = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, window: int | Sequence[int], *,
                 stride: int | Sequence[int] = 1, dilation: int | Sequence[int] = 1, padding: Padding = "same",
                 groups: int = 1, transposed: bool = False, bias: bool = True, activation: str = "identity",
                 initialiser: str = "he_normal", key: jax.Array) -> None:
        size = window_sizes("Convolution", window)
        self.stride = each_axis("Convolution", "stride", stride, len(size))
        self.dilation = each_axis("Convolution", "dilation", dilation, len(size))
        self.padding = padding_setting("Convolution", padding, len(size))
        self.groups, self.transposed = _groups(groups, in_features, out_features), bool(transposed)
        self.activation = activations.canonical(activation)
        self.initialiser = initialisers.canonical(initialiser)
        inside = in_features // self.groups
        entries = math.prod(size)
        reached = max(1, entries // math.prod(self.stride)) if transposed else entries
        self.weight = initialise(self.initialiser, key, (*size, inside, out_features), reached * inside,
                                 entries * out_features // self.groups)
        self.bias = jnp.zeros(out_features) if bias else None

    @property
    def window(self) -> tuple[int, ...]:
        """Entries of the window on each axis."""
        return self.weight.shape[:-2]

    @property
    def in_features(self) -> int:
        """Features of each input position."""
        return self.weight.shape[-2] * self.groups

    @property
    def out_features(self) -> int:
        """Neurons at each output position."""
        return self.weight.shape[-1]

    def out_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape (*positions, out_features) of what one example of shape (*positions, in_features) becomes."""
        slide, inner = self._slide(shape[:-1]), shape[:-1]
        if not self.transposed:
            return (*slide.positions(inner), self.out_features)
        spots = [(length - 1) * stride + reach - low - high for length, stride, reach, (low, high)
                 in zip(inner, slide.stride, slide.reach, slide.padding, strict=True)]
        return (*spots, self.out_features)

    def _slide(self, inner: Sequence[int]) -> Slide:
        slide = Slide(self.window, self.stride, self.dilation, ())
        if not self.transposed or self.padding == "valid":
            pairs = padding_pairs(self.padding, inner, slide)
        elif self.padding == "same":
            cut = [reach - stride for reach, stride in zip(slide.reach, self.stride, strict=True)]
            pairs = tuple((max(total, 0) // 2, total - max(total, 0) // 2) for total in cut)
        else:
            pairs = self.padding
        return Slide(self.window, self.stride, self.dilation, pairs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, *positions, in_features) to (batch, *positions, out_features)."""
        require_positions("Convolution", x, len(self.window), self.in_features)
        if min(self.out_shape(x.shape[1:])) < 1:
            raise ShapeError(f"`Convolution` of window {self.window} got x of shape {tuple(x.shape)}: too small.",
                             'pass larger inputs, a smaller window, or padding="same"')
        run = convolve_transposed if self.transposed else convolve
        total = run(x, self.weight, self._slide(x.shape[1:-1]), self.groups)
        return activate(self.activation, total if self.bias is None else total + self.bias)


def window_sizes(layer: str, window: int | Sequence[int]) -> tuple[int, ...]:
    """`window` as one size for each axis, of which there may be one to three."""
    sizes = (window,) if isinstance(window, int) else tuple(window)
    if not 1 <= len(sizes) <= MOST_AXES:
        raise SettingsError(f"`{layer}` got window={window!r}; expected one to {MOST_AXES} sizes.",
                            "pass window=(3, 3) for images, (3,) for series, (3, 3, 3) for volumes")
    return tuple(whole_number(layer, "window", size) for size in sizes)


def each_axis(layer: str, name: str, value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """`value` as one whole number of at least 1 for each of `axes` axes."""
    numbers = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * axes
    if len(numbers) != axes:
        raise SettingsError(f"`{layer}` got {name}={value!r}; expected a number, or one for each of {axes} axes.",
                            f"pass {name}={(2,) * axes}, for example")
    return tuple(whole_number(layer, name, number) for number in numbers)


def padding_setting(layer: str, padding: Padding, axes: int) -> str | tuple[tuple[int, int], ...]:
    """`padding` as a name, or as (before, after) for each axis."""
    if isinstance(padding, str):
        if padding not in PADDINGS:
            raise SettingsError(f"`{layer}` got padding={padding!r}; expected 'same', 'valid' or numbers.",
                                'set padding="same" to keep the size')
        return padding
    given = tuple(padding) if isinstance(padding, Sequence) else (padding,) * axes
    pairs = tuple(tuple(one) if isinstance(one, Sequence) else (one, one) for one in given)
    if len(pairs) != axes or any(len(pair) != 2 for pair in pairs):
        raise SettingsError(f"`{layer}` got padding={padding!r}; expected a number or a pair for each of {axes} axes.",
                            f"pass padding={((1, 1),) * axes}, for example")
    return tuple(tuple(whole_number(layer, "padding", one, 0) for one in pair) for pair in pairs)


def require_positions(layer: str, x: jax.Array, axes: int, features: int | None = None) -> None:
    """Raise `ShapeError` unless `x` is (batch, *positions over `axes` axes, features)."""
    if x.ndim != axes + 2 or features not in (None, x.shape[-1]):
        inner = {1: "time", 2: "height, width", 3: "depth, height, width"}[axes]
        raise ShapeError(f"`{layer}` expected x of shape (batch, {inner}, {features or 'features'}), got "
                         f"{tuple(x.shape)}.", "put the features last, and check the length of `window`")


def _groups(groups: int, in_features: int, out_features: int) -> int:
    for name, size in (("in_features", in_features), ("out_features", out_features)):
        whole_number("Convolution", name, size)
        if size % whole_number("Convolution", "groups", groups):
            raise SettingsError(f"`Convolution` got groups={groups} with {name}={size}; expected groups to divide it.",
                                "set groups=1, or sizes that are multiples of it")
    return groups
