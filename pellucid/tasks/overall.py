"""What matters overall, in a run: the ranking of the columns, how the strongest move the answer, and which act
together; all on rows that were not learned from."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.core.part import shown
from pellucid.data.table import Table
from pellucid.explain.game import Question
from pellucid.explain.overall import (
    Effect,
    Influence,
    Interaction,
    asked,
    influence,
    interactions,
    level_effect,
    scale_effect,
)
from pellucid.explain.permutation import Importances, permutation_importance
from pellucid.features.base import AbstractFeature
from pellucid.features.dates import time_values
from pellucid.features.inputs import encodes_alone, is_used
from pellucid.features.values import read_numbers
from pellucid.model.metrics import measure
from pellucid.model.model import Model
from pellucid.model.swaps import Swaps
from pellucid.tasks.prepare import Prepared

SHUFFLED_ROWS = 2000
REPEATS = 5
CELLS = 60_000
"""Rows times columns up to which every column is shuffled `REPEATS` times; above, at least twice and as often as the
time allows."""
SECONDS = 2.5
EXPLAINED_ROWS, FEWEST_ROWS = 300, 20
BUDGET = 400_000
"""Rows of a network that all explanations together take, at most."""
EFFECT_ROWS, EFFECTS, TOGETHER = 300, 4, 5
PLAIN = ("number", "date", "category", "boolean")
SECONDS_OF_A_YEAR = 365 * 86_400
METRICS = {"classify": "log_loss", "regress": "rmse"}


@dataclass(frozen=True, eq=False)
class Overall:
    """What matters.

    Args:
        influence: how far each column moves the answers.
        lost: how much worse the answers get when it is shuffled.
        effects: along the strongest columns.
        interactions: of the strongest columns, by pairs.
        outputs: names of the outputs, for people.
        rows: how many rows were shuffled.
    """

    influence: Influence
    lost: Importances
    effects: tuple[Effect, ...]
    interactions: tuple[Interaction, ...]
    outputs: tuple[str, ...]
    rows: int

    def to_json(self) -> dict[str, Any]:
        """What metrics.json holds: the columns by their influence, what is lost without each, effects, pairs."""
        own, lost = self.influence, {name: place for place, name in enumerate(self.lost.columns)}
        columns = [{"column": name, "influence": float(own.mean[place]), "low": float(own.low[place]),
                    "high": float(own.high[place]), "lost_when_shuffled": float(self.lost.mean[lost[name]]),
                    "lost_low": float(self.lost.low[lost[name]]), "lost_high": float(self.lost.high[lost[name]])}
                   for place, name in enumerate(own.columns)]
        return {"unit": own.unit, "rows": own.rows, "method": own.method, "shuffled_metric": self.lost.metric,
                "shuffled_rows": self.rows, "repeats": self.lost.repeats, "columns": columns,
                "effects": [{"column": one.column, "of": self.outputs[one.output], "values": list(one.values),
                             "mean": one.mean.tolist(), "low": one.low.tolist(), "high": one.high.tolist()}
                            for one in self.effects],
                "interactions": [{"columns": list(one.columns), "of": self.outputs[one.output], "size": one.size,
                                  "low": one.low, "high": one.high} for one in self.interactions]}


def overall(prepared: Prepared, models: Sequence[tuple[np.ndarray, Model]], seed: int) -> Overall | None:
    """What matters to `models`, each with the rows that it did not learn from.

    Returns:
        `None` for a single column of pictures, texts and the like, and where no row can be judged.
    """
    first = models[0][1]
    columns = [feature.name for feature in first.features if is_used(feature)]
    rows = _drawn(np.concatenate([rows for rows, _ in models]), SHUFFLED_ROWS, seed)
    if len(rows) < 2 or not columns or encodes_alone(first.features):
        return None
    moved = _influence(prepared.table, models, rows, columns, seed)
    if moved is None:
        return None
    lost = _lost(prepared, _swaps(prepared.table, models, rows), rows, columns, seed)
    few = _swaps(prepared.table, models, _drawn(rows, EFFECT_ROWS, seed))
    plain = {feature.name: feature for feature in first.features if feature.kind in PLAIN}
    strongest = [name for name in moved.columns if name in plain]
    found = [_effect(few, plain[name], seed) for name in strongest[:EFFECTS]]
    pairs = interactions(few.answers, strongest[:TOGETHER], len(few), seed=seed)
    return Overall(moved, lost, tuple(one for one in found if one is not None), pairs, _outputs(first), len(rows))


def _drawn(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most so many of the rows, rising."""
    if len(rows) <= most:
        return np.sort(rows)
    return np.sort(np.random.default_rng([seed, most]).choice(rows, most, replace=False))


def _swaps(table: Table, models: Sequence[tuple[np.ndarray, Model]], rows: np.ndarray) -> Swaps:
    return Swaps(table.take(rows), [(np.flatnonzero(np.isin(rows, own)), model) for own, model in models])


def _influence(table: Table, models: Sequence[tuple[np.ndarray, Model]], rows: np.ndarray, columns: list[str],
               seed: int) -> Influence | None:
    """From as many rows as their explanation allows, counted in rows of the network, never by the clock."""
    def questions(chosen: np.ndarray) -> Iterator[Question]:
        for own, model in models:
            if len(asked_here := chosen[np.isin(chosen, own)]):
                yield from model.questions(table.take(asked_here), seed=seed)

    game = next(questions(rows[:1])).game
    most = int(np.clip(BUDGET // max(asked(game), 1), FEWEST_ROWS, EXPLAINED_ROWS))
    return influence(questions(_drawn(rows, most, seed)), columns, seed=seed) if len(game) else None


def _lost(prepared: Prepared, swaps: Swaps, rows: np.ndarray, columns: list[str], seed: int) -> Importances:
    truth, metric = prepared.truth[rows], METRICS[prepared.task]

    def score(outputs: np.ndarray) -> float:
        return -measure(metric, truth, outputs if prepared.task == "classify" else outputs[:, 0])

    small = len(rows) * len(columns) <= CELLS
    return permutation_importance(swaps.answers, {name: np.arange(len(rows)) for name in columns}, score,
                                  columns=columns, metric=metric, repeats=REPEATS, seed=seed,
                                  seconds=None if small else SECONDS)


def _effect(swaps: Swaps, feature: AbstractFeature, seed: int) -> Effect | None:
    cells = swaps.table.column(feature.name)
    if feature.kind == "number":
        return scale_effect(swaps.answers, feature.name, read_numbers(cells).values, seed=seed)
    if feature.kind == "date":
        return _dated(scale_effect(swaps.answers, feature.name, time_values(cells), seed=seed))
    levels = [None if cell is None else shown(cell) for cell in cells.to_list()]
    return level_effect(swaps.answers, feature.name, levels, seed=seed)


def _dated(effect: Effect | None) -> Effect | None:
    """An effect along seconds since 1970, its values written as days."""
    if effect is None or effect.positions is None or np.abs(effect.positions).max() < SECONDS_OF_A_YEAR:
        return effect
    return replace(effect, values=tuple(str(np.datetime64(int(second), "s"))[:10] for second in effect.positions))


def _outputs(model: Model) -> tuple[str, ...]:
    if model.task == "regress":
        return (f"predicted “{model.target.name}”",)
    return tuple(f"probability of “{label}”" for label in model.classes)
