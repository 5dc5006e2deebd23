"""Plain methods of recommending, for every network to be held against: means, popularity, items alike."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from pellucid.model.ranking import AT, list_quality, top_items
from pellucid.tasks.recommend.ratings import Ratings

LABELS = {"mean": "always the mean", "user_and_item_means": "means of user and item",
          "popularity": "most popular items", "item_neighbours": "items alike (neighbours)"}
PRIOR = 3.0
"""How many ratings the mean of everything counts as in the mean of a user or an item."""
NEIGHBOURS = (20, 40, 80)
SHRINKAGE = (20.0, 100.0)
"""How many common ratings count as much as the guess that two items have nothing to do with each other."""
LIST_NEIGHBOURS = (50, 100, 200, 400)
HELD_OUT = 0.1
"""The share of the ratings by which the number of neighbours is chosen."""
MOST_ITEMS = 5000
"""Similarities are computed between so many items, the most popular ones."""
MOST_USERS = 2000
"""Users by whose lists the number of neighbours is chosen."""


@dataclass(frozen=True, eq=False)
class Plain:
    """A fitted plain method.

    Args:
        name: one of `LABELS`.
        seconds: of fitting.
        rate: (users, items) numbers to ratings; `None` where it only ranks.
        rank: numbers of users to scores (users, known items); `None` where it only rates.
        choice: what was chosen, in words.
    """

    name: str
    seconds: float
    rate: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    rank: Callable[[np.ndarray], np.ndarray] | None = None
    choice: str = ""

    @property
    def label(self) -> str:
        """Its name for people."""
        return LABELS[self.name]


@dataclass(frozen=True, eq=False)
class Means:
    """rating = mean + user's deviation + item's deviation, each shrunk towards 0.

    Source: Koren 2010, "Factor in the neighbors", section 2.1.
    """

    mean: float
    user: np.ndarray
    item: np.ndarray

    @classmethod
    def of(cls, ratings: Ratings, rounds: int = 10) -> Means:
        """Fitted in turns."""
        mean = float(ratings.value.mean())
        user, item = np.zeros(len(ratings.users)), np.zeros(len(ratings.items))
        users, items = (np.bincount(one, minlength=len(own)) + PRIOR
                        for one, own in ((ratings.user, user), (ratings.item, item)))
        for _ in range(rounds):
            item = np.bincount(ratings.item, ratings.value - mean - user[ratings.user], len(item)) / items
            user = np.bincount(ratings.user, ratings.value - mean - item[ratings.item], len(user)) / users
        return cls(mean, user, item)

    def __call__(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Ratings of pairs."""
        return self.mean + self.user[user] + self.item[item]


def fit_plain(ratings: Ratings, known: int, liked: float, seed: int) -> tuple[Plain, ...]:
    """All plain methods, fitted on training ratings.

    Args:
        ratings: those to learn from.
        known: how many items may be listed, the first ones.
        liked: ratings from here on mean liking.
        seed: of the draw by which numbers of neighbours are chosen.
    """
    found = []
    if ratings.explicit:
        start, mean = time.perf_counter(), float(ratings.value.mean())
        found.append(Plain("mean", time.perf_counter() - start, lambda user, item: np.full(len(user), mean)))
        means = Means.of(ratings)
        found.append(Plain("user_and_item_means", time.perf_counter() - start, means))
    start = time.perf_counter()
    popularity = np.bincount(ratings.item, minlength=len(ratings.items))[:known].astype(np.float64)
    found.append(Plain("popularity", time.perf_counter() - start,
                       rank=lambda users: np.broadcast_to(popularity, (len(users), known))))
    start = time.perf_counter()
    drawn = np.random.default_rng(seed).random(len(ratings)) < HELD_OUT
    inner, outer = ratings.take(np.flatnonzero(~drawn)), ratings.take(np.flatnonzero(drawn))
    rate, chosen = _chosen_rates(ratings, inner, outer) if ratings.explicit else (None, "")
    rank, chosen_lists = _chosen_ranks(ratings, inner, outer, known, liked)
    found.append(Plain("item_neighbours", time.perf_counter() - start, rate, rank,
                       "; ".join(one for one in (chosen, chosen_lists) if one)))
    return tuple(found)


def _matrix(ratings: Ratings, values: np.ndarray) -> csr_array:
    """Users by the most popular items."""
    width = min(len(ratings.items), MOST_ITEMS)
    kept = ratings.item < width
    return csr_array((values[kept], (ratings.user[kept], ratings.item[kept])), shape=(len(ratings.users), width))


# ratings

def _chosen_rates(ratings: Ratings, inner: Ratings, outer: Ratings) -> tuple[Callable, str]:
    best, error = (NEIGHBOURS[0], SHRINKAGE[0]), np.inf
    for shrinkage in SHRINKAGE if len(inner) and len(outer) else ():
        alike = _Alike(inner, shrinkage)
        for count in NEIGHBOURS:
            found = float(np.mean((_clipped(ratings, alike(outer.user, outer.item, count)) - outer.value) ** 2))
            best, error = ((count, shrinkage), found) if found < error else (best, error)
    alike = _Alike(ratings, best[1])
    return (lambda user, item: alike(user, item, best[0])), f"{best[0]} neighbours, shrinkage {best[1]:g}, for ratings"


