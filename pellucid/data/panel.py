"""Tables of values in time as regular series: sorted, one value a step, gaps filled and told."""
from __future__ import annotations

import calendar
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.table import Table
from pellucid.errors import DataError
from pellucid.features.dates import find_date_format, time_values
from pellucid.features.values import as_text, read_numbers

DAY = 86_400.0
REGULAR = 0.9
"""Steps are regular where at least this share of neighbouring rows are one step apart."""
LARGEST_GRID = 20
"""A grid of steps is used where it is at most so many times as long as the rows."""
KINDS = ("seconds", "months", "numbers", "order", "business")


@dataclass(frozen=True)
class Clock:
    """How steps follow one another.

    Args:
        kind: `"seconds"` for steps of equal length between moments, `"months"` for steps of so many calendar months,
            `"numbers"` for a time that is a plain number, such as a year; `"business"` for days without weekends and
            `"order"` for irregular times, where each row counts as one step.
        every: the length of a step: seconds, months, or the unit of the numbers; the median where steps are irregular.
        start: the time of step 0 (seconds since 1970, or a number).
        moments: whether times are moments; else they are plain numbers.
    """

    kind: str
    every: float
    start: float
    moments: bool

    @classmethod
    def fit(cls, times: np.ndarray, moments: bool) -> Clock:
        """The clock of rising times of one series, at least two of them different."""
        steps = np.diff(np.unique(times))
        if not len(steps):
            return cls("order", DAY if moments else 1.0, float(times[0]), moments)
        median = float(np.median(steps))
        start = float(times.min())
        if not moments:
            clock = cls("numbers", median, start, False)
            return clock if clock._fits(times) else cls("order", median, start, False)
        if median > 27.9 * DAY:
            months = max(round(median / (30.44 * DAY)), 1)
            candidates = [cls("months", float(months), start, True), cls("seconds", median, start, True)]
        else:
            candidates = [cls("seconds", median, start, True)]
            if median == DAY and (np.array([moment.weekday() for moment in map(_moment, times)]) < 5).all():
                candidates = [cls("business", DAY, start, True)]
        return next((clock for clock in candidates if clock._fits(times)), cls("order", median, start, True))

    def _fits(self, times: np.ndarray) -> bool:
        """Whether nearly all neighbours are one step apart, and none lies between two steps."""
        if self.kind == "business":
            return True
        places = np.unique(self.index(times))
        if len(places) < len(np.unique(times)) or places[-1] - places[0] > LARGEST_GRID * len(places):
            return False
        close = self.kind == "months" or np.abs((times - self.start) / self.every
                                                - self.index(times)).max() < 0.2
        return bool(close and (np.diff(places) == 1).mean() >= min(REGULAR, 1 - 1 / len(places)))

    @property
    def regular(self) -> bool:
        """Whether a time tells its step, so that gaps can be seen."""
        return self.kind in ("seconds", "months", "numbers")

    def index(self, times: np.ndarray) -> np.ndarray:
        """int64: the step of each time; the order of the times where steps are irregular."""
        if self.kind == "months":
            moments = np.asarray(times).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
            first = np.asarray(self.start).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
            return (moments - first) // int(self.every)
        if self.regular:
            return np.floor((times - self.start) / self.every + 0.5).astype(np.int64)
        return np.arange(len(times))

    def after(self, time: float, steps: int) -> np.ndarray:
        """float64 (steps,): the times of the steps that follow `time`."""
        ahead = np.arange(1, steps + 1)
        if self.kind == "months":
            date = _moment(time)
            months = [date.year * 12 + date.month - 1 + int(self.every) * step for step in ahead]
            days = [min(date.day, calendar.monthrange(month // 12, month % 12 + 1)[1]) for month in months]
            return np.array([_seconds(date.replace(year=month // 12, month=month % 12 + 1, day=day))
                             for month, day in zip(months, days, strict=True)])
        if self.kind == "business":
            day = np.datetime64(_moment(time).date())
            return np.busday_offset(day, ahead, roll="backward").astype("datetime64[s]").astype(np.float64)
        return time + self.every * ahead

    def words(self, times: Sequence[float] | np.ndarray) -> list[str | float | int]:
        """Times for people: dates in the international format, with the time of day where there is one; numbers."""
        if not self.moments:
            return [int(time) if float(time).is_integer() else float(time) for time in times]
        moments = [_moment(time) for time in times]
        whole = all((moment.hour, moment.minute, moment.second) == (0, 0, 0) for moment in moments)
        return [moment.strftime("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S") for moment in moments]

    @property
    def label(self) -> str:
        """A step in words, such as "month", "7 days" or "row"."""
        if self.kind in ("order", "business"):
            return "business day" if self.kind == "business" else "row"
        if self.kind == "numbers":
            return f"step of {self.every:g}"
        if self.kind == "months":
            return {1: "month", 3: "quarter", 12: "year"}.get(int(self.every), f"{self.every:g} months")
        for unit, name in ((7 * DAY, "week"), (DAY, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second")):
            if self.every >= unit and self.every % unit == 0:
                count = int(self.every // unit)
                return name if count == 1 else f"{count} {name}s"
        return f"{self.every:g} seconds"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=float(seconds))


def _seconds(moment: datetime.datetime) -> float:
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds()


@dataclass(frozen=True)
class Roles:
    """Which columns of a table are what.

    Args:
        time: dates, moments or numbers that rise with time.
        value: the number to be forecast.
        series: tells several series apart; `None` for a single one.
    """

    time: str
    value: str
    series: str | None = None


@dataclass(frozen=True, eq=False)
class Series:
    """One series with a value at each step.

    Args:
        name: of the series; the value's column for a single one.
        times: float64 (steps,).
        values: float64 (steps,), never NaN.
        observed: bool (steps,), False where a value was filled in.
    """

    name: str
    times: np.ndarray
    values: np.ndarray
    observed: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


def read_panel(table: Table, roles: Roles, clock: Clock | None = None) -> tuple[tuple[Series, ...], Clock, list[Note]]:
    """The series of a table, their clock, and what was mended.

    Rows are sorted by time; several values of one moment are averaged; steps without a value get one on the straight
    line between their neighbours.

    Args:
        table: as read.
        roles: of its columns.
        clock: that of the training data, if there is one already.

    Raises:
        DataError: a column is lacking, holds no times or no numbers.
    """
    times = time_values(table.column(roles.time))
    values = read_numbers(table.column(roles.value)).values
    notes = _row_notes(times, values, roles)
    good = np.isfinite(times)
    if good.sum() < 2:
        raise DataError(f"The time column `{roles.time}` holds no dates, times or numbers.",
                        "name a column of dates with time_column")
    if not np.isfinite(values).any():
        raise DataError(f"The target `{roles.value}` holds no numbers.", "name the column of numbers to be forecast")
    names = np.full(len(table), roles.value, object)
    if roles.series is not None:
        names = as_text(table.column(roles.series)).fill_null("missing").to_numpy().astype(object)
    moments = _holds_moments(table.column(roles.time))
    found, clocks = [], []
    for name in dict.fromkeys(names[good].tolist()):
        rows = np.flatnonzero(good & (names == name))
        rows = rows[np.argsort(times[rows], kind="stable")]
        found.append((name, times[rows], values[rows]))
        clocks.append(Clock.fit(times[rows], moments))
    if clock is None:
        clock = clocks[int(np.argmax([len(one[1]) for one in found]))]
    panel = [_regular(name, own, numbers, clock) for name, own, numbers in found]
    kept = tuple(series for series, _, _ in panel if len(series))
    notes += _panel_notes(roles, sum(count for _, count, _ in panel), sum(count for _, _, count in panel), clock)
    return kept, clock, notes


def _holds_moments(column: pl.Series) -> bool:
    """Whether a time column holds dates or moments; else plain numbers, such as years."""
    return column.dtype.is_temporal() or column.dtype == pl.String and find_date_format(column) is not None


def _row_notes(times: np.ndarray, values: np.ndarray, roles: Roles) -> list[Note]:
    notes = []
    timeless = int(np.isnan(times).sum())
    if timeless:
        notes.append(Note("no_time", f"{timeless:,} rows without a readable time in `{roles.time}` were left out.",
                          roles.time, timeless, "warning"))
    finite = times[np.isfinite(times)]
    if roles.series is None and (np.diff(finite) < 0).any():
        count = int((np.diff(finite) < 0).sum())
        notes.append(Note("unsorted", f"The rows were not in the order of `{roles.time}` ({count:,} steps back) and "
                          "were sorted.", roles.time, count))
    lacking = int(np.isnan(values).sum())
    if lacking:
        notes.append(Note("missing_values", f"{lacking:,} rows hold no number in `{roles.value}`; the value is filled "
                          "in between its neighbours.", roles.value, lacking, "warning"))
    return notes


def _panel_notes(roles: Roles, repeated: int, filled: int, clock: Clock) -> list[Note]:
    notes = []
    if repeated:
        hint = "" if roles.series else "; if there are several series, name the column that tells them apart with " \
                                       "series_column"
        notes.append(Note("repeated_times", f"{repeated:,} rows repeat the time of another row of the same series; the "
                          f"mean of such rows counts{hint}.", roles.time, repeated, "warning"))
    if filled:
        notes.append(Note("gaps", f"{filled:,} steps lack a value, which is filled in on the straight line between its "
                          "neighbours; quality is measured on real values only.", roles.value, filled, "warning"))
    if not clock.regular:
        notes.append(Note("irregular", f"The times in `{roles.time}` have no equal distances; each "
                          f"{'business day' if clock.kind == 'business' else 'row'} in the data counts as one step.",
                          roles.time))
    return notes


def _regular(name: str, times: np.ndarray, values: np.ndarray, clock: Clock) -> tuple[Series, int, int]:
    """One value a step; how many rows repeated a time, and how many steps were filled in."""
    distinct, group = np.unique(clock.index(times) if clock.regular else times, return_inverse=True)
    present = np.isfinite(values)
    count = np.bincount(group, present, minlength=len(distinct))
    total = np.bincount(group, np.where(present, values, 0.0), minlength=len(distinct))
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    moments = np.zeros(len(distinct))
    moments[group] = times
    if clock.regular:
        places = np.arange(distinct[0], distinct[-1] + 1)
        grid, own_times = np.full(len(places), np.nan), np.interp(places, distinct, moments)
        grid[distinct - distinct[0]] = means
        if clock.kind == "months" and len(places) > len(distinct):
            own_times = np.concatenate([moments[:1], clock.after(moments[0], len(places) - 1)])
    else:
        grid, own_times = means, moments
    known = np.flatnonzero(np.isfinite(grid))
    if not len(known):
        return Series(name, grid[:0], grid[:0], np.zeros(0, bool)), 0, 0
    grid, own_times = grid[known[0]:known[-1] + 1], own_times[known[0]:known[-1] + 1]
    observed = np.isfinite(grid)
    filled = np.interp(np.arange(len(grid)), np.flatnonzero(observed), grid[observed])
    return Series(name, own_times, filled, observed), len(times) - len(distinct), int((~observed).sum())


def clock_from_json(record: Mapping[str, Any]) -> Clock:
    """What `Clock.to_json` gave."""
    return Clock(record["kind"], float(record["every"]), float(record["start"]), bool(record["moments"]))
