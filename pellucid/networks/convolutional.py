"""The convolutional network: small windows slide over an image, a series or a volume, in stages of fewer positions."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks._rows import shares
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Augmentation, Dense, Dropout, MaxPooling, activations, initialiser_for
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.convolution_blocks import ConvolutionBlock, ResidualBlock

HEADS = ("flat", "average", "max")
Layer = ConvolutionBlock | ResidualBlock | MaxPooling


@dataclass(frozen=True)
class AugmentationOptions:
    """How training images are changed at random; see `nn.Augmentation`."""

    mirror: bool = False
    shift: int = 0
    erase: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    contrast: float = 0.0


@dataclass(frozen=True)
class ConvolutionalSettings:
    """What a `Convolutional` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_shape: tuple[int, ...]
    hidden: tuple[int, ...]
    out_features: int
    window: int = 3
    depth: int = 1
    residual: bool = False
    head: str = "flat"
    dense: tuple[int, ...] = ()
    activation: str = "relu"
    normalisation: str = "batch"
    dropout: float = 0.0
    augmentation: AugmentationOptions = AugmentationOptions()

    def __post_init__(self) -> None:
        wanted = (("in_shape", 2, 4, "(height, width, channels)"), ("hidden", 1, math.inf, "the size of each stage"),
                  ("dense", 0, math.inf, "the size of each dense layer"))
        for name, low, high, meaning in wanted:
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence) or not low <= len(given) <= high:
                raise SettingsError(f"`Convolutional` got {name}={given!r}; expected {meaning}.",
                                    "pass in_shape=(28, 28, 1), hidden=(32, 64), for example")
            object.__setattr__(self, name, tuple(whole_number("Convolutional", name, size) for size in given))
        for name in ("out_features", "window", "depth"):
            whole_number("Convolutional", name, getattr(self, name))
        if self.head not in HEADS:
            raise SettingsError(f"`Convolutional` got head={self.head!r}; expected one of {', '.join(HEADS)}.",
                                did_you_mean(str(self.head), HEADS))
        share("Convolutional", "dropout", self.dropout)
        object.__setattr__(self, "activation", activations.canonical(self.activation))
        if isinstance(self.augmentation, Mapping):
            object.__setattr__(self, "augmentation", AugmentationOptions(**self.augmentation))