def _clipped(ratings: Ratings, values: np.ndarray) -> np.ndarray:
    return np.clip(values, ratings.low, ratings.high)


class _Alike:
    """Ratings by the neighbours of an item among what the user rated: Pearson's correlation of what exceeds the means.

    Source: Koren 2008, equations 2 and 3.
    """

    def __init__(self, ratings: Ratings, shrinkage: float) -> None:
        self.means = Means.of(ratings)
        above = ratings.value - self.means(ratings.user, ratings.item)
        self.above = _matrix(ratings, above)
        self.met = _matrix(ratings, np.ones(len(ratings)))
        square = _matrix(ratings, above**2)
        common, cross = ((one.T @ one).toarray() for one in (self.met, self.above))
        length = (square.T @ self.met).toarray()  # of each item over the users that it has in common with another
        with np.errstate(invalid="ignore", divide="ignore"):
            alike = cross / np.sqrt(length * length.T) * common / (common + shrinkage)
        self.similarity = np.maximum(np.nan_to_num(alike), 0)
        np.fill_diagonal(self.similarity, 0)

    def __call__(self, user: np.ndarray, item: np.ndarray, count: int) -> np.ndarray:
        answer = self.means(user, item)
        order = np.argsort(user, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(user[order])) + 1):
            rows = rows[item[rows] < self.above.shape[1]]
            if len(rows):
                answer[rows] += self._deviation(user[rows[0]], item[rows], count)
        return answer

    def _deviation(self, user: int, items: np.ndarray, count: int) -> np.ndarray:
        """Of one user's ratings from the means, for some items."""
        own = slice(self.above.indptr[user], self.above.indptr[user + 1])
        places, above = self.above.indices[own], self.above.data[own]
        if not len(places):
            return np.zeros(len(items))
        weight = self.similarity[np.ix_(items, places)]
        if len(places) > count:
            nearest = np.argpartition(-weight, count - 1, axis=1)[:, :count]
            weight, above = np.take_along_axis(weight, nearest, axis=1), above[nearest]
        return (weight * above).sum(axis=1) / (weight.sum(axis=1) + 1e-9)


# lists

def _chosen_ranks(ratings: Ratings, inner: Ratings, outer: Ratings, known: int,
                  liked: float) -> tuple[Callable, str]:
    """Lists by the cosine of items; how many neighbours count, and whether what was disliked does, is chosen."""
    kinds = (1.0, 0.3, 0.0) if ratings.explicit else (1.0,)
    wanted = outer.take(np.flatnonzero(outer.value >= liked))
    users = np.unique(wanted.user)[:MOST_USERS]
    best, quality = (LIST_NEIGHBOURS[0], 1.0), -np.inf
    if len(users):
        seen, target = (_matrix(one, np.ones(len(one)))[users].toarray() > 0 for one in (inner, wanted))
        for other in kinds:
            alike = _Cosines(inner, liked, other)
            for count in LIST_NEIGHBOURS:
                top = top_items(alike.scores(users, alike.nearest(count), seen.shape[1]), seen, AT)
                found = float(np.nanmean(list_quality(top, target & ~seen)[1]))
                best, quality = ((count, other), found) if found > quality else (best, quality)
    alike = _Cosines(ratings, liked, best[1])
    words = {1.0: "all ratings alike", 0.3: "disliked items count 0.3", 0.0: "liked items only"}[best[1]]
    similarity = alike.nearest(best[0])
    return (lambda asked: alike.scores(asked, similarity, known)), f"{best[0]} neighbours, {words}, for lists"


class _Cosines:
    """Scores of items: the sum of their cosines with the items that a user met.

    Source: Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms".
    """

    def __init__(self, ratings: Ratings, liked: float, other: float) -> None:
        self.met = _matrix(ratings, np.where(ratings.value >= liked, 1.0, other))
        common = (self.met.T @ self.met).toarray()
        length = np.sqrt(np.diag(common))
        self.similarity = common / np.maximum(length[:, None] * length, 1e-9)
        np.fill_diagonal(self.similarity, 0)

    def nearest(self, count: int) -> np.ndarray:
        """The similarities of each item with so many others, 0 for the rest."""
        if count >= len(self.similarity):
            return self.similarity
        edge = -np.partition(-self.similarity, count - 1, axis=1)[:, count - 1:count]
        return np.where(self.similarity >= edge, self.similarity, 0)

    def scores(self, users: np.ndarray, similarity: np.ndarray, known: int) -> np.ndarray:
        """(users, known items), by similarities of `nearest`."""
        scores = self.met[users] @ similarity.T
        return np.pad(scores, ((0, 0), (0, max(known - scores.shape[1], 0))))[:, :known]
