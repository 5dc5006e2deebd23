"""What is said about a table, and what is refused."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pellucid.data.check import check_columns, check_table, require_trainable
from pellucid.data.schema import infer_schema
from pellucid.data.table import Table
from pellucid.errors import DataError

RNG = np.random.default_rng(0)
ROWS = 400


def table_of(**columns):
    return Table(pl.DataFrame({"x": RNG.normal(size=ROWS), "y": ["good", "bad"] * (ROWS // 2), **columns}), "test")


def notes_of(table, target="y", **overrides):
    return {note.kind: note for note in check_table(table, infer_schema(table, target, overrides))}


def test_rows_that_are_steps_in_time_are_told():
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 12, 31), "1d", eager=True)
    weekdays = days.filter(days.dt.weekday() <= 5)[:ROWS]
    for when in (days[:ROWS], days[:ROWS].reverse(), weekdays, weekdays.cast(pl.String)):
        note = notes_of(table_of(when=when))["steps"]
        assert note.column == "when" and note.severity == "warning" and "(`when`)" in note.message
    assert notes_of(table_of(year=pl.Series(range(1600, 1600 + ROWS))))["steps"].column == "year"
    moments = days[:ROWS].shuffle(seed=0)
    for when in (moments, moments.sort().gather(RNG.integers(0, ROWS, ROWS)).sort()):
        assert "steps" not in notes_of(table_of(when=when))


def test_nothing_to_say_about_a_good_table():
    assert notes_of(table_of()) == {}


@pytest.mark.parametrize(("kind", "cells", "count"), [
    ("infinite", [float("inf"), 2.0] + [float(i) for i in range(ROWS - 2)], 1),
    ("mixed_types", ["abc"] + [str(i) for i in range(ROWS - 1)], 1),
    ("constant", [3] * ROWS, None), ("empty", [None] * ROWS, ROWS),
    ("many_missing", [None] * 300 + list(range(100)), 300),
    ("many_levels", [f"level {i % 300}" for i in range(ROWS)], 300),
    ("date", ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"] * 100, None),
])
def test_columns(kind, cells, count):
    note = notes_of(table_of(z=pl.Series(cells)))[kind]
    assert note.column == "z" and note.count == count and "`z`" in note.message and note.message.endswith(".")


def test_an_identifier_posing_as_a_feature():
    table = table_of(customer_id=list(range(ROWS)))
    assert notes_of(table)["identifier"].severity == "warning"
    assert "identifier" not in notes_of(table, customer_id="number")


def test_rows():
    few = Table(table_of().frame.head(50), "test")
    assert notes_of(few)["few_rows"].count == 50 and "±31" in notes_of(few)["few_rows"].message
    frame = table_of().frame
    repeated = Table(pl.concat([frame, frame.head(7)]), "test")
    assert notes_of(repeated)["duplicate_rows"].count == 7
    flipped = frame.head(5).with_columns(y=pl.Series(["bad", "good", "bad", "good", "bad"]))
    contradicting = Table(pl.concat([frame, flipped]), "test")
    assert notes_of(contradicting)["contradicting_rows"].count == 10


def test_classes():
    note = notes_of(table_of(y=["bad"] * 20 + ["good"] * 380))["imbalance"]
    assert "95.0 % of the rows are `good`" in note.message and note.count == 20
    assert notes_of(table_of(y=["bad"] * 3 + ["good"] * 397))["rare_class"].count == 1
    assert notes_of(table_of(y=[None] * 3 + ["good", "bad"] * 198 + ["bad"]))["target_missing"].count == 3


def test_warnings_come_first_and_reading_is_included():
    table = table_of(c=[1] * ROWS, i=[float("inf")] + [1.5, 2.5, 3.5] * 133)
    severities = [note.severity for note in check_table(table, infer_schema(table, "y"))]
    assert severities == sorted(severities, key=lambda severity: severity != "warning") and len(severities) == 2


@pytest.mark.parametrize(("columns", "target", "message"), [
    ({"a": list(range(20))}, "a", "only one column"),
    ({"a": list(range(20)), "y": [1] * 20}, "y", "only one class"),
    ({"a": list(range(20)), "y": ["b"] * 20}, "y", "only one class"),
    ({"a": list(range(20)), "y": [None] * 20}, "y", "no value in any row"),
    ({"a": list(range(9)), "y": [0, 1, 0] * 3}, "y", "Only 9 rows"),
    ({"a": list(range(20)), "y": ["b", "c"] * 4 + [None] * 12}, "y", "Only 8 rows"),
    ({"a": [1] * 20, "y": ["b", "c"] * 10}, "y", "No column is left"),
    ({"a": list(range(40)), "y": [f"w{i}" for i in range(40)]}, "y", "40 different classes"),
    ({"a": list(range(20)), "y": [0, 1] * 10}, (), "No target"),
])
def test_what_cannot_be_trained(columns, target, message):
    table = Table(pl.DataFrame(columns), "test")
    with pytest.raises(DataError, match=message) as caught:
        require_trainable(table, infer_schema(table, target))
    assert caught.value.hint


def test_a_constant_number_cannot_be_predicted():
    table = Table(pl.DataFrame({"a": range(20), "y": [1.5] * 20}), "test")
    with pytest.raises(DataError, match="same value in every row"):
        require_trainable(table, infer_schema(table, "y"), task="regress")


def test_a_good_table_is_trainable():
    for target in ("x", "y"):
        require_trainable(table_of(), infer_schema(table_of(), target))


def test_columns_of_new_data():
    table = Table(pl.DataFrame({"c": [1], "a": [1], "new": [1], "y": [1]}), "test")
    notes = check_columns(table, ["a", "b", "c"], ["y"])
    assert [(note.kind, note.count) for note in notes] == [("extra_columns", 1), ("reordered_columns", None)]
    assert check_columns(table, ["c", "a"], ["y", "new"]) == ()
