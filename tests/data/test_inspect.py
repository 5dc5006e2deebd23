"""What `pellucid inspect` shows."""
from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import pellucid.errors
from pellucid.data.inspect import inspect_table, render_inspection
from pellucid.errors import DataError

GERMAN = Path(pellucid.errors.__file__).parent / "bundled" / "german_credit.csv"


def shown(inspection, width=200):
    file = io.StringIO()
    render_inspection(inspection, Console(file=file, width=width, no_color=True))
    return file.getvalue()


def test_german_credit():
    inspection = inspect_table(GERMAN, target="creditability")
    text = shown(inspection)
    assert "german_credit.csv: 1,000 rows, 21 columns, 20 usable as input" in text
    assert "target creditability: classify" in text and "921 distinct values, all numeric" in text
    assert "none, guarantor, co-applicant" in text and not inspection.notes
    record = json.loads(json.dumps(inspection.to_json(), allow_nan=False))
    assert record["rows"] == 1000 and len(record["columns"]) == 21 and record["targets"][0]["task"] == "classify"
    kinds = [column["kind"] for column in record["columns"] if not column["target"]]
    assert (kinds.count("category"), kinds.count("number"), kinds.count("boolean")) == (12, 7, 1)


def test_warnings_and_markup_in_names():
    inspection = inspect_table({"[bold]": [1, 2] * 10, "y": ["a"] * 19 + ["b"]}, target="y")
    text = shown(inspection)
    assert "[bold]" in text and "Warnings" in text and "There are only 20 rows" in text


def test_bad_names():
    with pytest.raises(DataError, match="did you mean `creditability`"):
        inspect_table(GERMAN, target="credit_ability")


CELLS = st.one_of(st.none(), st.text(max_size=6), st.floats(), st.integers(), st.booleans(),
                  st.sampled_from(["2020-01-01", "yes", "no", "1,5", "NA", "[/]"]))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), rows=st.integers(1, 25), columns=st.integers(1, 4), as_text=st.booleans())
def test_no_table_crashes(data, rows, columns, as_text):
    cells = [data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for _ in range(columns)]
    names = data.draw(st.lists(st.text(max_size=5), min_size=columns, max_size=columns, unique=True))
    if as_text:
        words = [[None if cell is None else str(cell) for cell in column] for column in cells]
        source = pl.DataFrame([pl.Series(name, column, dtype=pl.String)
                               for name, column in zip(names, words, strict=True)])
    else:
        source = dict(zip(names, cells, strict=True))
    inspection = inspect_table(source, target=names[-1])
    shown(inspection, 80)
    json.dumps(inspection.to_json(), allow_nan=False)
