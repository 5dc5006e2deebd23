"""The fewest and smallest changes of a row that change its answer. Plain NumPy; knows nothing of models.

A row is described by which alternative each column takes: 0 for the value that it has.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

BUDGET = 12_000
"""Pairs of changes that are asked at most."""
BEAM, OF_EACH = 40, 2
"""Rows that are changed further, and how many of them may change the same columns."""
SHRUNK = 24
TRIALS, ZOOMS, ROUNDS = 32, 2, 2
TRADED = {2: 32, 3: 10}
"""Values of each column that are tried together, by how many columns are changed."""

Ask = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Options:
    """What one column can be changed to; see `features.alternatives.Alternatives`.

    Args:
        costs: float64 (count,), the size of each change; 0 for the first, which is none.
        sides: int (count,), -1 and 1 for the two directions of an order, 0 where there is none.
        coarse: int, those to begin with.
    """

    costs: np.ndarray
    sides: np.ndarray
    coarse: np.ndarray


def find_changes(options: Sequence[Options], ask: Ask, *, most: int = 3, count: int = 3,
                 budget: int = BUDGET) -> list[np.ndarray]:
    """Changes that lead to the wanted answer: fewest first, then smallest, each with a column that none before has.

    All single changes are asked, then all pairs on a coarse grid (of the columns that alone bring the answer nearest,
    where they are too many), then the most promising of these are changed further. Each change found is drawn back as
    far as the answer still holds, or altogether, and less of one is tried with more of another.

    Args:
        options: of each column.
        ask: from int (rows, columns), the option that each column takes, to how near each row is to the wanted answer,
            float64 (rows,), and whether it is reached, bool (rows,).
        most: columns that may be changed.
        count: how many to find.
        budget: how many pairs may be asked.

    Returns:
        int (columns,) each; empty where nothing is found.

    Example:
        >>> steps = Options(np.arange(5.0), np.sign(np.arange(5)), np.array([2, 4]))
        >>> def ask(rows):
        ...     near = rows @ np.array([1.0, 2.0]) - 5
        ...     return near, near >= 0
        >>> [one.tolist() for one in find_changes([steps, steps], ask)]
        [[0, 3]]
    """
    search = _Search(options, ask)
    singles = search.singles(fine=True)
    near, reached = search.ask(singles)
    found = search.settled(singles[reached], count)
    open_rows = singles = search.singles(fine=False)
    for changed in range(2, most + 1):
        if len(search.diverse(found, count)) >= count or not len(singles):
            break
        if changed == 2:
            near, reached = ask(singles)
            singles = singles[~reached]
            rows = search.pairs(singles, near[~reached], budget)
        else:
            rows = search.extended(open_rows, near, singles)
        near, reached = search.ask(rows)
        found = np.concatenate([found, search.settled(rows[reached], count)])
        open_rows, near = rows[~reached], near[~reached]
    picked = search.diverse(found, count)
    return search.diverse(search.shrunk(search.traded(picked)), count) if picked else []


@dataclass(frozen=True, eq=False)
class _Search:
    options: Sequence[Options]
    answers: Ask

    def ask(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How near, and whether reached; nothing is asked about no rows."""
        return self.answers(rows) if len(rows) else (np.zeros(0), np.zeros(0, bool))

    def singles(self, *, fine: bool) -> np.ndarray:
        """int (changes, columns): one change each."""
        moves = [(column, place) for column, one in enumerate(self.options)
                 for place in (range(1, len(one.costs)) if fine else one.coarse)]
        rows = np.zeros((len(moves), len(self.options)), int)
        for row, (column, place) in zip(rows, moves, strict=True):
            row[column] = place
        return rows

    def pairs(self, singles: np.ndarray, near: np.ndarray, budget: int) -> np.ndarray:
        """All pairs of single changes, as many as the budget allows: those of the most promising columns."""
        columns = singles.argmax(axis=1)
        promising = sorted(set(columns.tolist()), key=lambda column: -near[columns == column].max())
        kept: list[int] = []
        pairs = 0
        for column in promising:
            pairs += int((columns == column).sum()) * int(np.isin(columns, kept).sum())
            if pairs > budget and len(kept) > 1:
                break
            kept.append(column)
        blocks = [singles[columns == column] for column in kept]
        made = [(one[:, None] + other[None]).reshape(-1, singles.shape[1]) for one, other in combinations(blocks, 2)]
        return np.concatenate(made) if made else singles[:0]

    def extended(self, rows: np.ndarray, near: np.ndarray, singles: np.ndarray) -> np.ndarray:
        """The most promising rows, each with every further change."""
        seen: dict[bytes, int] = {}
        beam = []
        for place in np.argsort(-near, kind="stable"):
            own = (rows[place] > 0).tobytes()
            seen[own] = seen.get(own, 0) + 1
            if seen[own] <= OF_EACH:
                beam.append(rows[place])
            if len(beam) == BEAM:
                break
        made = [row + singles[(singles[:, row > 0] == 0).all(axis=1)] for row in beam]
        return np.unique(np.concatenate(made), axis=0) if made else rows[:0]

    def settled(self, rows: np.ndarray, count: int) -> np.ndarray:
        """The most promising of the rows that reach the answer, drawn back."""
        chosen = [*self.diverse(rows, 2 * count), *self.cheapest(rows)]
        return self.shrunk(np.unique(chosen, axis=0)) if chosen else rows

    def shrunk(self, rows: np.ndarray) -> np.ndarray:
        """The same with every change drawn back towards the own value as far as the answer holds."""
        for _ in range(ROUNDS):
            for position in range(int((rows > 0).sum(axis=1).max())):
                rows = self._drawn_back(rows, position)
        return rows

    def traded(self, rows: list[np.ndarray]) -> np.ndarray:
        """The cheapest row with the same changed columns, on a grid of all their values together."""
        found = []
        for row in rows:
            columns = np.flatnonzero(row > 0)
            each = TRADED.get(len(columns), 0)
            total = sum(self.options[column].costs[row[column]] for column in columns)
            kept = [self._thinned(np.flatnonzero(self.options[column].costs < total), column, each)
                    for column in columns] if each else []
            mixed = np.repeat(row[None], int(np.prod([len(one) for one in kept])) if kept else 0, axis=0)
            for column, values in zip(columns, np.meshgrid(*kept, indexing="ij"), strict=False):
                mixed[:, column] = values.ravel()
            mixed = self._by_cost(mixed)
            reached = self.ask(mixed)[1]
            found.append(self._by_cost(np.stack([row, mixed[int(reached.argmax())]]))[0] if reached.any() else row)
        return np.array(found)

    def _thinned(self, places: np.ndarray, column: int, most: int) -> np.ndarray:
        """Some of the options of a column, from small to large."""
        places = places[np.argsort(self.options[column].costs[places], kind="stable")]
        return places[np.unique(np.linspace(0, len(places) - 1, min(len(places), most)).astype(int))]

    def _drawn_back(self, rows: np.ndarray, position: int) -> np.ndarray:
        """With the change at this place of each row, by falling size, drawn back."""
        rows, floors = rows.copy(), np.full(len(rows), -1.0)
        columns = [self._column(row, position) for row in rows]
        for _ in range(ZOOMS):
            trials = [self._trials(*one) for one in zip(rows, columns, floors, strict=True)]
            asked = [self._with(row, column, trial) for row, column, trial in zip(rows, columns, trials, strict=True)]
            reached = self.ask(np.concatenate(asked))[1]
            for place, own in enumerate(np.split(reached, np.cumsum([len(one) for one in asked])[:-1])):
                if columns[place] is None or not len(own):
                    continue
                costs, first = self.options[columns[place]].costs, int(own.argmax()) if own.any() else len(own)
                if first:
                    floors[place] = costs[trials[place][first - 1]]
                if own.any():
                    rows[place, columns[place]] = trials[place][first]
        return rows

    def _column(self, row: np.ndarray, position: int) -> int | None:
        changed = sorted(np.flatnonzero(row), key=lambda column: -self.options[column].costs[row[column]])
        return int(changed[position]) if position < len(changed) else None

    def _trials(self, row: np.ndarray, column: int | None, floor: float) -> np.ndarray:
        """Smaller changes of a column in the same direction, none first; above the size that is known to fail."""
        if column is None or not row[column]:
            return np.zeros(0, int)
        one, now = self.options[column], row[column]
        between = (one.costs < one.costs[now]) & (one.costs > floor) & ((one.sides == one.sides[now]) & (
            one.sides != 0) | (np.arange(len(one.costs)) == 0))
        return self._thinned(np.flatnonzero(between), column, TRIALS)

    def _with(self, row: np.ndarray, column: int | None, trial: np.ndarray) -> np.ndarray:
        rows = np.repeat(row[None], len(trial), axis=0)
        if column is not None:
            rows[:, column] = trial
        return rows

    def diverse(self, rows: np.ndarray, count: int) -> list[np.ndarray]:
        """The cheapest rows, each with a changed column that those before it leave as it is."""
        chosen: list[np.ndarray] = []
        used = np.zeros(len(self.options), bool)
        for row in self._by_cost(rows):
            if len(chosen) < count and ((row > 0) & ~used).any():
                chosen.append(row)
                used |= row > 0
        return chosen

    def cheapest(self, rows: np.ndarray) -> list[np.ndarray]:
        """The cheapest rows, few of each set of changed columns."""
        chosen: list[np.ndarray] = []
        seen: dict[bytes, int] = {}
        for row in self._by_cost(rows):
            own = (row > 0).tobytes()
            seen[own] = seen.get(own, 0) + 1
            if len(chosen) < SHRUNK and seen[own] <= OF_EACH:
                chosen.append(row)
        return chosen

    def _by_cost(self, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return rows
        costs = sum(one.costs[rows[:, column]] for column, one in enumerate(self.options))
        return rows[np.lexsort((costs, (rows > 0).sum(axis=1)))]
