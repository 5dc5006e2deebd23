"""What matters overall, in a run: the ranking in the metrics, the sections of the report, rows of several models."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.core.declared import TRAIN
from pellucid.data.read import as_table
from pellucid.explain.overall import Effect
from pellucid.model.swaps import Swaps
from pellucid.report.html import render
from pellucid.tasks.overall import _dated, overall
from pellucid.tasks.prepare import prepare


def table(rows=300):
    """A column that decides, a level that helps, a date, and an idle number; some cells hold nothing."""
    generator = np.random.default_rng(0)
    size, kind = generator.normal(size=rows), generator.choice(["own", "rent", "free"], rows)
    day = [f"20{20 + row % 5}-0{1 + row % 9}-11" for row in range(rows)]
    price = 3 * size + 2 * (kind == "own") + 0.2 * generator.normal(size=rows)
    return pl.DataFrame({"idle": generator.normal(size=rows), "day": day, "kind": kind,
                         "size": [None if row % 40 == 7 else value for row, value in enumerate(size)], "price": price})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One small run."""
    return pellucid.train(table(), "price", run=tmp_path_factory.mktemp("overall") / "run", members=1, hidden=(16,),
                          epochs=40, batch_size=32)


def test_ranking_effects_and_pairs_are_told(run):
    found = run.metrics["importance"]
    columns = found["columns"]
    assert [one["column"] for one in columns][:2] == ["size", "kind"] and len(columns) == 4
    assert all(one["low"] <= one["influence"] <= one["high"] for one in columns)
    assert columns[0]["lost_when_shuffled"] > columns[-1]["lost_when_shuffled"] and found["shuffled_metric"] == "rmse"
    assert found["repeats"] == 5 and found["rows"] == 60 and found["unit"] == "predicted “price”"
    size = next(one for one in found["effects"] if one["column"] == "size")
    assert size["mean"][-1] > size["mean"][0] + 3 and {len(one["columns"]) for one in found["interactions"]} == {2}
    assert run.result.ranking.columns[0] == "size" and run.result.ranking.influence.mean[0] > 1
    page = render(run.result)
    assert "How far each column moves the answer" in page and "How the strongest columns move the answer" in page
    assert page.index("Which columns matter") > 0


def test_each_row_is_answered_by_the_model_that_left_it_out(run):
    prepared = prepare(as_table(table()), "price", TRAIN.check({}))
    rows = np.arange(40)
    whole = overall(prepared, [(rows, run.model)], seed=1)
    parts = overall(prepared, [(rows[::2], run.model), (rows[1::2], run.model)], seed=1)
    assert whole.influence.columns[:2] == parts.influence.columns[:2]
    assert whole.lost.mean == pytest.approx(parts.lost.mean) and whole.influence.mean == pytest.approx(
        parts.influence.mean, rel=1e-4)


def test_cells_come_from_other_rows(run):
    some = as_table(table()).take(np.arange(6))
    swaps = Swaps(some, [(np.arange(6), run.model)])
    own = run.model.predict(some).prediction
    assert swaps.answers({})[:, 0] == pytest.approx(own, rel=1e-6)
    other = np.roll(np.arange(6), 1)
    moved = swaps.answers({feature.name: other for feature in run.model.features})
    assert moved[:, 0] == pytest.approx(own[other], rel=1e-6)


def test_days_are_written_as_days():
    values = np.array([1.6e9, 1.7e9])
    effect = Effect("day", ("1.6e+09", "1.7e+09"), values, values, values, True, 0, values)
    assert _dated(effect).values == ("2020-09-13", "2023-11-14") and _dated(None) is None