class Convolutional(eqx.Module):
    """Stages of convolutions, each ending in a pooling that halves every axis; then dense layers to the outputs.

    A plain stage is `depth` convolutions, each normalised and activated, and the pooling. With `residual`, a stage is
    one such convolution, the pooling, and `depth` residual blocks of two convolutions. The length of `in_shape` says
    whether it sees series (time, features), images (height, width, channels) or volumes. 8-bit integers are divided
    by 255. The head takes all numbers of the last stage (`"flat"`) or their mean or maximum over positions.

    Args:
        in_shape: of one example, features last.
        hidden: features of each stage.
        out_features: number of output neurons, at least 1.
        window: entries of all windows on each axis.
        depth: convolutions of a plain stage, residual blocks of a residual one; at least 1.
        residual: whether stages have residual blocks.
        head: `"flat"`, `"average"` or `"max"`; `None` for `"average"` with `residual` and else `"flat"`.
        dense: neurons of dense layers between the stages and the output.
        activation: the activation function of the hidden neurons.
        normalisation: `"batch"`, `"group"`, `"layer"`, `"root_mean_square"` or `"none"`.
        dropout: the share of what enters each dense layer that rests while training, from 0 up to, but without, 1.
        augmentation: `{"mirror": …, "shift": …, "rotate": …}`, how training images are changed at random; see
            `nn.Augmentation`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with another shape.

    Example:
        >>> network = Convolutional((28, 28, 1), (32, 64), 10, key=jax.random.key(0))
        >>> network(jnp.ones((5, 28, 28, 1)))[0].shape
        (5, 10)

    Source: LeCun, Bottou, Bengio & Haffner 1998; residual: He, Zhang, Ren & Sun 2016.
    """

    members_in_turn: ClassVar[bool] = True

    augmentation: Augmentation
    layers: tuple[Layer, ...]
    dropout: Dropout
    dense: tuple[Dense, ...]
    output: Dense
    settings: ConvolutionalSettings = eqx.field(static=True)

    def __init__(self, in_shape: Sequence[int], hidden: Sequence[int], out_features: int, *, window: int = 3,
                 depth: int = 1, residual: bool = False, head: str | None = None, dense: Sequence[int] = (),
                 activation: str = "relu", normalisation: str = "batch", dropout: float = 0.0,
                 augmentation: Mapping[str, Any] | AugmentationOptions = AugmentationOptions(),  # noqa: B008, frozen
                 key: jax.Array) -> None:
        head = ("average" if residual else "flat") if head is None else head
        self.settings = settings = ConvolutionalSettings(
            in_shape, hidden, out_features, window, depth, bool(residual), head, dense, activation, normalisation,
            dropout, augmentation)
        body_key, output_key, *dense_keys = subkeys(key, 2 + len(settings.dense))
        self.augmentation = Augmentation(**asdict(settings.augmentation))
        self.layers = tuple(_layers(settings, body_key))
        self.dropout = Dropout(dropout)
        last = list(self._shapes())[-1]
        sizes = (math.prod(last) if head == "flat" else last[-1], *settings.dense)
        make = {"activation": settings.activation, "initialiser": initialiser_for(settings.activation)}
        self.dense = tuple(Dense(before, after, **make, key=own)
                           for before, after, own in zip(sizes, settings.dense, dense_keys, strict=False))
        self.output = Dense(sizes[-1], out_features, key=output_key)

    def _shapes(self) -> Iterator[tuple[int, ...]]:
        """The shape of what each layer gives for one example; first that of the example itself."""
        shape = self.settings.in_shape
        yield shape
        for layer in self.layers:
            shape = layer.out_shape(shape)
            yield shape

    @property
    def weight_saving(self) -> float:
        """How many times fewer weights the convolutions have than dense layers between the same neurons would."""
        own = dense = 0
        shapes = list(self._shapes())
        for layer, before, after in zip(self.layers, shapes[:-1], shapes[1:], strict=True):
            for block in _blocks(layer):
                own += block.convolution.weight.size
                dense += math.prod(before) * math.prod(after)
        return dense / own

    def initial_state(self) -> tuple[Any, ...]:
        """Running statistics of each layer that keeps some, else `None` in its place."""
        return tuple(None if isinstance(layer, MaxPooling) else layer.initial_state() for layer in self.layers)

    def __call__(self, inputs: jax.Array, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From (batch, *in_shape) to (batch, out_features), and the new state.

        Args:
            inputs: (batch, *in_shape), floating-point numbers or 8-bit integers.
            state: running statistics from `initial_state()` or a call before; the initial ones when `None`.
            key: the random key for dropout and augmentation; needed only when training with either.
            training: whether dropout, augmentation and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
        """
        values, state = self._hidden_values(inputs, state, key, training, weight)
        return self._head(values[-1], key, training), state

    def layer_outputs(self, inputs: jax.Array, *, state: tuple[Any, ...] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"hidden 1"`, `"pooling 1"`, …, `"output"`."""
        values, _ = self._hidden_values(inputs, state, None, False, None)
        return dict(zip(_names(self.settings), values, strict=True)) | {"output": self._head(values[-1], None, False)}

    def last_maps(self, inputs: jax.Array, *,
                  state: tuple[Any, ...] | None = None) -> tuple[jax.Array, Callable[[jax.Array], jax.Array]]:
        """What the last convolution gives outside of training, (batch, *places, features), and the function that makes
        the outputs of that: where Grad-CAM looks."""
        values, _ = self._hidden_values(inputs, state, None, False, None)
        last = max(place for place, layer in enumerate(self.layers) if not isinstance(layer, MaxPooling))

        def rest(maps: jax.Array) -> jax.Array:
            for layer in self.layers[last + 1:]:
                maps = layer(maps)
            return self._head(maps, None, False)
        return values[last], rest

    def _hidden_values(self, inputs: jax.Array, state: tuple[Any, ...] | None, key: jax.Array | None, training: bool,
                       weight: jax.Array | None) -> tuple[list[jax.Array], tuple[Any, ...]]:
        state = self.initial_state() if state is None else state
        expected = self.settings.in_shape
        if jnp.shape(inputs)[1:] != expected:
            raise ShapeError(f"`Convolutional` expected inputs of shape (batch, {', '.join(map(str, expected))}), got "
                             f"{jnp.shape(inputs)}.",
                             "build it for this shape; images without colours need a last axis of 1")
        value = shares(inputs, self.output.weight.dtype)
        value = self.augmentation(value, key=None if key is None else jax.random.fold_in(key, 0), training=training)
        values, states = [], []
        for layer, own in zip(self.layers, state, strict=True):
            if isinstance(layer, MaxPooling):
                value = layer(value)
            else:
                value, own = layer(value, state=own, training=training, weight=weight)
            values.append(value)
            states.append(own)
        return values, tuple(states)

    def _head(self, value: jax.Array, key: jax.Array | None, training: bool) -> jax.Array:
        places = tuple(range(1, value.ndim - 1))
        if self.settings.head == "flat":
            value = value.reshape(len(value), -1)
        else:
            value = jnp.mean(value, places) if self.settings.head == "average" else jnp.max(value, places)
        for index, layer in enumerate((*self.dense, self.output), 1):
            own = None if key is None or not training else jax.random.fold_in(key, index)
            value = layer(self.dropout(value, key=own, training=training))
        return value

    def parts(self) -> Parts:
        """The inputs, each convolution and pooling, the dense layers; windows are used at each of their positions."""
        settings, shapes = self.settings, list(self._shapes())
        rows = [Part("inputs", "input", math.prod(shapes[0]), depth=0, shape=shapes[0], kind="image")]
        paths = []
        for name, layer, shape in zip(_names(settings), self.layers, shapes[1:], strict=True):
            if isinstance(layer, MaxPooling):
                rows.append(Part(name, "hidden", 0, shape=shape, kind="pooling"))
                continue
            blocks = _blocks(layer)
            titles = (name,) if len(blocks) == 1 else (f"{name}, first", f"{name}, second")
            if len(blocks) > 1:
                paths.append((len(rows) - 1, len(rows) + 1, "residual"))
            rows += [Part(title, "hidden", math.prod(shape), block.activation, block, shape=shape,
                          uses=math.prod(shape[:-1]), kind="convolution")
                     for title, block in zip(titles, blocks, strict=True)]
        rows += [Part(f"dense {number}", "hidden", layer.out_features, layer.activation, layer)
                 for number, layer in enumerate(self.dense, 1)]
        rows.append(Part("output", "output", settings.out_features, self.output.activation, self.output))
        return Parts(tuple(rows), tuple(paths))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        settings = asdict(self.settings)
        lists = {name: list(settings[name]) for name in ("in_shape", "hidden", "dense")}
        return {"network": "convolutional", **settings, **lists}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Convolutional:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _layers(settings: ConvolutionalSettings, key: jax.Array) -> Iterator[Layer]:
    """The layers of all stages."""
    axes = len(settings.in_shape) - 1
    window, pooling = (settings.window,) * axes, MaxPooling((2,) * axes, padding="same")
    make = {"activation": settings.activation, "normalisation": settings.normalisation}
    before = settings.in_shape[-1]
    keys = iter(subkeys(key, len(settings.hidden) * (settings.depth + 1)))
    for size in settings.hidden:
        for number in range(1 if settings.residual else settings.depth):
            yield ConvolutionBlock(size if number else before, size, window, **make, key=next(keys))
        yield pooling
        if settings.residual:
            for _ in range(settings.depth):
                yield ResidualBlock(size, window, **make, key=next(keys))
        before = size


def _names(settings: ConvolutionalSettings) -> Iterator[str]:
    """The name of each of these layers."""
    for stage in range(1, len(settings.hidden) + 1):
        if settings.residual or settings.depth == 1:
            yield f"hidden {stage}"
        else:
            yield from (f"hidden {stage}.{number}" for number in range(1, settings.depth + 1))
        yield f"pooling {stage}"
        if settings.residual:
            yield from (f"residual {stage}.{number}" for number in range(1, settings.depth + 1))


def _blocks(layer: Layer) -> tuple[ConvolutionBlock, ...]:
    """The convolutions in a layer."""
    if isinstance(layer, ResidualBlock):
        return layer.first, layer.second
    return (layer,) if isinstance(layer, ConvolutionBlock) else ()
