"""How strange held-out rows were, sorted and kept small: what conformal prediction looks up."""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.declared import TRAIN
from pellucid.errors import DataError, ShapeError

MOST_SCORES = 2000


@dataclass(frozen=True, eq=False)
class Scores:
    """The sorted scores of one fold, rounded up to eight digits so that a saved model holds just these.

    Above `MOST_SCORES` only evenly spaced ones are kept, each standing for those below it.

    Attributes:
        values: ascending, float64.
        count: how many scores they stand for.
    """

    values: np.ndarray
    count: int

    @classmethod
    def of(cls, scores: np.ndarray) -> Scores:
        """Sort and, where there are many, compress; a compressed score is never smaller than the true one."""
        values = np.sort(_round_up(np.asarray(scores, dtype=np.float64)))
        return cls(values[_ranks(len(values), min(len(values), MOST_SCORES))[1:] - 1], len(values))

    def ranks(self) -> np.ndarray:
        """How many scores lie within the first j stored values, for j = 0 ... len(values)."""
        return _ranks(self.count, len(self.values))

    def to_json(self) -> dict[str, Any]:
        """A JSON value; `from_json` gives the same scores to the last bit."""
        return {"count": self.count, "values": self.values.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scores:
        """The scores that `to_json` wrote."""
        return cls(np.asarray(value["values"], dtype=np.float64), int(value["count"]))


def _ranks(count: int, kept: int) -> np.ndarray:
    """0 and then the ranks 1 ... count of the `kept` stored scores, the last one always the largest."""
    return -(-np.arange(kept + 1) * count // max(kept, 1))


def _round_up(values: np.ndarray) -> np.ndarray:
    """Eight significant digits, never less than `values`, which are not negative."""
    unit = 10.0 ** (np.floor(np.log10(np.where(values > 0, values, 1.0))) - 7)
    return np.array([float(f"{value:.8g}") for value in np.ceil(values / unit) * unit], dtype=np.float64)


def check_coverage(coverage: float) -> float:
    """`coverage` as a float; `SettingsError` unless it lies strictly between 0 and 1."""
    return TRAIN["coverage"].check(coverage)


def by_fold(scores: np.ndarray, folds: np.ndarray, num_folds: int | None) -> tuple[Scores, ...]:
    """The scores (rows,) of each fold; `DataError` where there is no row or a score is not finite."""
    folds = np.asarray(folds, dtype=np.int64)
    if folds.shape != scores.shape:
        raise ShapeError(f"Expected one fold number for each of {len(scores)} rows, got {folds.shape}.",
                         "pass folds of shape (rows,)")
    if not len(scores) or not np.isfinite(scores).all():
        raise DataError("Conformal prediction needs at least one held-out row, and finite predictions for all of them.",
                        "leave some rows out of training, or lower the learning rate if training diverged")
    num_folds = int(folds.max()) + 1 if num_folds is None else num_folds
    return tuple(Scores.of(scores[folds == fold]) for fold in range(num_folds))


def needed(folds: tuple[Scores, ...], coverage: float) -> int:
    """The rank of the score that a new row's score stays below with this coverage; above n when there is none."""
    return max(1, math.ceil(check_coverage(coverage) * (sum(fold.count for fold in folds) + 1) - 1e-9))


def largest_coverage(folds: tuple[Scores, ...]) -> float:
    """The coverage above which n scores say nothing: n / (n + 1)."""
    count = sum(fold.count for fold in folds)
    return count / (count + 1)


def evenly(rows: int, most: int) -> np.ndarray:
    """At most `most` row numbers, evenly drawn from 0 to `rows`.

    Example:
        >>> evenly(9, 3).tolist(), evenly(2, 5).tolist()
        ([0, 4, 8], [0, 1])
    """
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))


def plain_quantile(scores: np.ndarray, coverage: float) -> float:
    """The score that a new one stays at or below with this coverage; inf for want of rows.

    Example:
        >>> plain_quantile(np.arange(1, 10), 0.8), plain_quantile(np.arange(1, 10), 0.95)
        (8.0, inf)
    """
    rank = math.ceil(coverage * (len(scores) + 1) - 1e-9)
    return float(np.partition(np.asarray(scores, dtype=np.float64), rank - 1)[rank - 1]) if rank <= len(scores) else (
        math.inf)
