"""`pellucid learning-curve`: growing parts, scores, words, JSON and the page."""
from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.cli.dispatch import main
from pellucid.core.declared import TRAIN
from pellucid.data.read import as_table
from pellucid.report.growth import Growth
from pellucid.tasks import learning_curve
from pellucid.tasks.learn import learn
from pellucid.tasks.learning_curve import _growing, growth_of, sizes_of
from pellucid.tasks.prepare import prepare

SMALL = {"epochs": 1, "members": 1, "hidden": (4,), "batch_size": 64}


def table(rows=160, numbers=False):
    """Two useful columns and an idle one."""
    generator = np.random.default_rng(0)
    age, idle = generator.normal(size=rows), generator.normal(size=rows)
    kind = generator.choice(["own", "rent"], rows)
    score = age + (kind == "own") + 0.3 * generator.normal(size=rows)
    return pl.DataFrame({"age": age, "kind": kind, "idle": idle,
                         "y": score if numbers else np.where(score > 0.5, "good", "bad")})


def made(task="classify", seed=0):
    """A curve of scores that were not measured."""
    prepared = prepare(as_table(table(numbers=task == "regress")), "y", TRAIN.check({}))
    sizes = np.array([40, 80, 160, 320, 640])
    error = 0.1 + 0.3 * (sizes / 40)**-0.8
    error = error[:, None] + 0.004 * np.random.default_rng(seed).normal(size=(5, 3))
    metric = "roc_auc" if task == "classify" else "rmse"
    scores = {"metric": metric, "sizes": sizes, "scores": 1 - error if task == "classify" else error, "wrong": error,
              "test_rows": 40}
    return growth_of(prepared, scores, source="<b>.csv", seconds=1.0)


def test_sizes_grow_evenly():
    assert sizes_of(6400, 7, 2).tolist() == [100, 200, 400, 800, 1600, 3200, 6400]
    assert sizes_of(200, 5, 2)[[0, -1]].tolist() == [32, 200]
    with pytest.raises(pellucid.DataError, match="needs at least 96"):
        sizes_of(80, 6, 2)


def test_every_beginning_has_its_share_of_each_class():
    prepared = prepare(as_table(table()), "y", TRAIN.check({}))
    order = _growing(prepared, np.arange(len(prepared.table)), 0)
    share = prepared.truth.mean()
    assert sorted(order) == list(range(160)) and abs(prepared.truth[order[:40]].mean() - share) < 0.05


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_words_json_and_page(task, tmp_path):
    growth = made(task)
    assert isinstance(growth, Growth) and growth.verdict == "More data would help."
    record = json.loads(json.dumps(growth.to_json()))
    twice = record["forecasts"][0]
    assert twice["rows"] == 1280 and twice["low"] < twice["score"] < twice["high"] and twice["gain"] > 0
    assert record["label_noise"]["low"] <= 0.1 <= record["label_noise"]["most"] and len(record["points"]) == 5
    words = str(growth)
    assert "With twice as many" in words and ("wrong labels" if task == "classify" else "noise in the target") in words
    page = growth.report(tmp_path / "growth.html").read_text(encoding="utf-8")
    assert "Do I need more data?" in page and "<b>.csv" not in page and "&lt;b&gt;.csv" in page and "<svg" in page
    assert "More data would help." in repr(growth) and "<svg" in growth._repr_html_()


def test_command_from_table_to_answer(tmp_path, capsys, monkeypatch):
    known = []
    monkeypatch.setattr(learning_curve, "learn", lambda *lesson: known[0] if known else (
        known.append(learn(*lesson)) or known[0]))  # the first network answers for all: one compilation
    table().write_csv(tmp_path / "clients.csv")
    code = main(["learning-curve", str(tmp_path / "clients.csv"), "--target", "y", "--sizes", "5", "--repeats", "2",
                 "--epochs", "1", "--members", "1", "--hidden", "4", "--batch-size", "64", "--json",
                 "--html", str(tmp_path / "page.html")])
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert code == 0 and [point["rows"] for point in record["points"]] == sizes_of(128, 5, 2).tolist()
    assert len(record["points"][0]["scores"]) == 2 and "10 of 10" in err and (tmp_path / "page.html").exists()


def test_tasks_without_a_curve_say_so():
    with pytest.raises(pellucid.SettingsError, match="has no learning curve"):
        pellucid.learning_curve(table(), task="detect")
    with pytest.raises(pellucid.SettingsError, match="`repeats` was 1"):
        pellucid.learning_curve(table(), "y", repeats=1, **SMALL)
