"""Dates in text."""
from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from pellucid.features.dates import find_date_format, read_moments, time_values

DAY = datetime.datetime(2021, 3, 14, 15, 9)


@pytest.mark.parametrize("written", [
    "2021-03-14", "2021/03/14", "14.03.2021", "14-03-2021", "03/14/2021", "14/03/2021", "14 Mar 2021", "14 March 2021",
    "Mar 14, 2021", "20210314",
])
def test_days(written):
    found = find_date_format(pl.Series([written, written, None]))
    assert found is not None
    seconds, unreadable = read_moments(pl.Series([written]), found.format)
    assert seconds[0] == DAY.replace(hour=0, minute=0, tzinfo=datetime.UTC).timestamp() and not unreadable.any()


@pytest.mark.parametrize("written", [
    "2021-03-14 15:09", "2021-03-14T15:09:00", "2021-03-14T15:09:00Z", "2021-03-14T17:09:00+02:00", "14.03.2021 15:09",
    "2021-03-14 15:09:00.000", "03/14/2021 03:09 PM", "2021-03-14 15:09:00+00:00",
])
def test_moments(written):
    found = find_date_format(pl.Series([written]))
    assert found is not None
    assert read_moments(pl.Series([written]), found.format)[0][0] == DAY.replace(tzinfo=datetime.UTC).timestamp()


def test_months():
    assert find_date_format(pl.Series(["2021-03", "2022-12"])).format == "%Y-%m"


def test_an_ambiguous_order_is_said():
    assert find_date_format(pl.Series(["01/02/2021", "03/04/2021"])).ambiguous
    sure = find_date_format(pl.Series(["01/02/2021", "25/04/2021"]))
    assert sure.format == "%d/%m/%Y" and not sure.ambiguous


@pytest.mark.parametrize("cells", [["red", "blue"], ["1.5", "2.5"], ["12:30", "13:30"], [None, None], ["", "x"]])
def test_no_dates(cells):
    assert find_date_format(pl.Series(cells, dtype=pl.String)) is None


def test_a_cell_that_does_not_fit_is_unreadable():
    seconds, unreadable = read_moments(pl.Series(["2021-03-14", "soon", None]), "%Y-%m-%d")
    assert np.isnan(seconds[1:]).all() and unreadable.tolist() == [False, True, False]


@pytest.mark.parametrize("column", [
    pl.Series([3, 1, 2]), pl.Series([3.5, 1.0, 2.0]), pl.Series(["3", "1", "2"]),
    pl.Series(["2021-03-01", "2019-01-01", "2020-01-01"]),
    pl.Series([datetime.date(2021, 1, 1), datetime.date(2019, 1, 1), datetime.date(2020, 1, 1)]),
    pl.Series([datetime.datetime(2021, 1, 1), datetime.datetime(2019, 1, 1), datetime.datetime(2020, 1, 1)]),
])
def test_time_rises(column):
    assert time_values(column).argsort().tolist() == [1, 2, 0]
