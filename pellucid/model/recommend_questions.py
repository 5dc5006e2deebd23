"""What `Recommender.explain` asks: how well is an item liked, and which past ratings of the user make it so."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.core.part import Part
from pellucid.data.read import as_table
from pellucid.data.spelling import column_like, find_column
from pellucid.errors import SettingsError, did_you_mean
from pellucid.explain.game import Game, Question
from pellucid.features.values import as_text
from pellucid.model.history import empty_lists, fill_list

if TYPE_CHECKING:
    from pellucid.model.recommender import Recommender


def questions(model: Recommender, data: Any, asked: Any = None) -> Iterator[Question]:
    """One question for each row: the rating of its item; where only users are named, why the first item of their list
    is on it.

    Args:
        model: that recommends.
        data: with the column of users, and that of items if certain ones are asked about.
        asked: an item, for all rows.

    Raises:
        DataError: the column of users is lacking.
        SettingsError: nobody rated the item in training.
    """
    table = as_table([data] if isinstance(data, Mapping) and all(np.ndim(one) == 0 for one in data.values()) else data)
    users = as_text(table.column(find_column(table, model.columns[0]))).to_list()
    named = column_like(table, model.columns[1])
    items = as_text(table.column(named)).to_list() if named is not None else [None] * len(users)
    if asked is not None:
        items = [str(asked)] * len(users)
        if model.history.item_numbers.get(str(asked), model.history.known) >= model.history.known:
            raise SettingsError(f"`asked` was {asked!r}, which nobody rated in training.",
                                did_you_mean(str(asked), model.history.items))
    for row, (user, item) in enumerate(zip(users, items, strict=True)):
        yield _question(model, row, user, item)


def _question(model: Recommender, row: int, user: str | None, item: str | None) -> Question:
    number = model.history.user_numbers.get(user, -1)
    wanted, notes = item, []
    if item is None:
        wanted = str(model.recommend(user, top=1).item[0])
        notes.append(f"“{wanted}” heads the list of “{user}”: it is the most probable of the items that are not on "
                     "their list.")
    place = model.history.item_numbers.get(wanted, model.history.known)
    if place >= model.history.known:
        notes.append(f"Nobody rated “{wanted}” in training, so the answer is what the user gives on average.")
    if number < 0:
        notes.append(f"Nothing is known of “{user}”, so there are no past ratings that could be reasons.")
    tastes = _Tastes(model, *model.history.lists(np.array([number]), model.length).values(), place,
                     item is not None and model.scale.explicit)
    ends = tastes.value(np.array([[True], [False]]).repeat(len(tastes.parts), axis=1))
    unit = f"rating of “{wanted}”" if tastes.rated else f"probability that “{wanted}” is next"
    game = Game(tastes.parts, tastes.value, unit, *map(float, ends), percent=not tastes.rated)
    return Question(game, row, float(ends[0]) if tastes.rated else wanted, notes=tuple(notes))


@dataclass(frozen=True, eq=False)
class _Tastes:
    """What the model says of one item to a user of whom only some ratings are known.

    Args:
        model: that recommends.
        items, ratings: (1, length), the user's list.
        place: the item; one that the networks do not know for the mean of all that are rare.
        rated: whether its rating is asked for, rather than the chance to be next.
    """

    model: Recommender
    items: np.ndarray
    ratings: np.ndarray
    place: int
    rated: bool

    @property
    def there(self) -> np.ndarray:
        """Where the list holds something."""
        return np.flatnonzero(self.items[0] < self.model.history.known)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The ratings of the user, oldest first."""
        scale, names = self.model.scale, self.model.history.items
        marks = scale.decode(self.ratings[0]) if scale.explicit else None
        return tuple(Part(self.model.columns[1], names[self.items[0, place]],
                          "" if marks is None else f"{marks[place]:.3g}") for place in self.there)

    def value(self, keep: np.ndarray) -> np.ndarray:
        """float64 (coalitions,): the rating, or the chance."""
        pieces, piece = [], self.model.piece
        for start in range(0, len(keep), piece):
            pieces.append(self._answers(keep[start:start + piece]))
        return np.concatenate(pieces)

    def _answers(self, keep: np.ndarray) -> np.ndarray:
        known = self.model.history.known
        lists = empty_lists(len(keep), self.model.length, known)
        for row, own in enumerate(keep):
            kept = self.there[own]
            fill_list(lists, row, self.items[0, kept], self.ratings[0, kept], known)
        ratings, chances = self.model.answers(lists)
        if self.rated:
            found = self.model.usual(ratings) if self.place >= known else ratings[:, :, self.place]
            return found.mean(axis=0)
        return np.zeros(len(keep)) if self.place >= known else chances[:, self.place]
