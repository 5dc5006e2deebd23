"""A row of encoded columns as a game: cells and their parts are the players."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.core.part import Part
from pellucid.explain.game import Cell, Game
from pellucid.features.base import AbstractFeature, Encoded
from pellucid.features.inputs import Columns, is_used
from pellucid.model.members import Members
from pellucid.networks.describe import describe

Arrays = Mapping[str, Any]
Score = Callable[[Arrays], np.ndarray]
DRAWS, DEAR_DRAWS = 32, 8
"""Made-up rows that stand in for what is not known; fewer where a row takes more than one of an ordinary network. With
eight of them, causes that only matter together may happen never to meet."""
ROWS_AT_ONCE, BYTES_AT_ONCE = 1 << 14, 1 << 26
"""Rows, and bytes of raw columns, that are answered at a time."""
ORDINARY = 4e6
"""Floating-point operations of an ordinary row."""


@dataclass(frozen=True)
class Place:
    """Where a column stands among encoded arrays.

    Args:
        feature: the column.
        numbers: its channels in `"numbers"`.
        codes: its channels in `"codes"`, none or one.
        raw: its place in `"columns"`; `None` for a plain column.
    """

    feature: AbstractFeature
    numbers: slice
    codes: slice
    raw: int | None

    def cut(self, arrays: Arrays, rows: slice) -> Encoded:
        """The column's own arrays, of some rows."""
        raw = {} if self.raw is None else {name: one[rows] for name, one in arrays["columns"][self.raw].items()}
        numbers = arrays["numbers"][rows, self.numbers]
        return Encoded(numbers, arrays["codes"][rows, self.codes], np.zeros(len(numbers), bool), raw=raw)


def places_of(features: Sequence[AbstractFeature]) -> tuple[Place, ...]:
    """Where the columns stand that a network gets to see, in order."""
    found, numbers, codes, raw = [], 0, 0, 0
    for feature in filter(is_used, features):
        wide, coded = len(feature.numbers), int(feature.cardinality is not None)
        found.append(Place(feature, slice(numbers, numbers + wide), slice(codes, codes + coded),
                           raw if feature.is_raw else None))
        numbers, codes, raw = numbers + wide, codes + coded, raw + feature.is_raw
    return tuple(found)


