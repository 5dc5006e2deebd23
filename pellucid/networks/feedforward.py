"""The feed-forward network: signals pass from the inputs through any number of hidden layers to the outputs."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import equinox as eqx
import jax

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Hidden, Residual, activate, activations, initialiser_for, initialisers
from pellucid.nn._random import subkeys
from pellucid.nn.blocks import BlockState, Normalisation, initial_state, normalise
from pellucid.nn.normalisation import normalisation_layer

State = tuple[BlockState, ...]


@dataclass(frozen=True)
class FeedforwardSettings:
    """What a `Feedforward` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_features: int
    hidden: tuple[int, ...]
    out_features: int
    activation: str = "relu"
    output_activation: str = "identity"
    bias: bool = True
    initialiser: str | None = None
    output_initialiser: str | None = None
    dropout: float = 0.0
    normalisation: str = "none"
    residual: bool = False
    skip: bool = False
    first_gain: float = 1.0
    first_bias: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.hidden, int):
            object.__setattr__(self, "hidden", (self.hidden,))
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Sequence):
            raise SettingsError(f"`Feedforward` got hidden={self.hidden!r}; expected the size of each hidden layer.",
                                "pass hidden=(64, 64), for example, or hidden=() for none")
        canonical = {"hidden": tuple(self.hidden), "activation": activations.canonical(self.activation),
                     "output_activation": activations.canonical(self.output_activation)}
        for name, function in (("initialiser", "activation"), ("output_initialiser", "output_activation")):
            given = getattr(self, name)
            canonical[name] = initialiser_for(canonical[function]) if given is None else initialisers.canonical(given)
        for name, value in canonical.items():
            object.__setattr__(self, name, value)


