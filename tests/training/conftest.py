"""Small problems, and a program that notes what the engine gives it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.networks import Feedforward
from pellucid.training.plan import device_data, device_rows


class ProbeState(NamedTuple):
    """What a `Probe` notes, for one member."""

    rows: Any  # (iterations, batch) row numbers, -1 for padding
    rates: Any  # (iterations,)
    epochs: Any  # (iterations,)
    keys: Any  # (iterations,)
    value: Any  # a number that the order of rows changes


@dataclass(frozen=True)
class Probe:
    """Learns nothing; notes rows, rates, epochs and keys of each iteration. `bad` iterations are not finite."""

    iterations: int
    bad: tuple[int, ...] = ()

    def start(self, members: int, batch_size: int) -> ProbeState:
        rows = jnp.full((members, self.iterations, batch_size), -1, jnp.int32)
        flat = jnp.zeros((members, self.iterations))
        return ProbeState(rows, flat, jnp.full_like(flat, -1).astype(jnp.int32), flat, jnp.zeros(members))

    def step(self, state, batch, moment):
        at = moment.iteration
        rows = state.rows.at[at].set(jnp.where(batch.weight > 0, batch.index, -1))
        value = 0.9 * state.value + jnp.sum(batch.weight * batch.inputs[:, 0])
        error = jnp.sum(batch.weight * (batch.targets - value) ** 2)
        failing = jnp.any(at == jnp.array(self.bad or (-1,)))
        noted = ProbeState(rows, state.rates.at[at].set(moment.rate), state.epochs.at[at].set(moment.epoch),
                           state.keys.at[at].set(jax.random.uniform(moment.key)), value)
        return noted, {"error": (jnp.where(failing, jnp.nan, error), jnp.sum(batch.weight))}

    def evaluate(self, state, batch):
        return {"error": (jnp.sum(batch.weight * (batch.targets - state.value) ** 2), jnp.sum(batch.weight))}

    def snapshot(self, state):
        return state.value

    def finish(self, error):
        return error


@pytest.fixture
def probe():
    """The class of a program that notes what it is given."""
    return Probe


@pytest.fixture
def made():
    """Makes data and rows of `count` examples for a probe: (data, rows)."""
    def make(count, members=1, held_out=0):
        rng = np.random.default_rng(0)
        total = count + held_out
        data = device_data(rng.normal(size=(total, 2)).astype("float32"), rng.normal(size=total).astype("float32"),
                           np.ones(total, np.float32))
        return data, device_rows([np.arange(count)] * members, [np.arange(count, total)] * members)
    return make


@pytest.fixture(scope="session")
def toy():
    """A smooth problem with 3 inputs: (inputs, targets), 120 rows."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 3)).astype("float32")
    return x, (x[:, :1] - 0.5 * x[:, 1:2] + 0.1).astype("float32")


@pytest.fixture
def tiny():
    """Makes a network of 3 inputs, 4 hidden neurons and 1 output."""
    def make(seed=0, hidden=(4,), **options):
        return Feedforward(3, hidden, 1, activation="tanh", key=jax.random.key(seed), **options)
    return make
