"""Conformal prediction with CV+: sets and intervals that keep a stated coverage.

Each of K members left out one fold of the training rows. How wrong member k was on the rows of its own fold (its
*scores*) says how far to trust it on a new row. No assumption is made about the data but that new rows are like the
old ones (exchangeable).

Guarantee: coverage of at least 1 - 2 alpha for alpha = 1 - coverage, up to a small term; about 1 - alpha in practice
(Barber, Candès, Ramdas, Tibshirani 2021, Predictive inference with the jackknife+, theorem 4 and section 4).
With one fold it is split conformal prediction, whose guarantee is 1 - alpha.

With few rows no finite answer can keep a high coverage: n rows allow at most n / (n + 1). Beyond it a set holds every
class and an interval is infinite, because that is the truth; `largest_coverage` says where it begins.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.uncertainty.scores import MOST_SCORES, Scores, by_fold, check_coverage, largest_coverage, needed
from pellucid.uncertainty.strangeness import Strangeness, class_scores

HALVINGS = 30
__all__ = ["MOST_SCORES", "ClassConformal", "NumberConformal", "Scores", "check_coverage", "class_scores"]


def _check_members(folds: tuple[Scores, ...], outputs: np.ndarray, shape: str, ndim: int) -> np.ndarray:
    outputs = np.asarray(outputs, dtype=np.float64)
    if outputs.ndim != ndim or len(outputs) != len(folds):
        raise ShapeError(f"Expected member outputs of shape ({len(folds)}, {shape}), got {outputs.shape}.",
                         "pass one output per member, in the order of the folds that they left out")
    return outputs


@dataclass(frozen=True, eq=False)
class ClassConformal:
    """Prediction sets: the classes that cannot be ruled out at a stated coverage.

    Args:
        folds: the scores of the rows of each fold.
        strangeness: what the scores are.

    Example:
        >>> held_out = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> conformal = ClassConformal.fit(held_out, labels=[0, 0, 1, 1], folds=[0, 0, 1, 1])
        >>> conformal.sets([[[0.95, 0.05]], [[0.9, 0.1]]], [[0.925, 0.075]], coverage=0.6).tolist()
        [[True, False]]
    """

    folds: tuple[Scores, ...]
    strangeness: Strangeness = Strangeness()

    @classmethod
    def fit(cls, probabilities: np.ndarray, labels: np.ndarray, folds: np.ndarray, num_folds: int | None = None,
            strangeness: Strangeness | None = None) -> ClassConformal:
        """Learn from held-out rows.

        Args:
            probabilities: (rows, classes); row i from the member that left out fold `folds[i]`, tempered as later
                in `sets`.
            labels: (rows,) index of the true class.
            folds: (rows,) 0 ... K-1.
            num_folds: K; by default the largest fold number + 1.
            strangeness: how strange a class is for a row; the least ambiguous score when `None`.
        """
        strangeness = strangeness or Strangeness()
        scores = strangeness(probabilities)
        labels = np.asarray(labels, dtype=np.int64)
        if scores.ndim != 2 or labels.shape != scores.shape[:1]:
            raise ShapeError(f"Expected probabilities (rows, classes) and labels (rows,), got {scores.shape} and "
                             f"{labels.shape}.", "pass one label for each row of probabilities")
        return cls(by_fold(scores[np.arange(len(labels)), labels], folds, num_folds), strangeness)

    @property
    def largest_coverage(self) -> float:
        """Above this coverage a set holds every class: too few rows to rule any out."""
        return largest_coverage(self.folds)

    def sets(self, member_probabilities: np.ndarray, probabilities: np.ndarray, coverage: float = 0.9) -> np.ndarray:
        """The classes that stay possible: those that fewer than ceil(coverage (n + 1)) held-out scores lie below.

        Args:
            member_probabilities: (K, rows, classes).
            probabilities: (rows, classes) the answer that is given; its top class is in every set.
            coverage: share of rows whose set holds the true class, above 0 and below 1.

        Returns:
            bool (rows, classes), at least one True in each row.

        Source: Romano, Sesia, Candès (2020), Classification with valid and adaptive coverage, CV+.
        """
        members = _check_members(self.folds, member_probabilities, "rows, classes", 3)
        below = np.zeros(members.shape[1:], dtype=np.int64)
        for fold, scores in zip(self.folds, self.strangeness(members), strict=True):
            below += fold.ranks()[np.searchsorted(fold.values, scores, side="left")]
        sets = below < needed(self.folds, coverage)
        if len(sets):
            sets[np.arange(len(sets)), np.asarray(probabilities).argmax(axis=1)] = True
        return sets

    def to_json(self) -> dict[str, Any]:
        """A JSON value."""
        return {"kind": "classes", "folds": [fold.to_json() for fold in self.folds],
                "strangeness": self.strangeness.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ClassConformal:
        """What `to_json` wrote."""
        return cls(tuple(Scores.from_json(fold) for fold in value["folds"]),
                   Strangeness.from_json(value.get("strangeness")))


@dataclass(frozen=True, eq=False)
class NumberConformal:
    """Prediction intervals: where the true number lies at a stated coverage.

    Example:
        >>> conformal = NumberConformal.fit(residuals=[1.0, -2.0, 3.0, 0.5], folds=[0, 0, 1, 1])
        >>> lower, upper = conformal.intervals([[10.0], [10.0]], coverage=0.8)
        >>> lower.tolist(), upper.tolist()
        ([7.0], [13.0])
    """

    folds: tuple[Scores, ...]

    @classmethod
    def fit(cls, residuals: np.ndarray, folds: np.ndarray, num_folds: int | None = None) -> NumberConformal:
        """Learn from held-out rows.

        Args:
            residuals: (rows,) truth minus the prediction of the member that left out fold `folds[i]`, in the
                units of the target.
            folds: (rows,) 0 ... K-1.
            num_folds: K; by default the largest fold number + 1.
        """
        return cls(by_fold(np.abs(np.asarray(residuals, dtype=np.float64)), folds, num_folds))

    @property
    def largest_coverage(self) -> float:
        """Above this coverage intervals are infinite: too few rows for a bound."""
        return largest_coverage(self.folds)

    def intervals(self, member_outputs: np.ndarray, coverage: float = 0.9,
                  prediction: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends (rows,): the CV+ order statistics of prediction -/+ residual over all held-out rows.

        Args:
            member_outputs: (K, rows), in the units of the target.
            coverage: share of rows whose interval holds the truth, above 0 and below 1.
            prediction: (rows,) the answer that is given; intervals are widened to hold it where they do not.

        Returns:
            (lower, upper), -inf and inf when `coverage` is above `largest_coverage`.
        """
        members = _check_members(self.folds, member_outputs, "rows", 2)
        rank = needed(self.folds, coverage)
        if rank > sum(fold.count for fold in self.folds):
            infinite = np.full(members.shape[1], np.inf)
            return -infinite, infinite
        lower, upper = -self._order_statistic(-members, rank), self._order_statistic(members, rank)
        also = upper if prediction is None else np.asarray(prediction, dtype=np.float64)
        return np.minimum(np.minimum(lower, upper), also), np.maximum(np.maximum(lower, upper), also)

    def _order_statistic(self, members: np.ndarray, rank: int) -> np.ndarray:
        """The `rank`-th smallest of members[k] + score over all folds k and their scores, for each row.

        Between the smallest and the largest of the folds' own order statistics the interval that holds it is halved,
        counting by binary search: K log(n) per row and step instead of n. What is left is 1e-9 of that distance, on
        the safe side.
        """
        count = sum(fold.count for fold in self.folds)
        order = np.argsort(members.mean(axis=0))  # binary search is twice as fast for ordered rows
        folds = [(fold.values, fold.ranks(), outputs)
                 for fold, outputs in zip(self.folds, members[:, order], strict=True) if fold.count]
        bound = [values[min(np.searchsorted(ranks, math.ceil(rank * ranks[-1] / count)), len(values)) - 1]
                 + outputs for values, ranks, outputs in folds]
        low, high = np.min(bound, axis=0), np.max(bound, axis=0)
        for _ in range(HALVINGS if len(folds) > 1 else 0):
            middle = (low + high) / 2
            enough = sum(ranks[np.searchsorted(values, middle - outputs, side="right")]
                         for values, ranks, outputs in folds) >= rank
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        result = np.empty_like(high)
        result[order] = high
        return result

    def to_json(self) -> dict[str, Any]:
        """A JSON value."""
        return {"kind": "numbers", "folds": [fold.to_json() for fold in self.folds]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> NumberConformal:
        """What `to_json` wrote."""
        return cls(tuple(Scores.from_json(fold) for fold in value["folds"]))
