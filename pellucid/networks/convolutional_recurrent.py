"""The convolutional recurrent network: it watches moving images and says what comes next, or what it has seen."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks._rows import shares
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Convolution, Dense, Dropout, activate, activations
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.convolutional_recurrent import ConvolutionalLstm

OUTPUTS = ("frame", "class")
FrameInputs = jax.Array | dict[str, jax.Array]


@dataclass(frozen=True)
class ConvolutionalRecurrentSettings:
    """What a `ConvolutionalRecurrent` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    shape: tuple[int, ...]
    hidden: tuple[int, ...]
    out_features: int
    output: str = "frame"
    window: int = 3
    output_activation: str = "identity"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, low, high in (("shape", 2, 4), ("hidden", 1, math.inf)):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence) or not low <= len(given) <= high:
                wanted = "(height, width, channels)" if name == "shape" else "the size of each layer"
                example = "shape=(24, 24, 1)" if name == "shape" else "hidden=(32,)"
                raise SettingsError(f"`ConvolutionalRecurrent` got {name}={given!r}; expected {wanted}.",
                                    f"pass {example}, for example")
            sizes = tuple(whole_number("ConvolutionalRecurrent", name, size) for size in given)
            object.__setattr__(self, name, sizes)
        for name in ("out_features", "window"):
            whole_number("ConvolutionalRecurrent", name, getattr(self, name))
        if self.output not in OUTPUTS:
            raise SettingsError(f"`ConvolutionalRecurrent` got output={self.output!r}; expected one of "
                                f"{', '.join(OUTPUTS)}.", did_you_mean(str(self.output), OUTPUTS))
        share("ConvolutionalRecurrent", "dropout", self.dropout)
        object.__setattr__(self, "output_activation", activations.canonical(self.output_activation))


