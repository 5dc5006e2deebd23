"""Rows of like size share a batch, members may be stepped in turn, and every step may see shared arrays."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.networks import Feedforward
from pellucid.training.descent import descent
from pellucid.training.engine import run
from pellucid.training.loop import Shape, _draw
from pellucid.training.objectives import AbstractObjective, Assessment, Supervised
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows, limits


class InTurn(Feedforward):
    """A feed-forward network whose members are stepped one after another."""

    members_in_turn = True


class Bank(AbstractObjective):
    """The outputs should be the mean of a bank of answers that every step sees whole."""

    def errors(self, network, batch, *, state, key):
        outputs, state = network(batch.inputs, state=state, key=key, training=True)
        errors = jnp.mean((outputs - jnp.mean(batch.shared["answers"])) ** 2, axis=1)
        return Assessment(errors, state, {"outputs": outputs[:, 0]}, amount=1 + jnp.abs(batch.inputs[:, 0]))

    def measure(self, network, batch, *, state, key):
        return self.errors(network, batch, state=state, key=key)

    def prepare(self, inputs, targets, weight, seed):
        return super().prepare(inputs, targets, weight, seed)._replace(shared={"answers": np.float32([1, 2, 6])})


@pytest.mark.parametrize("count", [103, 1100])
def test_an_epoch_of_like_sizes_shows_every_row_once(count):
    size = np.random.default_rng(0).integers(1, 50, count)
    data = device_data(np.zeros((count, 1), np.float32), np.zeros(count, np.float32), np.ones(count, np.float32),
                       size=size)
    rows = device_rows([np.arange(count)], [np.arange(0)])
    shape = Shape(1, 8, 8, "constant")
    seen, spread = [], []
    draw = jax.jit(lambda first: _draw(first, jnp.int32(3), data, rows, limits(Plan(), 1), shape))
    for first in range(0, -(-count // 8), 1024 // 8):
        block = draw(jnp.int32(first))
        chosen, weight = np.asarray(block.chosen[0]).reshape(-1, 8), np.asarray(block.weight[0]).reshape(-1, 8)
        full = weight.sum(1) > 0
        assert full[:full.sum()].all()  # padding comes last, so that no row is left out
        seen += chosen[weight > 0].tolist()
        spread += [np.ptp(size[batch]) for batch in chosen[full]]
    assert sorted(seen) == list(range(count))
    assert np.mean(spread) < 10 and not np.array_equal(seen, np.sort(seen))


def test_members_in_turn_equal_members_side_by_side(toy):
    def outcome(kind, members):
        keys = jax.random.split(jax.random.key(0), members)
        networks = jax.vmap(lambda key: kind(3, (4,), 1, key=key))(keys)
        program, state = descent(networks, Supervised(pellucid.losses.mean_squared), Optimiser("adam"))
        rows = device_rows([np.arange(100)] * members, [np.arange(100, 120)] * members)
        return run(program, state, device_data(*toy, np.ones(120, np.float32)), rows, Plan(epochs=2)).carry.best[0]

    side, turn = outcome(Feedforward, 2), outcome(InTurn, 2)
    np.testing.assert_allclose(turn, side, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(outcome(InTurn, 1)[0], turn[0], rtol=1e-4, atol=1e-6)


def test_shared_arrays_further_figures_and_amounts(tiny, toy):
    fit = pellucid.fit(tiny(hidden=()), Bank(), toy[0], epochs=150, learning_rate=0.05, batch_size=120)
    outputs = fit.predict(toy[0])
    assert outputs.mean() == pytest.approx(3, abs=0.05)
    amount = 1 + np.abs(toy[0][:, 0])
    last = fit.history.epochs[-1]
    assert last.training_error == pytest.approx(np.average((outputs[:, 0] - 3) ** 2, weights=amount), abs=0.02)
    assert fit.history.members["outputs"][-1, 0] == pytest.approx(3, abs=0.1)


def test_bytes_stay_bytes_and_prediction_goes_by_tiles(tiny):
    inputs = np.random.default_rng(0).integers(0, 255, (600, 3), dtype=np.uint8)
    fit = pellucid.fit(tiny(hidden=()), "mean_squared", (inputs, inputs[:, :1] / 255), epochs=1, learning_rate=1e-5)
    whole, parts = fit.predict(inputs), [fit.predict(inputs[start:start + 7]) for start in (0, 590)]
    assert whole.shape == (600, 1)
    np.testing.assert_allclose(whole[[*range(7), *range(590, 597)]], np.concatenate(parts), rtol=1e-5, atol=1e-4)
