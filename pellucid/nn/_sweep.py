"""The loop that every recurrent layer runs through time, with a gradient of its own.

Written by hand for speed: the inputs of a stretch of steps are projected in one product before the steps run one after
the other, and in the gradient each weight gets one product for the whole stretch. A stretch is short enough to stay in
the processor's cache. The number of steps is traced: a batch runs as many as its longest row has.
"""
from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pellucid.nn._cells import AbstractCell, State

STRETCH = 16
"""Steps that are projected together."""


class Weights(NamedTuple):
    """What a recurrent layer learns; the columns are the gates of the cell, one after another."""

    inputs: Float[Array, "features gates"]
    bias: Float[Array, " gates"]
    recurrent: Float[Array, "neurons gates"]
    offset: Float[Array, " neurons"] | None


class Kept(NamedTuple):
    """What the steps leave behind, by time; without a gradient, only the first state.

    One array for each kind of value: XLA does not vectorise what reads several columns of one step of a larger array.

    Args:
        states: before the first step and after each; backwards in time, after each step and before the one of the end.
        more: what else the gradient needs of a step.
    """

    states: tuple[Float[Array, "moments batch neurons"], ...]
    more: tuple[Float[Array, "time batch neurons"], ...]


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def sweep(cell: AbstractCell, reverse: bool, weights: Weights, inputs: Float[Array, "time batch features"],
          start: State, lengths: Int[Array, " batch"] | None) -> tuple[Float[Array, "time batch neurons"], State]:
    """What the neurons give at each step, zero beyond the length of a row, and their state after its last step."""
    outputs, last, _ = _run(cell, reverse, weights, inputs, start, lengths, keep=False)
    return outputs, last


