"""Types and their reasons."""
from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest

from pellucid.errors import SettingsError
from pellucid.features.recognise import fit_feature, recognise

CASES = [  # cells, name, kind, part of the reason
    ([str(i) for i in range(50)], "age", "number", "50 distinct values, all numeric"),
    ([str(i) for i in range(50)], "customer_id", "identifier", "whole numbers, all different"),
    (list(range(50)), "id", "identifier", "all different"),
    (list(range(50)), "paid", "number", "50 distinct"),
    ([1, 2, 3] * 10, "grade", "number", "order may matter"),
    ([1, 2, 3] * 10, "shop_id", "number", "order may matter"),
    (["0", "1"] * 10, "own", "boolean", "only 0 and 1"),
    ([0.0, 1.0] * 10, "own", "boolean", "only 0 and 1"),
    ([True, False], "own", "boolean", "true or false"),
    (["Yes", "no", "-"] * 5, "own", "boolean", "yes or no"),
    (["none", "car", "house"] * 5, "property", "category", "3 distinct words"),
    (["unknown", "12", "15"] * 5, "age", "number", "order may matter"),
    (["unknown", "good", "bad"] * 5, "state", "category", "3 distinct words"),
    (["1,5", "2,75"] * 5, "price", "number", "decimal comma"),
    (["7"] * 5, "x", "ignore", "constant, always 7"),
    (["a"] * 5, "x", "ignore", 'constant, always "a"'),
    ([None, ""] * 5, "x", "ignore", "no cell has a value"),
    (["inf", "inf"], "x", "ignore", "finite"),
    ([f"AB-{i}" for i in range(100)], "code", "identifier", "100 different words in 100 rows"),
    ([f"the quick brown fox number {i} jumps" for i in range(100)], "remark", "text", "free text, 7 words"),
    (["2020-01-01", "2021-05-05"] * 5, "day", "date", "YYYY-MM-DD"),
    (["01/02/2020", "03/04/2021"] * 5, "day", "date", "other way round"),
    ([20200101 + i for i in range(28)], "day", "date", "YYYYMMDD"),
    ([20000000 + 37 * i * i for i in range(100)], "amount", "number", "all numeric"),
    (["01234", "00456", "12345"] * 5, "zip", "category", "leading zeros"),
    ([str(i) for i in range(95)] + ["abc"] * 5, "mixed", "number", "95 % of them numeric"),
    (["1", "2", "3", "4+"] * 10, "rooms", "category", "75 % look like numbers"),
    (["12:30", "13:45"] * 5, "clock", "category", "2 distinct words"),
]


@pytest.mark.parametrize(("cells", "name", "kind", "reason"), CASES, ids=[f"{case[1]}-{case[2]}" for case in CASES])
def test_cases(cells, name, kind, reason):
    found = recognise(name, pl.Series(cells))
    assert found.kind == kind, found
    assert reason in found.reason


def test_counts():
    found = recognise("x", pl.Series(["1", "2", "inf", "abc", "", "NA", *[str(i) for i in range(50)]]))
    assert (found.kind, found.missing, found.infinite, found.unreadable) == ("number", 2, 1, 1)


def test_a_constant_with_gaps_is_kept_for_its_gaps():
    assert recognise("x", pl.Series(["5", "", "5"])).kind == "number"
    assert recognise("x", pl.Series(["a", None, "a"])).kind == "category"


def test_aliases_and_unknown_types():
    assert fit_feature("x", pl.Series([1, 2]), kind="categorical").kind == "category"
    with pytest.raises(SettingsError, match="number"):
        fit_feature("x", pl.Series([1, 2]), kind="numbr")


def test_a_thousand_rows_of_twenty_floats_take_no_time():
    columns = [pl.Series(f"x{i}", row) for i, row in enumerate(np.random.default_rng(0).normal(size=(20, 1000)))]
    best = min(_seconds(columns) for _ in range(3))
    assert best < 0.05


def _seconds(columns):
    start = time.perf_counter()
    for column in columns:
        found = recognise(column.name, column)
        fit_feature(column.name, column, kind=found.kind).encode(column)
    return time.perf_counter() - start
