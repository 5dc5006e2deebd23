"""How a `Memory` stores and recalls: the rules, the updates and the energies, on (rows, features) arrays."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

GRADED_STEPS = 3
RELATIVE_CHANGE = 1e-6
RANK_TOLERANCE = 1e-5


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
    """The states after no neuron changes any more, or after the most steps; each row stops on its own."""
    settings = memory.settings
    if settings.rule == "modern":
        def update(state: jax.Array) -> jax.Array:
            return _modern_step(memory.weight, state, settings.beta, None)
        start, tolerance = rows, RELATIVE_CHANGE
        if known is not None:  # the patterns are weighed once, by what is known
            start = _modern_step(memory.weight, rows, settings.beta, known)
    else:
        bare = _without_diagonal(memory.weight)
        sweep = _synchronous if settings.update == "synchronous" else _asynchronous
        held = jnp.zeros(rows.shape, bool) if known is None else known

        def update(state: jax.Array) -> jax.Array:
            return sweep(bare, state, held)
        start, tolerance = (rows if known is None else jnp.where(known, rows, 0)), 0.0

    def going(carry: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        step, _, moving = carry
        return (step < settings.steps) & jnp.any(moving)

    def one(carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        step, state, moving = carry
        new = jnp.where(moving[:, None], update(state), state)
        size = jnp.max(jnp.abs(new), axis=1)
        return step + 1, new, moving & (jnp.max(jnp.abs(new - state), axis=1) > tolerance * size)

    return jax.lax.while_loop(going, one, (jnp.zeros((), jnp.int32), start, jnp.ones(len(rows), bool)))[1]


def graded(memory: Any, rows: jax.Array) -> jax.Array:
    """A few steps that gradients pass through; classical neurons answer by tanh instead of by sign.

    Source: Hopfield 1984, "Neurons with graded response".
    """
    for _ in range(GRADED_STEPS):
        if memory.settings.rule == "modern":
            rows = _modern_step(memory.weight, rows, memory.settings.beta, None)
        else:
            rows = jnp.tanh(rows @ _without_diagonal(memory.weight))
    return rows


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


def closeness(weight: jax.Array, rows: jax.Array, beta: float, known: jax.Array | None = None) -> jax.Array:
    """beta · (p·x - |p|²/2) for each row and pattern, up to a number of each row -beta/2 times their squared distance.

    Args:
        weight: (features, patterns).
        rows: (rows, features).
        beta: the inverse temperature.
        known: (rows, features) which inputs count; all when `None`.
    """
    if known is None:
        return beta * (rows @ weight - 0.5 * jnp.sum(jnp.square(weight), axis=0))
    counted = known.astype(rows.dtype)
    return beta * ((rows * counted) @ weight - 0.5 * counted @ jnp.square(weight))


def _modern_step(weight: jax.Array, rows: jax.Array, beta: float, known: jax.Array | None) -> jax.Array:
    return jax.nn.softmax(closeness(weight, rows, beta, known)) @ weight.T


def modern_energy(weight: jax.Array, rows: jax.Array, beta: float) -> jax.Array:
    """|x|²/2 - log(Σ exp(beta · (p·x - |p|²/2))) / beta: (rows,)."""
    return 0.5 * jnp.sum(jnp.square(rows), axis=1) - jax.nn.logsumexp(closeness(weight, rows, beta), axis=1) / beta


def classical_energy(weight: jax.Array, rows: jax.Array) -> jax.Array:
    """-x·W·x / 2 without the diagonal: (rows,)."""
    return -0.5 * jnp.sum((rows @ _without_diagonal(weight)) * rows, axis=1)
