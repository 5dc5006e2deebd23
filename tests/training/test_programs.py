"""A program of a user's own runs in the engine."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from pellucid.training import Plan, run
from pellucid.training.plan import device_data, device_rows


class Sums(NamedTuple):
    """Running sums of a least-squares problem."""

    gram: jnp.ndarray
    right: jnp.ndarray
    slopes: jnp.ndarray


@dataclass(frozen=True)
class LeastSquares:
    """Recursive least squares: each batch adds to the normal equations, which are solved anew."""

    def step(self, state, batch, moment):
        weighted = batch.inputs * batch.weight[:, None]
        gram, right = state.gram + weighted.T @ batch.inputs, state.right + weighted.T @ batch.targets
        slopes = jnp.linalg.solve(gram + 1e-6 * jnp.eye(len(right)), right)
        new = Sums(gram, right, slopes)
        return new, self.evaluate(new, batch)

    def evaluate(self, state, batch):
        wrong = batch.inputs @ state.slopes - batch.targets
        return {"error": (jnp.sum(batch.weight * wrong**2), jnp.sum(batch.weight))}

    def snapshot(self, state):
        return state.slopes

    def finish(self, error):
        return jnp.sqrt(error)


def test_least_squares_of_two_members():
    rng = np.random.default_rng(0)
    x, slopes = rng.normal(size=(50, 3)).astype("float32"), np.array([1.0, -2.0, 0.5], np.float32)
    y = x @ slopes
    start = Sums(jnp.zeros((2, 3, 3)), jnp.zeros((2, 3)), jnp.zeros((2, 3)))
    rows = device_rows([np.arange(40), np.arange(10, 50)], [np.arange(40, 50), np.arange(10)])
    outcome = run(LeastSquares(), start, device_data(x, y, np.ones(50, np.float32)), rows, Plan(epochs=1, batch_size=7))
    np.testing.assert_allclose(outcome.carry.best, np.tile(slopes, (2, 1)), atol=1e-4)
    assert outcome.history.epochs[-1].validation_error < 1e-4 < outcome.history.epochs[0].validation_error
