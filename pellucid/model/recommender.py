"""The trained model that recommends: ratings with intervals, and ranked lists of items for users."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from pellucid.core.note import Note
from pellucid.data.read import as_table
from pellucid.data.spelling import column_like, find_column
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError, did_you_mean
from pellucid.explain.game import Question
from pellucid.features.base import AbstractFeature
from pellucid.features.values import as_text, read_numbers
from pellucid.model.base import AbstractModel
from pellucid.model.calibration import Calibration
from pellucid.model.history import History, empty_lists, fill_list
from pellucid.model.lists import RankedLists
from pellucid.model.members import Members
from pellucid.model.metrics import measure
from pellucid.model.predictions import Predictions
from pellucid.model.ranking import AT, list_quality, shown_share, top_items
from pellucid.model.recommend_questions import questions
from pellucid.uncertainty.conformal import check_coverage

MOST_USERS, MOST_ANSWERS = 512, 1_000_000
"""Users that are answered together; fewer where there are many items."""
PROBED = 4
"""Made-up lists that are asked at saving and again at loading."""


@dataclass(frozen=True)
class Scale:
    """What ratings are: their column, mean, standard deviation and range; and which of them mean liking.

    Args:
        name: the column; "" for clicks.
        center, spread: of the training ratings.
        low, high: the least and the largest.
        liked: ratings from here on mean that an item was liked.
    """

    name: str = ""
    center: float = 0.0
    spread: float = 1.0
    low: float = 1.0
    high: float = 1.0
    liked: float = 1.0

    @property
    def explicit(self) -> bool:
        """Whether there are ratings and not only clicks."""
        return bool(self.name)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Standardised ratings; 0 for clicks."""
        return (values - self.center) / self.spread if self.explicit else np.zeros(len(values))

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Ratings within the range."""
        return np.clip(self.center + self.spread * np.asarray(outputs, np.float64), self.low, self.high)


    def within(self, ends: np.ndarray) -> np.ndarray:
        """The ends of intervals, no farther than the scale goes; infinite ones stay: too few ratings for a bound."""
        return np.where(np.isfinite(ends), np.clip(ends, self.low, self.high), ends)


@dataclass(frozen=True, eq=False)
class Recommender(AbstractModel):
    """An ensemble of factorisations with everything that it needs to answer: the history of users, scale, intervals.

    Args:
        members: the networks.
        history: who rated what.
        scale: what ratings are.
        columns: the columns of users and items.
        calibration: how far the networks were off on ratings that they left out.
        length: of the lists that the networks take.
        settings: what the model was trained with; `top` is how many items a list has.
        metrics: its quality on ratings that were not used for anything else.
        about: versions, data fingerprint, date: information only.

    Example:
        >>> model = pellucid.load("model.pellucid")  # doctest: +SKIP
        >>> model.recommend("Ada", top=3).to_frame()  # doctest: +SKIP
        >>> model.recommend(ratings={"Alien": 5, "Heat": 2}).to_frame()  # doctest: +SKIP
    """

    tasks: ClassVar[tuple[str, ...]] = ("recommend",)

    members: Members
    history: History
    scale: Scale
    columns: tuple[str, str]
    calibration: Calibration
    length: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    features: tuple[AbstractFeature, ...] = ()

    @property
    def task(self) -> str:
        """`"recommend"`."""
        return "recommend"

    @property
    def piece(self) -> int:
        """How many users are answered together."""
        return int(np.clip(MOST_ANSWERS // self.history.known, 8, MOST_USERS))

    def answers(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray | None, np.ndarray]:
        """What the members say of lists.

        Returns:
            Ratings (members, rows, known items), `None` for clicks; and the chance of each known item to be the next,
            (rows, known items), the mean over the members.
        """
        outputs, known = self.members.outputs(inputs), self.history.known
        ratings = self.scale.decode(outputs[..., :known]) if self.scale.explicit else None
        logits = outputs[..., -known:].astype(np.float64)
        chances = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return ratings, (chances / chances.sum(axis=-1, keepdims=True)).mean(axis=0)

    # ratings

    def predict(self, data: Any, *, coverage: float | None = None) -> Predictions | RankedLists:
        """For pairs of user and item a rating with its interval; for users alone, their lists.

        Args:
            data: a file, a data frame, a list of rows as mappings, or one row as a mapping.
            coverage: for intervals, above 0 and below 1; as in training when `None`.

        Raises:
            DataError: the column of users is lacking.
        """
        table = as_table([data] if isinstance(data, Mapping) and all(np.ndim(one) == 0 for one in data.values())
                         else data)
        coverage = self.calibration.coverage if coverage is None else check_coverage(coverage)
        users = _cells(table, self.columns[0])
        if column_like(table, self.columns[1]) is None:
            return self._lists(users, self.settings.get("top") or AT, table.notes)
        user, item, notes = self._numbers(users, _cells(table, self.columns[1]))
        common = {"task": self.task, "target": self.scale.name, "coverage": coverage, "notes": (*table.notes, *notes)}
        members, chances = self.pairs(user, item)
        if members is None:
            return Predictions(prediction=chances, **common)
        mean, conformal = members.mean(axis=0), self.calibration.conformal
        if conformal is None:
            return Predictions(prediction=mean, **common)
        lower, upper = conformal.intervals(self.calibration.by_fold(members), coverage, mean)
        return Predictions(prediction=mean, lower=self.scale.within(lower), upper=self.scale.within(upper), **common)

    def _numbers(self, users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Note]]:
        """Numbers of users and items, -1 for those never seen, who are counted."""
        user = _looked_up(users, self.history.user_numbers)
        item = _looked_up(items, self.history.item_numbers)
        notes = [*_unknown(self.columns[0], users[user < 0], "users", "the answer is what all users have in common: "
                           "the mean of each item, and what is popular"),
                 *_unknown(self.columns[1], items[item < 0], "items", "the answer is what the user gives on average")]
        return user, np.where(item < self.history.known, item, -1), notes

    def pairs(self, user: np.ndarray, item: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """Ratings (members, pairs), `None` for clicks, and chances (pairs,); user by user."""
        members = np.zeros((len(self.members), len(user))) if self.scale.explicit else None
        chances = np.zeros(len(user))
        (distinct, place), piece = np.unique(user, return_inverse=True), self.piece
        for start in range(0, len(distinct), piece):
            here = np.flatnonzero((place >= start) & (place < start + piece))
            ratings, shares = self.answers(self.history.lists(distinct[start:start + piece], self.length))
            row, column, new = place[here] - start, np.maximum(item[here], 0), item[here] < 0
            chances[here] = np.where(new, 0.0, shares[row, column])
            if ratings is not None:
                members[:, here] = np.where(new, self.usual(ratings)[:, row], ratings[:, row, column])
        return members, chances

    def usual(self, ratings: np.ndarray) -> np.ndarray:
        """(members, rows): what users would give to an item of which nothing is known: the mean over rare items, as
        they are nearest to one that nobody rated yet."""
        rare = max(self.history.known // 4, 1)
        return ratings[:, :, -rare:].mean(axis=2)

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each row: the rating of its item, or why an item heads the list; see `explain`."""
        if instead_of is not None:
            raise SettingsError(f"`instead_of` was {instead_of!r}; a recommendation is not held against another.",
                                "leave instead_of out, and name an item with asked")
        return questions(self, data, asked)

    # lists

    def recommend(self, user: Any = None, *, top: int | None = None,
                  ratings: Mapping[Any, float] | Sequence[Any] | None = None) -> RankedLists:
        """The best items for one user, without those that the user already rated.

        Args:
            user: as named in training; somebody new is answered by `ratings` alone.
            top: how many items; as in training when `None`.
            ratings: new ones of this user, {item: rating}, or a list of items where there are only clicks. They count
                like those of training; the networks are not trained anew.

        Raises:
            SettingsError: neither a user nor ratings, `top` below 1, or an item that nobody rated in training.
        """
        top = self.settings.get("top") or AT if top is None else top
        if isinstance(top, bool) or not isinstance(top, (int, np.integer)) or top < 1:
            raise SettingsError(f"`top` was {top!r}; expected a whole number of at least 1.", "10 is usual")
        if user is None and ratings is None:
            raise SettingsError("`recommend` got neither a user nor ratings.", "name a user, or give some ratings")
        name = "" if user is None else str(user)
        number = self.history.user_numbers.get(name, -1)
        places, values = self._with_new(number, ratings)
        inputs = empty_lists(1, self.length, self.history.known)
        fill_list(inputs, 0, places, values, self.history.known)
        notes = _unknown(self.columns[0], np.array([name]), "users", "the list holds what is popular") if (
            number < 0 and ratings is None) else []
        return self._ranked([name], [places], inputs, top, tuple(notes))

    def _with_new(self, user: int, ratings: Any) -> tuple[np.ndarray, np.ndarray]:
        """The list of a user with new ratings at its end, in place of older ones of the same items."""
        places, values = self.history.list_of(user)
        if not ratings:
            return places, values
        new = dict(ratings) if isinstance(ratings, Mapping) else dict.fromkeys(ratings, self.scale.liked)
        unknown = [str(one) for one in new if str(one) not in self.history.item_numbers]
        if unknown:
            raise SettingsError(f"Nobody rated `{unknown[0]}` in training.",
                                did_you_mean(unknown[0], self.history.items))
        added = np.array([self.history.item_numbers[str(one)] for one in new], np.int32)
        marks = np.clip(np.array(list(new.values()), np.float64), self.scale.low, self.scale.high)
        kept = ~np.isin(places, added)
        return (np.concatenate([places[kept], added]),
                np.concatenate([values[kept], self.scale.encode(marks).astype(np.float32)]))

    def _lists(self, users: np.ndarray, top: int, notes: tuple[Note, ...]) -> RankedLists:
        """The lists of users, each named once."""
        names = [name for name in dict.fromkeys(users.tolist()) if name is not None]
        empty = sum(name is None for name in users)
        more = [Note("missing_ids", f"`{self.columns[0]}` is empty in {empty:,} rows, which are left out.",
                     self.columns[0], empty, "warning")] if empty else []
        numbers = _looked_up(np.array(names, object), self.history.user_numbers)
        more += _unknown(self.columns[0], np.array(names, object)[numbers < 0], "users", "such a list holds what is "
                         "popular")
        pieces, piece = [], self.piece
        for start in range(0, len(names), piece):
            own = numbers[start:start + piece]
            pieces.append(self._ranked(names[start:start + piece], [self.history.list_of(one)[0] for one in own],
                                       self.history.lists(own, self.length), top, ()))
        if not pieces:
            raise DataError(f"`{self.columns[0]}` names no user.", "give one user a row")
        join = lambda part: np.concatenate([getattr(one, part) for one in pieces])  # noqa: E731
        return RankedLists(join("user"), join("rank"), join("item"), join("score"),
                           join("rating") if self.scale.explicit else None, (*notes, *more))

    def _ranked(self, names: Sequence[str], seen: Sequence[np.ndarray], inputs: Mapping[str, np.ndarray], top: int,
                notes: tuple[Note, ...]) -> RankedLists:
        ratings, chances = self.answers(inputs)
        mask = seen_mask(seen, self.history.known)
        best = top_items(chances, mask, top)
        row, rank = np.nonzero(best >= 0)
        item = best[row, rank]
        left = np.maximum((chances * ~mask).sum(axis=1), 1e-300)
        return RankedLists(np.array(names, object)[row], rank + 1, np.array(self.history.items, object)[item],
                           chances[row, item] / left[row],
                           None if ratings is None else ratings.mean(axis=0)[row, item], notes)

    # quality

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The quality on a table of ratings: errors of the ratings, and of lists against what users liked in it.

        Pairs of user and item that the model's history holds are no test of a list and count for ratings only.

        Raises:
            DataError: a column is lacking, or no row names a user, an item and a rating.
        """
        table = as_table(data)
        users, items = (_cells(table, name) for name in self.columns)
        values = np.ones(len(table))
        if self.scale.explicit:
            values = read_numbers(table.column(find_column(table, self.scale.name))).values
        known = np.flatnonzero(np.isfinite(values) & np.array([one is not None and two is not None
                                                               for one, two in zip(users, items, strict=True)], bool))
        if not len(known):
            raise DataError("No row holds a user, an item and a rating.", "check the columns of the table")
        answers = self.predict(table.take(known))
        metrics, promise = {}, {}
        if self.scale.explicit:
            metrics = {name: measure(name, values[known], answers.prediction) for name in ("rmse", "mae")}
        if answers.lower is not None:
            held = (answers.lower <= values[known]) & (values[known] <= answers.upper)
            promise = {"coverage_promised": answers.coverage, "coverage_measured": float(held.mean()),
                       "mean_interval_width": float(np.mean(answers.upper - answers.lower))}
        user, item, _ = self._numbers(users[known], items[known])
        metrics |= self.list_metrics(user, item, values[known] >= self.scale.liked)
        return {"task": self.task, "target": self.scale.name or "clicks", "rows": len(known),
                "left_out": len(table) - len(known), "metrics": metrics, "promise": promise}

    def list_metrics(self, user: np.ndarray, item: np.ndarray, liked: np.ndarray) -> dict[str, float | None]:
        """Recall, NDCG and the share of the catalogue of lists for users against what they liked; -1 is unknown."""
        numbers = np.unique(user[user >= 0])
        quality, tops = [], []
        for start in range(0, len(numbers), self.piece):
            own = numbers[start:start + self.piece]
            mask = seen_mask([self.history.list_of(one)[0] for one in own], self.history.known)
            top = top_items(self.answers(self.history.lists(own, self.length))[1], mask, AT)
            wanted = liked & (item >= 0) & np.isin(user, own)
            found = np.zeros_like(mask)
            found[np.searchsorted(own, user[wanted]), item[wanted]] = True
            quality.append(np.stack(list_quality(top, found & ~mask)))
            tops.append(top)
        both = np.concatenate(quality, axis=1) if quality else np.full((2, 1), np.nan)
        if not np.isfinite(both).any():
            return {"recall_at_10": None, "ndcg_at_10": None, "coverage_at_10": None}
        return {"recall_at_10": float(np.nanmean(both[0])), "ndcg_at_10": float(np.nanmean(both[1])),
                "coverage_at_10": shown_share(np.concatenate(tops), self.history.known)}

    # the file

    def probe_inputs(self) -> dict[str, Any]:
        """Made-up lists."""
        generator, known = np.random.default_rng(0), self.history.known
        inputs = empty_lists(PROBED, self.length, known)
        for row in range(PROBED):
            places = generator.permutation(known)[:min(row * 7, known, self.length)]
            fill_list(inputs, row, places, generator.normal(size=len(places)).astype(np.float32), known)
        return inputs

    def to_record(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values."""
        return {**self.common_record(), "history": self.history.to_json(), "scale": vars(self.scale),
                "columns": list(self.columns), "calibration": self.calibration.to_json(), "length": self.length}

    @property
    def inside(self) -> str:
        """What of the training data the file holds, for its card."""
        return ("Weights, the names of users and items, and who rated what: a user is known by their ratings. Keep the "
                "file as you keep the ratings.")

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """The lists of the users."""
        return self.history.tensors()

    @classmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Recommender:
        """The model that a file holds; `KeyError`, `TypeError` or `ValueError` where its parts do not fit."""
        user, item = record["columns"]
        return cls(members, History.from_parts(record["history"], extra), Scale(**record["scale"]), (user, item),
                   Calibration.from_json(record["calibration"]), int(record["length"]), record["settings"],
                   record["metrics"], record["about"])

    def about_lines(self) -> tuple[str, ...]:
        """What is recommended to whom, and that the ratings themselves are inside."""
        what = f"ratings `{self.scale.name}`" if self.scale.explicit else "clicks"
        return (f"Recommends `{self.columns[1]}` to `{self.columns[0]}`, learned from {what}.",
                f"The file holds the names of {len(self.history.users):,} users and {len(self.history.items):,} items, "
                f"and all {len(self.history.places):,} ratings.")

    def with_top(self, top: int) -> Recommender:
        """The same model with lists of another length."""
        return replace(self, settings=dict(self.settings) | {"top": top})

    def __repr__(self) -> str:
        return (f"Recommender({len(self.history.items):,} items to {len(self.history.users):,} users, "
                f"{len(self.members)} networks)")


def seen_mask(lists: Sequence[np.ndarray], known: int) -> np.ndarray:
    """bool (rows, known): which items the lists hold."""
    mask = np.zeros((len(lists), known), bool)
    for row, places in enumerate(lists):
        mask[row, places[places < known]] = True
    return mask


def _cells(table: Table, name: str) -> np.ndarray:
    """The identifiers in a column, as texts; `DataError` if the table lacks it."""
    return as_text(table.column(find_column(table, name))).to_numpy()


def _looked_up(names: np.ndarray, numbers: Mapping[str, int]) -> np.ndarray:
    return np.array([numbers.get(name, -1) for name in names], np.int64)


def _unknown(column: str, names: np.ndarray, word: str, answer: str) -> list[Note]:
    """A note about users or items that training did not have."""
    if not len(names):
        return []
    distinct = list(dict.fromkeys(str(name) for name in names))
    shown = ", ".join(f"`{name}`" for name in distinct[:5]) + (", …" if len(distinct) > 5 else "")
    many = f"{len(distinct):,} {word} in `{column}` were" if len(distinct) > 1 else \
        f"One of the {word} (`{column}`) was"
    return [Note("unseen_" + word, f"{many} not in training ({shown}); {answer}.", column, len(names), "warning")]
