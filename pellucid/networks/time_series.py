"""The network for series: residual convolutions over time, and an answer from parts of the series and its peaks."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError
from pellucid.networks._sequences import SequenceInputs, read_sequences, sizes_of
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Dropout, Jitter, MaxPooling, activations
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.convolution_blocks import ConvolutionBlock, ResidualBlock

Layer = ConvolutionBlock | ResidualBlock | MaxPooling
SHORTEST = 8
"""Pooling goes on while at least so many moments are left over."""


@dataclass(frozen=True)
class JitterOptions:
    """How series are changed while training; see `nn.Jitter`."""

    noise: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    stretch: float = 0.0


@dataclass(frozen=True)
class TimeSeriesSettings:
    """What a `TimeSeries` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    length: int
    channels: int
    out_features: int
    hidden: tuple[int, ...] = (16, 32, 64)
    window: int = 7
    sections: int = 4
    activation: str = "relu"
    normalisation: str = "batch"
    dropout: float = 0.0
    jitter: JitterOptions = JitterOptions()

    def __post_init__(self) -> None:
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Sequence) or not self.hidden:
            raise SettingsError(f"`TimeSeries` got hidden={self.hidden!r}; expected the size of each stage.",
                                "pass hidden=(32, 64, 64), for example")
        object.__setattr__(self, "hidden", tuple(whole_number("TimeSeries", "hidden", size) for size in self.hidden))
        for name in ("length", "channels", "out_features", "window", "sections"):
            whole_number("TimeSeries", name, getattr(self, name))
        share("TimeSeries", "dropout", self.dropout)
        object.__setattr__(self, "activation", activations.canonical(self.activation))
        if isinstance(self.jitter, Mapping):
            object.__setattr__(self, "jitter", JitterOptions(**self.jitter))


