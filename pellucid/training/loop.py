"""The compiled loop: it runs any program, for all members, over any span of iterations, in one call.

Nothing in it depends on how training is cut into chunks: the result of ten calls is that of one, to the last bit.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

from pellucid.core.keys import step_key
from pellucid.core.permutation import mix, permute, shuffle_seed
from pellucid.training.program import Batch, Measurements, Moment, Program
from pellucid.training.schedules import schedules

RATE_CUT = 0.5
"""How much the learning rate is lowered when a step is not finite."""
BLOCK_ROWS = 1024
"""Rows that are drawn together."""
OWN_COLUMNS = ("rate_scale", "validation_error")
"""What the loop notes of each epoch beside the program's measurements."""
HISTORY = 256
"""Epochs that the carry remembers; the host takes them out between chunks."""


class Data(NamedTuple):
    """All rows, on the device; `shared` is not by row, and `size`, where known, is how long or large each row is."""

    inputs: PyTree[Array]
    targets: PyTree[Array]
    weight: Float[Array, " rows"]
    shared: PyTree[Array] = ()
    size: Int[Array, " rows"] | None = None


class Rows(NamedTuple):
    """Which rows each member learns from and which are held out from it, padded to one length."""

    training: Int[Array, "members most"]
    training_count: Int[Array, " members"]
    held_out: Int[Array, "members fewest"]
    held_out_count: Int[Array, " members"]


class Limits(NamedTuple):
    """Numbers that may change without a new compilation."""

    stop: Int[Array, ""]
    total: Int[Array, ""]
    patience: Int[Array, ""]
    learning_rate: Float[Array, ""]
    seed: UInt32[Array, ""]
    key: Array


class Carry(NamedTuple):
    """Everything that training is, at one iteration; a checkpoint is exactly this."""

    iteration: Int[Array, ""]
    epoch: Int[Array, ""]
    state: PyTree[Array]
    rate_scale: Float[Array, " members"]
    failures: Int[Array, " members"]
    sums: Float[Array, "names 2 members"]
    best: PyTree[Array]
    best_error: Float[Array, " members"]
    best_epoch: Int[Array, " members"]
    stopped: Bool[Array, " members"]
    history: dict[str, Float[Array, "epochs members"]]


@dataclass(frozen=True)
class Shape:
    """What a compiled loop is specialised to, beside the program and the shapes of the arrays."""

    members: int
    batch_size: int
    tile: int
    schedule: str


