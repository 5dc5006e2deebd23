"""Which column tells the time, and whether each row is the next step of it."""
from __future__ import annotations

import numpy as np

from pellucid.data.schema import Schema
from pellucid.data.table import Table
from pellucid.features.dates import time_values

TIME_NAMES = ("date", "time", "datetime", "timestamp", "year", "month", "week", "day", "period", "ds")
FEWEST_STEPS = 30
ALIKE, MOSTLY = 0.15, 0.7
"""Months differ in length by so much; and business days, without weekends and holidays, are mostly a day apart."""


def time_column(table: Table, schema: Schema) -> str | None:
    """The first column of dates; or of rising numbers under a name such as `year`."""
    dates = [column.name for column in schema.columns if column.kind == "date"]
    if dates:
        return dates[0]
    for column in schema.columns:
        if column.name.lower() in TIME_NAMES and column.kind in ("number", "identifier"):
            times = time_values(table.column(column.name))
            if np.isfinite(times).mean() > 0.9:
                return column.name
    return None


def stepping_column(table: Table, schema: Schema) -> str | None:
    """The column of times of which each row is the next step, or, backwards, the one before; `None` where there is
    none, as where rows are cases that happened at any time."""
    name = time_column(table, schema)
    if name is None or len(table) < FEWEST_STEPS:
        return None
    steps = np.diff(time_values(table.column(name)))
    usual = np.median(steps)
    rising = bool((steps * np.sign(usual) > 0).all())
    return name if rising and np.mean(np.abs(steps / usual - 1) <= ALIKE) >= MOSTLY else None
