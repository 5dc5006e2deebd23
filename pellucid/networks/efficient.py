"""EfficientNet-Lite: a convolutional network for photographs whose first layers may be known already."""
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks._rows import PREPARED, shares, sole
from pellucid.networks.convolutional import AugmentationOptions
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Augmentation, Buffer, Dense, Dropout
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.convolution_blocks import ConvolutionBlock
from pellucid.nn.inverted import InvertedResidual

LITE0 = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
         (6, 3, 1, 320, 1))
"""The stages of EfficientNet-Lite0: expand, window, stride, features, blocks."""
FIRST, LAST = 32, 1280
"""Features of its first and of its last convolution."""
MIDDLE, SPREAD = 127.0, 128.0
"""Of the brightness of a pixel, from 0 to 255: what its weights were learned with."""
FEW = 256
"""Up to so many frozen features a weight of the output is learned at the full rate."""
AT_ONCE = 8
"""Pictures that go through the frozen layers together: more would not stay in the caches of a processor."""
Layer = ConvolutionBlock | InvertedResidual


@dataclass(frozen=True)
class EfficientSettings:
    """What an `Efficient` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_shape: tuple[int, int, int]
    out_features: int
    size: tuple[int, int]
    stages: tuple[tuple[int, int, int, int, int], ...] = LITE0
    first: int = FIRST
    last: int = LAST
    learned: int | None = None
    views: tuple[tuple[int, int], ...] = ()
    normalisation: str = "batch"
    dropout: float = 0.2
    augmentation: AugmentationOptions = AugmentationOptions()

    def __post_init__(self) -> None:
        for name, length, meaning in (("in_shape", 3, "(height, width, channels)"), ("size", 2, "(height, width)")):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != length:
                raise SettingsError(f"`Efficient` got {name}={given!r}; expected {meaning}.",
                                    "pass in_shape=(224, 224, 3), size=(224, 224), for example")
            object.__setattr__(self, name, tuple(whole_number("Efficient", name, one) for one in given))
        if self.in_shape[2] not in (1, 3):
            raise SettingsError(f"`Efficient` got in_shape={self.in_shape!r}; expected 1 or 3 channels.",
                                "pass grey or coloured pictures")
        for name, low in (("out_features", 1), ("first", 1), ("last", 0)):
            whole_number("Efficient", name, getattr(self, name), low)
        stages = tuple(tuple(whole_number("Efficient", "stages", one) for one in stage) for stage in self.stages)
        if not stages or any(len(stage) != 5 for stage in stages):
            raise SettingsError(f"`Efficient` got stages={self.stages!r}; expected rows of (expand, window, stride, "
                                "features, blocks).", "leave them out for EfficientNet-Lite0")
        object.__setattr__(self, "stages", stages)
        if self.learned is not None and whole_number("Efficient", "learned", self.learned, 0) > self.depth:
            raise SettingsError(f"`Efficient` got learned={self.learned}; it has {self.depth} layers before its "
                                "output.", f"pass 0 to {self.depth}, or None for all")
        if self.learned is not None and self.normalisation != "none":
            raise SettingsError(f"`Efficient` got learned={self.learned} and normalisation={self.normalisation!r}; "
                                "frozen layers have it folded in.", 'pass normalisation="none"')
        object.__setattr__(self, "views", tuple(tuple(whole_number("Efficient", "views", one) for one in view)
                                                for view in self.views) or ((self.depth, 1),))
        if any(len(view) != 2 or view[0] > self.depth for view in self.views):
            raise SettingsError(f"`Efficient` got views={self.views!r}; expected rows of (layer, grid), with layers up "
                                f"to {self.depth}.", f"pass views=(({self.depth}, 1),) for the mean of the last layer")
        share("Efficient", "dropout", self.dropout)
        if isinstance(self.augmentation, Mapping):
            object.__setattr__(self, "augmentation", AugmentationOptions(**self.augmentation))

    @property
    def depth(self) -> int:
        """Layers before the output: a convolution, the blocks of all stages, a convolution unless there is none."""
        return len(self.widths)

    @property
    def frozen(self) -> int:
        """How many layers, from the pixels on, do not learn."""
        return 0 if self.learned is None else self.depth - self.learned

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer."""
        inner = [stage[3] for stage in self.stages for _ in range(stage[4])]
        return (self.first, *inner, *([self.last] if self.last else []))

    @property
    def features(self) -> int:
        """How many numbers the output sees."""
        return sum(self.widths[layer - 1] * grid * grid for layer, grid in self.views)


