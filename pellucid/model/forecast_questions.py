"""What `Forecaster.explain` asks: how large is the forecast of one step, and which past moments make it so."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.core.part import Part
from pellucid.data.panel import Series
from pellucid.data.windows import SHALLOW, Windows, cut
from pellucid.errors import SettingsError
from pellucid.explain.game import Cell, Game, Question
from pellucid.features.between import step_groups

if TYPE_CHECKING:
    from pellucid.model.forecaster import Forecaster

CYCLES = {"year": "time of year", "week": "day of week", "day": "time of day"}


def questions(model: Forecaster, data: Any, asked: Any = None) -> Iterator[Question]:
    """One question for each series, in order.

    Args:
        model: of a forecast.
        data: with the past.
        asked: how many steps ahead; 1 when `None`.

    Raises:
        SettingsError: `asked` is no step that the model forecasts.
    """
    step, horizon = 1 if asked is None else asked, model.frame.horizon
    if not str(step).isdecimal() or not 1 <= int(step) <= horizon:
        raise SettingsError(f"`asked` was {step!r}; the model forecasts step 1 to {horizon}.",
                            f"name a step from 1 to {horizon}")
    panel, _ = model.read(data)
    for number, series in enumerate(panel):
        past = _Past(model, series, int(step) - 1)
        keep = np.ones((2, len(past.parts)), bool)
        keep[1] = False
        whole, empty = past.value(keep).tolist()
        when = model.clock.words(model.clock.after(series.times[-1], int(step)))[-1]
        name = f"forecast of “{model.roles.value}” for {when}" + (
            f" in “{series.name}”" if model.roles.series else "")
        seen = {"values": series.values, "times": model.clock.words(series.times), "forecast": (int(step), whole)}
        yield Question(Game(past.parts, past.value, name, whole, empty), number, whole, notes=(
            "A moment that is not known lies at the mean of the moments that the model looks at.",),
            cells={model.roles.value: Cell("forecast", seen)})


class _Past:
    """The end of a series of which only some moments are known.

    Args:
        model: of the forecast.
        series: which ends where the forecast begins.
        ahead: steps from the first forecast one to the one that is asked about.
    """

    def __init__(self, model: Forecaster, series: Series, ahead: int) -> None:
        self.model, self.ahead = model, ahead
        last = len(series) - 1
        self.window = cut([series], model.clock, model.frame, first=[last], last=[last], known=False)
        values = series.values[-model.frame.length:]
        self.values = np.log(values) if model.frame.logarithm else values
        self.groups = step_groups(len(values))
        self.parts = (*self._moments(series), *self._calendar(series))

    def _moments(self, series: Series) -> Iterator[Part]:
        first = len(series) - len(self.values)
        times = self.model.clock.words(series.times[first:])
        for group in range(self.groups.max() + 1):
            own = np.flatnonzero(self.groups == group)
            start, stop, shown = int(own[0]), int(own[-1]), series.values[first + own]
            name = str(times[start]) if start == stop else f"{times[start]} to {times[stop]}"
            value = f"{shown[0]:.6g}" if start == stop else f"mean {shown.mean():.6g}"
            yield Part(self.model.roles.value, name, value, (first + start, first + stop + 1))

    def _calendar(self, series: Series) -> Iterator[Part]:
        when = self.model.clock.words(self.model.clock.after(series.times[-1], 1))[0]
        for cycle in self.model.frame.calendar:
            yield Part(self.model.roles.time, CYCLES[cycle], str(when))

    def value(self, keep: np.ndarray) -> np.ndarray:
        """float64 (coalitions,): the forecast, in the units of the series."""
        moments = self.groups.max() + 1
        filled = np.where(keep[:, :moments][:, self.groups], self.values, self.values.mean())
        frame, window = self.model.frame, self.window
        level = filled[:, -1]
        scale = np.maximum(filled.std(axis=1), SHALLOW * frame.typical)
        circles = window.calendar * np.repeat(keep[:, moments:], 2, axis=1)
        rows = np.zeros(len(keep), np.int64)
        seen = Windows((filled - level[:, None]) / scale[:, None], circles, level, scale,
                       np.zeros((len(keep), frame.horizon)), rows, rows)
        return self.model.answer(seen)[0][:, self.ahead]
