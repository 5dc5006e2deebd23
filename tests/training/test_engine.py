"""The engine: same bits however it is cut, members, rates, failures, endings."""
from __future__ import annotations

import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.core.names import SCHEDULES
from pellucid.core.sizes import bucket
from pellucid.errors import TrainingError
from pellucid.losses import losses
from pellucid.training import Plan, Watch, engine, run
from pellucid.training.compiled import compiled_chunk
from pellucid.training.descent import descent
from pellucid.training.loop import begin
from pellucid.training.objectives import Supervised
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import device_data, device_rows, limits, loop_shape
from pellucid.training.schedules import schedules

PLAN = Plan(epochs=5, batch_size=16, learning_rate=0.01, schedule="cosine", seed=3)


@pytest.fixture
def problem(toy):
    """A program for `members` networks with dropout, its start, data and rows."""
    def make(members=2, folds=False):
        from_keys = jax.vmap(lambda key: pellucid.networks.Feedforward(3, (4,), 1, dropout=0.2, key=key))
        networks = from_keys(jax.random.split(jax.random.key(0), members))
        program, state = descent(networks, Supervised(losses["mean_squared"]), Optimiser("adam"))
        data = device_data(*toy, np.ones(120, np.float32))
        learns = [np.arange(100) if not folds else np.flatnonzero(np.arange(120) % 6 != member)
                  for member in range(members)]
        return program, state, data, device_rows(learns, [np.arange(100, 120)] * members)
    return make


def same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_any_cut_gives_the_same_bits(problem):
    program, state, data, rows = problem()
    shape, rates = loop_shape(PLAN, rows), np.ones(2, np.float32)
    ends = []
    for stops in ([35], list(range(36)), [3, 4, 9, 21, 35]):
        carry = jax.jit(begin, static_argnums=(0, 1))(program, shape, state, data, rates)
        bounds = limits(PLAN, 35)
        call = compiled_chunk(program, shape, carry, data, rows, bounds).call
        for stop in stops:
            carry = call(carry, data, rows, bounds._replace(stop=jnp.int32(stop)))
        ends.append(jax.device_get(carry))
    same(ends[0], ends[1])
    same(ends[0], ends[2])
    assert ends[0].epoch == 5


def test_a_seed_decides_everything(problem):
    first, again = (run(*problem(), PLAN) for _ in range(2))
    same(first.carry, again.carry)
    other = run(*problem(), Plan(**{**vars(PLAN), "seed": 4}))
    assert not np.array_equal(first.carry.best[0], other.carry.best[0])


def test_equal_shapes_compile_once(problem, monkeypatch):
    compiled = []
    monkeypatch.setattr(engine, "compiled_chunk", lambda *arguments: compiled.append(compiled_chunk(*arguments))
                        or compiled[-1])
    run(*problem(), PLAN)
    run(*problem(), Plan(epochs=300, batch_size=16, learning_rate=0.5, schedule="cosine", seed=9, patience=3))
    assert compiled[0] is compiled[1]


def test_a_state_can_be_used_again(problem):
    program, state, data, rows = problem()
    same(run(program, state, data, rows, PLAN).carry, run(program, state, data, rows, PLAN).carry)


def test_the_first_member_is_a_network_of_its_own(problem):
    """A member equals a single run with its keys up to rounding; all of member 0's keys are those of a single run."""
    program, state, data, rows = problem(2)
    together = run(program, state, data, rows, PLAN)
    alone = run(program, jax.tree.map(lambda leaf: leaf[:1], state), data,
                jax.tree.map(lambda leaf: leaf[:1], rows), PLAN)
    np.testing.assert_allclose(together.history.members["error"][:, 0], alone.history.members["error"][:, 0], rtol=1e-4)
    np.testing.assert_allclose(together.carry.best[0][0], alone.carry.best[0][0], rtol=1e-3, atol=1e-5)


def test_members_leave_out_their_own_rows(probe, made):
    program = probe(40)
    data, _ = made(10)
    learns = [np.array([0, 1, 2, 3, 4]), np.array([5, 6, 7])]
    rows = device_rows(learns, [np.array([9]), np.array([8])])
    noted = run(program, program.start(2, 2), data, rows, Plan(epochs=2, batch_size=2)).carry.state.rows
    for member, own in enumerate(learns):
        for epoch in np.asarray(noted[member])[:6].reshape(2, -1):
            assert sorted(epoch[epoch >= 0]) == sorted(own)


def test_keys_differ_by_member_and_iteration(probe, made):
    program = probe(40)
    data, rows = made(8, members=2)
    outcome = run(program, program.start(2, 4), data, rows, Plan(epochs=3, batch_size=4))
    keys = np.asarray(outcome.carry.state.keys)[:, :6]
    assert len(np.unique(keys)) == keys.size


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    factor = np.asarray(schedules[name](jnp.linspace(0, 1, 101)))
    assert np.isfinite(factor).all() and (factor >= 0).all() and factor.max() == pytest.approx(1, abs=0.02)
    if name != "constant":
        assert factor[-1] < 0.05
    if name in ("one_cycle", "warm_cosine"):
        assert factor[0] < 0.05
    else:
        assert factor[0] == 1 and (np.diff(factor) <= 1e-6).all()


@pytest.mark.parametrize("name", ["constant", "one_cycle"])
def test_the_rate_follows_the_schedule_for_each_member(probe, made, name):
    program = probe(40)
    data, rows = made(8, members=2)
    plan = Plan(epochs=6, batch_size=4, learning_rate=0.2, schedule=name, rates=(1.0, 0.5))
    rates = np.asarray(run(program, program.start(2, 4), data, rows, plan).carry.state.rates)
    expected = 0.2 * np.asarray(schedules[name](jnp.arange(12) / 12))
    rates = rates[:, :12]
    np.testing.assert_allclose(rates[0], expected, rtol=1e-5)
    np.testing.assert_allclose(rates[1], expected / 2, rtol=1e-5)