class Efficient(eqx.Module):
    """EfficientNet-Lite: a convolution, stages of inverted residual blocks, a convolution, the mean over positions.

    Without `learned` the whole network learns, from random weights. With it, only the last `learned` layers and the
    output do; what is before them is frozen, has its normalisation folded in, and is usually taken from a network that
    knows photographs (`networks.pretrained`). With `learned=0` what the output sees is the same in every epoch, so
    `prepared` computes it once for all; the network takes that as well as pixels. 8-bit integers are divided by 255;
    grey pictures get three equal colours; all are scaled to `size`.

    The output sees the last layer's mean over all positions, or what `views` asks for: layers in the middle know less
    of what dogs are and more of how things look, and a grid keeps where in the picture that is.

    Args:
        in_shape: (height, width, channels) of a picture; 1 or 3 channels.
        out_features: number of output neurons, at least 1.
        size: (height, width) that pictures are scaled to; that of `in_shape` when `None`.
        stages: rows of (expand, window, stride, features, blocks); those of EfficientNet-Lite0 by default.
        first, last: features of the first and the last convolution; 0 for no last one.
        learned: how many of the last layers before the output learn: 0 for the output alone, `None` for all.
        normalisation: `"batch"`, or `"none"` where it is folded into the weights.
        dropout: the share of what enters the output that rests while training, from 0 up to, but without, 1.
        augmentation: how training pictures are changed at random; see `nn.Augmentation`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, frozen layers with a normalisation, or more learned layers than there are.
        ShapeError: when called with another shape.

    Example:
        >>> network = Efficient((32, 32, 3), 10, key=jax.random.key(0))
        >>> network(jnp.ones((5, 32, 32, 3)))[0].shape
        (5, 10)

    Source: Tan & Le 2019, "EfficientNet"; Lite: no squeeze-and-excitation, relu6 for swish (Liu 2020).
    """

    members_in_turn: ClassVar[bool] = True
    tile: ClassVar[int] = 2 * AT_ONCE

    augmentation: Augmentation
    frozen: Buffer  # tuple[Layer, ...]
    learned: tuple[Layer, ...]
    middle: Buffer  # (features,)
    spread: Buffer  # (features,)
    dropout: Dropout
    output: Dense
    settings: EfficientSettings = eqx.field(static=True)

    def __init__(self, in_shape: Sequence[int], out_features: int, *, size: Sequence[int] | None = None,
                 stages: Sequence[Sequence[int]] = LITE0, first: int = FIRST, last: int = LAST,
                 learned: int | None = None, views: Sequence[Sequence[int]] = (), normalisation: str = "batch",
                 dropout: float = 0.2,
                 augmentation: Mapping[str, Any] | AugmentationOptions = AugmentationOptions(),  # noqa: B008, frozen
                 key: jax.Array) -> None:
        self.settings = settings = EfficientSettings(
            in_shape, out_features, tuple(in_shape)[:2] if size is None else size, stages, first, last, learned,
            views, normalisation, dropout, augmentation)
        layers_key, output_key = subkeys(key, 2)
        layers = tuple(_layers(settings, layers_key))
        self.augmentation = Augmentation(**asdict(settings.augmentation))
        self.frozen, self.learned = Buffer(jax.tree.map(_waves, layers[:settings.frozen])), layers[settings.frozen:]
        features = settings.features
        self.middle, self.spread = Buffer(jnp.zeros(features)), Buffer(jnp.ones(features))
        self.dropout = Dropout(dropout)
        self.output = Dense(features, out_features, initialiser="zeros" if learned == 0 else "glorot_uniform",
                            key=output_key)

    def rate_factors(self) -> dict[str, float]:
        """Thousands of frozen features move an answer together, so that each weight takes a smaller step."""
        features = self.settings.features
        return {"output.weight": min(FEW / features, 1.0)} if self.settings.learned == 0 else {}

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers before the output."""
        return self.frozen.value + self.learned

    def initial_state(self) -> tuple[Any, ...]:
        """Running statistics of the layers that learn."""
        return tuple(layer.initial_state() for layer in self.learned)

    def __call__(self, inputs: Any, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From (batch, *in_shape) to (batch, out_features), and the new state.

        Args:
            inputs: pixels, floating-point numbers or 8-bit integers; or `{"prepared": …}`.
            state: running statistics from `initial_state()` or a call before; the initial ones when `None`.
            key: the random key for dropout and augmentation; needed only when training with either.
            training: whether dropout, augmentation and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
        """
        state = self.initial_state() if state is None else state
        head_key = None if key is None or not training else jax.random.fold_in(key, 1)
        if _is_prepared(inputs):
            return self._head(inputs[PREPARED], head_key, training), state
        pixels = self.augmentation(self._pixels(inputs), key=key, training=training)
        if self.settings.learned == 0:
            return self._head(self._fixed_features(pixels), head_key, training), state
        features, state = self._features(pixels, state, training, weight)
        return self._head(features, head_key, training), state

    @property
    def prepares(self) -> bool:
        """Whether `prepared` does anything: no layer before the output learns, and pictures are shown as they are."""
        return self.settings.learned == 0 and self.settings.augmentation == AugmentationOptions()

    def prepared(self, inputs: Any) -> Any:
        """Pixels to `{"prepared": (batch, features)}`, what the output sees, where that never changes; anything else
        as it is."""
        if not self.prepares or _is_prepared(inputs):
            return inputs
        return {PREPARED: self._fixed_features(self._pixels(inputs))}

    def _fixed_features(self, pixels: jax.Array) -> jax.Array:
        """What the output sees where nothing before it learns, a few pictures at a time."""
        return jax.lax.map(lambda picture: self._features(picture[None], (), False, None)[0][0], pixels,
                           batch_size=min(AT_ONCE, max(len(pixels), 1)))

    def _features(self, pixels: jax.Array, state: tuple[Any, ...], training: bool,
                  weight: jax.Array | None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From shares of brightness to what the output sees, layer by layer up to the last one that is asked for."""
        value, seen, states = self._scaled(pixels), {}, []
        deepest = max(layer for layer, _ in self.settings.views)
        for number, layer in enumerate(self.frozen.value, 1):
            if number <= deepest:
                value, _ = layer(value, state=layer.initial_state(), training=False)
                seen[number] = value
        for number, (layer, own) in enumerate(zip(self.learned, state, strict=True), self.settings.frozen + 1):
            value, own = layer(value, state=own, training=training, weight=weight)
            seen[number] = value
            states.append(own)
        return self._viewed(seen), tuple(states)

    def _viewed(self, seen: Mapping[int, jax.Array]) -> jax.Array:
        return jnp.concatenate([_in_grid(seen[layer], grid) for layer, grid in self.settings.views], axis=1)

    def _pixels(self, inputs: Any) -> jax.Array:
        inputs, expected = sole(inputs), self.settings.in_shape
        if jnp.shape(inputs)[1:] != expected:
            raise ShapeError(f"`Efficient` expected inputs of shape (batch, {', '.join(map(str, expected))}), got "
                             f"{jnp.shape(inputs)}.", "build it for this shape; grey pictures need a last axis of 1")
        return shares(inputs, self.output.weight.dtype)

    def _scaled(self, pixels: jax.Array) -> jax.Array:
        """At the asked-for size, in three colours, around 0."""
        rows, channels = len(pixels), pixels.shape[-1]
        if pixels.shape[1:3] != self.settings.size:
            pixels = jax.image.resize(pixels, (rows, *self.settings.size, channels), "bilinear", antialias=True)
        pixels = jnp.broadcast_to(pixels, (*pixels.shape[:3], 3))
        return pixels * (255 / SPREAD) - MIDDLE / SPREAD

    def _head(self, features: jax.Array, key: jax.Array | None, training: bool) -> jax.Array:
        return self.output(self.dropout(self._even(features), key=key, training=training))

    def _even(self, features: jax.Array) -> jax.Array:
        return (features - self.middle.value) / self.spread.value

    def layer_outputs(self, inputs: Any, *, state: tuple[Any, ...] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"first"`, `"stage 1.1"`, …, `"last"`, `"features"`, `"output"`;
        the last two of them for prepared inputs."""
        if _is_prepared(inputs):
            return self._last_outputs(inputs[PREPARED])
        states = [layer.initial_state() for layer in self.frozen.value]
        states += self.initial_state() if state is None else state
        value, found = self._scaled(self._pixels(inputs)), {}
        for name, layer, own in zip(self._names(), self.layers, states, strict=True):
            value, _ = layer(value, state=own, training=False)
            found[name] = value
        return found | self._last_outputs(self._viewed(dict(enumerate(found.values(), 1))))

    def _last_outputs(self, features: jax.Array) -> dict[str, jax.Array]:
        return {"features": self._even(features), "output": self._head(features, None, False)}

    def _names(self) -> Iterator[str]:
        yield "first"
        for number, stage in enumerate(self.settings.stages, 1):
            yield from (f"stage {number}.{block}" for block in range(1, stage[4] + 1))
        if self.settings.last:
            yield "last"

    def parts(self) -> Parts:
        """Every convolution; windows are used at each of their positions."""
        settings, shape = self.settings, (*self.settings.size, 3)
        rows = [Part("inputs", "input", math.prod(settings.in_shape), depth=0, shape=settings.in_shape, kind="image")]
        paths = []
        for name, layer in zip(self._names(), self.layers, strict=True):
            blocks = layer.blocks if isinstance(layer, InvertedResidual) else (layer,)
            titles = (name,) if len(blocks) == 1 else [f"{name}, {role}" for role in (
                "expand", "depthwise", "project")[-len(blocks):]]
            if isinstance(layer, InvertedResidual) and layer.adds:
                paths.append((len(rows) - 1, len(rows) + len(blocks) - 1, "residual"))
            for title, block in zip(titles, blocks, strict=True):
                shape = block.out_shape(shape)
                rows.append(Part(title, "hidden", math.prod(shape), block.activation, block, shape=shape,
                                 uses=math.prod(shape[:-1]), kind="convolution"))
        rows.append(Part("features", "hidden", 0, arrays=(self.middle, self.spread), shape=(settings.features,),
                         kind="normalisation"))
        rows.append(Part("output", "output", settings.out_features, self.output.activation, self.output))
        return Parts(tuple(rows), tuple(paths))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        settings = asdict(self.settings)
        lists = {"in_shape": list(settings["in_shape"]), "size": list(settings["size"]),
                 "stages": [list(stage) for stage in settings["stages"]],
                 "views": [list(view) for view in settings["views"]]}
        return {"network": "efficient", **settings, **lists}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Efficient:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _layers(settings: EfficientSettings, key: jax.Array) -> Iterator[Layer]:
    """The layers of all stages."""
    make = {"activation": "relu6", "normalisation": settings.normalisation}
    keys = iter(subkeys(key, settings.depth))
    yield ConvolutionBlock(3, settings.first, (3, 3), stride=2, **make, key=next(keys))
    before = settings.first
    for expand, window, stride, features, blocks in settings.stages:
        block = partial(InvertedResidual, expand=expand, window=window, **make)
        for number in range(blocks):
            yield block(before, features, stride=1 if number else stride, key=next(keys))
            before = features
    if settings.last:
        yield ConvolutionBlock(before, settings.last, (1, 1), **make, key=next(keys))


def _waves(weight: jax.Array) -> jax.Array:
    """Numbers of the size of random ones for a frozen array, which waits for known ones: random numbers for hundreds of
    arrays would take a minute to compile."""
    if weight.ndim == 1:
        return jnp.zeros_like(weight)
    return jnp.cos(jnp.arange(weight.size, dtype=weight.dtype) + 0.5).reshape(weight.shape) / math.sqrt(
        math.prod(weight.shape[:-1]) / 2)


def _is_prepared(inputs: Any) -> bool:
    return isinstance(inputs, Mapping) and PREPARED in inputs


def _in_grid(maps: jax.Array, grid: int) -> jax.Array:
    """Means over the cells of a grid, which overlap where it has more rows than the maps: (batch, grid² · features)."""
    batch, height, width, features = maps.shape
    down, across = _cells(height, grid), _cells(width, grid)
    return jnp.einsum("bhwf,gh,kw->bgkf", maps, down, across).reshape(batch, grid * grid * features)


def _cells(length: int, grid: int) -> np.ndarray:
    """Of which positions each cell is the mean: (grid, length)."""
    ends = np.arange(grid + 1) * length / grid
    first = np.minimum(np.floor(ends[:-1]), length - 1)[:, None]
    last = np.maximum(np.ceil(ends[1:]), first[:, 0] + 1)[:, None]
    places = np.arange(length)
    inside = ((places >= first) & (places < last)).astype(np.float32)
    return inside / inside.sum(axis=1, keepdims=True)
