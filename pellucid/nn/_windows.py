"""How a window slides over an array: convolution and pooling, lowered for the device when they are traced.

On a CPU `lax.conv_general_dilated` inside a compiled loop is 10 to 50 times slower than what is done here: shifted
slices of the input, laid side by side, times one matrix. On other devices it is the device's own convolution.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import jax
import jax.numpy as jnp

Pairs = tuple[tuple[int, int], ...]

FAST_WINDOW, RUN = 3, 4
INTO = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0), (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1))
OVER = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6), (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))
BACK = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
"""The matrices B, G and R of Winograd's F(4, 3) for the points 0, 1, -1, 2, -2 and infinity."""
MANY_ROWS = 4
"""From so many rows of a window on, they are multiplied one by one."""
FEWEST_FEATURES = 16
"""Below, the products are so small that fewer of them save no time."""


@dataclass(frozen=True)
class Slide:
    """A window's way over the axes between the first and the last: one entry an axis in each field.

    Args:
        size: entries of the window.
        stride: entries from one position to the next.
        dilation: entries from one entry of the window to the next.
        padding: entries of padding before and after; negative ones are cut off.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Pairs

    @property
    def reach(self) -> tuple[int, ...]:
        """From the first entry of the window to one behind the last."""
        return tuple((size - 1) * step + 1 for size, step in zip(self.size, self.dilation, strict=True))

    def positions(self, shape: Sequence[int]) -> tuple[int, ...]:
        """How many positions the window has on each axis of this shape."""
        return tuple((length + low + high - reach) // stride + 1 for length, (low, high), reach, stride
                     in zip(shape, self.padding, self.reach, self.stride, strict=True))

    def offsets(self) -> list[tuple[int, ...]]:
        """Where each entry of the window lies, last axis fastest."""
        return list(itertools.product(*(range(0, reach, step) for reach, step
                                        in zip(self.reach, self.dilation, strict=True))))


def padding_pairs(padding: str | Pairs, shape: Sequence[int], slide: Slide) -> Pairs:
    """Padding before and after on each axis; `"same"` keeps ceil(length / stride) positions, `"valid"` adds none."""
    if not isinstance(padding, str):
        return padding
    if padding == "valid":
        return ((0, 0),) * len(shape)
    wanted = [max((-(-length // stride) - 1) * stride + reach - length, 0)
              for length, stride, reach in zip(shape, slide.stride, slide.reach, strict=True)]
    return tuple((total // 2, total - total // 2) for total in wanted)


def pad(x: jax.Array, pairs: Pairs, value: float = 0.0) -> jax.Array:
    """`x` with `value` around its inner axes; negative padding cuts."""
    if not any(any(pair) for pair in pairs):
        return x
    return jax.lax.pad(x, jnp.asarray(value, x.dtype), [(0, 0, 0), *((*pair, 0) for pair in pairs), (0, 0, 0)])


def shifted(x: jax.Array, slide: Slide, value: float = 0.0) -> list[jax.Array]:
    """For each entry of the window what lies under it, at all positions: (batch, *positions, features) each."""
    spots = slide.positions(x.shape[1:-1])
    if slide.stride == slide.size and slide.dilation == (1,) * len(spots):
        return _tiles(x, slide, spots, value)
    padded, slices = pad(x, slide.padding, value), []
    for offset in slide.offsets():
        ends = [start + (count - 1) * stride + 1 for start, count, stride in zip(offset, spots, slide.stride,
                                                                              strict=True)]
        slices.append(jax.lax.slice(padded, (0, *offset, 0), (len(x), *ends, x.shape[-1]), (1, *slide.stride, 1)))
    return slices


def _tiles(x: jax.Array, slide: Slide, spots: Sequence[int], value: float) -> list[jax.Array]:
    """`shifted` for windows that do not overlap: each input lies under one of them, or beyond the last."""
    beyond = tuple((low, count * size - length - low) for (low, _), count, size, length
                   in zip(slide.padding, spots, slide.size, x.shape[1:-1], strict=True))
    parts = [pad(x, beyond, value)]
    for axis, size in enumerate(slide.size, 1):
        parts = [dealt for part in parts for dealt in _dealt(part, axis, size)]
    return parts


def largest(parts: Sequence[jax.Array]) -> jax.Array:
    """The largest of each entry over `parts`; the gradient goes to the first of equal ones, NaN stays NaN."""
    return reduce(lambda a, b: jnp.where((a >= b) | (a != a), a, b), parts)


def convolve(x: jax.Array, weight: jax.Array, slide: Slide, groups: int = 1) -> jax.Array:
    """The cross-correlation of `x` (batch, *shape, in) with `weight` (*window, in / groups, out)."""
    if jax.default_backend() != "cpu":
        return _device_convolution(x, weight, slide, groups)
    if groups == 1 and _folds(slide):
        return _in_blocks(x, weight, slide)
    if groups == 1:
        return _in_fours(x, weight, slide) if _suits_fours(weight, slide) else _in_rows(shifted(x, slide), weight)
    parts = shifted(x, slide)
    return _depthwise(parts, weight) if weight.shape[-2] == 1 else _grouped(parts, weight, groups)


def _folds(slide: Slide) -> bool:
    """Whether the window is whole blocks of one stride each."""
    whole = all(size % stride == 0 for size, stride in zip(slide.size, slide.stride, strict=True))
    return whole and max(slide.stride) > 1 and max(slide.dilation) == 1


def _in_blocks(x: jax.Array, weight: jax.Array, slide: Slide) -> jax.Array:
    """A strided convolution as one without stride over blocks of `stride` entries an axis, which become features.

    A window of 4 × 4 with stride 2 has four slices then, not sixteen: up to twice as fast, and compiled in a fraction
    of the time where gradients of gradients are taken.
    """
    spots = slide.positions(x.shape[1:-1])
    ends = [(count - 1) * stride + size - length - low for count, stride, size, length, (low, _)
            in zip(spots, slide.stride, slide.size, x.shape[1:-1], slide.padding, strict=True)]
    whole = pad(x, tuple((low, end) for (low, _), end in zip(slide.padding, ends, strict=True)))
    matrix, ones = _blocks(weight, slide.stride, 0), (1,) * len(spots)
    over = Slide(matrix.shape[:-2], ones, ones, ((0, 0),) * len(spots))
    return _dense(shifted(_blocks(whole, slide.stride, 1), over), matrix)


def _blocks(x: jax.Array, stride: Sequence[int], first: int) -> jax.Array:
    """The axes from `first` on in blocks of `stride`, whose entries go in front of the features behind these axes."""
    inner, behind = x.shape[first:first + len(stride)], first + 2 * len(stride)
    counts = [length // step for length, step in zip(inner, stride, strict=True)]
    pairs = [number for pair in zip(counts, stride, strict=True) for number in pair]
    split = x.reshape(*x.shape[:first], *pairs, *x.shape[first + len(stride):])
    order = (*range(first), *range(first, behind, 2), *range(first + 1, behind, 2), *range(behind, split.ndim))
    rest = x.shape[first + len(stride) + 1:]
    return split.transpose(order).reshape(*x.shape[:first], *counts, -1, *rest)


def _suits_fours(weight: jax.Array, slide: Slide) -> bool:
    last = slide.size[-1], slide.stride[-1], slide.dilation[-1]
    return last == (FAST_WINDOW, 1, 1) and min(weight.shape[-2:]) >= FEWEST_FEATURES


def _in_fours(x: jax.Array, weight: jax.Array, slide: Slide) -> jax.Array:
    """A window of three entries on the last axis gives four outputs from six products instead of twelve.

    `y = R · ((G · weight) ∘ (B · x))` for each run of six inputs and four outputs; over the other axes of the window
    the six are laid side by side as usual.

    Source: Winograd 1980, "Arithmetic complexity of computations", F(4, 3); Lavin & Gray 2016, section 4.3.
    """
    count, axis = slide.positions(x.shape[1:-1])[-1], x.ndim - 2
    runs = -(-count // RUN)
    low, high = slide.padding[-1]
    padded = pad(x, (*slide.padding[:-1], (low, high + (runs + 1) * RUN - FAST_WINDOW + 1 - count)))
    still = Slide((*slide.size[:-1], 1), slide.stride, slide.dilation, ((0, 0),) * len(slide.size))
    rows = _beside(shifted(padded, still))
    phases = _dealt(rows, axis, RUN)
    lanes = [jax.lax.slice_in_dim(phases[lane % RUN], lane // RUN, lane // RUN + runs, axis=axis)
             for lane in range(len(INTO))]
    taps = jax.lax.split(weight, (1,) * FAST_WINDOW, axis - 1)
    products = [_dense([_mixed(into, lanes)], _mixed(over, taps)) for into, over in zip(INTO, OVER, strict=True)]
    outputs = _interleave([_mixed(row, products) for row in BACK], axis)
    return jax.lax.slice_in_dim(outputs, 0, count, axis=axis)


def _dealt(x: jax.Array, axis: int, step: int) -> list[jax.Array]:
    """Every `step`-th entry of an axis, from each of the first `step` on; the gradient is their interleaving, which is
    several times as fast as that of a slice with a stride."""
    split = x.reshape(*x.shape[:axis], -1, step, *x.shape[axis + 1:])
    return [part.squeeze(axis + 1) for part in jax.lax.split(split, (1,) * step, axis + 1)]


def _beside(parts: Sequence[jax.Array]) -> jax.Array:
    return jnp.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def _mixed(row: Sequence[float], parts: Sequence[jax.Array]) -> jax.Array:
    return sum(part if factor == 1 else factor * part for factor, part in zip(row, parts, strict=True) if factor)


def _in_rows(parts: list[jax.Array], weight: jax.Array) -> jax.Array:
    """`_dense`; for a large window row by row, so that not all of it lies side by side at once: less memory to move."""
    length = weight.shape[-3]
    if len(parts) // length < MANY_ROWS:
        return _dense(parts, weight)
    rows = weight.reshape(-1, *weight.shape[-3:])
    return sum(_dense(parts[index * length:(index + 1) * length], row) for index, row in enumerate(rows))


def _dense(parts: list[jax.Array], weight: jax.Array) -> jax.Array:
    rows, features = _beside(parts), weight.shape[-1]
    total = rows.reshape(-1, rows.shape[-1]) @ weight.reshape(-1, features)
    return total.reshape(*rows.shape[:-1], features)


def _depthwise(parts: list[jax.Array], weight: jax.Array) -> jax.Array:
    channels, features = parts[0].shape[-1], weight.shape[-1]
    factors = weight.reshape(len(parts), channels, features // channels)
    if features == channels:
        return sum(part * factor[:, 0] for part, factor in zip(parts, factors, strict=True))
    total = sum(part[..., None] * factor for part, factor in zip(parts, factors, strict=True))
    return total.reshape(*total.shape[:-2], features)


def _grouped(parts: list[jax.Array], weight: jax.Array, groups: int) -> jax.Array:
    inside, features = weight.shape[-2:]
    rows = jnp.stack([part.reshape(-1, groups, inside) for part in parts], axis=2)
    matrix = weight.reshape(len(parts), inside, groups, features // groups)
    total = jnp.einsum("rgti,tigo->rgo", rows, matrix)
    return total.reshape(*parts[0].shape[:-1], features)


def _device_convolution(x: jax.Array, weight: jax.Array, slide: Slide, groups: int,
                        spread: Sequence[int] | None = None) -> jax.Array:
    letters = "DHW"[-len(slide.size):]
    return jax.lax.conv_general_dilated(
        x, weight, slide.stride, slide.padding, lhs_dilation=spread, rhs_dilation=slide.dilation,
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"), feature_group_count=groups)


def convolve_transposed(x: jax.Array, weight: jax.Array, slide: Slide, groups: int = 1) -> jax.Array:
    """The transposed convolution: each input writes `weight` times itself, `stride` apart; padding is cut off.

    `y[stride · i + dilation · k - padding] += x[i] · weight[k]`.
    """
    axes = tuple(range(len(slide.size)))
    lengths = [(length - 1) * stride + reach - low - high for length, stride, reach, (low, high)
               in zip(x.shape[1:-1], slide.stride, slide.reach, slide.padding, strict=True)]
    if jax.default_backend() != "cpu":
        around = tuple((reach - 1 - low, reach - 1 - high)
                       for reach, (low, high) in zip(slide.reach, slide.padding, strict=True))
        whole = Slide(slide.size, (1,) * len(axes), slide.dilation, around)
        return _device_convolution(x, jnp.flip(weight, axes), whole, groups, slide.stride)
    if groups == 1 and _folds(slide):
        return _from_blocks(x, weight, slide)
    counts = [-(-(length + low) // stride) for length, (low, _), stride
              in zip(lengths, slide.padding, slide.stride, strict=True)]
    phases = [_phase(x, weight, slide, phase, counts, groups)
              for phase in itertools.product(*(range(stride) for stride in slide.stride))]
    woven = _weave(phases, slide.stride)
    return pad(woven, tuple((-low, length + low - whole) for (low, _), length, whole
                            in zip(slide.padding, lengths, woven.shape[1:-1], strict=True)))


def _from_blocks(x: jax.Array, weight: jax.Array, slide: Slide) -> jax.Array:
    """The transpose of `_in_blocks`: one matrix product, whose blocks are added up where they overlap."""
    axes, (inside, features) = len(slide.size), weight.shape[-2:]
    counts = [size // stride for size, stride in zip(slide.size, slide.stride, strict=True)]
    matrix = _blocks(jnp.swapaxes(weight, -1, -2), slide.stride, 0).reshape(-1, inside)
    written = (x.reshape(-1, inside) @ matrix.T).reshape(*x.shape[:-1], -1)
    total = 0
    for offset, part in zip(itertools.product(*map(range, counts)),
                            jnp.split(written, math.prod(counts), axis=-1), strict=True):
        total += pad(part, tuple((low, count - 1 - low) for low, count in zip(offset, counts, strict=True)))
    inner = total.shape[1:-1]
    split = total.reshape(len(x), *inner, *slide.stride, features)
    order = (0, *(axis + 1 + part * axes for axis in range(axes) for part in (0, 1)), 2 * axes + 1)
    sides = [length * stride for length, stride in zip(inner, slide.stride, strict=True)]
    whole = split.transpose(order).reshape(len(x), *sides, features)
    return pad(whole, tuple((-low, -high) for low, high in slide.padding))


def _phase(x: jax.Array, weight: jax.Array, slide: Slide, phase: Sequence[int], counts: Sequence[int],
           groups: int) -> jax.Array:
    """The outputs at `stride · j + phase`: only every so many entries of the window reach them, so an ordinary
    convolution with those, backwards, gives them."""
    taps, steps, padding = [], [], []
    for axis, (size, stride, dilation) in enumerate(zip(slide.size, slide.stride, slide.dilation, strict=True)):
        chosen = [tap for tap in range(size) if tap * dilation % stride == phase[axis]]
        if not chosen:
            return jnp.zeros((len(x), *counts, weight.shape[-1]), x.dtype)
        step = dilation // math.gcd(dilation, stride)
        first = chosen[0] * dilation // stride
        last = first + (len(chosen) - 1) * step
        taps.append(chosen[::-1])
        steps.append(step)
        padding.append((last, counts[axis] - 1 - first - (x.shape[axis + 1] - 1)))
    part = weight[jnp.ix_(*(jnp.asarray(chosen) for chosen in taps))]
    inner = Slide(tuple(map(len, taps)), (1,) * len(taps), tuple(steps), tuple(padding))
    return convolve(x, part, inner, groups)


def _weave(phases: list[jax.Array], stride: Sequence[int]) -> jax.Array:
    """Put the phases, last axis fastest, between each other."""
    for axis in reversed(range(len(stride))):
        step = stride[axis]
        groups = [phases[start:start + step] for start in range(0, len(phases), step)]
        phases = [_interleave(group, axis + 1) for group in groups]
    return phases[0]


def _interleave(parts: list[jax.Array], axis: int) -> jax.Array:
    if len(parts) == 1:
        return parts[0]
    shape = parts[0].shape
    return jnp.stack(parts, axis + 1).reshape(*shape[:axis], shape[axis] * len(parts), *shape[axis + 1:])