def iterations_per_epoch(rows: Rows, batch_size: int) -> Int[Array, ""]:
    """ceil(examples / batch size), for the member with most examples."""
    return -(-jnp.max(rows.training_count) // batch_size)


def _take(data: Data, chosen: Int[Array, "members batch"], weight: Float[Array, "members batch"]) -> Batch:
    pick = lambda leaf: leaf.at[chosen].get(mode="promise_in_bounds")  # noqa: E731
    return Batch(jax.tree.map(pick, data.inputs), jax.tree.map(pick, data.targets), weight, chosen)


def _over_members(program: Program, members: int, function: Callable) -> Callable:
    """`function` of one member, for all of them: side by side, or one after another."""
    if not getattr(program, "members_in_turn", False):
        return jax.vmap(function)
    if members > 1:
        return lambda *parts: jax.lax.map(lambda one: function(*one), parts)

    def alone(*parts: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf[None], function(*jax.tree.map(lambda leaf: leaf[0], parts)))
    return alone


class Block(NamedTuple):
    """The rows of some iterations to come, drawn together: that takes a tenth of the time of drawing them singly."""

    chosen: Int[Array, "members rows"]
    weight: Float[Array, "members rows"]


def _block_length(rows: Rows, shape: Shape) -> int:
    """Iterations in a block."""
    longest = -(-rows.training.shape[1] // shape.batch_size)
    return max(1, min(BLOCK_ROWS // shape.batch_size, longest))


def _draw(first: Array, epoch: Array, data: Data, rows: Rows, limits: Limits, shape: Shape) -> Block:
    """The shuffled rows from iteration `first` of an epoch on, each member in an order of its own."""
    members = jnp.arange(shape.members, dtype=jnp.uint32)
    length = _block_length(rows, shape) * shape.batch_size
    position = first * shape.batch_size + jnp.arange(length, dtype=jnp.int32)

    def choose(member: Array, table: Array, count: Array) -> Block:
        seed = shuffle_seed(limits.seed, member, epoch.astype(jnp.uint32))
        inside = jnp.minimum(position, count - 1).astype(jnp.uint32)
        chosen = table[permute(inside, count.astype(jnp.uint32), seed)]
        block = Block(chosen, jnp.where(position < count, data.weight[chosen], 0))
        return block if data.size is None else _alike(block, position < count, data.size[chosen], seed, shape)

    return jax.vmap(choose)(members, rows.training, rows.training_count)


def _alike(block: Block, real: Array, size: Array, seed: Array, shape: Shape) -> Block:
    """The rows of a block with those of like size in one batch, and the batches in random order; padding stays last."""
    order = jnp.argsort(jnp.where(real, size, jnp.iinfo(size.dtype).max))
    batches = jnp.arange(order.size // shape.batch_size, dtype=jnp.uint32)
    filled = batches * shape.batch_size < jnp.sum(real)
    mixed = jnp.argsort(jnp.where(filled, mix(batches ^ seed) >> 1, jnp.uint32(2**32 - 1)))
    order = order.reshape(-1, shape.batch_size)[mixed].reshape(-1)
    return Block(block.chosen[order], block.weight[order])


def _finite(measured: Measurements) -> Bool[Array, " members"]:
    return jnp.all(jnp.stack([jnp.isfinite(total) for total, _ in measured.values()]), axis=0)


def _where(condition: Bool[Array, " members"], new: PyTree[Array], old: PyTree[Array]) -> PyTree[Array]:
    def choose(a: Array, b: Array) -> Array:
        return jnp.where(condition.reshape(condition.shape + (1,) * (a.ndim - 1)), a, b)
    return jax.tree.map(choose, new, old)


def _iterate(program: Program, carry: Carry, batch: Batch, shared: PyTree[Array], limits: Limits,
             shape: Shape) -> Carry:
    """One iteration of every member; a step that is not finite is not taken, and lowers the member's rate."""
    progress = carry.iteration.astype(limits.learning_rate.dtype) / jnp.maximum(limits.total, 1)
    factor = limits.learning_rate * schedules[shape.schedule](progress)
    members = jnp.arange(shape.members, dtype=jnp.int32)

    def step(member: Array, state: PyTree[Array], one: Batch, scale: Array) -> tuple[Any, Measurements]:
        moment = Moment(step_key(limits.key, member, carry.iteration), carry.iteration, carry.epoch, factor * scale)
        return program.step(state, one._replace(shared=shared), moment)

    state, measured = _over_members(program, shape.members, step)(members, carry.state, batch, carry.rate_scale)
    finite = _finite(measured)
    taken = finite & (jnp.sum(batch.weight, axis=1) > 0)
    pairs = jnp.stack([jnp.stack(measured[name]) for name in sorted(measured)])
    return carry._replace(
        iteration=carry.iteration + 1, state=_where(taken, state, carry.state),
        sums=carry.sums + jnp.where(taken, pairs, 0),
        rate_scale=jnp.where(finite, carry.rate_scale, carry.rate_scale * RATE_CUT),
        failures=carry.failures + ~finite)


def _iterate_until(end: Array, program: Program, carry: Carry, data: Data, rows: Rows, limits: Limits,
                   shape: Shape) -> Carry:
    """Iterations of one epoch, block by block; a block starts at the same iterations however training is cut."""
    begin = carry.epoch * iterations_per_epoch(rows, shape.batch_size)
    length, batch_size = _block_length(rows, shape), shape.batch_size

    def one_block(carry: Carry) -> Carry:
        first = (carry.iteration - begin) // length * length
        block = _draw(first, carry.epoch, data, rows, limits, shape)

        def one(iteration: Array, inner: Carry) -> Carry:
            start = (iteration - begin - first) * batch_size
            chosen, weight = (jax.lax.dynamic_slice_in_dim(part, start, batch_size, axis=1) for part in block)
            return _iterate(program, inner, _take(data, chosen, weight), data.shared, limits, shape)

        return jax.lax.fori_loop(carry.iteration, jnp.minimum(end, begin + first + length), one, carry)

    return jax.lax.while_loop(lambda inner: inner.iteration < end, one_block, carry)


def _mean_error(program: Program, state: PyTree[Array], data: Data, table: Array, span: tuple[Array, Array],
                tile: int) -> Float[Array, " members"]:
    """The error of each member over its own rows, a span (first, count) of its table, tile by tile."""
    first, count = span

    def evaluate(one: PyTree[Array], batch: Batch) -> Measurements:
        return program.evaluate(one, batch._replace(shared=data.shared))

    def add(index: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        position = index * tile + jnp.arange(tile, dtype=jnp.int32)
        inside = jnp.minimum(position[None], jnp.maximum(count[:, None] - 1, 0))
        chosen = jnp.take_along_axis(table, jnp.minimum(first + inside, table.shape[1] - 1), axis=1)
        batch = _take(data, chosen, jnp.where(position[None] < count[:, None], data.weight[chosen], 0))
        total, weight = _over_members(program, table.shape[0], evaluate)(state, batch)["error"]
        return sums[0] + total, sums[1] + weight

    zeros = jnp.zeros(table.shape[0], data.weight.dtype)
    total, weight = jax.lax.fori_loop(0, -(-jnp.max(count) // tile), add, (zeros, zeros))
    return program.finish(jnp.where(weight > 0, total / jnp.where(weight > 0, weight, 1), jnp.nan))


def _end_epoch(program: Program, carry: Carry, data: Data, rows: Rows, limits: Limits, shape: Shape) -> Carry:
    """Measure on the held-out rows, keep the best weights, note the epoch; epoch -1 is the untrained network."""
    untrained = carry.epoch < 0
    table = jnp.concatenate([rows.training, rows.held_out], axis=1)

    def measure(part: Array, errors: Array) -> Array:
        span = part * rows.training.shape[1], jnp.where(part == 0, rows.training_count, rows.held_out_count)
        return errors.at[part].set(_mean_error(program, carry.state, data, table, span, shape.tile))

    nothing = jnp.full((2, shape.members), jnp.nan, carry.best_error.dtype)
    errors = jax.lax.fori_loop(jnp.where(untrained, 0, 1), 2, measure, nothing)
    names = sorted(set(carry.history) - set(OWN_COLUMNS))
    means = dict(zip(names, carry.sums[:, 0] / jnp.where(carry.sums[:, 1] > 0, carry.sums[:, 1], 1), strict=True))
    training = jnp.where(untrained, errors[0], program.finish(means["error"]))
    judging = rows.held_out_count > 0  # without held-out rows the last epoch is kept
    judged = jnp.where(judging, errors[1], training)
    better = ((judged < carry.best_error) | ~judging) & ~carry.stopped
    epoch, hopeless = carry.epoch, carry.failures >= carry.iteration  # not one step of it was finite
    best_epoch = jnp.where(better, epoch, carry.best_epoch)
    record = means | {"error": training, "validation_error": errors[1], "rate_scale": carry.rate_scale}
    return carry._replace(
        epoch=epoch + 1, best=_where(better, jax.vmap(program.snapshot)(carry.state), carry.best),
        best_error=jnp.where(better, judged, carry.best_error), best_epoch=best_epoch,
        stopped=carry.stopped | (~untrained & ((epoch - best_epoch >= limits.patience) | hopeless)),
        sums=jnp.zeros_like(carry.sums),
        history={name: buffer.at[(epoch + 1) % HISTORY].set(record[name]) for name, buffer in carry.history.items()})


def run_chunk(program: Program, shape: Shape, carry: Carry, data: Data, rows: Rows, limits: Limits) -> Carry:
    """Train from `carry` until `limits.stop` iterations are done or every member has stopped.

    The outer loop is over epochs, so that the inner one, over iterations, holds nothing but a step.
    """
    per_epoch = iterations_per_epoch(rows, shape.batch_size)

    def one_epoch(carry: Carry) -> Carry:
        end = jnp.minimum((carry.epoch + 1) * per_epoch, limits.stop)
        carry = _iterate_until(end, program, carry, data, rows, limits, shape)
        return jax.lax.cond(carry.iteration == (carry.epoch + 1) * per_epoch,
                            lambda inner: _end_epoch(program, inner, data, rows, limits, shape),
                            lambda inner: inner, carry)

    def unfinished(carry: Carry) -> Bool[Array, ""]:
        return ((carry.iteration < limits.stop) | (carry.epoch < 0)) & ~jnp.all(carry.stopped)

    return jax.lax.while_loop(unfinished, one_epoch, carry)


def begin(program: Program, shape: Shape, state: PyTree[Array], data: Data, rates: Float[Array, " members"]) -> Carry:
    """The carry before the first iteration; `rates` are factors of the learning rate, one a member."""
    members, dtype = shape.members, data.weight.dtype
    row = lambda leaf: jax.ShapeDtypeStruct((1, *leaf.shape[1:]), leaf.dtype)  # noqa: E731
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), state)
    batch = Batch(jax.tree.map(row, data.inputs), jax.tree.map(row, data.targets),
                  jax.ShapeDtypeStruct((1,), dtype), jax.ShapeDtypeStruct((1,), jnp.int32), data.shared)
    number, integer = jax.ShapeDtypeStruct((), dtype), jax.ShapeDtypeStruct((), jnp.int32)
    key = jax.eval_shape(lambda: jax.random.key(0, impl="threefry2x32"))
    _, measured = jax.eval_shape(program.step, one, batch, Moment(key, integer, integer, number))
    columns = (*measured, *OWN_COLUMNS)
    return Carry(
        iteration=jnp.zeros((), jnp.int32), epoch=jnp.full((), -1, jnp.int32), state=jax.tree.map(jnp.copy, state),
        rate_scale=rates, failures=jnp.zeros(members, jnp.int32),
        sums=jnp.zeros((len(measured), 2, members), dtype),
        best=jax.tree.map(jnp.copy, jax.vmap(program.snapshot)(state)), best_error=jnp.full(members, jnp.inf, dtype),
        best_epoch=jnp.full(members, -1, jnp.int32), stopped=jnp.zeros(members, bool),
        history={name: jnp.full((HISTORY, members), jnp.nan, dtype) for name in columns})
