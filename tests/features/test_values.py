"""Cells as missing, numbers and truth values."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.features.values import as_text, find_decimal, read_numbers, read_truths, strip_cells


@pytest.mark.parametrize(("cells", "expected"), [
    (["1,5", "2,25"], [1.5, 2.25]),
    (["1 000", "2 500", "3"], [1000, 2500, 3]),
    (["1\u00a0000,5", "2,5"], [1000.5, 2.5]),
    (["50%", "12.5 %"], [50, 12.5]),
    (["€ 12.50", "$1,234,567.0", "(3)"], [12.5, 1234567, -3]),
    (["12,50 €", "1.234,00 €"], [12.5, 1234]),
    (["1,234", "2,345"], [1234, 2345]),
    (["0,123", "1,234"], [0.123, 1.234]),
    (["1.234", "2.345"], [1.234, 2.345]),
    (["1.234.567", "5"], [1234567, 5]),
    (["−4", "+ 5", " 6 "], [-4, 5, 6]),
    (["1e5", "1E-3", ".5", "5."], [1e5, 1e-3, 0.5, 5]),
    (["1'000", "2"], [1000, 2]),
    (["EUR 5", "7 USD"], [5, 7]),
])
def test_odd_numbers(cells, expected):
    read = read_numbers(pl.Series(cells))
    assert read.values.tolist() == expected
    assert not read.unreadable.any() and not read.missing.any()


@pytest.mark.parametrize("cell", ["1 2", "12 34", "abc", "1.2.3", "5kg", "0x1F", "1,2,3", "--5", "1e", "2020-01-01"])
def test_what_is_no_number_is_unreadable(cell):
    read = read_numbers(pl.Series(["1.5", cell]))
    assert read.unreadable.tolist() == [False, True] and np.isnan(read.values[1])


def test_one_typo_does_not_change_the_decimal_mark():
    read = read_numbers(pl.Series(["2.50", "1.234", "3.75", "1,5"]))
    assert read.decimal == "." and read.values[1] == 1.234 and read.unreadable[3]


def test_the_decimal_mark_of_training_holds_for_one_cell():
    assert read_numbers(pl.Series(["1.234"]), ",").values.tolist() == [1234]
    assert read_numbers(pl.Series(["1.5"]), ",").values.tolist() == [1.5]
    assert read_numbers(pl.Series(["1,5"]), ",").values.tolist() == [1.5]


def test_missing_infinite_and_unreadable_are_kept_apart():
    read = read_numbers(pl.Series(["1", "", "NA", "-", "none", "inf", "-Infinity", "abc", None]))
    assert read.missing.sum() == 5 and read.infinite == 2 and read.unreadable.sum() == 1
    assert np.isfinite(read.values).sum() == 1


@pytest.mark.parametrize("column", [pl.Series([1, None, 3]), pl.Series([1.0, float("nan"), 3.0]),
                                    pl.Series([True, None, True])])
def test_native_numbers(column):
    assert read_numbers(column).missing.tolist() == [False, True, False]


def test_words_that_may_be_categories_are_kept_among_words():
    cells = strip_cells(pl.Series(["none", "unknown", "-", "?", "NA", "n/a", "NaN", "null", "", " x "]))
    assert cells.to_list() == ["none", "unknown", "-", None, None, None, None, None, None, "x"]


def test_text_of_three_is_the_same_from_every_type():
    for column in (pl.Series([3]), pl.Series([3.0]), pl.Series(["3 "])):
        assert as_text(column).to_list() == ["3"]
    assert as_text(pl.Series([2.5, float("nan"), 1e300])).to_list()[:2] == ["2.5", None]
    assert as_text(pl.Series([True, None])).to_list() == ["true", None]


@pytest.mark.parametrize("cells", [["Yes", "no"], ["TRUE", "False"], ["1", "0"], ["on", "off"], [True, False], [1, 0],
                                   [1.0, 0.0]])
def test_truths(cells):
    values, other = read_truths(pl.Series(cells))
    assert values.tolist() == [1, 0] and not other.any()


def test_other_words_are_no_truth():
    values, other = read_truths(pl.Series(["yes", "maybe", "-"]))
    assert np.isnan(values[1:]).all() and other.tolist() == [False, True, False]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 2)), min_size=1, max_size=20))
def test_numbers_written_the_german_way_are_read_back(numbers):
    written = [f"{x:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".") for x in numbers]
    assert np.allclose(read_numbers(pl.Series(written)).values, numbers)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=20))
def test_no_text_crashes_reading(cells):
    column = pl.Series(cells, dtype=pl.String)
    read = read_numbers(column)
    assert len(read.values) == len(cells) and not np.isinf(read.values).any()
    assert find_decimal(column) in ".,"
    read_truths(column)
