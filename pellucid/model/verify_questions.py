"""What `Verifier.explain` asks: how much more a row is like one identity than like another, and which parts say so."""
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
    from pellucid.model.verifier import Verifier


def questions(model: Verifier, table: Table, inputs: Inputs, *, asked: Any = None, instead_of: Any = None,
              seed: int = 0) -> Iterator[Question]:
    """One question for each row, in order.

    Args:
        model: with enrolled examples.
        table: the cells.
        inputs: the same rows encoded.
        asked: the identity that is claimed; the nearest one when `None`.
        instead_of: another identity; the one that comes next when `None`.
        seed: of made-up rows.

    Raises:
        SettingsError: nobody of this name is enrolled.
        DataError: nobody is enrolled at all.
    """
    nearest, best = model.recognise(inputs)
    scores = model.gallery.scores(model.vectors(inputs.arrays))
    names = np.array(model.gallery.names, dtype=object)
    claimed = nearest if asked is None else np.full(len(nearest), _number(model, "asked", asked))
    others = np.where(np.arange(scores.shape[1]) == claimed[:, None], -np.inf, scores).argmax(axis=1)
    if instead_of is not None:
        others[:] = _number(model, "instead_of", instead_of)
    for row, (one, other) in enumerate(zip(claimed.tolist(), others.tolist(), strict=True)):
        alone = one == other
        unit = f"likeness to “{names[one]}”" + ("" if alone else f" less that to “{names[other]}”")
        games = RowGames(model.features, unit, seed=seed)
        game = games.game(table, inputs.arrays, row, _likeness(model, one, None if alone else other))
        said = names[nearest[row]] if best[row] >= model.threshold else "unknown"
        yield Question(game, row, said, names[one], None if alone else names[other],
                       cells=games.cells(table, row))


def _number(model: Verifier, name: str, identity: Any) -> int:
    if str(identity) not in model.gallery.names:
        raise SettingsError(f"`{name}` was {identity!r}, who is not enrolled.",
                            did_you_mean(str(identity), model.gallery.names))
    return model.gallery.names.index(str(identity))


def _likeness(model: Verifier, one: int, other: int | None) -> Callable[[Arrays], np.ndarray]:
    """From encoded rows to what is explained."""
    def score(arrays: Arrays) -> np.ndarray:
        found = model.gallery.scores(model.vectors(arrays))
        return found[:, one] if other is None else found[:, one] - found[:, other]
    return score
