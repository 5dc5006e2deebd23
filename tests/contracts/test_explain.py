"""Every task explains its answers, whatever its columns are: none is left out."""
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pellucid.cli.dispatch import main
from pellucid.core.names import TASKS, UNUSED_TYPES
from pellucid.features.types import feature_types
from pellucid.model.detector import is_visible
from pellucid.model.view import KINDS as VIEWED
from pellucid.tasks.detect.prepare import USED_KINDS

sys.path.insert(0, str(Path(__file__).parent))
import explained  # noqa: E402

pytest.importorskip("rdkit")
BLIND = {"detect": set(explained.KINDS) - set(USED_KINDS), "verify": set(explained.KINDS) - {"image"},
         "embed": set(explained.KINDS) - set(VIEWED)}
"""What a task does not look at; training says so, and leaves it out or refuses."""
OWN_ROLES = ("forecast", "recommend")
"""Tasks whose columns are no features: times and values, users and items."""


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return explained.table_of(explained.KINDS, tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def models(frame):
    """What was made once for several tests."""
    return {}


def alone(models, frame, kind):
    if kind not in models:
        models[kind] = explained.table_model(frame.select(f"the {kind}", "word"))
    return models[kind], frame.select(f"the {kind}")


def together(models, frame, task):
    """A model of all columns that the task sees, and data to ask it about."""
    if task not in models:
        models[task] = {
            "detect": lambda: (explained.detector(frame.select(*(f"the {kind}" for kind in USED_KINDS), "word",
                                                               "amount")), frame.drop("word", "amount")),
            "embed": lambda: (explained.embedding(frame), frame.drop("word", "amount")),
            "verify": lambda: explained.verifier(frame), "forecast": explained.forecaster,
            "recommend": explained.recommender}[task]()
    return models[task]


def check(record):
    """What every explanation promises."""
    parts, gap = record["parts"], abs(record["completeness"])
    assert parts and all(part["name"] and part["column"] for part in parts)
    assert math.isfinite(record["whole"]) and math.isfinite(record["empty"])
    assert gap <= max(0.05 * abs(record["whole"] - record["empty"]),
                      0.005 * max(abs(record["whole"]), abs(record["empty"])))
    assert math.isclose(sum(part["contribution"] for part in parts), record["sum_of_parts"], abs_tol=1e-6)
    assert record["faithfulness"]["verdict"] and record["unit"] and record["reason"] and record["method"]
    return {part["column"] for part in parts}


def from_command(model, data, folder, capsys):
    """One explanation from files, as the command line tells it."""
    path, table = model.save(folder / "model.pellucid"), folder / "data.parquet"
    data.write_parquet(table)
    assert main(["explain", str(path), str(table), "--row", "0", "--json", "--quiet"]) == 0
    record, = json.loads(capsys.readouterr().out)
    assert record["task"] == model.task and record["row"] == 0
    return record


def test_nothing_is_left_out():
    assert set(explained.KINDS) == set(feature_types) - set(UNUSED_TYPES)
    assert set(TASKS) == {"classify", "regress", *BLIND, *OWN_ROLES}


@pytest.mark.parametrize("task", ["classify", "regress"])
@pytest.mark.parametrize("kind", explained.KINDS)
def test_classes_and_numbers_are_explained_by_a_column_of_each_kind(models, frame, kind, task, tmp_path, capsys):
    model, data = alone(models, frame, kind)
    model = model if task == "classify" else explained.of_numbers(model, frame)
    record = from_command(model, data, tmp_path, capsys)
    assert check(record) == {f"the {kind}"} and (record["asked"] is None) == (task == "regress")


@pytest.mark.parametrize("kind", explained.KINDS)
def test_an_anomaly_is_explained_by_each_kind_that_a_detector_sees(models, frame, kind, tmp_path, capsys):
    if kind in BLIND["detect"]:
        assert not is_visible(alone(models, frame, kind)[0].features[0])
        return
    model, data = together(models, frame, "detect")
    if "anomaly" not in models:
        models["anomaly"] = from_command(model, data, tmp_path, capsys)
    assert f"the {kind}" in check(models["anomaly"])


def test_a_group_is_explained_by_every_kind_that_codes_are_made_of(models, frame, tmp_path, capsys):
    model, data = together(models, frame, "embed")
    assert check(from_command(model, data, tmp_path, capsys)) == {f"the {kind}" for kind in VIEWED}


@pytest.mark.parametrize("task", ["detect", "verify", "embed", *OWN_ROLES])
def test_other_tasks_are_explained_and_checked_where_training_did_not(models, frame, task, tmp_path, capsys):
    model, data = together(models, frame, task)
    check(from_command(model, data, tmp_path, capsys))
    one, = replace(model, about={}).explain(data, rows=[0])
    assert all(one.sentences()) and one.question and one.row == 0
    assert one.faithfulness.checks.randomised is not None
    assert (one.faithfulness.checks.stability is None) == (len(model.members) == 1)