@dataclass(frozen=True, eq=False)
class RowGames:
    """Makes games of the rows of a table, for any model that answers encoded rows.

    What is not known of number, category, boolean and date columns is drawn from made-up rows, which are the same for
    every row and coalition, and so are parts of raw columns whose places mean something; parts of other raw columns are
    blanked. A coalition's answer is the mean over the made-up rows.

    Args:
        features: of the model.
        unit: what answers are measured in.
        percent: whether they are shares.
        seed: of the made-up rows.
        weight: how many rows of an ordinary network one row takes; see `row_weight`.
    """

    features: tuple[AbstractFeature, ...]
    unit: str
    percent: bool = False
    seed: int = 0
    weight: int = 1
    places: tuple[Place, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", places_of(self.features))

    @cached_property
    def draws(self) -> int:
        """How many made-up rows there are: one where nothing is drawn."""
        return 1 if not any(self.is_drawn) else DRAWS if self.is_plain or self.weight == 1 else DEAR_DRAWS

    @cached_property
    def made_up(self) -> tuple[Encoded | None, ...]:
        """Made-up cells of each place, as many as draws; `None` where parts are blanked instead."""
        return tuple(place.feature.background(self.draws, np.random.default_rng([self.seed, position]))
                     for position, place in enumerate(self.places))

    @cached_property
    def background(self) -> Arrays:
        """Made-up rows: `"numbers"` (draws, n) and `"codes"` (draws, c); 0 in columns that are blanked instead."""
        numbers = np.zeros((self.draws, sum(len(place.feature.numbers) for place in self.places)), np.float32)
        codes = np.zeros((self.draws, sum(place.feature.cardinality is not None for place in self.places)), np.int32)
        for place, found in zip(self.places, self.made_up, strict=True):
            if found is not None and place.raw is None:
                numbers[:, place.numbers], codes[:, place.codes] = found.numbers, found.codes
        return {"numbers": numbers, "codes": codes}

    @cached_property
    def is_drawn(self) -> tuple[bool, ...]:
        """Of each place, whether what is not known is drawn."""
        return tuple(place.feature.background(1, np.random.default_rng(0)) is not None for place in self.places)

    def own(self, table: Columns, arrays: Arrays, row: int) -> list[Encoded]:
        """The arrays of each column of one row."""
        return [_with_missing(place.cut(arrays, slice(row, row + 1)), place, table, row) for place in self.places]

    def cells(self, table: Columns, row: int) -> dict[str, Cell]:
        """The cells of raw columns of one row, for drawing."""
        return {place.feature.name: Cell(place.feature.kind, table.column(place.feature.name)[row])
                for place in self.places if place.raw is not None}

    @property
    def is_plain(self) -> bool:
        """Whether whole cells are drawn in every column, none of which is raw."""
        return all(self.is_drawn) and all(place.raw is None for place in self.places)

    def blank(self, score: Score) -> np.ndarray | None:
        """The answers where nothing is known, float64 (draws,): the same for every row of a plain table."""
        return score(self.background) if self.places and self.is_plain else None

    def game(self, table: Columns, arrays: Arrays, row: int, score: Score, *, whole: float | None = None,
             blank: np.ndarray | None = None) -> Game:
        """The game of one row.

        Args:
            table: with the cells as they stand.
            arrays: the same rows encoded.
            row: which.
            score: from encoded rows to float64 (rows,), what is explained.
            whole, blank: the answer for the row, and those for nothing, where they are known already; see `blank`.
        """
        own = self.own(table, arrays, row)
        cells = [table.column(place.feature.name)[row] for place in self.places]
        parts = [place.feature.parts(cell, encoded) for place, cell, encoded in zip(
            self.places, cells, own, strict=True)]
        whole = float(score(_rows_of(arrays, slice(row, row + 1)))[0]) if whole is None else float(whole)
        coalitions = _Coalitions(self, own, cells, tuple(map(len, parts)), score, row, whole, blank)
        known: tuple[Part, ...] = tuple(part for some in parts for part in some)
        empty = coalitions.value(np.array([[False] * len(known)]))[0] if blank is None else blank.mean()
        drawn = coalitions.drawn if self.draws > 1 else None
        return Game(known, coalitions.value, self.unit, whole, float(empty), cost=self.draws * self.weight,
                    percent=self.percent, draws=self.draws, drawn=drawn,
                    adds_up=self.percent and any(place.feature.kind == "text" for place in self.places))


@dataclass(frozen=True, eq=False)
class _Coalitions:
    """The answers for one row of which only some parts are known."""

    games: RowGames
    own: list[Encoded]
    cells: list[Any]
    counts: tuple[int, ...]
    score: Score
    row: int
    whole: float
    blank: np.ndarray | None

    @property
    def at_once(self) -> int:
        """Rows that are answered at a time: fewer where one is large."""
        each = sum(array.nbytes for own in self.own for array in own.raw.values())
        return int(np.clip(BYTES_AT_ONCE // max(each, 1), 1, ROWS_AT_ONCE))

    def value(self, keep: np.ndarray) -> np.ndarray:
        """float64 (coalitions,): the mean over the made-up rows."""
        draws = self.games.draws
        size = max(self.at_once // draws, 1)
        pieces = []
        for start in range(0, len(keep), size):
            own = keep[start:start + size]
            which = np.tile(np.arange(draws), len(own))
            pieces.append(self.score(self._encoded(own, np.repeat(np.arange(len(own)), draws), which))
                          .reshape(-1, draws).mean(axis=1))
        return np.concatenate(pieces)

    def drawn(self, keep: np.ndarray, which: np.ndarray) -> np.ndarray:
        """float64 (coalitions,): with the made-up row `which` each; what is known already is not asked again."""
        answers, asked = np.full(len(keep), self.whole), ~keep.all(axis=1)
        if self.blank is not None:
            nothing = ~keep.any(axis=1)
            answers[nothing], asked = self.blank[which[nothing]], asked & ~nothing
        places, size = np.flatnonzero(asked), self.at_once
        for start in range(0, len(places), size):
            own = places[start:start + size]
            answers[own] = self.score(self._encoded(keep[own], None, which[own]))
        return answers

    def _encoded(self, keep: np.ndarray, repeat: np.ndarray | None, which: np.ndarray) -> Arrays:
        """Encoded rows: coalition `repeat[i]` (or i) with the made-up row `which[i]`."""
        background = self.games.background
        numbers, codes = background["numbers"][which], background["codes"][which]
        columns, start = [], 0
        spread = (lambda array: array) if repeat is None else (lambda array: array[repeat])
        for position, (place, own, cell, count) in enumerate(zip(self.games.places, self.own, self.cells, self.counts,
                                                                 strict=True)):
            kept, start = keep[:, start:start + count], start + count
            made = self.games.made_up[position]
            if made is not None and place.raw is None:
                known = spread(kept.all(axis=1))[:, None]
                numbers[:, place.numbers] = np.where(known, own.numbers, numbers[:, place.numbers])
                codes[:, place.codes] = np.where(known, own.codes, codes[:, place.codes])
                continue
            if made is not None:
                columns.append(place.feature.exchange(cell, own, spread(kept), made.only(which)).raw)
                continue
            generator = np.random.default_rng([self.games.seed, position, self.row])
            found = place.feature.mask(cell, own, kept, generator)
            numbers[:, place.numbers], codes[:, place.codes] = spread(found.numbers), spread(found.codes)
            if place.raw is not None:
                columns.append({name: spread(array) for name, array in found.raw.items()})
        return {"numbers": numbers, "codes": codes} | ({"columns": tuple(columns)} if columns else {})


def row_weight(members: Members) -> int:
    """How many rows of an ordinary network a row of these takes; an encoder that is not asked takes nothing."""
    network = members.network()
    path = getattr(network, "path", None)
    asked = path.table if path is not None and path.alone else network
    return max(int(describe(asked).flops * len(members) / ORDINARY), 1)


def _with_missing(own: Encoded, place: Place, table: Columns, row: int) -> Encoded:
    """A raw column's own arrays, and whether its cell gives no value: then there is nothing in it to point at."""
    if place.raw is None:
        return own
    return replace(own, missing=place.feature.encode(table.column(place.feature.name)[row:row + 1]).missing)


def _rows_of(arrays: Arrays, rows: slice) -> Arrays:
    """Some rows of encoded arrays."""
    found = {"numbers": arrays["numbers"][rows], "codes": arrays["codes"][rows]}
    columns = tuple({name: one[rows] for name, one in column.items()} for column in arrays.get("columns", ()))
    return found | ({"columns": columns} if columns else {})
