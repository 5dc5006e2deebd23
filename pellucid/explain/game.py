"""A prediction as a game: its parts are the players, and what they win together is the answer.

Everything model-free is asked of games: Shapley values, occlusion, deletion and insertion. Plain NumPy; games know
nothing of models.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.part import Part
from pellucid.errors import ShapeError

Value = Callable[[np.ndarray], np.ndarray]
Drawn = Callable[[np.ndarray, np.ndarray], np.ndarray]
CHUNK = 4096
"""Coalitions that are asked at a time: memory does not grow with their number."""


@dataclass(frozen=True)
class Slopes:
    """What gradients say of the parts.

    Args:
        contributions: float64 (parts,).
        errors: float64 (parts,), the standard error of each from the draws of the background.
        by_member: float64 (members, parts), the same from each network of an ensemble alone; their mean is
            `contributions`.
    """

    contributions: np.ndarray
    errors: np.ndarray
    by_member: np.ndarray | None = None

    @classmethod
    def of_draws(cls, found: np.ndarray) -> Slopes:
        """From contributions (members, draws, parts): their means, and how far the draws leave them uncertain."""
        by_draw = found.mean(axis=0)
        errors = by_draw.std(axis=0, ddof=1) / np.sqrt(len(by_draw)) if len(by_draw) > 1 else 0 * by_draw[0]
        return cls(by_draw.mean(axis=0), errors, found.mean(axis=1))


@dataclass(frozen=True, eq=False)
class Game:
    """One row's answer as a function of which parts are known.

    Args:
        parts: what can be pointed at.
        value: from bool (coalitions, parts) to float64 (coalitions,): the answer when only these parts are known. The
            same question has the same answer always; the memory that it takes is bounded.
        unit: what the answer is measured in: "probability of good", "euros", "score of strangeness".
        whole: the answer when all parts are known.
        empty: the answer when none is; what is to be explained is `whole - empty`.
        gradients: contributions by gradients through the network, from how many steps along the way; `None` where the
            network does not allow them.
        single_way: whether gradients lead along one way only, as from an empty picture, and are not averaged over many.
        cost: how many rows of the network one coalition takes; samplers ask less where this is high.
        neighbours: int (pairs, 2): parts side by side, for pictures, sounds and texts; `None` where there are none.
        percent: whether the answer is a share, to be shown in percentage points.
        adds_up: whether the parts are pieces of evidence that add up, such as words; see `explain.evidence`.
        draws: into how many single draws of what is not known `value` can be taken apart: it is their mean.
        inside: other ways to look into the network, by the name of the method: each gives float64 (parts,), at least 0,
            in no unit.
        drawn: from bool (coalitions, parts) and the number of a draw for each, int (coalitions,), to float64
            (coalitions,): the answers with that draw alone, each `draws` times cheaper than `value`.

    Example:
        >>> game = game_of(("a", "b"), lambda keep: keep @ np.array([3.0, -1.0]) + 10)
        >>> game.whole, game.empty
        (12.0, 10.0)
    """

    parts: tuple[Part, ...]
    value: Value
    unit: str
    whole: float
    empty: float
    gradients: Callable[[int], Slopes] | None = None
    single_way: bool = False
    cost: int = 1
    neighbours: np.ndarray | None = None
    percent: bool = False
    draws: int = 1
    drawn: Drawn | None = None
    adds_up: bool = False
    inside: Mapping[str, Callable[[], np.ndarray]] = field(default_factory=dict)

    @property
    def each(self) -> int:
        """How many rows of a network one answer takes when games that are drawn are asked with one draw."""
        return self.cost if self.drawn is None else max(self.cost // self.draws, 1)

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def difference(self) -> float:
        """What is to be explained: the answer with all parts less the one without any."""
        return self.whole - self.empty

    def ask(self, keep: np.ndarray) -> np.ndarray:
        """`value`, asked in chunks, each different coalition once: float64 (coalitions,).

        Raises:
            ShapeError: `keep` has not one column for each part.
        """
        keep = np.atleast_2d(np.asarray(keep, bool))
        if keep.shape[1] != len(self.parts):
            raise ShapeError(f"A game of {len(self.parts)} parts was asked about {keep.shape[1]}.",
                             "pass bool (coalitions, parts)")
        packed, back = np.unique(np.packbits(keep, axis=1), axis=0, return_inverse=True)
        different = np.unpackbits(packed, axis=1, count=len(self.parts)).astype(bool)
        known = np.flatnonzero(different.all(axis=1) | ~different.any(axis=1))
        answers = np.empty(len(different))
        answers[known] = np.where(different[known].all(axis=1), self.whole, self.empty)
        unknown = np.setdiff1d(np.arange(len(different)), known)
        for start in range(0, len(unknown), CHUNK):
            own = unknown[start:start + CHUNK]
            answers[own] = self.value(different[own])
        return answers[back.ravel()]

    def ask_drawn(self, keep: np.ndarray, which: np.ndarray) -> np.ndarray:
        """The answers with one draw each, asked in chunks; those of `ask` where the game is not drawn."""
        if self.drawn is None:
            return self.ask(keep)
        pieces = [self.drawn(keep[start:start + CHUNK], which[start:start + CHUNK])
                  for start in range(0, len(keep), CHUNK)]
        return np.concatenate(pieces) if pieces else np.zeros(0)

    def grouped(self, groups: np.ndarray, parts: tuple[Part, ...]) -> Game:
        """The game of larger parts: part i goes into `groups[i]`, an index into `parts`."""
        groups = np.asarray(groups)
        return replace(self, parts=parts, value=lambda keep: self.value(keep[:, groups]), gradients=None,
                       neighbours=None, draws=1, drawn=None, inside={})


def game_of(names: tuple[str, ...], value: Value, unit: str = "points") -> Game:
    """A game from a function of coalitions, for tests and experiments."""
    ends = value(np.array([[True] * len(names), [False] * len(names)]))
    return Game(tuple(Part(name, name) for name in names), value, unit, float(ends[0]), float(ends[1]))


class Cell(NamedTuple):
    """A cell that is drawn with its parts marked.

    Args:
        kind: the feature type of its column.
        value: as it stands in the table: a text, a path, bytes.
    """

    kind: str
    value: Any


@dataclass(frozen=True, eq=False)
class Question:
    """One prediction to be explained: what each kind of model makes of a row.

    Args:
        game: the answer as a function of the known parts.
        row: its number in the data, counted from 0.
        prediction: the answer, a label or a number.
        asked: the class that is explained; `None` for numbers.
        instead_of: the class that it is compared with; `None` for any other.
        notes: further sentences for the user.
        cells: the cells of text, pictures and the like, by column.
    """

    game: Game
    row: int
    prediction: Any
    asked: Any = None
    instead_of: Any = None
    notes: tuple[str, ...] = ()
    cells: Mapping[str, Cell] = field(default_factory=dict)
