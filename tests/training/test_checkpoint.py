"""Checkpoints: read back whole or not at all; a run that goes on from one ends as if it had never stopped."""
from __future__ import annotations

import jax
import numpy as np
import pytest

import pellucid.training.checkpoint as checkpoints
from pellucid.errors import StorageError
from pellucid.training import Plan, Watch, run
from pellucid.training.checkpoint import Checkpoint
from pellucid.training.progress import Silent

PLAN = Plan(epochs=6, batch_size=4, schedule="cosine")


@pytest.fixture
def work(probe, made):
    """Trains a probe for 6 epochs of 3 iterations."""
    def train(folder=None, callbacks=(), resume=False, mark="mark", plan=PLAN, progress=None):
        data, rows = made(10, held_out=3)
        keep = Checkpoint(folder, mark, seconds=0, first=0) if folder else None
        return run(probe(18), probe(18).start(1, 4), data, rows, plan,
                   Watch(progress or Silent(), callbacks, keep, resume))
    return train


def equal(one, other):
    for a, b in zip(jax.tree.leaves(one.carry), jax.tree.leaves(other.carry), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    for a, b in zip(one.history.epochs, other.history.epochs, strict=True):
        assert (a.epoch, a.iteration) == (b.epoch, b.iteration)
        np.testing.assert_array_equal([a.training_error, a.validation_error], [b.training_error, b.validation_error])
    for name, values in one.history.members.items():
        np.testing.assert_array_equal(values, other.history.members[name])


class Stop(Exception):
    """What goes wrong."""


def failing(at):
    def callback(epoch):
        if epoch.epoch == at:
            raise Stop
    return callback


@pytest.mark.parametrize("at", [-1, 0, 4])
def test_a_run_that_broke_off_goes_on(work, tmp_path, at):
    with pytest.raises(Stop):
        work(tmp_path / "c", (failing(at),))
    seen = []
    resumed = work(tmp_path / "c", (seen.append,), resume=True)
    equal(resumed, work())
    assert [epoch.epoch for epoch in seen] == list(range(at + 1, 6))
    assert resumed.history.epochs[-1].seconds <= resumed.seconds


def test_a_finished_run_stays_as_it_is(work, tmp_path):
    first = work(tmp_path)
    content = (tmp_path / "carry.safetensors").read_bytes()
    again = work(tmp_path, resume=True)
    equal(first, again)
    assert again.ending == "finished" and again.seconds == first.seconds
    assert (tmp_path / "carry.safetensors").read_bytes() == content


@pytest.mark.parametrize(("ending", "plan"), [("callback", PLAN), ("time", Plan(epochs=6, batch_size=4, time_limit=1e-9,
                                                                               schedule="cosine"))])
def test_what_ended_early_for_good_stays_so(work, tmp_path, ending, plan):
    stop = (lambda epoch: epoch.epoch < 1,) if ending == "callback" else ()
    first = work(tmp_path, stop, plan=plan)
    again = work(tmp_path, resume=True, plan=plan)
    assert first.ending == again.ending == ending
    equal(first, again)


def test_without_resume_a_checkpoint_is_not_used(work, tmp_path):
    work(tmp_path, (lambda epoch: epoch.epoch < 1,))
    assert work(tmp_path).ending == "finished"


@pytest.mark.parametrize("damage", [
    lambda content: content[:len(content) // 2], lambda content: b"", lambda content: b"\x00" * 100,
    lambda content: b"\xff" * 100, lambda content: content[:8] + b"x" + content[9:], lambda content: content + b"x"])
def test_a_damaged_checkpoint_is_ignored(work, tmp_path, damage):
    work(tmp_path, (lambda epoch: epoch.epoch < 2,))
    file = tmp_path / "carry.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    seen = []
    equal(work(tmp_path, (seen.append,), resume=True), work())
    assert seen[0].epoch == -1


def test_a_checkpoint_of_another_run_is_ignored(work, tmp_path):
    work(tmp_path, (lambda epoch: epoch.epoch < 2,))
    seen = []
    work(tmp_path, (seen.append,), resume=True, mark="another")
    assert seen[0].epoch == -1


def test_a_checkpoint_of_other_shapes_is_ignored(work, tmp_path, probe, made):
    work(tmp_path, (lambda epoch: epoch.epoch < 2,))
    data, rows = made(10)
    seen = []
    watch = Watch(callbacks=(seen.append,), checkpoint=Checkpoint(tmp_path, "mark"), resume=True)
    run(probe(5), probe(5).start(1, 4), data, rows, PLAN, watch)
    assert seen[0].epoch == -1


def test_what_a_killed_writer_left_is_removed(work, tmp_path):
    work(tmp_path)
    (tmp_path / ".carry.safetensors.abc.part").write_bytes(b"half")
    work(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["carry.safetensors"]


def test_a_full_disk_does_not_end_training(work, tmp_path, monkeypatch):
    def full(*_, **__):
        raise StorageError("Could not write `x`: No space left on device.")

    class Listener(Silent):
        def warn(self, message):
            warnings.append(message)

    warnings = []
    monkeypatch.setattr(checkpoints, "write_atomically", full)
    outcome = work(tmp_path, progress=Listener())
    assert outcome.ending == "finished" and "No space left" in warnings[0]


def test_the_first_checkpoint_comes_soon():
    keep = Checkpoint("folder", "mark")
    assert keep.first == 1 and keep.seconds == 5
