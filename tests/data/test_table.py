"""The table value."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pellucid.data.examples import Examples
from pellucid.data.table import Note, Table
from pellucid.errors import DataError

TABLE = Table(pl.DataFrame({"age": [20, 30, 40], "own": ["yes", "no", "yes"]}), "test", (Note("kind", "Message."),))


def test_rows_and_columns():
    assert len(TABLE) == 3 and TABLE.names == ("age", "own")
    assert TABLE.take(np.array([2, 0])).column("age").to_list() == [40, 20]
    assert len(TABLE.take([])) == 0 and TABLE.take([]).names == TABLE.names
    assert TABLE.select(["own"]).names == ("own",) and TABLE.select(["own"]).notes == TABLE.notes


def test_an_unknown_column_names_the_nearest():
    with pytest.raises(DataError, match="did you mean `age`"):
        TABLE.column("agee")
    with pytest.raises(DataError, match="no column `x`"):
        TABLE.select(["x"])


def test_notes_leave_out_what_is_empty():
    assert Note("k", "M.", count=3).to_json() == {"kind": "k", "message": "M.", "count": 3, "severity": "info"}


def test_examples_are_a_view():
    examples = Examples.all_of(TABLE).take(np.array([2, 1])).take(np.array([1]))
    assert len(examples) == 1 and examples.table is TABLE
    assert examples.gather().frame.rows() == [(30, "no")]
