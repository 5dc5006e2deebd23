"""The sum over all states of a restricted Boltzmann machine: exactly, or by annealed importance sampling."""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError
from pellucid.nn._random import normal, subkeys, uniform

MOST_NEURONS = 20  # whose states are gone through one by one: a million
CHUNK = 12  # neurons whose states are computed at once
DEVIATIONS = 3


class LogPartition(NamedTuple):
    """An estimate of log Σ exp(-E).

    Args:
        value: the estimate.
        low, high: the logarithms of the estimated sum three standard errors below and above; `-inf` below where the
            estimate is that uncertain.
    """

    value: float
    low: float
    high: float


def exact_log_partition(machine: Any) -> jax.Array:
    """Goes through all states of the smaller side; the other side is summed in closed form."""
    settings = machine.settings
    by_visible = settings.visible_kind == "binary" and settings.visible < settings.hidden
    neurons = settings.visible if by_visible else settings.hidden
    if neurons > MOST_NEURONS:
        raise SettingsError(f"`log_partition` got a machine with {settings.visible} visible and {settings.hidden} "
                            f"hidden neurons; expected at most {MOST_NEURONS} that can be gone through.",
                            "use estimate_log_partition, which samples")
    return _sum_of_states(machine, by_visible, neurons)


@eqx.filter_jit
def _sum_of_states(machine: Any, by_visible: bool, neurons: int) -> jax.Array:
    chunk = min(neurons, CHUNK)

    def add(total: jax.Array, start: jax.Array) -> tuple[jax.Array, None]:
        number = start * 2**chunk + jnp.arange(2**chunk, dtype=jnp.int32)
        states = (number[:, None] >> jnp.arange(neurons) & 1).astype(machine.weight.dtype)
        logs = -machine.free_energy(states) if by_visible else _log_sum_visible(machine, states)
        return jnp.logaddexp(total, jax.nn.logsumexp(logs)), None

    start = jnp.asarray(-jnp.inf, machine.weight.dtype)
    return jax.lax.scan(add, start, jnp.arange(2**(neurons - chunk), dtype=jnp.int32))[0]


def _log_sum_visible(machine: Any, hidden: jax.Array) -> jax.Array:
    """log Σ_v exp(-E(v, h)) of each row of hidden neurons."""
    pull = hidden @ machine.weight.T
    own = hidden @ machine.hidden_bias
    if machine.settings.visible_kind == "binary":
        return own + jnp.sum(jax.nn.softplus(machine.visible_bias + pull), axis=1)
    width = 0.5 * machine.settings.visible * math.log(2 * math.pi)
    return own + width + pull @ machine.visible_bias + 0.5 * jnp.sum(jnp.square(pull), axis=1)


def annealed_log_partition(machine: Any, base_bias: jax.Array, key: jax.Array, chains: int,
                           temperatures: int) -> LogPartition:
    """From a base model without weights to the machine, in equal steps of the inverse temperature.

    At inverse temperature t the unnormalised probability of v is `exp((1-t)·v·a₀ + t·v·a) · Π (1 + exp(t·(b + v·W)))`;
    for Gaussian visible neurons the first factor is `exp(-|v - a|²/2)` throughout. A chain's weight is the product of
    the ratios of neighbouring probabilities at the states it visits.

    Source: Neal 2001, "Annealed importance sampling"; Salakhutdinov & Murray 2008, equations 12 to 15.
    """
    start, logs = _annealed(machine, base_bias, key, chains, jnp.asarray(temperatures))
    logs = np.asarray(logs, float)
    top = logs.max()
    ratios = np.exp(logs - top)
    mean, error = ratios.mean(), ratios.std(ddof=1) / math.sqrt(chains)
    bounds = [mean - DEVIATIONS * error, mean + DEVIATIONS * error]
    low, high = (math.log(bound) + top + float(start) if bound > 0 else -math.inf for bound in bounds)
    return LogPartition(float(math.log(mean) + top + float(start)), float(low), float(high))


@eqx.filter_jit
def _annealed(machine: Any, base_bias: jax.Array, key: jax.Array, chains: int,
              temperatures: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The exact log sum of the base model, and the log weight of each chain."""
    binary = machine.settings.visible_kind == "binary"
    visible, hidden = machine.weight.shape
    dtype = machine.weight.dtype
    bias = machine.visible_bias

    def draw(means: jax.Array, key: jax.Array) -> jax.Array:
        if binary:
            return (uniform(key, means.shape, dtype=dtype) < jax.nn.sigmoid(means)).astype(dtype)
        return means + normal(key, means.shape, dtype)

    def step(number: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        state, total = carry
        before, now = (jnp.asarray(each / temperatures, dtype) for each in (number, number + 1))
        pull = machine.hidden_bias + state @ machine.weight
        gain = jnp.sum(jax.nn.softplus(now * pull) - jax.nn.softplus(before * pull), axis=1)
        if binary:
            gain += (now - before) * (state @ (bias - base_bias))
        first, second = subkeys(jax.random.fold_in(key, number), 2)
        on = (uniform(first, pull.shape, dtype=dtype) < jax.nn.sigmoid(now * pull)).astype(dtype)
        own = (1 - now) * base_bias + now * bias if binary else bias
        return draw(own + now * (on @ machine.weight.T), second), total + gain

    start = jnp.broadcast_to(base_bias if binary else bias, (chains, visible))
    first = draw(start, jax.random.fold_in(key, 2**31 - 1)), jnp.zeros(chains, dtype)
    _, total = jax.lax.fori_loop(0, temperatures, step, first)
    width = jnp.sum(jax.nn.softplus(base_bias)) if binary else 0.5 * visible * math.log(2 * math.pi)
    return hidden * math.log(2) + width, total
