"""Gradients through the networks of a table's ensemble, for several rows at a time."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from pellucid.explain.game import Slopes
from pellucid.explain.gradients import Head, tabular_slopes
from pellucid.model.members import Members
from pellucid.model.row_games import Place, RowGames

TILES = (1, 16)
"""Rows that are explained together: programs are compiled for these sizes only."""


def allows_slopes(members: Members, games: RowGames) -> bool:
    """Whether gradients reach every part: tables of numbers and categories do."""
    return members.spec.get("network") == "tabular" and games.is_plain


@dataclass(eq=False)
class RowSlopes:
    """The contributions of all rows, worked out tile by tile when they are first asked for.

    Args:
        members: the networks.
        games: with the made-up rows that ways start from.
        head: from outputs to what is explained.
        rows: `"numbers"` and `"codes"` of the rows.
        weighing: (rows, classes), see `Head`.
    """

    members: Members
    games: RowGames
    head: Head
    rows: Mapping[str, np.ndarray]
    weighing: np.ndarray
    known: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)

    def of(self, row: int) -> Callable[[int], Slopes]:
        """What `Game.gradients` is for one row."""
        return lambda steps: self._slopes(row, steps)

    def _slopes(self, row: int, steps: int) -> Slopes:
        tile = TILES[-1] if len(self.weighing) > TILES[0] else TILES[0]
        start = row - row % tile
        if self.known.get(steps, (None,))[0] != start:  # one tile is kept: rows are asked in order
            self.known[steps] = start, self._tile(start, tile, steps)
        return Slopes.of_draws(self.known[steps][1][row - start])  # (members, draws, parts)

    def _tile(self, start: int, tile: int, steps: int) -> np.ndarray:
        """float64 (tile, members, draws, parts)."""
        take = np.minimum(np.arange(start, start + tile), len(self.weighing) - 1)
        rows = {name: self.rows[name][take] for name in ("numbers", "codes")}
        one, precision = self.members, self.members.weights.dtype
        with jax.enable_x64(precision == np.float64):
            found = tabular_slopes(one.layout, self.head, steps, one.weights, one.buffers, one.network_state, rows,
                                   self.weighing[take].astype(precision), dict(self.games.background))
        return np.asarray(found, np.float64) @ _by_part(self.games.places)


def _by_part(places: tuple[Place, ...]) -> np.ndarray:
    """(channels, parts): 1 where a channel belongs to a column."""
    numbers = max((place.numbers.stop for place in places), default=0)
    codes = max((place.codes.stop for place in places), default=0)
    picks = np.zeros((numbers + codes, len(places)))
    for part, place in enumerate(places):
        picks[place.numbers, part] = 1
        picks[numbers + place.codes.start:numbers + place.codes.stop, part] = 1
    return picks


def head_of(model: Any) -> Head:
    """From outputs to probabilities or numbers, as the model `model` of classes or numbers answers."""
    if model.task == "classify":
        calibrator = model.calibration.calibrator
        return Head(True, float(calibrator.temperature), tuple(calibrator.scale), tuple(calibrator.bias))
    target = model.target
    return Head(False, center=target.center, scale=target.scale, low=target.low, high=target.high)
