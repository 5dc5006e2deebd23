"""Encoded rows whose columns can take their cells from other rows: what shuffles, effects and interactions ask."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.data.table import Table
from pellucid.model.model import Model
from pellucid.model.row_games import Place, places_of


@dataclass(frozen=True, eq=False)
class Swaps:
    """Rows of a table, each answered by a model that did not learn from it.

    Args:
        table: the rows.
        asked: the places of rows in `table`, and the model that answers them; together all rows, each once.

    Every model encodes all rows once; a cell that comes from another row is then copied, not encoded again.
    """

    table: Table
    asked: Sequence[tuple[np.ndarray, Model]]
    _known: list[tuple[np.ndarray, Model, tuple[Place, ...], Mapping[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        own = [(places, model) for places, model in self.asked if len(places)]
        object.__setattr__(self, "_known", [(places, model, places_of(model.features),
                                             model.encode(self.table)[1].arrays) for places, model in own])

    def __len__(self) -> int:
        return len(self.table)

    def answers(self, origins: Mapping[str, np.ndarray]) -> np.ndarray:
        """float64 (rows, classes) or (rows, 1): what the models say when columns take their cells from other rows.

        Args:
            origins: {column: int (rows,), the row that each cell comes from}.
        """
        found = None
        for places, model, columns, arrays in self._known:
            part = model.answer(_taken(columns, arrays, places, origins)).mean(axis=0)
            part = part.reshape(len(places), -1)
            found = np.zeros((len(self), part.shape[1])) if found is None else found
            found[places] = part
        return np.zeros((0, 1)) if found is None else found


def _taken(columns: tuple[Place, ...], arrays: Mapping[str, Any], rows: np.ndarray,
           origins: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The encoded rows, some columns of them taken from others."""
    numbers, codes = arrays["numbers"][rows], arrays["codes"][rows]
    raw = [{name: one[rows] for name, one in column.items()} for column in arrays.get("columns", ())]
    for place in columns:
        if place.feature.name not in origins:
            continue
        other = origins[place.feature.name][rows]
        numbers[:, place.numbers] = arrays["numbers"][other, place.numbers]
        codes[:, place.codes] = arrays["codes"][other, place.codes]
        if place.raw is not None:
            raw[place.raw] = {name: one[other] for name, one in arrays["columns"][place.raw].items()}
    return {"numbers": numbers, "codes": codes} | ({"columns": tuple(raw)} if raw else {})
