"""The network for sound: it makes a spectrogram of what it hears, and looks at that as at a picture."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Dropout, Listening, MaxPooling, MelSpectrogram, activations, initialiser_for
from pellucid.nn._checks import positive, share, whole_number
from pellucid.nn._random import subkeys, uniform
from pellucid.nn.convolution_blocks import ConvolutionBlock
from pellucid.nn.spectrogram import evened, loudness

SoundInputs = jax.Array | Mapping[str, jax.Array]
STEM = (4, 4)
"""The first window, which moves by two entries of each axis."""


@dataclass(frozen=True)
class ListeningOptions:
    """How recordings are changed while training; see `nn.Listening`."""

    speed: float = 0.0
    warp: float = 0.0
    shift: float = 0.0
    noise: float = 0.0
    evening: bool = False
    tilt: float = 0.0
    masked_bands: int = 0
    masked_time: float = 0.0


@dataclass(frozen=True)
class SpectrogramSettings:
    """What a `Spectrogram` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    length: int
    rate: int
    out_features: int
    hidden: tuple[int, ...] = (16, 32, 64, 64)
    bands: int = 40
    window: int = 256
    hop: int = 100
    low: float = 60.0
    range_decibels: float = 60.0
    evening: float = 0.5
    dense: tuple[int, ...] = ()
    activation: str = "relu"
    normalisation: str = "batch"
    dropout: float = 0.0
    listening: ListeningOptions = ListeningOptions()

    def __post_init__(self) -> None:
        for name, least in (("hidden", 1), ("dense", 0)):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence) or len(given) < least:
                raise SettingsError(f"`Spectrogram` got {name}={given!r}; expected the size of each layer.",
                                    "pass hidden=(16, 32, 64, 64), for example")
            object.__setattr__(self, name, tuple(whole_number("Spectrogram", name, size) for size in given))
        whole_number("Spectrogram", "out_features", self.out_features)
        positive("Spectrogram", "range_decibels", self.range_decibels)
        share("Spectrogram", "dropout", self.dropout)
        if not 0 <= self.evening <= 1:
            raise SettingsError(f"`Spectrogram` got evening={self.evening!r}; expected a number from 0 to 1.",
                                "set evening=0.5, for example")
        object.__setattr__(self, "activation", activations.canonical(self.activation))
        if isinstance(self.listening, Mapping):
            object.__setattr__(self, "listening", ListeningOptions(**self.listening))


