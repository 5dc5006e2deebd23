"""One row as a mapping: plain values, NumPy scalars, or columns."""
from __future__ import annotations

import datetime

import numpy as np
import pytest

from pellucid.model.model import _rows


@pytest.mark.parametrize("row", [
    {"age": 31, "job": "clerk"},
    {"age": np.float64(31), "job": np.str_("clerk")},
    {"since": datetime.date(2020, 1, 1), "age": None},
])
def test_a_mapping_of_single_values_is_one_row(row):
    assert _rows(row) == [row]


def test_a_mapping_of_columns_stays_one():
    columns = {"age": np.array([31, 45]), "job": ["clerk", "cook"]}
    assert _rows(columns) is columns
