"""Walking up many trees at once: step t computes the t-th inner node of every tree of the batch.

The shapes are fixed and the number of steps is a traced integer, the most inner nodes that a tree of this batch has;
so one compiled program serves all batches and does no more work than they need. The states of leaves and inner nodes
lie in two halves of the same arrays, [slots, batch, size], so that every read is a gather and every write a slice. The
gradient walks down in a loop of its own, in which a node fetches its gradient from its parent's record, and the
weights get theirs from a few large products.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from pellucid.nn.dropout import Dropout

_INSIDE = {"mode": "promise_in_bounds"}
STEPS_AT_ONCE = 8
"""Steps that share one matrix product: enough rows for a fast one, few enough for little waste."""


State = tuple[Float[Array, "... size"], ...]
"""What nodes are: first what they give as their outputs, then what they keep to themselves."""


class Cell(Protocol):
    """How a node's state comes from its children's; hashable, without arrays.

    The linear middle is split off, so that its weights can have their gradient in large products:
    `combine(features(children) · weight, bias, children)`, where a missing child's state is zero.
    """

    def features(self, children: State) -> Float[Array, "batch ... inputs"]:
        """What the weights are multiplied by, from (batch, arity, size) each."""

    def combine(self, total: Float[Array, "batch ... outputs"], bias: Float[Array, "#batch biases"],
                children: State) -> State:
        """The state of the node, (batch, size) each."""


class TreePlan(NamedTuple):
    """Which node is computed when. The first half of the slots is for leaves, the second for inner nodes, in order.

    Each half has room for all nodes, rounded up to whole chunks of `STEPS_AT_ONCE`. One more slot behind them stays
    empty: its state is zero, and whatever there is not is looked for there. Places are `slot * batch + row`.

    Args:
        node: the node of each slot; the number of nodes where there is none.
        place: of the slot of each node; of the empty slot for padding.
        child: the places of the children of each inner node; the empty slot's for none.
        parent: for each slot, where its gradient is in the record of all inner nodes' children; an empty entry behind
            the record for a root.
        leaves, steps: the most leaves and inner nodes that a tree of the batch has.
    """

    node: Int[Array, "slots batch"]
    place: Int[Array, "batch nodes"]
    child: Int[Array, "room batch arity"]
    parent: Int[Array, "slots batch"]
    leaves: Int[Array, ""]
    steps: Int[Array, ""]

    @property
    def leaf_node(self) -> Int[Array, "room batch"]:
        """The node of each leaf slot."""
        return self.node[:len(self.child)]

    @property
    def inner_node(self) -> Int[Array, "room batch"]:
        """The node of each inner slot."""
        return self.node[len(self.child):]


def tree_plan(children: Int[Array, "batch nodes arity"], count: Int[Array, " batch"]) -> TreePlan:
    """The order of work for a batch of trees whose nodes stand behind their children."""
    batch, nodes, arity = children.shape
    valid = jnp.arange(nodes) < count[:, None]
    inner = valid & jnp.any(children >= 0, axis=-1)
    leaf = valid & ~inner
    room = -(-nodes // STEPS_AT_ONCE) * STEPS_AT_ONCE
    up_to = np.triu(np.ones((nodes, nodes), np.float32))  # a product counts, for it compiles faster than a running sum
    counted = jnp.dot(jnp.concatenate([leaf, inner]).astype(jnp.float32), up_to).astype(jnp.int32)
    slot = jnp.where(inner, room - 1 + counted[batch:], jnp.where(leaf, counted[:batch] - 1, 2 * room))
    row = np.arange(batch, dtype=np.int32)[:, None]
    place = slot * batch + row
    numbers = jnp.broadcast_to(jnp.arange(nodes, dtype=jnp.int32), place.shape)
    node = jnp.full(((2 * room + 1) * batch,), nodes, jnp.int32).at[place].set(numbers, **_INSIDE)
    node = node.reshape(-1, batch)[:-1]
    empty = 2 * room * batch
    lifted = _rows(place.reshape(-1), row[..., None] * nodes + jnp.maximum(children, 0))
    lifted = jnp.where(children >= 0, lifted, empty)
    padded = jnp.pad(lifted, [(0, 0), (0, 1), (0, 0)], constant_values=empty).reshape(-1, arity)
    child = _rows(padded, row[:, 0] * (nodes + 1) + node[room:])
    size = room * batch * arity
    parent = jnp.full(((2 * room + 1) * batch,), size, jnp.int32).at[child].set(
        np.arange(size, dtype=np.int32).reshape(room, batch, arity), **_INSIDE)
    most = jnp.max(counted[:, -1].reshape(2, batch), axis=1)
    return TreePlan(node, place, child, parent.reshape(-1, batch)[:-1], most[0], most[1])


class Moving(NamedTuple):
    """What a walk has gradients for.

    Args:
        weight: of the cell.
        bias: what each inner node adds, by its slot, or the same for all.
        whole: what leaves use for all of them alike.
        leaves: their vectors, by their slots.
    """

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, "#room #batch biases"]
    whole: PyTree[Array]
    leaves: Float[Array, "room batch features"]


def rested(values: jax.Array, rate: float, key: jax.Array | None) -> jax.Array:
    """`values` after dropout at `rate`; as they are without a key."""
    return Dropout(rate)(values, key=key, training=key is not None)


@dataclass(frozen=True)
class Leaf:
    """A leaf's state from its vector, of which a share `rate` of the entries rests; hashable."""

    states: Callable[[PyTree[Array], Array], State]
    rate: float

    def __call__(self, weights: PyTree[Array], inputs: Array, key: Array | None) -> State:
        return self.states(weights, rested(inputs, self.rate, key))


