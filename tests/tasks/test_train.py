"""`pellucid.train`: from a table to a run folder."""
from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from pellucid.errors import DataError, SettingsError
from pellucid.model.load import load
from pellucid.tasks.train import train

QUICK = {"members": 2, "hidden": (8,), "epochs": 8, "batch_size": 16, "column_dropout": 0.0}
FILES = {"model.pellucid", "metrics.json", "history.csv", "settings.json", "report.html", "checkpoint"}


def clients(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    age, income = generator.integers(18, 80, rows), generator.lognormal(10, 0.5, rows)
    home = generator.choice(["own", "rent", "free"], rows)
    chance = 1 / (1 + np.exp(-3 * (income / 20000 - 1.8 + 1.5 * (home == "own"))))
    return pl.DataFrame({"age": age, "income": income, "home": home, "branch": np.arange(rows) % 20,
                         "day": np.arange(rows), "spent": income * 0.3 + 1000 * age,
                         "lend": np.where(generator.random(rows) < chance, "yes", "no")})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(clients().drop("spent"), "lend", run=tmp_path_factory.mktemp("run") / "a", **QUICK)


def test_a_run_folder_holds_everything(run):
    assert {path.name for path in run.folder.iterdir()} == FILES
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["rows"] == {"train": 240, "validation": 240, "test": 60}
    assert set(metrics["baselines"]) == {"majority", "logistic_regression", "gradient_boosting"}
    assert metrics["network"]["roc_auc"] > 0.6 and metrics["seconds"]["network"] > 0
    assert metrics["promise"]["coverage_promised"] == 0.9
    report = (run.folder / "report.html").read_text()
    assert run.result.verdict.headline.split(":")[0] in report and "<script src" not in report


def test_the_history_starts_with_the_untrained_network(run):
    lines = (run.folder / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,iteration,training_error,validation_error,seconds"
    assert lines[1].startswith("-1,0,") and lines[2].startswith("0,") and len(lines) == 2 + QUICK["epochs"]


def test_the_kept_model_is_the_one_that_was_judged(run):
    assert load(run.folder / "model.pellucid").metrics["network"] == json.loads(
        (run.folder / "metrics.json").read_text())["network"]


def test_the_same_seed_gives_the_same_weights(run, tmp_path):
    again = train(clients().drop("spent"), "lend", run=tmp_path / "b", **QUICK)
    other = train(clients().drop("spent"), "lend", run=tmp_path / "c", seed=1, **QUICK)
    np.testing.assert_array_equal(again.model.members.weights, run.model.members.weights)
    assert not np.array_equal(other.model.members.weights, run.model.members.weights)


def test_a_run_is_never_overwritten(run):
    with pytest.raises(SettingsError, match="never overwritten"):
        train(clients(), "lend", run=run.folder, **QUICK)


def test_resuming_takes_the_settings_of_the_run(run):
    again = train(clients().drop("spent"), run=run.folder, resume=True)
    np.testing.assert_array_equal(again.model.members.weights, run.model.members.weights)


def test_resuming_with_other_data_is_refused(run):
    with pytest.raises(SettingsError, match="other data or settings"):
        train(clients(seed=1).drop("spent"), run=run.folder, resume=True)


def test_runs_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clients().drop("spent").write_csv("bank.csv")
    folders = [str(train("bank.csv", "lend", **QUICK).folder) for _ in range(2)]
    assert folders == ["runs/bank-1", "runs/bank-2"]


def test_numbers_are_predicted_with_intervals(tmp_path):
    run = train(clients(400).drop("lend"), "spent", run=tmp_path / "a", **QUICK)
    assert run.metrics["network"]["r2"] > 0.9 and run.metrics["promise"]["coverage_measured"] > 0.75
    predictions = run.model.predict(clients(5, seed=2).drop("lend"))
    assert (predictions.lower <= predictions.prediction).all() and (predictions.prediction <= predictions.upper).all()


def test_small_tables_are_judged_by_cross_validation(tmp_path):
    run = train(clients(80).drop("spent"), "lend", run=tmp_path / "a", **QUICK)
    assert run.metrics["rows"] == {"train": 80, "validation": 80, "test": 80}
    assert "cross-validation" in run.result.tested


def test_the_latest_rows_are_the_test(tmp_path):
    seen = []
    run = train(clients().drop("spent"), "lend", run=tmp_path / "a", time_column="day",
                callbacks=[lambda epoch: seen.append(epoch.epoch)], **QUICK)
    assert "latest rows" in run.result.tested and "day" not in [one.name for one in run.model.features
                                                                 if one.numbers or one.cardinality]
    assert seen == list(range(-1, QUICK["epochs"]))


def test_groups_do_not_straddle(tmp_path):
    run = train(clients().drop("spent"), "lend", run=tmp_path / "a", group_column="branch", **QUICK)
    assert "groups" in run.result.tested and run.metrics["rows"]["test"] % 15 == 0


def test_costs_are_decided_by_and_reported(tmp_path):
    costs = {"no": {"yes": 5}, "yes": {"no": 1}}
    run = train(clients().drop("spent"), "lend", run=tmp_path / "a", costs=costs, **QUICK)
    rules = run.result.decision.rules
    assert rules[0].chosen and rules[0].cost <= max(rule.cost for rule in rules[1:])
    probabilities = run.model.predict(clients()).probabilities
    expected = np.where(5 * probabilities[:, 0] < probabilities[:, 1], "yes", "no")
    assert (run.model.predict(clients()).prediction == expected).all()


def test_the_target_may_be_guessed(tmp_path):
    run = train(clients().drop("spent"), run=tmp_path / "a", **QUICK)
    assert run.model.target.name == "lend" and run.result.notes[0].kind == "target_guessed"


def test_members_with_and_without_column_dropout_compete(tmp_path):
    settings = {name: value for name, value in QUICK.items() if name != "column_dropout"}
    run = train(clients().drop("spent"), "lend", run=tmp_path / "a", **settings)
    assert len(run.model.members) == 2 and len(run.history.best_epoch) == 2


def test_no_test_rows_when_asked_for(tmp_path):
    run = train(clients().drop("spent"), "lend", run=tmp_path / "a", test_size=0, **QUICK)
    assert run.metrics["rows"] == {"train": 300, "validation": 300, "test": 0}
    assert run.result.verdict.outcome == "alone"


def test_an_output_that_cannot_hold_the_target_is_warned_of(tmp_path):
    run = train(clients().drop("lend"), "spent", run=tmp_path / "a", output_activation="sigmoid", **QUICK)
    assert any(note.kind == "output_range" for note in run.result.notes)


def test_rows_without_a_target_are_left_out(tmp_path):
    late = pl.when(pl.col("day") >= 30)
    table = clients().drop("spent").with_columns(late.then(pl.lit("yes")).alias("lend"))
    with pytest.raises(DataError, match="only one class"):
        train(table, "lend", run=tmp_path / "a", **QUICK)
    table = clients().drop("spent").with_columns(late.then(pl.col("lend")).alias("lend"))
    run = train(table, "lend", run=tmp_path / "b", **QUICK)
    assert run.metrics["rows"]["train"] + run.metrics["rows"]["test"] == 270
