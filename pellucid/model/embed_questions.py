"""What `Embedding.explain` asks: why a row lies in its group rather than in the next, or by itself."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.table import Table
from pellucid.errors import SettingsError, did_you_mean
from pellucid.explain.game import Question
from pellucid.features.inputs import Inputs
from pellucid.model.row_games import Arrays, RowGames

if TYPE_CHECKING:
    from pellucid.model.embedding import Embedding


def questions(model: Embedding, table: Table, inputs: Inputs, *, asked: Any = None, instead_of: Any = None,
              seed: int = 0) -> Iterator[Question]:
    """One question for each row, in order.

    Args:
        model: with the codes of the training rows.
        table: the cells.
        inputs: the same rows encoded.
        asked: a group; the row's own when `None`.
        instead_of: another group; the next one when `None`.
        seed: of made-up rows.

    Raises:
        SettingsError: there is no group of this name.
    """
    names = [str(one["name"]) for one in model.groups]
    for name, group in (("asked", asked), ("instead_of", instead_of)):
        if group is not None and str(group) not in names:
            raise SettingsError(f"`{name}` was {group!r}, but there is no such group.", did_you_mean(str(group), names))
    if len(names) < 2:
        yield from _of_distances(model, table, inputs, seed)
        return
    away = model.distances(model.codes_of(inputs.arrays))
    own = away.argmin(axis=1)
    for row, nearest in enumerate(own.tolist()):
        one = nearest if asked is None else names.index(str(asked))
        others = np.where(np.arange(len(names)) == one, np.inf, away[row])
        other = int(others.argmin()) if instead_of is None else names.index(str(instead_of))
        games = RowGames(model.features, f"nearness to “{names[one]}” rather than to “{names[other]}”", seed=seed)
        game = games.game(table, inputs.arrays, row, _nearer(model, one, other))
        yield Question(game, row, names[nearest], names[one], names[other], cells=games.cells(table, row))


def _of_distances(model: Embedding, table: Table, inputs: Inputs, seed: int) -> Iterator[Question]:
    """Without groups: how far a row lies from those most like it."""
    games = RowGames(model.features, "distance from the training rows most like it", seed=seed)
    for row in range(len(inputs)):
        game = games.game(table, inputs.arrays, row, lambda arrays: model.apart(model.codes_of(arrays)))
        yield Question(game, row, game.whole, cells=games.cells(table, row))


def _nearer(model: Embedding, one: int, other: int) -> Callable[[Arrays], np.ndarray]:
    """From encoded rows to what is explained."""
    def score(arrays: Arrays) -> np.ndarray:
        away = model.distances(model.codes_of(arrays))
        return away[:, other] - away[:, one]
    return score