class Feedforward(eqx.Module):
    """Dense layers one after another; no memory, for supervised learning on rows.

    Each hidden layer is `dropout(activation(normalisation(x · weight + bias)))`. With `residual`, a first dense layer
    brings the inputs to the width of the first hidden size, each hidden size is a pre-normalised residual block of two
    dense layers, and normalisation and activation close the stack. With `skip`, a linear path that starts at 0 leads
    from the inputs straight to the outputs.

    Args:
        in_features: number of input neurons, at least 1.
        hidden: number of neurons in each hidden layer; `()` for none.
        out_features: number of output neurons, at least 1.
        activation: the activation function of the hidden neurons.
        output_activation: that of the output neurons; keep `"identity"` for logits and for regression.
        bias: whether each layer has a bias neuron.
        initialiser: how weights start; `None` chooses by activation (He, LeCun or Glorot).
        output_initialiser: the same for the output layer.
        dropout: the share of hidden neurons that rest while training, from 0 up to, but without, 1.
        normalisation: of the hidden layers: `"none"`, `"layer"` or `"batch"`.
        residual: whether hidden layers are residual blocks.
        skip: whether a linear path leads past the hidden layers.
        first_gain: what the starting weights of the first layer are multiplied by; above 1, its neurons bend more.
        first_bias: the standard deviation of the starting biases of the first layer; above 0, its neurons bend at
            different places.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with another number of inputs.

    Example:
        >>> network = Feedforward(30, (64, 64), 2, key=jax.random.key(0))
        >>> logits, state = network(jax.numpy.ones((5, 30)))
        >>> logits.shape
        (5, 2)
    """

    stem: Dense | None
    hidden: tuple[Hidden | Residual, ...]
    closing: Normalisation
    output: Dense
    skip: Dense | None
    settings: FeedforwardSettings = eqx.field(static=True)

    def __init__(self, in_features: int, hidden: Sequence[int], out_features: int, *, activation: str = "relu",
                 output_activation: str = "identity", bias: bool = True, initialiser: str | None = None,
                 output_initialiser: str | None = None, dropout: float = 0.0, normalisation: str = "none",
                 residual: bool = False, skip: bool = False,
                 first_gain: float = 1.0, first_bias: float = 0.0, key: jax.Array) -> None:
        self.settings = settings = FeedforwardSettings(
            in_features, hidden, out_features, activation, output_activation, bias, initialiser, output_initialiser,
            dropout, normalisation, residual, skip, first_gain, first_bias)
        sizes = (in_features, *settings.hidden)
        keys = subkeys(key, len(settings.hidden) + 3)
        first = {"gain": first_gain, "bias_deviation": first_bias}
        self.stem, self.closing = None, None
        if residual and settings.hidden:
            self.stem = Dense(in_features, sizes[1], bias=bias, initialiser=settings.initialiser, **first, key=keys[-2])
            self.closing = normalisation_layer(normalisation, sizes[-1])
            sizes, first = (sizes[1], *sizes[1:]), {}
        options = {"activation": settings.activation, "bias": bias, "initialiser": settings.initialiser,
                   "dropout": dropout, "normalisation": normalisation}
        self.hidden = tuple(
            Residual(before, after, **options, key=keys[index]) if self.stem is not None
            else Hidden(before, after, **options, **(first if index == 0 else {}), key=keys[index])
            for index, (before, after) in enumerate(zip(sizes, sizes[1:], strict=False)))
        self.output = Dense(sizes[-1], out_features, bias=bias, initialiser=settings.output_initialiser, key=keys[-3])
        self.skip = None
        if skip:
            self.skip = Dense(in_features, out_features, bias=False, initialiser="zeros", key=keys[-1])

    def initial_state(self) -> State:
        """The running statistics of batch normalisation, layer by layer; `None` for a layer without."""
        return (*(block.initial_state() for block in self.hidden), initial_state(self.closing))

    def __call__(self, inputs: jax.Array, *, state: State | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None,
                 past: jax.Array | None = None) -> tuple[jax.Array, State]:
        """From (batch, in_features) to (batch, out_features), and the new state.

        Args:
            inputs: (batch, in_features).
            state: as from `initial_state` or an earlier call; the initial one when `None`.
            key: the random key for dropout; needed only when training with dropout.
            training: whether dropout and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
            past: (batch, out_features) what a path around this network adds before the output activation.
        """
        values, state = self._hidden_values(inputs, state, key, training, weight)
        return self._head(inputs, values, past), state

    def layer_outputs(self, inputs: jax.Array, *, state: State | None = None,
                      past: jax.Array | None = None) -> dict[str, jax.Array]:
        """What each layer gives for these inputs, outside of training: `"hidden 1"`, …, `"output"`."""
        values, _ = self._hidden_values(inputs, state, None, False, None)
        named = {f"hidden {number}": value for number, value in enumerate(values[1:], 1)}
        return named | {"output": self._head(inputs, values, past)}

    def _hidden_values(self, inputs: jax.Array, state: State | None, key: jax.Array | None, training: bool,
                       weight: jax.Array | None) -> tuple[list[jax.Array], State]:
        """What enters the first hidden layer and what each of them gives; and the new state."""
        state = self.initial_state() if state is None else state
        if inputs.ndim != 2 or inputs.shape[1] != self.settings.in_features:
            raise ShapeError(f"`Feedforward` expected inputs of shape (batch, {self.settings.in_features}), got "
                             f"{tuple(inputs.shape)}.",
                             f"build it with in_features={inputs.shape[-1] if inputs.ndim else 1}, pass a batch of "
                             "rows, or check for a dropped column")
        values, states = [inputs if self.stem is None else self.stem(inputs)], []
        for index, block in enumerate(self.hidden):
            own_key = None if key is None or not training else jax.random.fold_in(key, index)
            value, new = block(values[-1], state=state[index], key=own_key, training=training, weight=weight)
            values.append(value)
            states.append(new)
        closing = state[-1]
        if self.stem is not None:
            last, closing = normalise(self.closing, values[-1], state=closing, training=training, weight=weight)
            values[-1] = activate(self.settings.activation, last)
        return values, (*states, closing)

    def _head(self, inputs: jax.Array, values: list[jax.Array], past: jax.Array | None) -> jax.Array:
        total = self.output(values[-1])
        if self.skip is not None:
            total = total + self.skip(inputs)
        return activate(self.settings.output_activation, total if past is None else total + past)

    def parts(self) -> Parts:
        """The inputs, each hidden layer, the outputs, and the paths past them."""
        body = body_parts(self, 1, 0)
        return Parts((Part("input", "input", self.settings.in_features), *body.rows), body.paths)

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "feedforward", **asdict(self.settings), "hidden": list(self.settings.hidden)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Feedforward:
        """A new network of this specification, with new starting weights."""
        options = dict(spec) | {"hidden": tuple(spec["hidden"])}
        return cls(**options, key=key)


def body_parts(network: Feedforward, depth: int, source: int) -> Parts:
    """The parts of a feed-forward network but for its inputs, for use inside another network.

    Args:
        network: the network.
        depth: of its first layer.
        source: the depth that its linear path starts from.
    """
    rows: list[Part] = []
    paths: list[tuple[int, int, str]] = []
    if network.stem is not None:
        rows.append(Part("stem", "hidden", network.stem.out_features, "identity", network.stem, depth))
        depth += 1
    for number, block in enumerate(network.hidden, 1):
        name, neurons = f"hidden {number}", block.out_features
        if isinstance(block, Residual):
            first, second = (block.normalisation, block.first), (block.second, block.shortcut)
            rows += [Part(f"{name}, first", "hidden", neurons, block.activation, first, depth),
                     Part(f"{name}, second", "hidden", neurons, "identity", second, depth + 1)]
            paths.append((depth - 1, depth + 1, "residual"))
            depth += 2
        else:
            rows.append(Part(name, "hidden", neurons, block.activation, block, depth))
            depth += 1
    settings = network.settings
    rows.append(Part("output", "output", settings.out_features, settings.output_activation,
                     (network.closing, network.output), depth))
    if network.skip is not None:
        rows.append(Part("linear path", "output", 0, arrays=network.skip, depth=depth))
        paths.append((source, depth, "linear path"))
    return Parts(tuple(rows), tuple(paths))
