"""How a `Memory` stores and recalls: the rules, the updates and the energies, on (rows, features) arrays."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

GRADED_STEPS = 3
RELATIVE_CHANGE = 1e-6
RANK_TOLERANCE = 1e-5
TINY = 1e-12


def joined(rule: str, weight: jax.Array, patterns: jax.Array) -> jax.Array:
    """The classical weights that also hold `patterns`; the diagonal is kept, and left out when neurons are updated.

    The pseudo-inverse rule adds the projection onto what the weights, themselves a projection, leave of the patterns.
    """
    if rule == "hebbian":
        return weight + patterns.T @ patterns / patterns.shape[1]
    rest = patterns - patterns @ weight
    _, sizes, basis = jnp.linalg.svd(rest, full_matrices=False)
    basis = basis * (sizes > RANK_TOLERANCE * jnp.sqrt(patterns.size))[:, None]
    return weight + basis.T @ basis


def settled(memory: Any, rows: jax.Array, known: jax.Array | None) -> jax.Array:
    """The states after no neuron changes any more, or after the most steps."""
    return (_modern if memory.settings.rule == "modern" else _classical)(memory, rows, known)


def _until_still(update: Callable[[jax.Array], jax.Array], start: jax.Array, steps: int,
                 tolerance: float) -> jax.Array:
    """`update` again and again, at most `steps` times; each row stops on its own, whatever the others do."""
    def going(carry: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        step, _, moving = carry
        return (step < steps) & jnp.any(moving)

    def one(carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        step, state, moving = carry
        new = jnp.where(moving[:, None], update(state), state)
        size = jnp.max(jnp.abs(new), axis=1)
        return step + 1, new, moving & (jnp.max(jnp.abs(new - state), axis=1) > tolerance * size)

    return jax.lax.while_loop(going, one, (jnp.zeros((), jnp.int32), start, jnp.ones(len(start), bool)))[1]


# ---------------------------------------------------------------- modern
def _modern(memory: Any, rows: jax.Array, known: jax.Array | None) -> jax.Array:
    """Steps among the compared patterns; the last one reads the stored patterns themselves."""
    settings, keys = memory.settings, compared(memory, memory.weight.T).T

    def update(state: jax.Array) -> jax.Array:
        return jax.nn.softmax(closeness(keys, state, settings.beta)) @ keys.T

    steps = settings.steps - 1
    if known is None:
        state = compared(memory, rows)
    else:
        first = jax.nn.softmax(_closeness_of_known(memory, rows, known))
        if settings.steps == 1:
            return first @ memory.weight.T
        state, steps = first @ keys.T, steps - 1
    state = _until_still(update, state, steps, RELATIVE_CHANGE)
    return jax.nn.softmax(closeness(keys, state, settings.beta)) @ memory.weight.T


def compared(memory: Any, rows: jax.Array) -> jax.Array:
    """Rows as they are compared with each other: each with mean 0 and variance 1, if the memory standardises."""
    if not memory.settings.standardise:
        return rows
    centred = rows - jnp.mean(rows, axis=1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(jnp.square(centred), axis=1, keepdims=True) + TINY)


def closeness(keys: jax.Array, rows: jax.Array, beta: float) -> jax.Array:
    """beta · (p·x - |p|²/2): up to a number of each row, -beta/2 times the squared distance; (rows, patterns).

    Args:
        keys: (features, patterns).
        rows: (rows, features).
        beta: the inverse temperature.
    """
    return beta * (rows @ keys - 0.5 * jnp.sum(jnp.square(keys), axis=0))


def _closeness_of_known(memory: Any, rows: jax.Array, known: jax.Array) -> jax.Array:
    """The same by known inputs only. They are certain, so that it is their values that count, in units of the patterns'
    mean variance if the memory standardises."""
    weight, counted = memory.weight, known.astype(rows.dtype)
    unit = jnp.mean(jnp.var(weight, axis=0)) + TINY if memory.settings.standardise else 1.0
    gap = jnp.where(known, rows, 0) @ weight - 0.5 * counted @ jnp.square(weight)
    return memory.settings.beta * gap / unit


def modern_energy(memory: Any, rows: jax.Array) -> jax.Array:
    """|x|²/2 - log(Σ exp(beta · (p·x - |p|²/2))) / beta: (rows,)."""
    beta, rows, keys = memory.settings.beta, compared(memory, rows), compared(memory, memory.weight.T).T
    return 0.5 * jnp.sum(jnp.square(rows), axis=1) - jax.nn.logsumexp(closeness(keys, rows, beta), axis=1) / beta


# ---------------------------------------------------------------- classical
def _classical(memory: Any, rows: jax.Array, known: jax.Array | None) -> jax.Array:
    bare = _without_diagonal(memory.weight)
    sweep = _synchronous if memory.settings.update == "synchronous" else _asynchronous
    held = jnp.zeros(rows.shape, bool) if known is None else known
    start = rows if known is None else jnp.where(known, rows, 0)
    return _until_still(lambda state: sweep(bare, state, held), start, memory.settings.steps, 0.0)


def _without_diagonal(weight: jax.Array) -> jax.Array:
    return weight * (1 - jnp.eye(len(weight), dtype=weight.dtype))


def _synchronous(weight: jax.Array, state: jax.Array, held: jax.Array) -> jax.Array:
    field = state @ weight
    return jnp.where(held | (field == 0), state, jnp.sign(field))


def _asynchronous(weight: jax.Array, state: jax.Array, held: jax.Array) -> jax.Array:
    """Every neuron once, one after the other; the field of all is kept up to date as neurons change."""
    def one(neuron: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        state, field = carry  # (features, rows) each: a neuron is a row, contiguous in memory
        old, pull = state[neuron], field[neuron]
        new = jnp.where(held_across[neuron] | (pull == 0), old, jnp.sign(pull))
        return state.at[neuron].set(new), field + weight[neuron][:, None] * (new - old)

    held_across = held.T
    across, _ = jax.lax.fori_loop(0, len(weight), one, (state.T, weight @ state.T))
    return across.T


def classical_energy(weight: jax.Array, rows: jax.Array) -> jax.Array:
    """-x·W·x / 2 without the diagonal: (rows,)."""
    return -0.5 * jnp.sum((rows @ _without_diagonal(weight)) * rows, axis=1)


# ---------------------------------------------------------------- in training
def graded(memory: Any, rows: jax.Array) -> jax.Array:
    """A few steps that gradients pass through; classical neurons answer by tanh instead of by sign.

    Source: Hopfield 1984, "Neurons with graded response".
    """
    if memory.settings.rule == "modern":
        keys, beta = compared(memory, memory.weight.T).T, memory.settings.beta
        state = compared(memory, rows)
        for _ in range(GRADED_STEPS - 1):
            state = jax.nn.softmax(closeness(keys, state, beta)) @ keys.T
        return jax.nn.softmax(closeness(keys, state, beta)) @ memory.weight.T
    for _ in range(GRADED_STEPS):
        rows = jnp.tanh(rows @ _without_diagonal(memory.weight))
    return rows
