"""Gradients into pictures, recordings and the like, and Grad-CAM, for networks that look at a single raw column."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from pellucid.explain.game import Slopes
from pellucid.explain.grad_cam import member_maps, over_regions
from pellucid.explain.gradients import Head, raw_slopes
from pellucid.features.base import Encoded
from pellucid.features.image import Image
from pellucid.features.inputs import Columns
from pellucid.model.members import Members
from pellucid.model.row_games import Arrays, Place, RowGames

MISSED = 0.01
"""Of the difference between a cell and an empty one: parts that leave out more do not add up to the cell."""


def looks_at_one(members: Members, games: RowGames) -> bool:
    """Whether the networks see nothing but one raw column that gradients can lead into."""
    spec = members.spec
    return spec.get("network") == "composite" and spec.get("body") is None and len(
        games.places) == 1 and games.places[0].feature.continuous is not None


@dataclass(eq=False)
class CellSlopes:
    """How the answers for the cells of one raw column follow from their parts, looked at from inside of the networks.

    Args:
        members: the networks.
        games: of the rows.
        head: from outputs to what is explained.
        table: with the cells as they stand.
        arrays: the rows encoded.
        weighing: (rows, classes), see `Head`.
    """

    members: Members
    games: RowGames
    head: Head
    table: Columns
    arrays: Arrays
    weighing: np.ndarray

    @property
    def place(self) -> Place:
        """Where the column stands."""
        return self.games.places[0]

    def of(self, row: int) -> Callable[[int], Slopes] | None:
        """What `Game.gradients` is for one row; `None` where the parts of its cell do not add up to it."""
        own, cell = self.games.own(self.table, self.arrays, row)[0], self.table.column(self.place.feature.name)[row]
        if own.missing[0]:
            return None
        name, unit = self.place.feature.continuous
        ways, end = self._ways(cell, own), own.raw[name][0].astype(np.float32) / unit
        for start, deltas in ways:
            if np.abs(end - start - deltas.sum(axis=0)).sum() > MISSED * np.abs(end - start).sum():
                return None
        return lambda steps: self._slopes(row, steps, ways, end)

    def _ways(self, cell: Any, own: Encoded) -> list[tuple[np.ndarray, np.ndarray]]:
        """An empty cell, or each made-up one, and what each part adds to it (parts, …), in the units of the network."""
        feature, made, found = self.place.feature, self.games.made_up[0], []
        name, unit = feature.continuous
        keep = np.eye(len(feature.parts(cell, own)), dtype=bool)
        keep = np.concatenate([keep, np.zeros((1, keep.shape[1]), bool)])
        for draw in range(self.games.draws):
            seen = feature.mask(cell, own, keep, np.random.default_rng(0)) if made is None else feature.exchange(
                cell, own, keep, made.only(np.full(len(keep), draw)))
            values = seen.raw[name].astype(np.float32) / unit
            found.append((values[-1], values[:-1] - values[-1]))
        return found

    def _slopes(self, row: int, steps: int, ways: list[tuple[np.ndarray, np.ndarray]], end: np.ndarray) -> Slopes:
        name, one = self.place.feature.continuous[0], self.members
        rows = jax.tree.map(lambda array: array[row:row + 1], dict(self.arrays))
        rows["columns"] = ({**rows["columns"][0], name: end[None]},)
        by_way = []
        for start, deltas in ways:
            found = raw_slopes(one.layout, self.head, steps, name, one.weights, one.buffers, one.network_state, rows,
                               self.weighing[row].astype(np.float32), start[None])
            by_way.append(np.asarray(found, np.float64).reshape(len(one), -1) @ deltas.reshape(len(deltas), -1).T)
        return Slopes.of_draws(np.stack(by_way, axis=1))

    def inside(self, row: int) -> Mapping[str, Callable[[], np.ndarray]]:
        """What `Game.inside` is for one row: Grad-CAM for pictures before convolutions."""
        feature, encoder = self.place.feature, self.members.spec["encoders"][0]["network"]
        cell, own = self.table.column(feature.name)[row], self.games.own(self.table, self.arrays, row)[0]
        alone = (self.members.spec.get("path") or {}).get("alone", False)
        if not isinstance(feature, Image) or encoder != "convolutional" or alone or own.missing[0]:
            return {}
        return {"grad_cam": lambda: self._grad_cam(feature, cell, own, row)}

    def _grad_cam(self, feature: Image, cell: Any, own: Encoded, row: int) -> np.ndarray:
        one, places = self.members, feature.places(cell, own)
        rows = jax.tree.map(lambda array: array[row:row + 1], dict(self.arrays))
        maps = member_maps(one.layout, one.weights, one.buffers, one.network_state, rows,
                           self.weighing[row].astype(np.float32))
        number = int(places.max()) + 1
        return over_regions(np.asarray(maps).mean(axis=0)[0], places + 1, number + 1)[1:]