class _Span(NamedTuple):
    """How time is cut into stretches."""

    stretch: int
    padded: int
    steps: Int[Array, ""]

    @classmethod
    def of(cls, time: int, lengths: Int[Array, " batch"] | None) -> _Span:
        """Stretches of about 16 steps that leave as little over as can be."""
        stretch = min(range(STRETCH // 2, STRETCH * 2), key=lambda size: (-time % size, abs(size - STRETCH)))
        stretch = min(stretch, max(time, 1))
        steps = jnp.int32(time) if lengths is None else jnp.minimum(jnp.max(lengths, initial=0), time)
        return cls(stretch, -(-time // stretch) * stretch, steps)

    @property
    def count(self) -> Int[Array, ""]:
        """How many stretches there are."""
        return -(-self.steps // self.stretch)

    def place(self, turn: Array, backwards: bool) -> tuple[Array, Array]:
        """The first step of a stretch and how many steps it has; `turn` counts the stretches in the order of work."""
        first = jnp.where(backwards, self.count - 1 - turn, turn) * self.stretch
        return first, jnp.minimum(self.stretch, self.steps - first)


def _valid(step: Array, lengths: Array | None) -> Bool[Array, "batch 1"] | None:
    return None if lengths is None else (step < lengths)[:, None]


def _choose(valid: Array | None, new: Any, old: Any) -> Any:
    return new if valid is None else jax.tree.map(lambda a, b: jnp.where(valid, a, b), new, old)


def _at(buffers: Any, step: Array) -> Any:
    return jax.tree.map(lambda buffer: jax.lax.dynamic_index_in_dim(buffer, step, keepdims=False), buffers)


def _put(buffers: Any, values: Any, step: Array) -> Any:
    return jax.tree.map(lambda buffer, value: jax.lax.dynamic_update_index_in_dim(buffer, value, step, 0), buffers,
                        values)


def _cut(buffer: Array, first: Array, size: int) -> Array:
    return jax.lax.dynamic_slice_in_dim(buffer, first, size)


def _lengthened(inputs: Array, time: int) -> Array:
    extra = time - inputs.shape[0]
    return jnp.pad(inputs, ((0, extra), (0, 0), (0, 0))) if extra else inputs


def _run(cell: AbstractCell, reverse: bool, weights: Weights, inputs: Array, start: State, lengths: Array | None,
         keep: bool) -> tuple[Array, State, Kept | None]:
    time, batch, _ = inputs.shape
    span, neurons = _Span.of(time, lengths), weights.recurrent.shape[0]
    inputs = _lengthened(inputs, span.padded)
    buffer = partial(jnp.zeros, dtype=inputs.dtype)
    states = (buffer((span.padded + 1, batch, neurons)),) * (len(start) if keep else 1)
    kept = Kept(_put(states, start[:len(states)], span.steps if reverse else 0),
                (buffer((span.padded, batch, neurons)),) * (cell.kept if keep else 0))

    def stretch(turn: Array, carry: Any) -> Any:
        first, size = span.place(turn, reverse)
        projected = _cut(inputs, first, span.stretch) @ weights.inputs

        def one(index: Array, carry: Any) -> Any:
            state, kept = carry
            index = size - 1 - index if reverse else index
            step = first + index
            valid = _valid(step, lengths)
            total = _at(projected, index) + weights.bias
            new, more = cell.step(total, state[0] @ weights.recurrent, state, weights.offset)
            new = _choose(valid, new, state)
            return new, Kept(_put(kept.states, new[:len(kept.states)], step + (not reverse)),
                             _put(kept.more, more[:len(kept.more)], step))

        return jax.lax.fori_loop(0, size, one, carry)

    last, kept = jax.lax.fori_loop(0, span.count, stretch, (start, kept))
    outputs = _cut(kept.states[0], 0 if reverse else 1, time)
    if lengths is not None:
        outputs = jnp.where(jnp.arange(time)[:, None, None] < lengths[:, None], outputs, 0)
    return outputs, last, kept


def _forward(cell: AbstractCell, reverse: bool, weights: Weights, inputs: Array, start: State,
             lengths: Array | None) -> tuple[Any, Any]:
    outputs, last, kept = _run(cell, reverse, weights, inputs, start, lengths, keep=True)
    return (outputs, last), (weights, inputs, lengths, kept)


class _Back(NamedTuple):
    """What every step of the gradient reads."""

    kept: Kept
    reverse: bool
    by_outputs: Float[Array, "time batch neurons"]
    recurrent: Float[Array, "gates neurons"]

    def step(self, cell: AbstractCell, step: Array, valid: Array | None,
             by_state: State) -> tuple[State, tuple[Array, ...]]:
        """From the gradient by the state after a step to those by the state before it and by what entered the gates."""
        by_output = _at(self.by_outputs, step)
        by_new = (by_state[0] + _choose(valid, by_output, jnp.zeros_like(by_output)), *by_state[1:])
        before, after = (_at(self.kept.states, step + later) for later in (self.reverse, not self.reverse))
        pulled, by_before = cell.pull(_at(self.kept.more, step), before, after, by_new)
        pulled = tuple(_choose(valid, value, jnp.zeros_like(value)) for value in pulled)
        through = pulled[-1] @ self.recurrent
        by_before = (through if by_before[0] is None else by_before[0] + through, *by_before[1:])
        return _choose(valid, by_before, by_state), pulled


def _by_weights(weights: Weights, inputs: Array, before: Array, pulled: tuple[Array, ...]) -> Weights:
    """The gradient by the weights over a stretch of steps, one product each."""
    inputs, before, by_projected, by_recurrent = (
        value.reshape(-1, value.shape[-1]) for value in (inputs, before, pulled[0], pulled[-1]))
    by_offset = None if weights.offset is None else jnp.sum(by_recurrent, axis=0)[-weights.offset.shape[0]:]
    return Weights(inputs.T @ by_projected, jnp.sum(by_projected, axis=0), before.T @ by_recurrent, by_offset)


def _backward(cell: AbstractCell, reverse: bool, saved: Any, gradient: tuple[Array, State]) -> tuple:
    weights, inputs, lengths, kept = saved
    time, batch, _ = inputs.shape
    by_outputs, by_last = gradient
    span = _Span.of(time, lengths)
    inputs, by_outputs = (_lengthened(value, span.padded) for value in (inputs, by_outputs))
    back = _Back(kept, reverse, by_outputs, weights.recurrent.T)
    slots = (jnp.zeros((span.stretch, batch, weights.recurrent.shape[1]), inputs.dtype),) * (1 + cell.two_sided)

    def stretch(turn: Array, carry: Any) -> Any:
        by_state, by_weights, by_inputs, slots = carry
        first, size = span.place(turn, not reverse)

        def one(index: Array, carry: Any) -> Any:
            index = index if reverse else size - 1 - index
            by_state, pulled = back.step(cell, first + index, _valid(first + index, lengths), carry[0])
            return by_state, _put(carry[1], pulled, index)

        if reverse:  # the stretch that may not be full comes last here, and must leave zeros behind its last step
            slots = jax.tree.map(jnp.zeros_like, slots)
        by_state, slots = jax.lax.fori_loop(0, size, one, (by_state, slots))
        moved = _by_weights(weights, _cut(inputs, first, span.stretch),
                            _cut(kept.states[0], first + reverse, span.stretch), slots)
        by_inputs = jax.lax.dynamic_update_slice_in_dim(by_inputs, slots[0] @ weights.inputs.T, first, axis=0)
        return by_state, jax.tree.map(jnp.add, by_weights, moved), by_inputs, slots

    nothing = by_last, jax.tree.map(jnp.zeros_like, weights), jnp.zeros_like(inputs), slots
    by_start, by_weights, by_inputs, _ = jax.lax.fori_loop(0, span.count, stretch, nothing)
    return by_weights, by_inputs[:time], by_start, None


sweep.defvjp(_forward, _backward)