class TimeSeries(eqx.Module):
    """Stages of a convolution over time, a pooling that halves it, and a residual block; then one dense layer.

    That layer sees the mean of each feature in each of `sections` equal parts of the row's own length, so that it
    knows what came early and what late, and the largest value of each feature. What is behind a row's length is seen
    nowhere. Short series are pooled less often. While training, each series is changed at random; see `nn.Jitter`.

    Inputs are `{"values": (batch, length, channels), "lengths": int32 (batch,)}`, or the bare values where all count.

    Args:
        length: steps of a padded row.
        channels: numbers at each step.
        out_features: number of output neurons, at least 1.
        hidden: features of each stage.
        window: steps that a convolution sees.
        sections: equal parts of a row whose means are told apart.
        activation: the activation function of the hidden neurons.
        normalisation: `"batch"`, `"group"`, `"layer"`, `"root_mean_square"` or `"none"`.
        dropout: the share of what enters the dense layer that rests while training.
        jitter: `{"noise": …, "scale": …, "shift": …, "stretch": …}`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> network = TimeSeries(40, 1, 10, key=jax.random.key(0))
        >>> network({"values": jnp.ones((5, 40, 1)), "lengths": jnp.array([40, 3, 7, 1, 20])})[0].shape
        (5, 10)

    Source: Wang, Yan & Oates 2017, "Time series classification from scratch with deep neural networks".
    """

    members_in_turn: ClassVar[bool] = True

    jitter: Jitter
    layers: tuple[Layer, ...]
    dropout: Dropout
    output: Dense
    settings: TimeSeriesSettings = eqx.field(static=True)

    def __init__(self, length: int, channels: int, out_features: int, *, key: jax.Array, **settings: Any) -> None:
        self.settings = chosen = TimeSeriesSettings(length, channels, out_features, **settings)
        body_key, output_key = subkeys(key, 2)
        self.jitter = Jitter(**asdict(chosen.jitter))
        self.layers = tuple(_layers(chosen, body_key))
        self.dropout = Dropout(chosen.dropout)
        self.output = Dense(chosen.hidden[-1] * (chosen.sections + 1), out_features, key=output_key)

    def initial_state(self) -> tuple[Any, ...]:
        """Running statistics of each layer that keeps some, else `None` in its place."""
        return tuple(None if isinstance(layer, MaxPooling) else layer.initial_state() for layer in self.layers)

    def row_sizes(self, inputs: SequenceInputs) -> np.ndarray:
        """The length of each series."""
        return sizes_of(inputs)

    def __call__(self, inputs: SequenceInputs, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From series to (batch, out_features), and the new state.

        Args:
            inputs: the series; see the class.
            state: running statistics from `initial_state()` or a call before; the initial ones when `None`.
            key: the random key for dropout and jitter; needed only when training with either.
            training: whether dropout, jitter and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
        """
        values, counts, state = self._hidden_values(inputs, state, key, training, weight)
        return self._head(values[-1], counts, key, training), state

    def layer_outputs(self, inputs: SequenceInputs, *, state: tuple[Any, ...] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"hidden 1"`, `"pooling 1"`, `"residual 1"`, …, `"output"`."""
        values, counts, _ = self._hidden_values(inputs, state, None, False, None)
        return dict(zip(_names(self.settings), values, strict=True)) | {
            "output": self._head(values[-1], counts, None, False)}

    def _hidden_values(self, inputs: SequenceInputs, state: tuple[Any, ...] | None, key: jax.Array | None,
                       training: bool, weight: jax.Array | None) -> tuple[list[Array], Array, tuple[Any, ...]]:
        state = self.initial_state() if state is None else state
        value, counts = read_sequences("TimeSeries", inputs, self.settings.channels, False)
        counts = jnp.full(len(value), value.shape[1], jnp.int32) if counts is None else counts
        value = value.astype(self.output.weight.dtype)
        value = self.jitter(value, counts, key=None if key is None else jax.random.fold_in(key, 0), training=training)
        value = _masked(value, counts)
        values, states = [], []
        for layer, own in zip(self.layers, state, strict=True):
            if isinstance(layer, MaxPooling):
                value, counts = layer(value), -(-counts // 2)
            else:
                value, own = layer(value, state=own, training=training, weight=weight)
                value = _masked(value, counts)
            values.append(value)
            states.append(own)
        return values, counts, tuple(states)

    def _head(self, value: Float[Array, "batch time features"], counts: Int[Array, " batch"],
              key: jax.Array | None, training: bool) -> jax.Array:
        means = section_means(value, counts, self.settings.sections)
        most = jnp.max(jnp.where(_valid(value, counts), value, -jnp.inf), axis=1)
        seen = jnp.concatenate([means.reshape(len(value), -1), jnp.where(counts[:, None] > 0, most, 0)], axis=1)
        own = None if key is None or not training else jax.random.fold_in(key, 1)
        return self.output(self.dropout(seen, key=own, training=training))

    def parts(self) -> Parts:
        """The series, each convolution, pooling and residual block, and the output."""
        settings, steps = self.settings, self.settings.length
        rows = [Part("series", "input", settings.channels, depth=0, shape=(steps, settings.channels))]
        paths = []
        for name, layer in zip(_names(settings), self.layers, strict=True):
            if isinstance(layer, MaxPooling):
                steps = -(-steps // 2)
                rows.append(Part(name, "hidden", 0, shape=(steps, rows[-1].shape[-1]), kind="pooling"))
                continue
            blocks = (layer,) if isinstance(layer, ConvolutionBlock) else (layer.first, layer.second)
            titles = (name,) if len(blocks) == 1 else (f"{name}, first", f"{name}, second")
            if len(blocks) > 1:
                paths.append((len(rows) - 1, len(rows) + 1, "residual"))
            rows += [Part(title, "hidden", steps * block.convolution.weight.shape[-1], block.activation, block,
                          shape=(steps, block.convolution.weight.shape[-1]), uses=steps, kind="convolution")
                     for title, block in zip(titles, blocks, strict=True)]
        rows.append(Part("output", "output", settings.out_features, self.output.activation, self.output))
        return Parts(tuple(rows), tuple(paths))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "time_series", **asdict(self.settings), "hidden": list(self.settings.hidden)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> TimeSeries:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def section_means(value: Float[Array, "batch time features"], counts: Int[Array, " batch"],
                  sections: int) -> Float[Array, "batch sections features"]:
    """The mean over each of `sections` equal parts of a row's own length; a step on a border counts for both parts
    by its shares."""
    steps = jnp.arange(value.shape[1], dtype=value.dtype)[None, :, None]
    width = jnp.maximum(counts, 1).astype(value.dtype)[:, None, None] / sections
    first = jnp.arange(sections, dtype=value.dtype)[None, None, :] * width
    held = jnp.clip(jnp.minimum(steps + 1, first + width) - jnp.maximum(steps, first), 0, None) / width
    return jnp.einsum("btf,bts->bsf", jnp.where(_valid(value, counts), value, 0), held)


def _valid(value: jax.Array, counts: Int[Array, " batch"]) -> jax.Array:
    """(batch, time, 1): whether a step is part of the series."""
    return (jnp.arange(value.shape[1]) < counts[:, None])[..., None]


def _masked(value: jax.Array, counts: Int[Array, " batch"]) -> jax.Array:
    return jnp.where(_valid(value, counts), value, 0)


def _stages(settings: TimeSeriesSettings) -> Iterator[bool]:
    """For each stage, whether it is pooled."""
    steps = settings.length
    for _ in settings.hidden:
        pooled = steps >= 2 * SHORTEST
        steps = -(-steps // 2) if pooled else steps
        yield pooled


def _layers(settings: TimeSeriesSettings, key: jax.Array) -> Iterator[Layer]:
    """The layers of all stages."""
    make = {"activation": settings.activation, "normalisation": settings.normalisation}
    keys, before, window = iter(subkeys(key, 2 * len(settings.hidden))), settings.channels, (settings.window,)
    for size, pooled in zip(settings.hidden, _stages(settings), strict=True):
        yield ConvolutionBlock(before, size, window, **make, key=next(keys))
        if pooled:
            yield MaxPooling((2,), padding="same")
        yield ResidualBlock(size, window, **make, key=next(keys))
        before = size


def _names(settings: TimeSeriesSettings) -> Iterator[str]:
    """The name of each of these layers."""
    for stage, pooled in enumerate(_stages(settings), 1):
        yield f"hidden {stage}"
        if pooled:
            yield f"pooling {stage}"
        yield f"residual {stage}"
