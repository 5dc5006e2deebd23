"""Data in memory: any frame, arrays, mappings, records."""
from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.frames import from_values
from pellucid.data.read import read_table
from pellucid.errors import DataError

PANDAS = pd.DataFrame({
    "integer": [1, 2], "float": [1.5, np.nan], "words": ["a", None], "category": pd.Categorical(["x", "y"]),
    "codes": pd.Categorical([3, 4]), "nullable": pd.array([1, None], dtype="Int64"),
    "maybe": pd.array([True, None], dtype="boolean"), "truth": [True, False],
    "day": pd.to_datetime(["2020-01-01", None]),
    "zone": pd.to_datetime(["2020-01-01", None]).tz_localize("Europe/Berlin"),
    "mixed": [1, "a"], "lists": [[1], None], "span": pd.to_timedelta([1, 2], unit="s"),
    "object": np.array([True, None], object), "string": pd.array(["q", None], dtype="string"), 7: [1, 2],
    "period": pd.period_range("2020-01", periods=2, freq="M"),
}, index=[5, 5])
EXPECTED = {
    "integer": [1, 2], "float": [1.5, None], "words": ["a", None], "category": ["x", "y"], "codes": [3, 4],
    "nullable": [1, None], "maybe": [True, None], "truth": [True, False], "day": [datetime.datetime(2020, 1, 1), None],
    "zone": [datetime.datetime(2019, 12, 31, 23), None], "mixed": ["1", "a"], "lists": ["[1]", None],
    "span": [1.0, 2.0],
    "object": [True, None], "string": ["q", None], "7": [1, 2], "period": ["2020-01", "2020-02"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_pandas(name):
    column = read_table(PANDAS).column(name)
    values = [None if value != value else value for value in column.to_list()]
    assert values == EXPECTED[name]


def test_polars():
    frame = pl.DataFrame({"c": ["x", "y"], "d": [decimal.Decimal("1.5"), None], "l": [[1], [2]], "n": [None, None]},
                         schema_overrides={"c": pl.Categorical})
    table = read_table(frame)
    assert table.frame.dtypes == [pl.String, pl.Float64, pl.String, pl.String] and table.source == "data frame"
    assert read_table(frame.lazy()).names == table.names


def test_duplicate_names_and_no_columns():
    with pytest.raises(DataError, match="more than one column named `a`"):
        read_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match="no columns"):
        read_table(pl.DataFrame())


@pytest.mark.parametrize(("array", "dtype"), [
    (np.arange(6.0).reshape(3, 2), pl.Float64), (np.arange(6).reshape(3, 2), pl.Int64),
    (np.ones((3, 2), np.float32), pl.Float32), (np.ones((3, 2), np.float16), pl.Float64),
    (np.ones((3, 2), bool), pl.Boolean), (np.array([["a", "b"]] * 3), pl.String),
    (np.array([[1, "b"]] * 3, object), pl.Int64), (np.ones((3, 2), np.uint8), pl.UInt8),
    (np.ones((3, 2), "datetime64[D]"), pl.Datetime("us")), (np.arange(12.0).reshape(3, 4)[:, ::2], pl.Float64),
    (np.array([[np.nan, "b"]] * 3, object), pl.String), (np.ones((3, 2), ">f8"), pl.Float64),
])
def test_arrays(array, dtype):
    table = read_table(array)
    assert table.names == ("x0", "x1") and len(table) == 3 and table.frame.dtypes[0] == dtype


@pytest.mark.parametrize(("array", "hint"), [
    (np.arange(3), "reshape"), (np.ones((2,) * 5), "flatten"), (np.ones((2, 2), complex), "real and the imaginary"),
])
def test_arrays_of_the_wrong_shape(array, hint):
    with pytest.raises(DataError, match=hint):
        read_table(array)


def test_structured_arrays_keep_their_names():
    array = np.array([(1, "a")], dtype=[("n", "i4"), ("w", "U3")])
    assert read_table(array).frame.to_dict(as_series=False) == {"n": [1], "w": ["a"]}


def test_mappings_and_records():
    assert read_table({"a": 1, "b": "x"}).frame.rows() == [(1, "x")]
    assert read_table({"a": [1, 2], "b": np.array([0.5, 1.0])}).frame.rows() == [(1, 0.5), (2, 1.0)]
    assert read_table([{"a": 1}, {"b": "x"}]).frame.rows() == [(1, None), (None, "x")]
    assert read_table([[1, "x"], [2, "y"]]).frame.rows() == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("source", [
    5, None, [], [1, 2], {"a": [1], "b": [1, 2]}, {"a": [1], "b": 2}, [[1], [1, 2]], {}, np.array(3.0),
])
def test_what_is_no_table(source):
    with pytest.raises(DataError):
        read_table(source)


VALUE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3),
                  st.dates(), st.datetimes(), st.decimals(allow_nan=True), st.lists(st.integers(), max_size=2),
                  st.sampled_from([pd.NA, pd.NaT, decimal.Decimal("sNaN"), np.float32(1), np.nan, 10**30, -(10**400)]))


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUE, max_size=6))
def test_no_python_values_crash(values):
    column = from_values("x", values)
    assert len(column) == len(values)
