"""Walking up many trees at once: step t computes the t-th inner node of every tree of the batch.

The shapes are fixed and the number of steps is a traced integer, the most inner nodes that a tree of this batch has;
so one compiled program serves all batches and does no more work than they need. The states of leaves and inner nodes
lie in two halves of one array, [slots, batch, state], so that every read is a gather and every write a slice. The
gradient walks down in a loop of its own, in which a node fetches its gradient from its parent's record, and the
weights get theirs at the end from a few large products.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

STEPS_AT_ONCE = 8
"""Steps that share one matrix product: enough rows for a fast one, few enough for little waste."""


class Cell(Protocol):
    """How a node's state comes from its children's; hashable, without arrays.

    The linear middle is split off, so that its weights can have their gradient in large products:
    `combine(features(children) · weight, bias, children)`, where a missing child's state is zero.
    """

    def features(self, children: Float[Array, "batch arity state"]) -> Float[Array, "batch ... inputs"]:
        """What the weights are multiplied by."""

    def combine(self, total: Float[Array, "batch ... outputs"], bias: Float[Array, "#batch biases"],
                children: Float[Array, "batch arity state"]) -> Float[Array, "batch state"]:
        """The state of the node."""


class TreePlan(NamedTuple):
    """Which node is computed when. The first half of the slots is for leaves, the second for inner nodes, in order.

    Each half has room for all nodes, rounded up to whole chunks of `STEPS_AT_ONCE`.

    Args:
        leaf_node: the node of each leaf slot; 0 behind the last leaf.
        inner_node: the same for the slots of inner nodes.
        slot: of each node; 0 for padding.
        valid: which nodes there are.
        child_slot: where the children of each inner node are; -1 for none.
        parent: for each slot, 1 + where its gradient is in the record of all inner nodes' children; 0 for a root.
        leaves, steps: the most leaves and inner nodes that a tree of the batch has.
    """

    leaf_node: Int[Array, "room batch"]
    inner_node: Int[Array, "room batch"]
    slot: Int[Array, "batch nodes"]
    valid: Bool[Array, "batch nodes"]
    child_slot: Int[Array, "room batch arity"]
    parent: Int[Array, "slots batch"]
    leaves: Int[Array, ""]
    steps: Int[Array, ""]


def tree_plan(children: Int[Array, "batch nodes arity"], count: Int[Array, " batch"]) -> TreePlan:
    """The order of work for a batch of trees whose nodes stand behind their children."""
    batch, nodes, arity = children.shape
    valid = jnp.arange(nodes) < count[:, None]
    inner = valid & jnp.any(children >= 0, axis=-1)
    leaf = valid & ~inner
    room = -(-nodes // STEPS_AT_ONCE) * STEPS_AT_ONCE
    before = np.triu(np.ones((nodes, nodes), np.float32), 1)  # a product counts faster than a running sum compiles
    leaf_rank, inner_rank = (jnp.dot(mask.astype(jnp.float32), before).astype(jnp.int32) for mask in (leaf, inner))
    slot = jnp.where(inner, room + inner_rank, leaf_rank)
    rows = jnp.arange(batch)
    node = jnp.zeros((2 * room + 1, batch), jnp.int32).at[jnp.where(valid, slot, 2 * room), rows[:, None]].set(
        jnp.arange(nodes, dtype=jnp.int32))
    leaf_node, inner_node = node[:room], node[room:-1]
    leaves, steps = jnp.sum(leaf, axis=1, dtype=jnp.int32), jnp.sum(inner, axis=1, dtype=jnp.int32)
    used = jnp.arange(room)[:, None] < steps
    own = jnp.where(used[..., None], children[rows, inner_node], -1)  # (room, batch, arity)
    child_slot = jnp.where(own >= 0, slot[rows[:, None], own], -1)
    record = 1 + jnp.arange(room * batch * arity, dtype=jnp.int32).reshape(room, batch, arity)
    parent = jnp.zeros((2 * room + 1, batch), record.dtype).at[
        jnp.where(child_slot >= 0, child_slot, 2 * room), rows[:, None]].set(record)[:-1]
    return TreePlan(leaf_node, inner_node, jnp.where(valid, slot, 0), valid, child_slot, parent, jnp.max(leaves),
                    jnp.max(steps))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def walk(cell: Cell, weight: Float[Array, "inputs outputs"], bias: Float[Array, "#room #batch biases"],
         leaves: Float[Array, "room batch state"], plan: TreePlan) -> Float[Array, "slots batch state"]:
    """The states of all slots.

    Args:
        cell: how a node's state comes from its children's.
        weight: of the cell.
        bias: what each inner node adds, by its slot, or the same for all.
        leaves: the states of the leaves, by their slots.
        plan: the order of work.
    """
    return _up(cell, weight, bias, leaves, plan)[0]


def _up(cell: Cell, weight: Array, bias: Array, leaves: Array, plan: TreePlan) -> tuple[Array, Array]:
    """The states of all slots, and the product with the weights at each step."""
    nodes = len(leaves)
    states = jnp.concatenate([leaves, jnp.zeros_like(leaves)])
    shape = jax.eval_shape(lambda own: cell.features(own) @ weight, _children(states, plan.child_slot[0])).shape

    def step(time: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        states, totals = carry
        own = _children(states, _at(plan.child_slot, time))
        total = cell.features(own) @ weight
        state = cell.combine(total, _at(bias, time), own)
        return _put(states, state, nodes + time), _put(totals, total, time)

    return jax.lax.fori_loop(0, plan.steps, step, (states, jnp.zeros((nodes, *shape), leaves.dtype)))


def _forward(cell: Cell, weight: Array, bias: Array, leaves: Array, plan: TreePlan) -> tuple[Array, tuple]:
    states, totals = _up(cell, weight, bias, leaves, plan)
    return states, (weight, bias, states, totals, plan)


def _backward(cell: Cell, kept: tuple, gradient: Array) -> tuple:
    weight, bias, states, totals, plan = kept
    nodes = len(totals)
    record, totals_gradient, bias_gradient = _down(cell, kept, gradient)
    leaves_gradient = gradient[:nodes] + _from_parent(record, plan.parent[:nodes])
    weight_gradient = _weight_gradient(cell, weight, states, totals_gradient, plan)
    return weight_gradient, bias_gradient, leaves_gradient, jax.tree.map(lambda leaf: None, plan)


def _down(cell: Cell, kept: tuple, gradient: Array) -> tuple[Array, Array, Array]:
    """The gradients of the children of each inner node, of its product with the weights, and of the bias."""
    weight, bias, states, totals, plan = kept
    nodes, batch, arity = plan.child_slot.shape
    one_bias = bias.shape[0] == 1

    def step(index: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        record, totals_gradient, bias_gradient = carry
        time = plan.steps - 1 - index
        own_slots = _at(plan.child_slot, time)
        own = _children(states, own_slots)
        above = _at(gradient, nodes + time) + _from_parent(record, _at(plan.parent, nodes + time))
        by_total, by_bias, by_children = jax.vjp(cell.combine, _at(totals, time), _at(bias, time), own)[1](above)
        by_children += jax.vjp(cell.features, own)[1](by_total @ weight.T)[0]
        by_children = jnp.where((own_slots >= 0)[..., None], by_children, 0)
        bias_gradient = bias_gradient + by_bias[None] if one_bias else _put(bias_gradient, by_bias, time)
        return _put(record, by_children, time), _put(totals_gradient, by_total, time), bias_gradient

    record = jnp.zeros((nodes, batch, arity, states.shape[-1]), states.dtype)
    return jax.lax.fori_loop(0, plan.steps, step, (record, jnp.zeros_like(totals), jnp.zeros_like(bias)))


def _weight_gradient(cell: Cell, weight: Array, states: Array, totals_gradient: Array, plan: TreePlan) -> Array:
    """The sum over all nodes of features times the product's gradient, a few steps at a time."""
    def chunk(index: Array, total: Array) -> Array:
        inputs = jax.vmap(cell.features)(_children(states, _chunk(plan.child_slot, index)))
        outputs = _chunk(totals_gradient, index)
        return total + inputs.reshape(-1, inputs.shape[-1]).T @ outputs.reshape(-1, outputs.shape[-1])

    return jax.lax.fori_loop(0, _chunks(plan.steps), chunk, jnp.zeros_like(weight))