@dataclass(frozen=True)
class Way:
    """How states are made; hashable, without arrays.

    Args:
        cell: how a node's state comes from its children's.
        leaf: how a leaf's state comes from its vector.
    """

    cell: Cell
    leaf: Leaf


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def walk(way: Way, moving: Moving, plan: TreePlan, key: Array | None) -> Float[Array, "places batch size"]:
    """The outputs of all slots and, at the end, of the empty one, which are zero; `key` is for the leaves."""
    return _up(way, moving, plan, key)[0]


def _up(way: Way, moving: Moving, plan: TreePlan, key: Array | None) -> State:
    """The states of all slots and of the empty one."""
    room, batch = plan.child.shape[:2]
    shapes = jax.eval_shape(way.leaf, moving.whole, _chunk(moving.leaves, 0), key)

    def leaves(index: Array, states: State) -> State:
        made = way.leaf(moving.whole, _chunk(moving.leaves, index), _own_key(key, index))
        return _put_chunk(states, made, index)

    def step(time: Array, states: State) -> State:
        own = _flat_rows(states, _at(plan.child, time))
        return _put(states, way.cell.combine(way.cell.features(own) @ moving.weight, _at(moving.bias, time), own),
                    room + time)

    states = tuple(jnp.zeros((2 * room + 1, batch, shape.shape[-1]), shape.dtype) for shape in shapes)
    states = jax.lax.fori_loop(0, _chunks(plan.leaves), leaves, states)
    return jax.lax.fori_loop(0, plan.steps, step, states)


def _forward(way: Way, moving: Moving, plan: TreePlan, key: Array | None) -> tuple[Array, tuple]:
    states = _up(way, moving, plan, key)
    return states[0], (moving, plan, key, states)


def _backward(way: Way, kept: tuple, gradient: Array) -> tuple:
    moving, plan, key, states = kept
    record, by_weight, by_bias = _down(way.cell, kept, gradient)

    def leaves(index: Array, carry: tuple[Any, Array]) -> tuple[Any, Array]:
        own = partial(way.leaf, key=_own_key(key, index))
        above = _from_above(record, _chunk(plan.parent, index), _chunk(gradient, index))
        by_whole, by_values = jax.vjp(own, moving.whole, _chunk(moving.leaves, index))[1](above)
        return jax.tree.map(jnp.add, carry[0], by_whole), _put_chunk(carry[1], by_values, index)

    start = jax.tree.map(jnp.zeros_like, moving.whole), jnp.zeros_like(moving.leaves)
    by_whole, by_leaves = jax.lax.fori_loop(0, _chunks(plan.leaves), leaves, start)
    return Moving(by_weight, by_bias, by_whole, by_leaves), jax.tree.map(lambda leaf: None, plan), None


