"""Hidden layers: a dense layer, or a residual block, with normalisation, activation and dropout.

All blocks are called alike: `block(x, state=..., key=..., training=..., weight=...) -> (y, state)`.
"""
from __future__ import annotations

import equinox as eqx
import jax

from pellucid.nn._random import subkeys
from pellucid.nn.activations import activate, activations
from pellucid.nn.dense import Dense
from pellucid.nn.dropout import Dropout
from pellucid.nn.normalisation import BatchNormalisation, BatchState, Normalisation, normalisation_layer

BlockState = BatchState | None


def initial_state(normalisation: Normalisation) -> BlockState:
    """The state that a normalisation needs: running statistics for the batch kind, else nothing."""
    return normalisation.initial_state() if isinstance(normalisation, BatchNormalisation) else None


def normalise(normalisation: Normalisation, x: jax.Array, *, state: BlockState, training: bool,
              weight: jax.Array | None) -> tuple[jax.Array, BlockState]:
    """Apply any kind of normalisation, or none; returns the result and the new state."""
    if normalisation is None:
        return x, state
    if isinstance(normalisation, BatchNormalisation):
        return normalisation(x, state=state, training=training, weight=weight)
    return normalisation(x), state


class Hidden(eqx.Module):
    """One hidden layer: `dropout(activation(normalisation(x · weight + bias)))`.

    Args:
        in_features, out_features: number of inputs and of neurons.
        activation: the name of an activation function.
        bias: whether the neurons have a bias.
        initialiser: the name of the rule for starting weights.
        dropout: the share of neurons that rest while training.
        normalisation: `"none"`, `"layer"` or `"batch"`.
        gain, bias_deviation: how weights and biases start; see `Dense`.
        key: the random key for the starting weights.
    """

    dense: Dense
    normalisation: Normalisation
    dropout: Dropout
    activation: str = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, *, activation: str = "relu", bias: bool = True,
                 initialiser: str = "he_normal", dropout: float = 0.0, normalisation: str = "none",
                 gain: float = 1.0, bias_deviation: float = 0.0, key: jax.Array) -> None:
        self.dense = Dense(in_features, out_features, bias=bias, initialiser=initialiser, gain=gain,
                           bias_deviation=bias_deviation, key=key)
        self.normalisation = normalisation_layer(normalisation, out_features)
        self.dropout = Dropout(dropout)
        self.activation = activations.canonical(activation)

    @property
    def out_features(self) -> int:
        """Number of neurons."""
        return self.dense.out_features

    def initial_state(self) -> BlockState:
        """Running statistics when the normalisation keeps some, else `None`."""
        return initial_state(self.normalisation)

    def __call__(self, x: jax.Array, *, state: BlockState, key: jax.Array | None, training: bool,
                 weight: jax.Array | None = None) -> tuple[jax.Array, BlockState]:
        """From (batch, in_features) to (batch, out_features), and the new state."""
        total, state = normalise(self.normalisation, self.dense(x), state=state, training=training, weight=weight)
        return self.dropout(activate(self.activation, total), key=key, training=training), state


class Residual(eqx.Module):
    """A pre-normalised residual block: `x + dropout(second(dropout(activation(first(normalisation(x))))))`.

    What the block learns is added to its input, so that deep networks still train. Where the widths differ, the
    input passes through a dense layer without bias first.

    Source: Gorishniy, Rubachev, Khrulkov & Babenko 2021, "Revisiting deep learning models for tabular data" (ResNet).

    Args:
        in_features, out_features: number of inputs and of neurons.
        activation: the name of an activation function.
        bias: whether the neurons have a bias.
        initialiser: the name of the rule for starting weights.
        dropout: the share of neurons that rest while training.
        normalisation: `"none"`, `"layer"` or `"batch"`.
        key: the random key for the starting weights.
    """

    normalisation: Normalisation
    first: Dense
    second: Dense
    shortcut: Dense | None
    dropout: Dropout
    activation: str = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, *, activation: str = "relu", bias: bool = True,
                 initialiser: str = "he_normal", dropout: float = 0.0, normalisation: str = "none",
                 key: jax.Array) -> None:
        first_key, second_key, shortcut_key = subkeys(key, 3)
        self.normalisation = normalisation_layer(normalisation, in_features)
        self.first = Dense(in_features, out_features, bias=bias, initialiser=initialiser, key=first_key)
        self.second = Dense(out_features, out_features, bias=bias, initialiser=initialiser, key=second_key)
        self.shortcut = None
        if in_features != out_features:
            self.shortcut = Dense(in_features, out_features, bias=False, key=shortcut_key)
        self.dropout = Dropout(dropout)
        self.activation = activations.canonical(activation)

    @property
    def out_features(self) -> int:
        """Number of neurons."""
        return self.second.out_features

    def initial_state(self) -> BlockState:
        """Running statistics when the normalisation keeps some, else `None`."""
        return initial_state(self.normalisation)

    def __call__(self, x: jax.Array, *, state: BlockState, key: jax.Array | None, training: bool,
                 weight: jax.Array | None = None) -> tuple[jax.Array, BlockState]:
        """From (batch, in_features) to (batch, out_features), and the new state."""
        keys = (None, None) if key is None else (jax.random.fold_in(key, 0), jax.random.fold_in(key, 1))
        inner, state = normalise(self.normalisation, x, state=state, training=training, weight=weight)
        inner = self.dropout(activate(self.activation, self.first(inner)), key=keys[0], training=training)
        inner = self.dropout(self.second(inner), key=keys[1], training=training)
        return (x if self.shortcut is None else self.shortcut(x)) + inner, state
