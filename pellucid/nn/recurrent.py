"""Recurrent layers: neurons that also see what they themselves gave a step before.

Each runs over a batch of sequences, (batch, time, features), right-padded where rows differ in length, forwards or
backwards in time, and takes and gives the state that it starts and ends with, so that a long sequence can be handed
over piece by piece.
"""
from __future__ import annotations

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pellucid.errors import ShapeError
from pellucid.nn._cells import AbstractCell, GruCell, LstmCell, SimpleCell, State
from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys
from pellucid.nn._sweep import Weights, sweep
from pellucid.nn.activations import activations
from pellucid.nn.initialisers import initialise, initialisers

FORGET = 1  # the number of the forget gate


class AbstractRecurrence(eqx.Module):
    """What the recurrent layers share: weights side by side, one block of columns for each gate of the cell."""

    weight: eqx.AbstractVar[jax.Array]  # (in_features, gates · neurons)
    recurrent_weight: eqx.AbstractVar[jax.Array]  # (neurons, gates · neurons)
    bias: eqx.AbstractVar[jax.Array]  # (gates · neurons,)
    recurrent_bias: eqx.AbstractVar[jax.Array | None]  # (neurons,)

    @property
    @abc.abstractmethod
    def cell(self) -> AbstractCell:
        """One step of this layer."""

    @property
    def in_features(self) -> int:
        """Number of inputs at each step."""
        return self.weight.shape[-2]

    @property
    def neurons(self) -> int:
        """Number of neurons, and of outputs at each step."""
        return self.recurrent_weight.shape[-2]

    def initial_state(self, rows: int) -> State:
        """Zeros: what every sequence starts with unless told otherwise."""
        return tuple(jnp.zeros((rows, self.neurons), self.weight.dtype) for _ in range(self.cell.states))

    def __call__(self, x: Float[Array, "batch time features"], *, lengths: Int[Array, " batch"] | None = None,
                 start: State | None = None, reverse: bool = False) -> tuple[Float[Array, "batch time neurons"], State]:
        """What the neurons give at each step, and their state after the last step of each row.

        Args:
            x: (batch, time, in_features).
            lengths: how many steps of each row are valid, from 0 to time; all when `None`. What lies beyond counts for
                nothing, as long as it is finite, and the outputs there are 0. The work done is that of the longest row.
            start: the state before the first step, as an earlier call gave it; zeros when `None`.
            reverse: whether time runs backwards, from the last valid step of each row to the first.

        Returns:
            (batch, time, neurons) and the state: a tuple of (batch, neurons), outputs first.

        Raises:
            ShapeError: for another shape of `x` or `lengths`.
        """
        name = type(self).__name__
        if x.ndim != 3 or x.shape[-1] != self.in_features:
            raise ShapeError(f"`{name}` expected x of shape (batch, time, {self.in_features}), got {tuple(x.shape)}.",
                             f"build the layer for {x.shape[-1] if x.ndim else 1} features, or pass whole sequences")
        if lengths is not None and lengths.shape != x.shape[:1]:
            raise ShapeError(f"`{name}` expected lengths of shape {x.shape[:1]}, got {tuple(lengths.shape)}.",
                             "pass one length for each row")
        start = self.initial_state(len(x)) if start is None else start
        weights = Weights(self.weight, self.bias, self.recurrent_weight, self.recurrent_bias)
        outputs, last = sweep(self.cell, reverse, weights, x.swapaxes(0, 1), start, lengths)
        return outputs.swapaxes(0, 1), last


