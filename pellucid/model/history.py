"""Who rated what, as a model remembers it: lists of items by user, and names by number."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class History:
    """The ratings of each user, oldest first.

    Args:
        users, items: names by number; the first `known` items are those that the networks know.
        starts: int64 (users + 1,): where the list of each user begins.
        places: int32 (ratings,): numbers of the items.
        ratings: float32 (ratings,): standardised; 0 for clicks.
        known: how many items the networks know.
    """

    users: Sequence[str]
    items: Sequence[str]
    starts: np.ndarray
    places: np.ndarray
    ratings: np.ndarray
    known: int

    @classmethod
    def of(cls, users: Sequence[str], items: Sequence[str], known: int, *, user: np.ndarray, item: np.ndarray,
           ratings: np.ndarray, moment: np.ndarray) -> History:
        """From rows in any order; `user` and `item` are numbers, `moment` says which are newer."""
        order = np.lexsort((np.arange(len(user)), moment, user))
        starts = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(users)))]).astype(np.int64)
        return cls(tuple(users), tuple(items), starts, item[order].astype(np.int32),
                   ratings[order].astype(np.float32), known)

    @cached_property
    def user_numbers(self) -> Mapping[str, int]:
        """The number of each user."""
        return {name: number for number, name in enumerate(self.users)}

    @cached_property
    def item_numbers(self) -> Mapping[str, int]:
        """The number of each item."""
        return {name: number for number, name in enumerate(self.items)}

    @cached_property
    def popularity(self) -> np.ndarray:
        """int64 (items,): how many users rated each."""
        return np.bincount(self.places, minlength=len(self.items))

    @property
    def counts(self) -> np.ndarray:
        """int64 (users,): how long each list is."""
        return np.diff(self.starts)

    @property
    def owner(self) -> np.ndarray:
        """int64 (ratings,): whose each rating is."""
        return np.repeat(np.arange(len(self.users)), self.counts)

    def list_of(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        """Items and ratings of one user; nothing for a number below 0."""
        if user < 0:
            return self.places[:0], self.ratings[:0]
        own = slice(self.starts[user], self.starts[user + 1])
        return self.places[own], self.ratings[own]

    def lists(self, users: np.ndarray, length: int) -> dict[str, np.ndarray]:
        """The lists of users as the networks take them: the newest `length` items that these know.

        Args:
            users: numbers; one below 0 is somebody new, with an empty list.
            length: of a padded list.
        """
        inputs = empty_lists(len(users), length, self.known)
        for row, user in enumerate(users):
            fill_list(inputs, row, *self.list_of(user), self.known)
        return inputs

    def to_json(self) -> dict[str, Any]:
        """The names; the arrays are tensors."""
        return {"users": list(self.users), "items": list(self.items), "known": self.known}

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name."""
        return {"starts": self.starts, "places": self.places, "ratings": self.ratings}

    @classmethod
    def from_parts(cls, record: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> History:
        """What `to_json` and `tensors` gave; `ValueError` where they do not fit."""
        starts, places = tensors["starts"], tensors["places"]
        if len(starts) != len(record["users"]) + 1 or int(starts[-1]) != len(places) or \
                len(places) and int(places.max()) >= len(record["items"]):
            raise ValueError("the lists of the users do not fit their names")
        return cls(tuple(record["users"]), tuple(record["items"]), starts, places, tensors["ratings"],
                   int(record["known"]))


def empty_lists(rows: int, length: int, known: int) -> dict[str, np.ndarray]:
    """Lists of nothing, as a network for `known` items takes them."""
    return {"items": np.full((rows, length), known, np.int32), "ratings": np.zeros((rows, length), np.float32)}


def fill_list(inputs: Mapping[str, np.ndarray], row: int, places: np.ndarray, ratings: np.ndarray, known: int) -> None:
    """Write one user's list, the newest items that fit; those that the network does not know are left out."""
    usable = places < known
    places, ratings = (values[usable][-inputs["items"].shape[1]:] for values in (places, ratings))
    inputs["items"][row, :len(places)], inputs["ratings"][row, :len(places)] = places, ratings
