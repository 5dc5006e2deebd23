"""What `Model.explain` asks of each row: how probable is its class, rather than another; how large is its number."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.table import Table
from pellucid.errors import SettingsError, did_you_mean
from pellucid.explain.game import Game, Question
from pellucid.features.inputs import Inputs
from pellucid.model.raw_slopes import CellSlopes, looks_at_one
from pellucid.model.row_games import Arrays, RowGames, row_weight
from pellucid.model.slopes import RowSlopes, allows_slopes, head_of

if TYPE_CHECKING:
    from pellucid.model.model import Model


def questions(model: Model, table: Table, inputs: Inputs, *, asked: Any = None, instead_of: Any = None,
              seed: int = 0) -> Iterator[Question]:
    """One question for each row, in order.

    Args:
        model: of classes or numbers.
        table: the cells.
        inputs: the same rows encoded.
        asked: a class, as a label or its text; the predicted one when `None`.
        instead_of: a class; the other one is explained rather than this one.
        seed: of made-up rows.

    Raises:
        SettingsError: `asked` or `instead_of` is none of the classes, or the model predicts numbers.
    """
    named = {name: label for name, label in (("asked", asked), ("instead_of", instead_of)) if label is not None}
    if model.task == "classify":
        codes = {name: _code(model, name, label) for name, label in named.items()}
        return _of_classes(model, table, inputs, codes, seed)
    for name, label in named.items():
        raise SettingsError(f"`{name}` was {label!r}, but `{model.target.name}` is a number, not a class.",
                            f"leave {name} out")
    return _of_numbers(model, table, inputs, seed)


def _code(model: Model, name: str, label: Any) -> int:
    by_word = {str(one): place for place, one in enumerate(model.classes)}
    if str(label) not in by_word:
        raise SettingsError(f"`{name}` was {label!r}, which is none of the classes of `{model.target.name}`.",
                            did_you_mean(str(label), list(by_word)))
    return by_word[str(label)]


def _of_classes(model: Model, table: Table, inputs: Inputs, codes: Mapping[str, int], seed: int) -> Iterator[Question]:
    answers = model.answer(inputs.arrays).mean(axis=0)
    predicted, other = model.decide(answers), codes.get("instead_of")
    asked = np.full(len(predicted), codes["asked"]) if "asked" in codes else predicted
    same = asked == other
    runner_up = np.where(np.arange(answers.shape[1]) == asked[:, None], -1.0, answers).argmax(axis=1)
    explained = np.where(same, runner_up, asked)
    weighing = np.eye(len(model.classes))[explained] - (0 if other is None else np.eye(len(model.classes))[other])
    weight = row_weight(model.members)
    games = {label: RowGames(model.features, _class_unit(model, label, other), percent=True, seed=seed, weight=weight)
             for label in np.unique(explained).tolist()}
    insight, wholes = _insight(model, games, table, inputs, weighing), (answers * weighing).sum(axis=1)
    blanks = {label: own.blank(_scored(model, weighing[explained == label][0])) for label, own in games.items()}
    for row, label in enumerate(explained.tolist()):
        notes = () if not same[row] else (f"The prediction of this row is “{model.classes[other]}” itself; the next "
                                          f"most probable class, “{model.classes[label]}”, is held against it.",)
        game = games[label].game(table, inputs.arrays, row, _scored(model, weighing[row]), whole=wholes[row],
                                 blank=blanks[label])
        yield Question(insight(game, row), row, model.classes[int(predicted[row])], model.classes[label],
                       None if other is None else model.classes[other], notes, games[label].cells(table, row))


def _class_unit(model: Model, label: int, other: int | None) -> str:
    of = f"probability of “{model.classes[label]}”"
    return of if other is None else f"{of} less that of “{model.classes[other]}”"


def _of_numbers(model: Model, table: Table, inputs: Inputs, seed: int) -> Iterator[Question]:
    games = RowGames(model.features, f"predicted “{model.target.name}”", seed=seed, weight=row_weight(model.members))
    insight = _insight(model, {0: games}, table, inputs, np.ones((len(inputs), 1)))
    score = _scored(model, None)
    wholes, blank = score(inputs.arrays), games.blank(score) if len(inputs) else None
    for row in range(len(inputs)):
        game = games.game(table, inputs.arrays, row, score, whole=wholes[row], blank=blank)
        yield Question(insight(game, row), row, game.whole, cells=games.cells(table, row))


def _scored(model: Model, weights: np.ndarray | None) -> Callable[[Arrays], np.ndarray]:
    """From encoded rows to what is explained: the mean answer of the networks."""
    def score(arrays: Arrays) -> np.ndarray:
        answers = model.answer(arrays).mean(axis=0)
        return answers if weights is None else answers @ weights
    return score


def _insight(model: Model, games: dict[int, RowGames], table: Table, inputs: Inputs,
             weighing: np.ndarray) -> Callable[[Game, int], Game]:
    """Adds to the game of a row what can be seen from inside of the networks, where they allow it."""
    first = next(iter(games.values()), None)
    if first is not None and allows_slopes(model.members, first):
        slopes = RowSlopes(model.members, first, head_of(model), inputs.arrays, weighing)
        return lambda game, row: replace(game, gradients=slopes.of(row))
    if first is not None and looks_at_one(model.members, first):
        cells = CellSlopes(model.members, first, head_of(model), table, inputs.arrays, weighing)
        return lambda game, row: replace(game, gradients=cells.of(row), single_way=True, inside=cells.inside(row))
    return lambda game, row: game
