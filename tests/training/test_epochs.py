"""Epoch, batch and iteration mean exactly what the guide says (row C10)."""
from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.core.permutation import permute_on_host, shuffle_seed
from pellucid.core.sizes import bucket
from pellucid.errors import SettingsError
from pellucid.training import Plan, Watch, run


@pytest.mark.parametrize(("count", "batch_size"), [(10, 4), (12, 4), (1, 4), (5, 100)])
def test_each_row_is_seen_once_in_each_epoch(probe, made, count, batch_size):
    per_epoch, size = math.ceil(count / batch_size), min(batch_size, bucket(count))
    program = probe(40)
    data, rows = made(count)
    outcome = run(program, program.start(1, size), data, rows, Plan(epochs=3, batch_size=batch_size))
    assert outcome.iterations == per_epoch * 3
    noted = outcome.carry.state
    seen = np.asarray(noted.rows[0, :3 * per_epoch]).reshape(3, per_epoch * size)
    for line in seen:
        assert sorted(line[line >= 0]) == list(range(count))
    if count > 5:
        assert not (seen[0] == seen[1]).all()
    np.testing.assert_array_equal(noted.epochs[0, :3 * per_epoch], np.repeat([0, 1, 2], per_epoch))


def test_counters_start_at_0_and_the_untrained_network_is_epoch_minus_1(probe, made):
    program = probe(40)
    data, rows = made(7, held_out=3)
    outcome = run(program, program.start(1, 4), data, rows, Plan(epochs=3, batch_size=4))
    assert [epoch.epoch for epoch in outcome.history.epochs] == [-1, 0, 1, 2]
    assert [epoch.iteration for epoch in outcome.history.epochs] == [0, 2, 4, 6]
    first = outcome.history.epochs[0]
    assert first.training_error == pytest.approx(float(np.mean(np.asarray(data.targets[:7]) ** 2)), rel=1e-5)
    assert first.validation_error == pytest.approx(float(np.mean(np.asarray(data.targets[7:10]) ** 2)), rel=1e-5)
    assert (np.diff([epoch.seconds for epoch in outcome.history.epochs]) >= 0).all()


def test_the_host_can_compute_the_order(probe, made):
    program = probe(40)
    data, rows = made(11)
    outcome = run(program, program.start(1, 4), data, rows, Plan(epochs=1, batch_size=4, seed=5))
    with np.errstate(over="ignore"):
        seed = shuffle_seed(np.uint32(5), np.uint32(0), np.uint32(0))
    flat = np.asarray(outcome.carry.state.rows[0, :3]).reshape(-1)[:11]
    np.testing.assert_array_equal(flat, permute_on_host(np.arange(11), 11, seed))


def test_blocks_of_rows_hide_nothing(probe, made):
    program = probe(80)  # an epoch of 40 iterations is longer than a block of 1,024 rows
    data, rows = made(1270)
    outcome = run(program, program.start(1, 32), data, rows, Plan(epochs=2, batch_size=32))
    for line in np.asarray(outcome.carry.state.rows[0]).reshape(2, -1):
        assert sorted(line[line >= 0]) == list(range(1270))


def gradient_descent(weight, bias, x, y, order, rate):
    """One epoch of plain gradient descent on the mean squared error of a linear neuron, in NumPy."""
    for rows in order:
        wrong = x[rows] @ weight + bias - y[rows]
        weight = weight - rate * 2 * x[rows].T @ wrong / len(rows)
        bias = bias - rate * 2 * wrong.mean(axis=0)
    return weight, bias


def test_an_epoch_equals_numpy():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(11, 3)), rng.normal(size=(11, 1))
    with jax.enable_x64():
        network = pellucid.networks.Feedforward(3, (), 1, key=jax.random.key(0))
        fit = pellucid.fit(network, "mean_squared", (x, y), epochs=1, batch_size=4, optimiser="sgd", learning_rate=0.1,
                           key=3)
        found = np.asarray(fit.network.output.weight), np.asarray(fit.network.output.bias)
        start = np.asarray(network.output.weight, np.float64), np.asarray(network.output.bias, np.float64)
    with np.errstate(over="ignore"):
        order = permute_on_host(np.arange(11), 11, shuffle_seed(np.uint32(3), np.uint32(0), np.uint32(0)))
    expected = gradient_descent(*start, x, y, np.split(order, [4, 8]), 0.1)
    assert found[0].dtype == np.float64
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6)


def test_weights_of_rows_count_exactly(tiny, toy):
    x, y = (part[:12].astype(np.float64) for part in toy)
    counts = np.array([2, 1, 0, 1, 3, 1, 1, 0, 1, 1, 1, 1])
    with jax.enable_x64():
        options = {"epochs": 4, "optimiser": "sgd", "batch_size": 100}
        weighted = pellucid.fit(tiny(), "mean_squared", (x, y, counts), **options)
        repeated = pellucid.fit(tiny(), "mean_squared", (np.repeat(x, counts, 0), np.repeat(y, counts, 0)), **options)
        np.testing.assert_allclose(weighted.predict(x), repeated.predict(x), rtol=1e-10)


def test_no_epochs(tiny, toy):
    fit = pellucid.fit(tiny(), "mean_squared", toy, epochs=0)
    assert [epoch.epoch for epoch in fit.history.epochs] == [-1] and fit.ending == "finished"
    untrained, _ = tiny()(jnp.asarray(toy[0]))
    np.testing.assert_allclose(fit.predict(toy[0]), untrained, rtol=1e-5)


def test_a_batch_larger_than_the_data_is_all_rows(probe, made):
    program = probe(40)
    data, rows = made(5)
    outcome = run(program, program.start(1, bucket(5)), data, rows, Plan(epochs=2, batch_size=10_000_000))
    assert outcome.iterations == 2


def test_more_iterations_than_can_be_counted(probe, made):
    program = probe(1)
    data, rows = made(5000)
    with pytest.raises(SettingsError, match="that can be counted"):
        run(program, program.start(1, 1), data, rows, Plan(epochs=1_000_000, batch_size=1))


def test_many_epochs_are_all_recorded(probe, made):
    """More epochs than the carry remembers, in one run without a pause."""
    program = probe(40)  # notes beyond its buffer are dropped
    data, rows = made(3, members=2, held_out=2)
    outcome = run(program, program.start(2, 4), data, rows, Plan(epochs=1500, batch_size=4), Watch())
    assert [epoch.epoch for epoch in outcome.history.epochs] == list(range(-1, 1500))
    assert outcome.history.members["error"].shape == (1501, 2)
    assert np.isfinite(outcome.history.members["error"]).all()
