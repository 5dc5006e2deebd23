"""One step of each kind of recurrent cell, and its gradient, written out by hand."""
from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pellucid.nn.activations import activate

State = tuple[Float[Array, "batch neurons"], ...]
"""What a cell hands on from step to step: first what its neurons give, then what they keep to themselves."""
Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class AbstractCell(abc.ABC):
    """What a sweep asks of a cell. Frozen and hashable: it is part of a compiled program's key."""

    gates: ClassVar[int]
    kept: ClassVar[int]
    states: ClassVar[int]
    two_sided: ClassVar[bool] = False

    @abc.abstractmethod
    def step(self, projected: Array, recurrent: Array, before: State, offset: Array | None) -> tuple[State, Arrays]:
        """The state after a step and what else the gradient needs of it, each (batch, neurons).

        Args:
            projected: (batch, gates · neurons) `inputs · weight + bias`.
            recurrent: (batch, gates · neurons) `output before · recurrent weight`.
            before: the state before the step.
            offset: (neurons,) a bias of the cell's own, where it has one.
        """

    @abc.abstractmethod
    def pull(self, kept: Arrays, before: State, after: State,
             by_after: State) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        """The gradient by `projected` (and by `recurrent`, where that differs), and by the state before the step, save
        for the way through `recurrent`; `None` where that is the only way."""


@dataclass(frozen=True)
class SimpleCell(AbstractCell):
    """`h' = activation(x · W + b + h · U)`.

    Source: Elman 1990.
    """

    activation: str = "tanh"
    gates: ClassVar[int] = 1
    kept: ClassVar[int] = 1
    states: ClassVar[int] = 1

    def step(self, projected, recurrent, before, offset):
        """The state after a step."""
        total = projected + recurrent
        after = activate(self.activation, total)
        return (after,), (total,)

    def pull(self, kept, before, after, by_after):
        """The gradient of a step."""
        if self.activation == "tanh":
            return (by_after[0] * (1 - after[0] * after[0]),), (None,)
        _, back = jax.vjp(lambda total: activate(self.activation, total), kept[0])
        return back(by_after[0]), (None,)


@dataclass(frozen=True)
class LstmCell(AbstractCell):
    """`i, f, o = σ(…)`, `g = tanh(…)`, each of `x · W + b + h · U`; `c' = f·c + i·g`; `h' = o·tanh(c')`.

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000.
    """

    gates: ClassVar[int] = 4
    kept: ClassVar[int] = 4
    states: ClassVar[int] = 2

    def step(self, projected, recurrent, before, offset):
        """The state after a step."""
        total = projected + recurrent
        half = _where_gates(total, 0.5)
        gates = half * jnp.tanh(half * total) + (1 - half)  # the tanh of the candidate, and σ(x) = (tanh(x/2) + 1) / 2
        inwards, forget, candidate, outwards = kept = tuple(jnp.split(gates, 4, axis=-1))
        memory = forget * before[1] + inwards * candidate
        return (outwards * jnp.tanh(memory), memory), kept

    def pull(self, kept, before, after, by_after):
        """The gradient of a step."""
        inwards, forget, candidate, outwards = kept
        squashed = jnp.tanh(after[1])
        by_memory = by_after[1] + by_after[0] * outwards * (1 - squashed * squashed)
        by_total = jnp.concatenate([
            by_memory * candidate * inwards * (1 - inwards), by_memory * before[1] * forget * (1 - forget),
            by_memory * inwards * (1 - candidate * candidate),
            by_after[0] * squashed * outwards * (1 - outwards)], axis=-1)
        return (by_total,), (None, by_memory * forget)


def _where_gates(total: Array, value: float) -> Array:
    """`value` in the columns of the three gates, 1 in those of the candidate."""
    neurons = total.shape[-1] // 4
    return jnp.asarray(np.repeat([value, value, 1.0, value], neurons), total.dtype)


def _sigmoid(x: Array) -> Array:
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


@dataclass(frozen=True)
class GruCell(AbstractCell):
    """`r, z = σ(x · W + b + h · U)`; `n = tanh(x · W + b + r·(h · U + offset))`; `h' = (1 - z)·n + z·h`.

    The reset gate acts on the product with the recurrent weights, so that one product serves all gates.

    Source: Cho and others 2014.
    """

    gates: ClassVar[int] = 3
    kept: ClassVar[int] = 4
    states: ClassVar[int] = 1
    two_sided: ClassVar[bool] = True

    def step(self, projected, recurrent, before, offset):
        """The state after a step."""
        reset_in, keep_in, new_in = jnp.split(projected, 3, axis=-1)
        reset_back, keep_back, new_back = jnp.split(recurrent, 3, axis=-1)
        reset, keep = _sigmoid(reset_in + reset_back), _sigmoid(keep_in + keep_back)
        inner = new_back + offset
        new = jnp.tanh(new_in + reset * inner)
        after = new + keep * (before[0] - new)
        return (after,), (reset, keep, new, inner)

    def pull(self, kept, before, after, by_after):
        """The gradient of a step."""
        reset, keep, new, inner = kept
        by_new = by_after[0] * (1 - keep) * (1 - new * new)
        by_keep = by_after[0] * (before[0] - new) * keep * (1 - keep)
        by_reset = by_new * inner * reset * (1 - reset)
        by_projected = jnp.concatenate([by_reset, by_keep, by_new], axis=-1)
        by_recurrent = jnp.concatenate([by_reset, by_keep, by_new * reset], axis=-1)
        return (by_projected, by_recurrent), (by_after[0] * keep,)