walk.defvjp(_forward, _backward)


@jax.custom_vjp
def in_node_order(states: Float[Array, "slots batch state"], plan: TreePlan) -> Float[Array, "batch nodes state"]:
    """The states of all slots, node by node; zeros for padding. Both directions are gathers."""
    values = states[plan.slot, jnp.arange(states.shape[1])[:, None]]
    return jnp.where(plan.valid[..., None], values, 0)


def _in_node_order(states: Array, plan: TreePlan) -> tuple[Array, TreePlan]:
    return in_node_order(states, plan), plan


def _to_slots(plan: TreePlan, gradient: Array) -> tuple[Array, TreePlan]:
    nodes = jnp.concatenate([plan.leaf_node, plan.inner_node])
    rows = jnp.arange(gradient.shape[0])
    half = len(plan.leaf_node)
    own = plan.slot[rows, nodes] == jnp.arange(2 * half)[:, None]  # a slot that holds no node says node 0
    values = jnp.where((own & plan.valid[rows, nodes])[..., None], gradient[rows, nodes], 0)
    return values, jax.tree.map(lambda leaf: None, plan)


in_node_order.defvjp(_in_node_order, _to_slots)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def over_steps(function: Callable[..., Array], whole: PyTree[Array], values: Float[Array, "places batch ..."],
               steps: tuple[Int[Array, ""], ...], key: Array | None) -> Float[Array, "places batch ..."]:
    """`function(whole, values, key)`, computed for the places that count only (rounded up); zeros elsewhere.

    Args:
        function: what is done to entries that have nothing to do with each other, a few at a time.
        whole: what it uses for all of them alike: floating-point arrays.
        values: with the room of a plan, or with that of both halves of its slots.
        steps: how many places count from the start of each half on, traced integers: one, or two for two halves.
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


def _total(steps: tuple[Array, ...]) -> Array:
    return sum(_chunks(each) for each in steps)


def _place(index: Array, values: Array, steps: tuple[Array, ...]) -> Array:
    """The number of the chunk that comes at `index`: the second half's follow upon those of the first that count."""
    if len(steps) == 1:
        return index
    first = _chunks(steps[0])
    return jnp.where(index < first, index, index - first + len(values) // (2 * STEPS_AT_ONCE))


def _own_key(key: Array | None, index: Array) -> Array | None:
    return None if key is None else jax.random.fold_in(key, index)


def _put_chunk(values: Array, chunk: Array, index: Array) -> Array:
    return jax.lax.dynamic_update_slice_in_dim(values, chunk, index * STEPS_AT_ONCE, 0)


def _chunk(values: Array, index: Array | int) -> Array:
    return jax.lax.dynamic_slice_in_dim(values, index * STEPS_AT_ONCE, STEPS_AT_ONCE)


def _chunks(steps: Array) -> Array:
    return (steps + STEPS_AT_ONCE - 1) // STEPS_AT_ONCE


def _children(states: Array, slots: Int[Array, "... batch arity"]) -> Array:
    """The states of the nodes at `slots`, (..., batch, arity, state); zeros for none."""
    rows = jnp.arange(states.shape[1])[:, None]
    return jnp.where((slots >= 0)[..., None], states[jnp.maximum(slots, 0), rows], 0)


def _from_parent(record: Array, place: Int[Array, "... batch"]) -> Array:
    """What the parent of each slot has recorded as its gradient; zeros for a root."""
    flat = record.reshape(-1, record.shape[-1])
    return jnp.where((place > 0)[..., None], flat[jnp.maximum(place - 1, 0)], 0)


def _at(values: Array, time: Array) -> Array:
    """One step of values whose leading axis is time, or the only one there is."""
    return jax.lax.dynamic_index_in_dim(values, 0 if values.shape[0] == 1 else time, keepdims=False)


def _put(values: Any, value: Any, time: Array) -> Any:
    return jax.lax.dynamic_update_index_in_dim(values, value.astype(values.dtype), time, 0)