class Spectrogram(eqx.Module):
    """From the samples of a recording to a class or a number, all of it inside the compiled program.

    The power of each band of pitches around each moment (`nn.MelSpectrogram`), in decibels and brought to mean 0 and
    variance 1 for each recording, is a picture of time by pitch. Stages of convolutions look at it: the first window
    moves by two entries, each further one but the last is followed by a pooling that halves both axes. The mean and the
    maximum of each neuron over time then go through dense layers to the outputs. What is behind a row's length is
    heard nowhere.

    While training, each recording is heard a little differently each time; see `nn.Listening`.

    Args:
        length: samples of a row.
        rate: samples a second.
        out_features: number of output neurons, at least 1.
        hidden: features of each stage.
        bands: bands of pitches.
        window, hop: samples of a window, and from one window to the next.
        low: Hz, the lowest pitch; the highest is half of `rate`.
        range_decibels: how far below the loudest entry of a recording silence begins.
        evening: how much of its mean over time is taken from each band, from 0 to 1: with it goes what a microphone, a
            room or a throat does to a recording, but also what the recording sounds like on average.
        dense: neurons of dense layers between the stages and the output.
        activation: the activation function of the hidden neurons.
        normalisation: `"batch"`, `"group"`, `"layer"`, `"root_mean_square"` or `"none"`.
        dropout: the share of what enters each dense layer that rests while training, from 0 up to, but without, 1.
        listening: `{"speed": …, "warp": …}`, how recordings are changed while training; see `nn.Listening`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with rows of another length.

    Example:
        >>> network = Spectrogram(4000, 8000, 10, key=jax.random.key(0))
        >>> network({"samples": jnp.zeros((5, 4000), jnp.int16), "lengths": jnp.full(5, 3000)})[0].shape
        (5, 10)

    Source: a convolutional network over log-mel spectrograms, Abdel-Hamid, Mohamed, Jiang & Penn 2012.
    """

    members_in_turn: ClassVar[bool] = True

    mel: MelSpectrogram
    listening: Listening
    layers: tuple[ConvolutionBlock | MaxPooling, ...]
    dropout: Dropout
    dense: tuple[Dense, ...]
    output: Dense
    settings: SpectrogramSettings = eqx.field(static=True)

    def __init__(self, length: int, rate: int, out_features: int, *, key: jax.Array, **settings: Any) -> None:
        self.settings = chosen = SpectrogramSettings(length, rate, out_features, **settings)
        self.mel = MelSpectrogram(length, rate, window=chosen.window, hop=chosen.hop, bands=chosen.bands,
                                  low=chosen.low)
        self.listening = Listening(**asdict(chosen.listening))
        body_key, output_key, *dense_keys = subkeys(key, 2 + len(chosen.dense))
        self.layers = tuple(_layers(chosen, body_key))
        self.dropout = Dropout(chosen.dropout)
        _, bands, features = list(self._shapes())[-1]
        sizes = (2 * bands * features, *chosen.dense)
        make = {"activation": chosen.activation, "initialiser": initialiser_for(chosen.activation)}
        self.dense = tuple(Dense(before, after, **make, key=own)
                           for before, after, own in zip(sizes, chosen.dense, dense_keys, strict=False))
        self.output = Dense(sizes[-1], out_features, key=output_key)

    def _shapes(self) -> Iterator[tuple[int, ...]]:
        """The shape of what each layer gives for one recording; first that of the spectrogram."""
        shape = (self.mel.frames, self.mel.bands, 1)
        yield shape
        for layer in self.layers:
            shape = layer.out_shape(shape)
            yield shape

    def initial_state(self) -> tuple[Any, ...]:
        """Running statistics of each layer that keeps some, else `None` in its place."""
        return tuple(None if isinstance(layer, MaxPooling) else layer.initial_state() for layer in self.layers)

    def __call__(self, inputs: SoundInputs, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From recordings to (batch, out_features), and the new state.

        Args:
            inputs: `{"samples": (batch, length), "lengths": int32 (batch,)}`, or the samples alone where all of them
                count; integers of 16 bits count as parts of 32,768.
            state: running statistics from `initial_state()` or a call before; the initial ones when `None`.
            key: the random key for dropout and for how recordings are changed; needed only when training with either.
            training: whether dropout, changes and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
        """
        values, counts, state = self._hidden_values(inputs, state, key, training, weight)
        return self._head(values[-1], counts, key, training), state

    def layer_outputs(self, inputs: SoundInputs, *, state: tuple[Any, ...] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"spectrogram"`, `"hidden 1"`, …, `"output"`."""
        values, counts, _ = self._hidden_values(inputs, state, None, False, None)
        return dict(zip(_names(self.settings), values, strict=True)) | {
            "output": self._head(values[-1], counts, None, False)}

    def last_maps(self, inputs: SoundInputs, *,
                  state: tuple[Any, ...] | None = None) -> tuple[jax.Array, Callable[[jax.Array], jax.Array]]:
        """What the last convolution gives outside of training, (batch, frames, bands, features), and the function that
        makes the outputs of that."""
        values, counts, _ = self._hidden_values(inputs, state, None, False, None)
        return values[-1], lambda maps: self._head(maps, counts, None, False)

    def spectrogram(self, inputs: SoundInputs, *, key: jax.Array | None = None, training: bool = False,
                    ) -> tuple[Float[Array, "batch frames bands"], Int[Array, " batch"]]:
        """What the stages look at, and how many moments of each row count."""
        samples, lengths = self._read(inputs)
        if training and self.listening.changes and key is None:
            raise SettingsError("`Spectrogram` needs a random key while training.",
                                "pass key=jax.random.key(seed), or training=False")
        keys = subkeys(key, 4) if training and self.listening.changes else [None] * 4
        manner = None if keys[0] is None else self.listening.manner(lengths, key=keys[0])
        power, counts = self.mel(samples, lengths, manner)
        if keys[1] is not None:
            power = self.listening.noisy(power, counts, key=keys[1])
        evening = uniform(keys[3], counts.shape) if self.listening.evening and training else self.settings.evening
        levels = evened(loudness(power, counts, self.settings.range_decibels), counts, evening)
        if keys[2] is not None:
            levels = self.listening.masked(levels, counts, key=keys[2])
        return levels.astype(self.output.weight.dtype), counts

    def _read(self, inputs: SoundInputs) -> tuple[Array, Int[Array, " batch"]]:
        given = inputs if isinstance(inputs, Mapping) else {"samples": inputs}
        if "samples" not in given:
            raise ShapeError(f"`Spectrogram` found no 'samples' among {', '.join(map(repr, given))}.",
                             'pass {"samples": (batch, length), "lengths": how many of each row count}')
        samples = jnp.asarray(given["samples"])
        lengths = given.get("lengths")
        return samples, jnp.full(len(samples), samples.shape[-1], jnp.int32) if lengths is None else lengths

    def _hidden_values(self, inputs: SoundInputs, state: tuple[Any, ...] | None, key: jax.Array | None, training: bool,
                       weight: jax.Array | None) -> tuple[list[jax.Array], Int[Array, " batch"], tuple[Any, ...]]:
        state = self.initial_state() if state is None else state
        value, counts = self.spectrogram(inputs, key=None if key is None else jax.random.fold_in(key, 0),
                                         training=training)
        values, states = [value := value[..., None]], []
        for layer, own in zip(self.layers, state, strict=True):
            if isinstance(layer, MaxPooling):
                value, counts = layer(value), -(-counts // 2)
            else:
                value, own = layer(value, state=own, training=training, weight=weight)
                counts = -(-counts // layer.convolution.stride[0])
                value = jnp.where(_valid(value, counts)[..., None, None], value, 0)
            values.append(value)
            states.append(own)
        return values, counts, tuple(states)

    def _head(self, value: Float[Array, "batch frames bands features"], counts: Int[Array, " batch"],
              key: jax.Array | None, training: bool) -> jax.Array:
        value = value.reshape(*value.shape[:2], -1)
        valid = _valid(value, counts)[..., None]
        mean = jnp.sum(jnp.where(valid, value, 0), axis=1) / counts[:, None].astype(value.dtype)
        most = jnp.max(jnp.where(valid, value, -jnp.inf), axis=1)
        value = jnp.concatenate([mean, most], axis=1)
        for index, layer in enumerate((*self.dense, self.output), 1):
            own = None if key is None or not training else jax.random.fold_in(key, index)
            value = layer(self.dropout(value, key=own, training=training))
        return value

    def parts(self) -> Parts:
        """The samples, the spectrogram, each convolution and pooling, the dense layers."""
        settings, shapes = self.settings, list(self._shapes())
        rows = [Part("samples", "input", settings.length, depth=0, shape=(settings.length,), kind="image"),
                Part("spectrogram", "hidden", math.prod(shapes[0]), shape=shapes[0], kind="pooling")]
        for name, layer, shape in zip(list(_names(settings))[1:], self.layers, shapes[1:], strict=True):
            if isinstance(layer, MaxPooling):
                rows.append(Part(name, "hidden", 0, shape=shape, kind="pooling"))
            else:
                rows.append(Part(name, "hidden", math.prod(shape), layer.activation, layer, shape=shape,
                                 uses=math.prod(shape[:-1]), kind="convolution"))
        rows += [Part(f"dense {number}", "hidden", layer.out_features, layer.activation, layer)
                 for number, layer in enumerate(self.dense, 1)]
        rows.append(Part("output", "output", settings.out_features, self.output.activation, self.output))
        return Parts(tuple(rows))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        settings = asdict(self.settings)
        return {"network": "spectrogram", **settings, **{name: list(settings[name]) for name in ("hidden", "dense")}}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Spectrogram:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _valid(value: jax.Array, counts: Int[Array, " batch"]) -> jax.Array:
    """(batch, frames): whether a moment is part of the recording."""
    return jnp.arange(value.shape[1]) < counts[:, None]


def _layers(settings: SpectrogramSettings, key: jax.Array) -> Iterator[ConvolutionBlock | MaxPooling]:
    """The layers of all stages."""
    make = {"activation": settings.activation, "normalisation": settings.normalisation}
    before, last = 1, len(settings.hidden) - 1
    for stage, (size, own) in enumerate(zip(settings.hidden, subkeys(key, last + 1), strict=True)):
        window, stride = ((3, 3), 1) if stage else (STEM, 2)
        yield ConvolutionBlock(before, size, window, stride=stride, **make, key=own)
        if 0 < stage < last:
            yield MaxPooling((2, 2), padding="same")
        before = size


def _names(settings: SpectrogramSettings) -> Iterator[str]:
    """The name of the spectrogram and of each of these layers."""
    yield "spectrogram"
    last = len(settings.hidden) - 1
    for stage in range(last + 1):
        yield f"hidden {stage + 1}"
        if 0 < stage < last:
            yield f"pooling {stage + 1}"