def _starting_weights(name: str, in_features: int, neurons: int, gates: int, initialiser: str, recurrent: str,
                      key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Input and recurrent weights, each gate drawn for itself."""
    in_features = whole_number(name, "in_features", in_features)
    neurons = whole_number(name, "neurons", neurons)
    initialiser, recurrent = initialisers.canonical(initialiser), initialisers.canonical(recurrent)
    keys = subkeys(key, 2 * gates)
    weight = [initialise(initialiser, own, (in_features, neurons)) for own in keys[:gates]]
    back = [initialise(recurrent, own, (neurons, neurons)) for own in keys[gates:]]
    return jnp.concatenate(weight, axis=1), jnp.concatenate(back, axis=1)


class SimpleRecurrence(AbstractRecurrence):
    """`h(t) = activation(x(t) · weight + h(t-1) · recurrent_weight + bias)`.

    It forgets within a few dozen steps; `Lstm` and `Gru` do not.

    Source: Elman 1990; starting from an orthogonal matrix: Saxe, McClelland & Ganguli 2014.

    Args:
        in_features: number of inputs at each step, at least 1.
        neurons: number of neurons, at least 1.
        activation: the name of an activation function.
        initialiser: how the weights of the inputs start.
        recurrent_initialiser: how the weights from the neurons to themselves start.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.

    Example:
        >>> layer = SimpleRecurrence(3, 4, key=jax.random.key(0))
        >>> outputs, state = layer(jnp.ones((2, 7, 3)))
        >>> outputs.shape, state[0].shape
        ((2, 7, 4), (2, 4))
    """

    weight: jax.Array
    recurrent_weight: jax.Array
    bias: jax.Array
    recurrent_bias: None
    activation: str = eqx.field(static=True)

    def __init__(self, in_features: int, neurons: int, *, activation: str = "tanh",
                 initialiser: str = "glorot_uniform", recurrent_initialiser: str = "orthogonal",
                 key: jax.Array) -> None:
        self.activation = activations.canonical(activation)
        self.weight, self.recurrent_weight = _starting_weights("SimpleRecurrence", in_features, neurons, 1, initialiser,
                                                               recurrent_initialiser, key)
        self.bias, self.recurrent_bias = jnp.zeros(neurons), None

    @property
    def cell(self) -> AbstractCell:
        """One step of this layer."""
        return SimpleCell(self.activation)


class Lstm(AbstractRecurrence):
    """Long short-term memory: gates decide what a cell takes in, keeps and gives.

    `i, f, o = σ(x · W + h · U + b)`, `g = tanh(x · W + h · U + b)`, each with columns of its own in the order
    i, f, g, o; `c' = f·c + i·g`; `h' = o·tanh(c')`. The state is (h, c).

    Source: Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000; its bias of 1:
    Jozefowicz, Zaremba & Sutskever 2015.

    Args:
        in_features: number of inputs at each step, at least 1.
        neurons: number of cells, at least 1.
        forget_bias: what the bias of the forget gate starts from; the higher, the longer cells remember at first.
        initialiser: how the weights of the inputs start.
        recurrent_initialiser: how the weights from the neurons to themselves start.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.

    Example:
        >>> layer = Lstm(3, 4, key=jax.random.key(0))
        >>> outputs, (output, memory) = layer(jnp.ones((2, 7, 3)), lengths=jnp.array([7, 5]))
        >>> bool(jnp.all(outputs[1, 4] == output[1])), bool(jnp.any(outputs[1, 5:]))
        (True, False)
    """

    weight: jax.Array
    recurrent_weight: jax.Array
    bias: jax.Array
    recurrent_bias: None

    def __init__(self, in_features: int, neurons: int, *, forget_bias: float = 1.0,
                 initialiser: str = "glorot_uniform", recurrent_initialiser: str = "orthogonal",
                 key: jax.Array) -> None:
        self.weight, self.recurrent_weight = _starting_weights("Lstm", in_features, neurons, LstmCell.gates,
                                                               initialiser, recurrent_initialiser, key)
        gate = jnp.arange(LstmCell.gates * neurons) // neurons
        self.bias, self.recurrent_bias = jnp.where(gate == FORGET, jnp.float32(forget_bias), 0), None

    @property
    def cell(self) -> AbstractCell:
        """One step of this layer."""
        return LstmCell()


class Gru(AbstractRecurrence):
    """The gated recurrent unit: one gate keeps the old value, another decides what of it the new one sees.

    `r, z = σ(x · W + h · U + b)`; `n = tanh(x · W + b + r·(h · U + recurrent_bias))`; `h' = (1 - z)·n + z·h`, with
    columns in the order r, z, n.

    Source: Cho, van Merriënboer, Gulcehre and others 2014, equations 5 to 8; the reset gate after the product, as in
    cuDNN.

    Args:
        in_features: number of inputs at each step, at least 1.
        neurons: number of neurons, at least 1.
        keep_bias: what the bias of the gate z starts from; the higher, the longer neurons remember at first.
        initialiser: how the weights of the inputs start.
        recurrent_initialiser: how the weights from the neurons to themselves start.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.

    Example:
        >>> layer = Gru(3, 4, key=jax.random.key(0))
        >>> layer(jnp.ones((2, 7, 3)), reverse=True)[0].shape
        (2, 7, 4)
    """

    weight: jax.Array
    recurrent_weight: jax.Array
    bias: jax.Array
    recurrent_bias: jax.Array

    def __init__(self, in_features: int, neurons: int, *, keep_bias: float = 0.0,
                 initialiser: str = "glorot_uniform", recurrent_initialiser: str = "orthogonal",
                 key: jax.Array) -> None:
        self.weight, self.recurrent_weight = _starting_weights("Gru", in_features, neurons, GruCell.gates, initialiser,
                                                               recurrent_initialiser, key)
        gate = jnp.arange(GruCell.gates * neurons) // neurons
        self.bias = jnp.where(gate == 1, jnp.float32(keep_bias), 0)
        self.recurrent_bias = jnp.zeros(neurons)

    @property
    def cell(self) -> AbstractCell:
        """One step of this layer."""
        return GruCell()

