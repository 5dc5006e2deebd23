"""`pellucid.train` for a forecast: read the series, learn from the past, judge on the latest part, and tell."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.data.panel import Clock, Roles, Series, read_panel
from pellucid.data.times import FEWEST_STEPS
from pellucid.data.windows import Frame, Windows, cut
from pellucid.errors import DataError, SettingsError
from pellucid.model.forecaster import Forecaster, Spread
from pellucid.tasks.forecast.network import Learned, learn
from pellucid.tasks.forecast.plain import plain_forecasts, seasonal_scale
from pellucid.tasks.forecast.roles import find_roles, find_season, recognise
from pellucid.tasks.forecast.telling import Evidence, tell
from pellucid.tasks.job import Finished, Job, Order

MOST_WINDOWS = 50_000
LONGEST_WINDOW = 256
STEPS = 1500
"""Iterations, more or less, whatever the number of windows."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Series with their roles and rhythm decided.

    Args:
        panel: the series.
        ends: the length of the training part of each.
        season: steps of a cycle; 1 for none.
    """

    panel: tuple[Series, ...]
    clock: Clock
    roles: Roles
    frame: Frame
    season: int
    ends: tuple[int, ...]
    notes: tuple[Note, ...]

    def training(self) -> Windows:
        """All windows whose future lies inside of the training part."""
        return _at_most(cut(self.panel, self.clock, self.frame, last=[end - 1 - self.frame.horizon
                                                                     for end in self.ends]))

    def test(self) -> Windows:
        """All windows that forecast the test part, and nothing else."""
        return _at_most(cut(self.panel, self.clock, self.frame, first=[end - 1 for end in self.ends]))


def _at_most(windows: Windows) -> Windows:
    """Evenly drawn windows, where there are very many."""
    every = -(-len(windows) // MOST_WINDOWS)
    return windows if every <= 1 else windows.take(np.arange(0, len(windows), every))


def prepare(order: Order) -> Prepared:
    """Decide roles, season, horizon and window.

    Raises:
        DataError: no times, no numbers, or too few steps.
        SettingsError: a horizon that is longer than the data allow.
    """
    settings = order.settings
    roles = find_roles(order.table, order.target, settings)
    panel, clock, notes = read_panel(order.table, roles)
    panel = tuple(series for series in panel if len(series) >= FEWEST_STEPS // 2)
    longest = max(map(len, panel), default=0)
    if longest < FEWEST_STEPS:
        raise DataError(f"The longest series has {longest} steps; at least {FEWEST_STEPS} are needed.",
                        "give a longer past")
    season = settings["season"] or find_season(panel, clock)
    horizon = settings["horizon"] or int(np.clip(season if season > 1 else 8, 1, max(longest // 12, 1)))
    if 3 * horizon + 8 > longest:
        raise SettingsError(f"`horizon` was {horizon}, but the longest series has only {longest} steps.",
                            f"forecast at most {max((longest - 8) // 3, 1)} steps")
    share = settings["test_size"] or 0.2
    ends = tuple(len(one) - max(round(share * len(one)), horizon) for one in panel)
    length = int(np.clip(max(2 * season + 1, 2 * horizon, 12), 4, min((max(ends) - horizon) // 3, LONGEST_WINDOW)))
    logarithm = _logarithmic(panel, ends)
    known = np.concatenate([one.values[:end] for one, end in zip(panel, ends, strict=True)])
    frame = Frame(length, horizon, _calendar(clock), logarithm,
                  float(np.std(np.log(known) if logarithm else known)) or 1.0, 0.0 if known.min() >= 0 else None)
    rhythm = f"a cycle of {season} steps" if season > 1 else "no cycle"
    each = f", one series for each `{roles.series}`" if roles.series else ""
    notes.append(Note("forecast", f"`{roles.value}` is forecast by `{roles.time}`{each}: a step is a {clock.label}, "
                      f"{rhythm} was found, {horizon} steps ahead are forecast from the last {length}."))
    return Prepared(panel, clock, roles, frame, season, ends, (*order.notes, *order.table.notes, *notes))


def _logarithmic(panel: Sequence[Series], ends: Sequence[int]) -> bool:
    """Whether values are above 0 and change by shares rather than by amounts."""
    parts = [one.values[:end] for one, end in zip(panel, ends, strict=True)]
    if any((part <= 0).any() for part in parts) or max(part.max() / part.min() for part in parts) < 3:
        return False
    return _unevenness([np.diff(np.log(part)) for part in parts]) < _unevenness([np.diff(part) for part in parts])


def _unevenness(changes: Sequence[np.ndarray]) -> float:
    """How much the size of changes differs between tenths of the series: the deviation of its logarithm."""
    sizes = [np.log(np.abs(piece).mean() + 1e-12) for change in changes
             for piece in np.array_split(change, min(10, max(len(change) // 5, 1)))]
    return float(np.std(sizes))


def _calendar(clock: Clock) -> tuple[str, ...]:
    """The cycles that steps of this length can be placed on."""
    if not clock.moments:
        return ()
    days = clock.every * (30.4 if clock.kind == "months" else 1 / 86_400)
    return tuple(name for name, longest in (("year", 100), ("week", 1.01), ("day", 0.51)) if days < longest)


def resolve(settings: Mapping[str, Any], windows: int) -> dict[str, Any]:
    """All settings with every `None` filled in."""
    batch = settings["batch_size"] or int(np.clip(2 ** round(np.log2(max(windows, 64) / 8)), 32, 512))
    members = settings["members"] or 8
    recipe = {"hidden": (64,), "activation": "relu", "dropout": 0.1, "optimiser": "adamw", "learning_rate": 1e-3,
              "weight_decay": 0.01, "schedule": "warm_cosine", "epochs": max(STEPS * batch // max(windows, 1), 8),
              "members": members, "batch_size": batch}
    asked = {name: value for name, value in settings.items() if value is not None}
    if asked.get("learning_rate") == "find":
        raise SettingsError("`learning_rate` was 'find', which a forecast cannot do.", "pass a number")
    return {**settings, **recipe, **asked}


def run(order: Order) -> Finished:
    """Train and judge; see `Job`."""
    with order.stages.timed("reading"):
        prepared = prepare(order)
        learned, test = prepared.training(), prepared.test()
        if len(learned) < 16:
            raise DataError(f"Only {len(learned)} windows of {prepared.frame.length} + {prepared.frame.horizon} steps "
                            "fit into the training part.", "give a longer past, or a shorter horizon")
        settings = resolve(order.settings, len(learned))
    with order.stages.timed("training"):
        trained = learn(learned, prepared.frame, settings, order.watch)
    model = _model(prepared, trained, settings)
    order.keep(model)
    with order.stages.timed("judging"):
        evidence = _evidence(prepared, model, learned, test)
    return tell(order, prepared.notes, model, evidence, trained, len(learned))


def _model(prepared: Prepared, trained: Learned, settings: Mapping[str, Any]) -> Forecaster:
    scales = [seasonal_scale(one.values[:end], one.observed[:end], prepared.season)
              for one, end in zip(prepared.panel, prepared.ends, strict=True)]
    return Forecaster(prepared.roles, prepared.clock, prepared.frame, prepared.season,
                      max(float(np.mean(scales)), 1e-12), Spread.fit(trained.scores), trained.members,
                      settings["coverage"], settings=settings)


def _evidence(prepared: Prepared, model: Forecaster, learned: Windows, test: Windows) -> Evidence:
    middle, lower, upper = model.answer(test)
    plain = plain_forecasts(learned, test, prepared.frame, prepared.season)
    return Evidence(test, middle, lower, upper, plain, prepared.panel, prepared.ends)


FORECAST = Job("forecast", run, recognise)
