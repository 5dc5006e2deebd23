"""What `Detector.explain` asks: how strange is a row, and which of its parts make it so."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pellucid.data.table import Table
from pellucid.explain.game import Question
from pellucid.model.row_games import RowGames

if TYPE_CHECKING:
    from pellucid.model.detector import Detector


def questions(model: Detector, table: Table, arrays: dict[str, Any], *, seed: int = 0) -> Iterator[Question]:
    """One question for each row, in order.

    Args:
        model: of normal rows.
        table: the cells.
        arrays: the same rows encoded, columns that the model sees.
        seed: of made-up rows.
    """
    seen = tuple(feature for feature in model.features if feature.name in model.columns)
    games = RowGames(seen, "score of strangeness", seed=seed)
    scores = model.scores(arrays)[0]
    rare = model.ranks.p_values(scores) <= model.false_alarms
    for row in range(len(rare)):
        game = games.game(table, arrays, row, lambda rows: model.scores(rows)[0].mean(axis=0))
        yield Question(game, row, "anomaly" if rare[row] else "normal", cells=games.cells(table, row))
