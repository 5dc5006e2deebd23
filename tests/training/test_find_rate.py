"""`learning_rate="find"` and double precision, through the whole of training a table."""
from __future__ import annotations

import json

import numpy as np
import pytest

import pellucid


@pytest.fixture(scope="module")
def table():
    """300 rows of a bent boundary between two classes."""
    rng = np.random.default_rng(0)
    made = {f"x{column}": rng.normal(size=300) for column in range(4)}
    return made | {"y": np.where(made["x0"] + made["x1"] ** 2 > 0.7, "yes", "no")}


def trained(table, folder, **settings):
    run = pellucid.train(table, "y", run=folder, epochs=40, members=2, hidden=8, test_size=0, **settings)
    return run, json.loads((folder / "settings.json").read_text())["resolved"]


def test_a_sane_rate_is_found(table, tmp_path):
    run, resolved = trained(table, tmp_path / "run", learning_rate="find")
    assert 1e-4 < resolved["learning_rate"] < 0.3
    assert max(run.history.best_error) < 0.5 < run.history.epochs[0].validation_error


@pytest.mark.parametrize("optimiser", ["adamw", "lbfgs"])
def test_double_precision(table, tmp_path, optimiser):
    run, _ = trained(table, tmp_path / "run", precision="float64", optimiser=optimiser)
    assert max(run.history.best_error) < 0.6 < run.history.epochs[0].validation_error
    assert np.isfinite([epoch.training_error for epoch in run.history.epochs]).all()
