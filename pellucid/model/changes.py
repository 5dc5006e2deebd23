"""What would change the answers of a model of classes or numbers: the search, asked of its networks, and verified."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pellucid.core.declared import CHANGE
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError, did_you_mean
from pellucid.explain.changes import UNUSUAL, Alternative, Change, Changes
from pellucid.explain.counterfactual import BUDGET, Options, find_changes
from pellucid.features.alternatives import Alternatives, alternatives
from pellucid.features.base import Encoded
from pellucid.features.inputs import Inputs
from pellucid.model.row_games import Place, places_of, row_weight

if TYPE_CHECKING:
    from pellucid.model.model import Model

FEWEST_ASKED = 256


@dataclass(frozen=True)
class Wanted:
    """The answer that is looked for.

    Args:
        code: a class; `None` for any other than the predicted one, or a number.
        low, high: of a number.
    """

    code: int | None = None
    low: float = -np.inf
    high: float = np.inf

    def words(self, model: Model) -> str:
        """For people."""
        if model.task == "classify":
            return "any other answer" if self.code is None else f"“{model.classes[self.code]}”"
        bounds = [f"at least {self.low:g}"] * bool(np.isfinite(self.low)) + [
            f"at most {self.high:g}"] * bool(np.isfinite(self.high))
        return " and ".join(bounds)

    def nearness(self, model: Model, answers: np.ndarray, predicted: int) -> tuple[np.ndarray, np.ndarray]:
        """How near mean answers (rows, classes) or (rows,) are to it, and whether they reach it."""
        if model.task == "regress":
            near = np.minimum(answers - self.low, self.high - answers)
            return near, near >= 0
        decided = model.decide(answers)
        code = predicted if self.code is None else self.code
        others = np.delete(answers, code, axis=1).max(axis=1)
        ahead = answers[:, code] - others
        return (ahead, decided == code) if self.code is not None else (-ahead, decided != code)


def changes(model: Model, table: Table, inputs: Inputs, *, to: Any = None, at_least: float | None = None,
            at_most: float | None = None, locked: Sequence[str] = (), most: int = 3,
            count: int = 3) -> list[Changes]:
    """What would change the answer of each row; see `Model.changes`."""
    wanted = _wanted(model, to, at_least, at_most)
    most, count = CHANGE["most"].check(most), CHANGE["alternatives"].check(count)
    names = [place.feature.name for place in places_of(model.features)]
    locked = CHANGE["locked"].check(locked)
    for name in locked:
        if name not in names and name not in table.names:
            raise DataError(f"`locked` names the column `{name}`, which the model does not know.",
                            did_you_mean(name, names))
    answers = model.answer(inputs.arrays).mean(axis=0)
    return [_Row(model, table, inputs.arrays, row, locked).changes(wanted, answers[row], most, count)
            for row in range(len(inputs))]


def _wanted(model: Model, to: Any, at_least: float | None, at_most: float | None) -> Wanted:
    if model.task == "regress":
        if to is not None:
            raise SettingsError(f"`to` was {to!r}, but `{model.target.name}` is a number, not a class.",
                                "say `at_least` or `at_most`")
        if at_least is None and at_most is None:
            raise SettingsError(f"It was not said what `{model.target.name}` should become.",
                                "say `at_least` (--at-least) or `at_most` (--at-most)")
        low = -np.inf if at_least is None else CHANGE["at_least"].check(at_least)
        high = np.inf if at_most is None else CHANGE["at_most"].check(at_most)
        if low > high:
            raise SettingsError(f"`at_least` was {low:g}, which is more than `at_most`, {high:g}.", "exchange them")
        return Wanted(low=low, high=high)
    for name, value in (("at_least", at_least), ("at_most", at_most)):
        if value is not None:
            raise SettingsError(f"`{name}` was {value!r}, but `{model.target.name}` is a class, not a number.",
                                "say `to`, one of its classes")
    if to is None:
        return Wanted(code=None)
    codes = {str(label): place for place, label in enumerate(model.classes)}
    if str(to) not in codes:
        raise SettingsError(f"`to` was {to!r}, which is none of the classes of `{model.target.name}`.",
                            did_you_mean(str(to), list(codes)))
    return Wanted(code=codes[str(to)])


@dataclass(frozen=True, eq=False)
class _Row:
    """One row, and what its columns could be changed to."""

    model: Model
    table: Table
    arrays: Mapping[str, Any]
    row: int
    locked: tuple[str, ...]

    def changes(self, wanted: Wanted, answer: np.ndarray, most: int, count: int) -> Changes:
        """What would lead to the wanted answer."""
        model, classes = self.model, self.model.task == "classify"
        predicted = int(model.decide(answer[None])[0]) if classes else 0
        if classes and wanted.code is None and len(model.classes) == 2:
            wanted = Wanted(code=1 - predicted)
        already = bool(wanted.nearness(model, answer[None], predicted)[1][0])
        open_places = [place for place in places_of(model.features) if place.feature.name not in self.locked]
        found = [(place, alternatives(place.feature, self._cell(place.feature.name))) for place in open_places]
        usable = [(place, one, place.feature.encode(one.cells)) for place, one in found if one is not None]
        fixed = tuple(place.feature.name for place, one in found if one is None and place.raw is not None)
        options = [Options(one.costs, one.sides, one.coarse) for _, one, _ in usable]

        def ask(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            given = model.answer(self._encoded(rows, [(place, own) for place, _, own in usable])).mean(axis=0)
            return wanted.nearness(model, given, predicted)
        budget = max(BUDGET // row_weight(model.members), FEWEST_ASKED)
        rows = [] if already or not usable else find_changes(options, ask, most=most, count=count, budget=budget)
        return Changes(model.target.name, self.row, model.classes[predicted] if classes else float(answer),
                       float(answer[predicted]) if classes else None, wanted.words(model), most, self.locked, fixed,
                       self._verified(rows, [one for _, one, _ in usable], wanted, predicted), already)

    def _cell(self, name: str) -> pl.Series:
        return self.table.column(name)[self.row:self.row + 1]

    def _encoded(self, rows: np.ndarray, columns: list[tuple[Place, Encoded]]) -> dict[str, Any]:
        """The row again and again, each time with the options that `rows` name."""
        own = slice(self.row, self.row + 1)
        numbers = np.repeat(self.arrays["numbers"][own], len(rows), axis=0)
        codes = np.repeat(self.arrays["codes"][own], len(rows), axis=0)
        for position, (place, encoded) in enumerate(columns):
            numbers[:, place.numbers] = encoded.numbers[rows[:, position]]
            codes[:, place.codes] = encoded.codes[rows[:, position]]
        raw = tuple({name: np.broadcast_to(one[own][0], (len(rows), *one.shape[1:])) for name, one in column.items()}
                    for column in self.arrays.get("columns", ()))
        return {"numbers": numbers, "codes": codes} | ({"columns": raw} if raw else {})

    def _verified(self, rows: list[np.ndarray], columns: list[Alternatives], wanted: Wanted,
                  predicted: int) -> tuple[Alternative, ...]:
        """The changed rows as a user would type them, asked of the model: those that hold."""
        if not rows:
            return ()
        chosen = np.stack([*rows, np.zeros_like(rows[0])])  # the last is the row as it is
        changed = self.table.take([self.row] * len(chosen)).with_columns(
            [one.cells.gather(chosen[:, position]) for position, one in enumerate(columns)])
        given = self.model.predict(changed)
        answers = given.probabilities if given.probabilities is not None else given.prediction
        holds = wanted.nearness(self.model, answers, predicted)[1]
        labels, own = given.prediction.tolist(), len(rows)
        sure = [None] * own if given.confidence is None else given.confidence.tolist()
        unlike = [None] * own if given.p_value is None else given.p_value.tolist()
        return tuple(Alternative(
            self._named(row, columns), labels[place], sure[place], unlike[place],
            unlike[place] is not None and unlike[place] <= UNUSUAL < unlike[own])
            for place, row in enumerate(rows) if holds[place])

    def _named(self, row: np.ndarray, columns: list[Alternatives]) -> tuple[Change, ...]:
        found = [Change(one.cells.name, one.cells[0], one.cells[int(place)], float(one.costs[place]))
                 for place, one in zip(row, columns, strict=True) if place]
        return tuple(sorted(found, key=lambda change: -change.size))
