"""Which columns are the time, the value and the series, and what the rhythm of the series is."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pellucid.data.panel import DAY, Clock, Roles, Series
from pellucid.data.schema import Schema, infer_schema
from pellucid.data.table import Table
from pellucid.data.times import FEWEST_STEPS, time_column
from pellucid.errors import DataError, SettingsError
from pellucid.features.values import as_text

MOST_COLUMNS = 4
LONGEST_SEASON = 60


def find_roles(table: Table, target: str | None, settings: Mapping[str, Any]) -> Roles:
    """The columns that the user named, and the likeliest for those that were not named.

    Raises:
        DataError: there is no column of times, or no number to forecast.
    """
    schema = infer_schema(table, (), settings.get("types"))
    time = settings["time_column"] or time_column(table, schema)
    if time is None:
        raise DataError("A forecast needs a column of dates, times or rising numbers, and none was found.",
                        "name it with time_column")
    table.column(time)
    value = target or _value_column(schema, time)
    if value is None:
        numbers = [column.name for column in schema.columns if column.kind == "number" and column.name != time]
        raise DataError("It is not clear which column is to be forecast." if numbers else
                        "There is no column of numbers to forecast.",
                        f"name one with target: {', '.join(f'`{name}`' for name in numbers[:8])}" if numbers else
                        "give a table with a column of numbers")
    if value == time:
        raise SettingsError(f"`{value}` was named as the target and as the time column.", "name another column")
    series = settings["series_column"]
    if series is not None:
        table.column(series)
    return Roles(time, value, series or _series_column(table, schema, time, value))


def recognise(table: Table, target: str | None) -> str | None:
    """A reason to forecast: a small table of one number by a date or rising time that never repeats."""
    if len(table) < FEWEST_STEPS or len(table.names) > MOST_COLUMNS:
        return None
    schema = infer_schema(table, ())
    time = time_column(table, schema)
    if time is None or target == time:
        return None
    others = [column for column in schema.columns if column.name != time and column.used]
    numbers = [column.name for column in others if column.kind == "number"]
    if len(numbers) != 1 or target not in (None, numbers[0]):
        return None
    series = _series_column(table, schema, time, numbers[0])
    left = [column for column in others if column.name not in (numbers[0], series)]
    if left or _repeats(table, time, series):
        return None
    return f"the data are one number, `{numbers[0]}`, by time, `{time}`"


def _value_column(schema: Schema, time: str) -> str | None:
    numbers = [column.name for column in schema.columns if column.kind == "number" and column.name != time]
    return numbers[0] if len(numbers) == 1 else None


def _series_column(table: Table, schema: Schema, time: str, value: str) -> str | None:
    """The first column of words with which no time repeats; `None` where times do not repeat anyway."""
    if not _repeats(table, time, None):
        return None
    words = [column.name for column in schema.columns
             if column.kind in ("category", "boolean", "identifier") and column.name not in (time, value)]
    return next((name for name in words if not _repeats(table, time, name)), None)


def _repeats(table: Table, time: str, series: str | None) -> bool:
    """Whether more than a few rows share a time (of the same series)."""
    columns = [as_text(table.column(time)).alias("time")]
    columns += [] if series is None else [as_text(table.column(series)).alias("series")]
    return pl.DataFrame(columns).n_unique() < 0.98 * len(table)


def find_season(panel: Sequence[Series], clock: Clock) -> int:
    """Steps of the cycle after which the series look most alike; 1 where there is none.

    The likely cycles of the calendar are tried first; for other steps, the highest peak of the autocorrelation.
    """
    longest = max(panel, key=len)
    values = longest.values
    likely = [season for season in _calendar_seasons(clock) if 2 * season + 4 <= len(values)]
    for season in likely:
        if _autocorrelation(values, [season])[0] > 0.3:
            return season
    if likely:
        return 1
    lags = np.arange(2, min(LONGEST_SEASON, len(values) // 3) + 1)
    if len(lags) < 3:
        return 1
    found = _autocorrelation(values, lags)
    peaks = [place for place in range(1, len(lags) - 1) if found[place - 1] < found[place] >= found[place + 1]]
    best = max(peaks, key=lambda place: found[place], default=None)
    return int(lags[best]) if best is not None and found[best] > 0.3 else 1


def _calendar_seasons(clock: Clock) -> tuple[int, ...]:
    if clock.kind == "months":
        return {1: (12,), 3: (4,)}.get(int(clock.every), ())
    if clock.kind == "business":
        return (5,)
    if clock.kind != "seconds" or not clock.moments:
        return ()
    per_day = DAY / clock.every
    if per_day > 1:
        return tuple(round(per_day * days) for days in (1, 7))
    return (7, 365) if clock.every == DAY else (52,) if clock.every == 7 * DAY else ()


def _autocorrelation(values: np.ndarray, lags: Sequence[int] | np.ndarray) -> np.ndarray:
    """Of the values without their slow drift, at each lag."""
    width = min(2 * int(max(lags)) + 1, len(values) | 1)
    padded = np.pad(values, width // 2, mode="edge")
    drift = np.convolve(padded, np.ones(width) / width, mode="valid")[:len(values)]
    moved = values - drift
    spread = float(moved @ moved)
    return np.array([float(moved[lag:] @ moved[:-lag]) / spread if spread > 0 else 0.0 for lag in lags])