def test_a_step_that_is_not_finite_is_not_taken(probe, made):
    program = probe(40, bad=(4, 7))
    data, rows = made(8)
    outcome = run(program, program.start(1, 4), data, rows, Plan(epochs=6, batch_size=4, learning_rate=1.0))
    noted = np.asarray(outcome.carry.state.rates[0, :12])
    np.testing.assert_allclose(noted, [1, 1, 1, 1, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25])
    assert outcome.history.failures == (2,) and np.isfinite(outcome.history.members["error"]).all()
    assert outcome.history.members["rate_scale"][:, 0].tolist() == [1, 1, 1, 0.5, 0.25, 0.25, 0.25]


def test_an_error_that_is_never_finite_ends_at_once_and_is_told(probe, made):
    program = probe(40, bad=tuple(range(40)))
    data, rows = made(8)
    with pytest.raises(TrainingError, match="not finite in any of the 2 iterations"):
        run(program, program.start(1, 4), data, rows, Plan(epochs=20, batch_size=4))


def test_the_best_epoch_is_kept_and_patience_ends_training(probe, made):
    data, rows = made(8, held_out=4)
    program = probe(40)
    outcome = run(program, program.start(1, 4), data, rows, Plan(epochs=100, batch_size=4, patience=5))
    errors = outcome.history.members["validation_error"][:, 0]
    assert outcome.ending == "early" and len(outcome.history) < 100
    assert outcome.history.best_epoch[0] == np.argmin(errors) - 1 == outcome.history.epochs[-1].epoch - 5
    assert outcome.history.best_error[0] == errors.min()
    kept = jax.tree.map(lambda leaf: leaf[0], outcome.carry.state)._replace(value=outcome.carry.best[0])
    held_out = np.asarray(data.targets[8:12])
    assert np.mean((held_out - kept.value) ** 2) == pytest.approx(errors.min(), rel=1e-5)


def test_without_held_out_rows_the_last_weights_are_kept(probe, made):
    program = probe(40)
    data, rows = made(8)
    outcome = run(program, program.start(1, 4), data, rows, Plan(epochs=10, batch_size=4, patience=1))
    assert outcome.ending == "finished" and outcome.history.best_epoch == (9,)
    np.testing.assert_array_equal(outcome.carry.best, outcome.carry.state.value)
    assert np.isnan([epoch.validation_error for epoch in outcome.history.epochs]).all()


def test_a_member_that_stopped_waits_for_the_others(probe, made):
    data, _ = made(30)
    rows = device_rows([np.arange(8), np.arange(8)], [np.arange(8, 12), np.arange(12, 30)])
    outcome = run(probe(40), probe(40).start(2, 4), data, rows, Plan(epochs=200, batch_size=4, patience=4))
    assert outcome.ending == "early"
    last = outcome.history.epochs[-1].epoch
    assert max(outcome.history.best_epoch) == last - 4 and min(outcome.history.best_epoch) <= last - 4


def test_the_time_limit_ends_training_and_the_iteration_is_known(probe, made):
    program = probe(40)
    data, rows = made(8)
    outcome = run(program, program.start(1, 4), data, rows, Plan(epochs=1_000_000, batch_size=4, time_limit=0.001))
    assert outcome.ending == "time" and 1 <= outcome.iterations < 100_000
    assert outcome.history.epochs[-1].iteration <= outcome.iterations


def test_callbacks_are_called_once_for_each_epoch(probe, made):
    data, rows = made(8, held_out=4)
    seen = []
    program, plan = probe(40), Plan(epochs=5, batch_size=4)
    outcome = run(program, program.start(1, 4), data, rows, plan, Watch(callbacks=(seen.append,)))
    assert seen == list(outcome.history.epochs)
    silent = run(program, program.start(1, 4), data, rows, plan)
    same(outcome.carry, silent.carry)


@pytest.mark.parametrize("last", [-1, 0, 3])
def test_a_callback_ends_training(probe, made, last):
    data, rows = made(8)
    watch = Watch(callbacks=(lambda epoch: epoch.epoch < last, lambda epoch: None))
    outcome = run(probe(40), probe(40).start(1, 4), data, rows, Plan(epochs=20, batch_size=4), watch)
    assert outcome.ending == "callback" and outcome.history.epochs[-1].epoch == last


def test_training_in_a_thread(probe, made):
    data, rows = made(8)
    ends = []
    plan = Plan(epochs=5, batch_size=4)
    thread = threading.Thread(target=lambda: ends.append(run(probe(40), probe(40).start(1, 4), data, rows, plan)))
    thread.start()
    thread.join(60)
    assert ends[0].ending == "finished"


def test_time_and_memory_are_predicted(probe, made):
    data, rows = made(8)
    start = time.perf_counter()
    outcome = run(probe(40), probe(40).start(1, 4), data, rows, Plan(epochs=4000, batch_size=4))
    assert 0 < outcome.predicted_seconds < 60 * (time.perf_counter() - start)
    assert 0.3 < outcome.predicted_memory / outcome.peak_memory < 3


def test_buckets():
    lengths = [bucket(count) for count in range(1, 5000)]
    assert all(count <= length <= max(8, 2 * count) for count, length in enumerate(lengths[:64], 1))
    assert all(count <= length <= 1.25 * count for count, length in enumerate(lengths[64:], 65))
    assert len(set(lengths)) < 45 and lengths == sorted(lengths)