class ConvolutionalRecurrent(eqx.Module):
    """Layers of convolutional LSTM one above the other; from their last state comes the next frame, or a class.

    Inputs are frames (batch, time, height, width, channels), or `{"values": frames, "lengths": int32 (batch,)}` where
    rows differ in length; 8-bit integers are divided by 255. What lies beyond a length is never used. With another
    number of axes in `shape` it reads lines or volumes over time just as well.

    Args:
        shape: of one frame, (height, width, channels).
        hidden: cells at each position in each layer, from the inputs on.
        out_features: channels of the next frame, or classes.
        output: `"frame"` for (batch, height, width, out_features); `"class"` for (batch, out_features), from the mean
            of the last state over all positions.
        window: entries of all windows on each axis.
        output_activation: that of the output neurons; `"identity"` for logits.
        dropout: the share of the last layer's features that rest while training, from 0 up to, but without, 1.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> network = ConvolutionalRecurrent((8, 8, 1), (4,), 1, key=jax.random.key(0))
        >>> network(jnp.ones((2, 5, 8, 8, 1)))[0].shape
        (2, 8, 8, 1)

    Source: Shi, Chen, Wang, Yeung, Wong & Woo 2015.
    """

    members_in_turn: ClassVar[bool] = True

    layers: tuple[ConvolutionalLstm, ...]
    dropout: Dropout
    output: Convolution | Dense
    settings: ConvolutionalRecurrentSettings = eqx.field(static=True)

    def __init__(self, shape: Sequence[int], hidden: Sequence[int], out_features: int, *, output: str = "frame",
                 window: int = 3, output_activation: str = "identity", dropout: float = 0.0, key: jax.Array) -> None:
        self.settings = settings = ConvolutionalRecurrentSettings(shape, hidden, out_features, output, window,
                                                                  output_activation, dropout)
        look = (window,) * (len(settings.shape) - 1)
        sizes = (settings.shape[-1], *settings.hidden)
        output_key, *keys = subkeys(key, 1 + len(settings.hidden))
        self.layers = tuple(ConvolutionalLstm(before, after, look, key=own)
                            for before, after, own in zip(sizes, settings.hidden, keys, strict=False))
        self.dropout = Dropout(dropout)
        make = {"initialiser": "glorot_uniform", "key": output_key}
        self.output = (Dense(sizes[-1], out_features, **make) if output == "class"
                       else Convolution(sizes[-1], out_features, look, **make))

    def initial_state(self) -> tuple[()]:
        """Nothing: between batches it remembers nothing."""
        return ()

    def row_sizes(self, inputs: FrameInputs) -> np.ndarray:
        """How many frames each row has."""
        if isinstance(inputs, Mapping) and "lengths" in inputs:
            return np.asarray(inputs["lengths"])
        values = inputs["values"] if isinstance(inputs, Mapping) else inputs
        return np.full(len(values), values.shape[1], np.int32)

    def __call__(self, inputs: FrameInputs, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From frames over time to the next frame, (batch, height, width, out_features), or to (batch, out_features).

        Args:
            inputs: the frames; see the class.
            state: nothing.
            key: the random key for dropout; needed only when training with dropout.
            training: whether dropout is at work.
            weight: not used.
        """
        _, last = self._hidden_values(inputs)
        return self._head(last, key, training), ()

    def layer_outputs(self, inputs: FrameInputs, *, state: tuple[()] | None = None) -> dict[str, jax.Array]:
        """What each layer gives at each time, outside of training: `"hidden 1"`, …, and `"output"`."""
        values, last = self._hidden_values(inputs)
        named = {f"hidden {number}": value for number, value in enumerate(values, 1)}
        return named | {"output": self._head(last, None, False)}

    def _hidden_values(self, inputs: FrameInputs) -> tuple[list[jax.Array], jax.Array]:
        """What each layer gives at each time, and what the last one gave last."""
        frames, lengths = self._read(inputs)
        values, given = [], frames
        for layer in self.layers:
            given, (last, _) = layer(given, lengths=lengths)
            values.append(given)
        return values, last

    def _read(self, inputs: FrameInputs) -> tuple[Float[Array, "batch time *shape"], Int[Array, " batch"] | None]:
        lengths = None
        if isinstance(inputs, Mapping):
            if "values" not in inputs:
                raise ShapeError(f"`ConvolutionalRecurrent` found no 'values' among {', '.join(map(repr, inputs))}.",
                                 'pass {"values": frames, "lengths": how many each row has}')
            lengths = jnp.asarray(inputs["lengths"]) if "lengths" in inputs else None
            inputs = inputs["values"]
        shape, own = jnp.shape(inputs), self.settings.shape
        if len(shape) != len(own) + 2 or shape[2:] != own:
            raise ShapeError(f"`ConvolutionalRecurrent` expected frames of shape (batch, time, "
                             f"{', '.join(map(str, own))}), got {shape}.",
                             "build it for this shape; images without colours need a last axis of 1")
        return shares(inputs, self.layers[0].inputs.weight.dtype), lengths

    def _head(self, last: Float[Array, "batch *positions hidden"], key: jax.Array | None, training: bool) -> jax.Array:
        last = self.dropout(last, key=key, training=training)
        if self.settings.output == "class":
            last = jnp.mean(last, axis=tuple(range(1, last.ndim - 1)))
        return activate(self.settings.output_activation, self.output(last))

    def parts(self) -> Parts:
        """The frames, the recurrent layers, the output; weights are used at each position, once a frame."""
        settings = self.settings
        inner, spots = settings.shape[:-1], math.prod(settings.shape[:-1])
        rows = [Part("frames", "input", math.prod(settings.shape), depth=0, shape=settings.shape, kind="convolution")]
        for number, (layer, size) in enumerate(zip(self.layers, settings.hidden, strict=True), 1):
            rows.append(Part(f"hidden {number}", "hidden", spots * size, "tanh", layer, shape=(*inner, size),
                             uses=spots, kind="recurrent"))
        classes = settings.output == "class"
        shape = (settings.out_features,) if classes else (*inner, settings.out_features)
        rows.append(Part("output", "output", math.prod(shape), settings.output_activation, self.output, shape=shape,
                         uses=1 if classes else spots, kind="dense" if classes else "convolution"))
        return Parts(tuple(rows))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        settings = self.settings
        return {"network": "convolutional_recurrent", **asdict(settings), "shape": list(settings.shape),
                "hidden": list(settings.hidden)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> ConvolutionalRecurrent:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)