def _from_above(record: State, parent: Int[Array, ...], by_output: Array) -> State:
    """The gradient by states: what their parents recorded, and what came by their outputs."""
    recorded = _flat_rows(record, parent, 3)
    return recorded[0] + by_output, *recorded[1:]


def _down(cell: Cell, kept: tuple, gradient: Array) -> tuple[State, Array, Array]:
    """The gradients of the children of each inner node, of the weights and of the bias.

    Chunk by chunk from the roots on: what the weights gave at these steps is computed again, in one product, and their
    gradient added up in another, so that neither is kept for all nodes; between them one step follows the other.
    """
    moving, plan, _, states = kept
    room, batch, arity = plan.child.shape
    weight, one_bias = moving.weight, moving.bias.shape[0] == 1

    def chunk(index: Array, carry: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
        record, by_weight, by_bias = carry
        number = _chunks(plan.steps) - 1 - index
        first = number * STEPS_AT_ONCE
        own = _flat_rows(states, _chunk(plan.child, number))
        inputs = cell.features(own)
        totals = inputs @ weight
        here = jnp.minimum(STEPS_AT_ONCE, plan.steps - first)

        def step(index: Array, carry: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
            record, by_totals, by_bias = carry
            place = here - 1 - index
            time = first + place
            above = _from_above(record, _at(plan.parent, room + time), _at(gradient, room + time))
            node, bias = _at(own, place), _at(moving.bias, time)
            by_total, by_own_bias, by_children = jax.vjp(cell.combine, _at(totals, place), bias, node)[1](above)
            by_features, = jax.vjp(cell.features, node)[1](by_total @ weight.T)
            by_children = jax.tree.map(jnp.add, by_children, by_features)
            by_bias = by_bias + by_own_bias[None] if one_bias else _put(by_bias, by_own_bias, time)
            return _put(record, by_children, time), _put(by_totals, by_total, place), by_bias

        record, by_totals, by_bias = jax.lax.fori_loop(0, here, step, (record, jnp.zeros_like(totals), by_bias))
        product = inputs.reshape(-1, inputs.shape[-1]).T @ by_totals.reshape(-1, by_totals.shape[-1])
        return record, by_weight + product, by_bias

    # one more step than there can be: nothing comes to a root
    record = tuple(jnp.zeros((room + 1, batch, arity, state.shape[-1]), state.dtype) for state in states)
    return jax.lax.fori_loop(0, _chunks(plan.steps), chunk,
                             (record, jnp.zeros_like(weight), jnp.zeros_like(moving.bias)))


walk.defvjp(_forward, _backward)


@jax.custom_vjp
def in_node_order(states: Float[Array, "slots batch state"], plan: TreePlan) -> Float[Array, "batch nodes state"]:
    """The states of all slots, node by node, the empty slot's for padding. Both directions are gathers."""
    return _flat_rows(states, plan.place)


def _in_node_order(states: Array, plan: TreePlan) -> tuple[Array, TreePlan]:
    return in_node_order(states, plan), plan


def _to_slots(plan: TreePlan, gradient: Array) -> tuple[Array, TreePlan]:
    padded = jnp.pad(gradient, [(0, 0), (0, 1), (0, 0)])
    values = _flat_rows(padded, np.arange(len(gradient), dtype=np.int32) * padded.shape[1] + plan.node)
    return jnp.pad(values, [(0, 1), (0, 0), (0, 0)]), jax.tree.map(lambda leaf: None, plan)


in_node_order.defvjp(_in_node_order, _to_slots)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def over_steps(function: Callable[..., Array], whole: PyTree[Array], values: Float[Array, "places batch ..."],
               steps: tuple[Int[Array, ""], Int[Array, ""]], key: Array | None) -> Float[Array, "places batch ..."]:
    """`function(whole, values, key)`, computed for the places that count only (rounded up); zeros elsewhere.

    Args:
        function: what is done to entries that have nothing to do with each other, a few at a time.
        whole: what it uses for all of them alike: floating-point arrays.
        values: of both halves of a plan's slots, and of the empty one.
        steps: how many places count from the start of each half on, traced integers.
        key: a random key, of which each chunk gets one of its own; or `None`.
    """
    shape = jax.eval_shape(function, whole, _chunk(values, 0), key)

    def chunk(index: Array, results: Array) -> Array:
        place = _place(index, values, steps)
        return _put_chunk(results, function(whole, _chunk(values, place), _own_key(key, place)), place)

    return jax.lax.fori_loop(0, _total(steps), chunk, jnp.zeros((len(values), *shape.shape[1:]), shape.dtype))


def _over_steps(function: Callable[..., Array], *given: Any) -> tuple[Array, tuple]:
    return over_steps(function, *given), given


def _back_over_steps(function: Callable[..., Array], given: tuple, gradient: Array) -> tuple:
    whole, values, steps, key = given

    def chunk(index: Array, carry: tuple[Any, Array]) -> tuple[Any, Array]:
        place = _place(index, values, steps)
        own = partial(function, key=_own_key(key, place))
        by_whole, by_values = jax.vjp(own, whole, _chunk(values, place))[1](_chunk(gradient, place))
        return jax.tree.map(jnp.add, carry[0], by_whole), _put_chunk(carry[1], by_values, place)

    start = jax.tree.map(jnp.zeros_like, whole), jnp.zeros_like(values)
    return (*jax.lax.fori_loop(0, _total(steps), chunk, start), None, None)


over_steps.defvjp(_over_steps, _back_over_steps)


def _total(steps: tuple[Array, Array]) -> Array:
    return _chunks(steps[0]) + _chunks(steps[1])


def _place(index: Array, values: Array, steps: tuple[Array, Array]) -> Array:
    """The number of the chunk that comes at `index`: the second half's follow upon those of the first that count."""
    first = _chunks(steps[0])
    return jnp.where(index < first, index, index - first + len(values) // (2 * STEPS_AT_ONCE))


def _own_key(key: Array | None, index: Array) -> Array | None:
    return None if key is None else jax.random.fold_in(key, index)


def _put_chunk(values: Any, chunk: Any, index: Array) -> Any:
    return jax.tree.map(lambda whole, part: jax.lax.dynamic_update_slice_in_dim(whole, part, index * STEPS_AT_ONCE, 0),
                        values, chunk)


def _chunk(values: Array, index: Array | int) -> Array:
    return jax.lax.dynamic_slice_in_dim(values, index * STEPS_AT_ONCE, STEPS_AT_ONCE)


def _chunks(steps: Array) -> Array:
    return (steps + STEPS_AT_ONCE - 1) // STEPS_AT_ONCE


def _flat_rows(values: Any, place: Int[Array, ...], axes: int = 2) -> Any:
    """The entries at places, which count through the first `axes` axes of each of `values`."""
    return jax.tree.map(lambda whole: _rows(whole.reshape(-1, *whole.shape[axes:]), place), values)


def _rows(values: Array, place: Int[Array, ...]) -> Array:
    return values.at[place].get(**_INSIDE)


def _at(values: Any, time: Array) -> Any:
    """One step of values whose leading axis is time, or the only one there is."""
    return jax.tree.map(lambda whole: jax.lax.dynamic_index_in_dim(whole, 0 if whole.shape[0] == 1 else time,
                                                                   keepdims=False), values)


def _put(values: Any, value: Any, time: Array) -> Any:
    return jax.tree.map(lambda whole, one: jax.lax.dynamic_update_index_in_dim(whole, one.astype(whole.dtype), time, 0),
                        values, value)
