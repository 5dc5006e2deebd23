"""Windows of series: what a forecast looks at, and what came after."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.data.panel import DAY, Clock, Series

SHALLOW = 1e-2
"""A window that varies less than this share of the whole series is scaled by that share."""
YEAR = 365.2425 * DAY


@dataclass(frozen=True)
class Frame:
    """How windows are cut.

    Args:
        length: steps looked at.
        horizon: steps forecast.
        calendar: which cycles of the calendar are told: of `"year"`, `"week"` and `"day"`.
        logarithm: whether series are forecast on a logarithmic scale.
        typical: the typical deviation of the training series, of their logarithms where these are used.
        lowest: 0 where no training value was below it, so that no forecast is; else `None`.
    """

    length: int
    horizon: int
    calendar: tuple[str, ...]
    logarithm: bool
    typical: float
    lowest: float | None = None


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one or more series.

    Args:
        past: float64 (windows, length), from -level to its deviation: (value - level) / scale.
        calendar: float64 (windows, 2 for each cycle): sine and cosine at the first step that is forecast.
        level, scale: float64 (windows,): the last value, and the spread of the window; of logarithms where used.
        future: float64 (windows, horizon): what came after, in raw units; NaN where that is not known or was filled in.
        series: (windows,) the number of the series.
        origin: (windows,) the position of the last value that is looked at.
    """

    past: np.ndarray
    calendar: np.ndarray
    level: np.ndarray
    scale: np.ndarray
    future: np.ndarray
    series: np.ndarray
    origin: np.ndarray

    def __len__(self) -> int:
        return len(self.level)

    def take(self, rows: np.ndarray) -> Windows:
        """Some of the windows."""
        return Windows(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def numbers(self) -> np.ndarray:
        """What a network sees: float32 (windows, length + calendar)."""
        return np.concatenate([self.past, self.calendar], axis=1).astype(np.float32)

    def scaled(self, values: np.ndarray, frame: Frame) -> np.ndarray:
        """Raw values (windows, …) as the network is to give them."""
        moved = np.log(values) if frame.logarithm else values
        return (moved - _beside(self.level, values)) / _beside(self.scale, values)

    def raw(self, outputs: np.ndarray, frame: Frame) -> np.ndarray:
        """What a network gave, (windows, …), in raw units."""
        moved = outputs * _beside(self.scale, outputs) + _beside(self.level, outputs)
        values = np.exp(np.minimum(moved, 700.0)) if frame.logarithm else moved
        return values if frame.lowest is None else np.maximum(values, frame.lowest)


def _beside(values: np.ndarray, array: np.ndarray) -> np.ndarray:
    return values.reshape(-1, *[1] * (array.ndim - 1))


def cut(panel: Sequence[Series], clock: Clock, frame: Frame, *, first: Sequence[int] | None = None,
        last: Sequence[int] | None = None, known: bool = True) -> Windows:
    """All windows whose last value lies at `first` to `last` of each series.

    Args:
        panel: the series.
        clock: their steps.
        frame: how windows are cut.
        first, last: the lowest and highest position of the last value looked at, one for each series; all that fit by
            default.
        known: whether everything that is forecast has to lie inside of the series.
    """
    found = []
    for number, series in enumerate(panel):
        low = max(frame.length - 1, 0 if first is None else first[number])
        high = len(series) - 1 - (frame.horizon if known else 0)
        high = high if last is None else min(high, last[number])
        if high >= low:
            found.append(_windows_of(series, number, np.arange(low, high + 1), clock, frame))
    if not found:
        empty, circles = np.zeros(0), 2 * len(frame.calendar)
        return Windows(np.zeros((0, frame.length)), np.zeros((0, circles)), empty, empty,
                       np.zeros((0, frame.horizon)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Windows(*(np.concatenate([getattr(one, name) for one in found]) for name in Windows.__dataclass_fields__))


def _windows_of(series: Series, number: int, origins: np.ndarray, clock: Clock, frame: Frame) -> Windows:
    values = np.log(series.values) if frame.logarithm else series.values
    past = values[origins[:, None] + np.arange(1 - frame.length, 1)]
    level = past[:, -1]
    scale = np.maximum(past.std(axis=1), SHALLOW * frame.typical)
    places = origins[:, None] + np.arange(1, frame.horizon + 1)
    inside = places < len(series)
    places = np.minimum(places, len(series) - 1)
    future = np.where(inside & series.observed[places], series.values[places], np.nan)
    following = np.append(series.times, clock.after(series.times[-1], 1))[origins + 1]
    return Windows((past - level[:, None]) / scale[:, None], _circles(following, frame.calendar), level, scale, future,
                   np.full(len(origins), number), origins)


def _circles(times: np.ndarray, cycles: tuple[str, ...]) -> np.ndarray:
    """The place on each cycle of the calendar: (times, 2 for each cycle)."""
    lengths = {"year": YEAR, "week": 7 * DAY, "day": DAY}
    angles = [2 * np.pi * (times / lengths[cycle] % 1) for cycle in cycles]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1) if waves else np.zeros((len(times), 0))
