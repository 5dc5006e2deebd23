"""A second training with another way to take in numbers: left-out rows choose."""
import numpy as np
import pytest

import pellucid
from pellucid.tasks.defaults import RIVAL, TableSize, resolve

ROWS = 1300  # of which 1,040 are learned from
QUICK = {"members": 2, "epochs": 60, "hidden": (32,), "batch_size": 64}


def table(of):
    x = np.random.default_rng(0).uniform(-2, 2, (ROWS, 2))
    return {"a": x[:, 0], "b": x[:, 1], "y": of(x[:, 0]) + 0.05 * x[:, 1]}


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    return pellucid.train(table(lambda x: np.sin(3 * x)), "y", run=tmp_path_factory.mktemp("waves") / "run", **QUICK)


def embedding(run):
    return run.model.members.spec["numbers"]["embedding"]


def test_waves_are_taken_where_left_out_rows_are_answered_better(waves):
    assert embedding(waves) == "periodic"
    assert any(note.kind == "rival" for note in waves.result.notes)
    assert waves.metrics["network"]["r2"] > 0.9


def test_bins_stay_where_they_are_as_good(tmp_path):
    noise = np.random.default_rng(1).normal(0, 1, ROWS)
    run = pellucid.train(table(lambda x: x + noise), "y", run=tmp_path / "run", **QUICK)
    assert embedding(run) == "piecewise_linear"
    assert not any(note.kind == "rival" for note in run.result.notes)


def test_what_the_user_sets_is_kept(waves):
    size, features = TableSize(1040, 2), waves.model.features
    assert resolve({}, size, features)["rival"] == RIVAL
    for given in ({"numeric_embedding": "none"}, {"time_limit": 60.0}):
        assert resolve(given, size, features)["rival"] is None
    assert resolve({}, TableSize(900, 2), features)["rival"] is None
    assert resolve({}, TableSize(1040, 0), ())["rival"] is None
