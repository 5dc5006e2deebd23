"""Encoded training rows, and who leaves out which of them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.features.base import AbstractFeature
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.model.groups import Grouping

FEWEST_FOLDS = 5
"""A single network leaves out one of so many folds."""
ENOUGH_HELD_OUT = 3000
"""Few networks for raw columns leave out no more than about so many rows each."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Encoded training rows.

    Args:
        features: how the inputs were encoded.
        target: how the answers were encoded.
        inputs: `"numbers"` float32 (rows, n), `"codes"` int32 (rows, c), and the raw `"columns"` where there are some;
            see `features.inputs.Inputs`.
        answers: int32 (rows,) classes, or float32 (rows,) standardised numbers.
        weight: (rows,) how much each row counts, at least 0.
        folds: (rows,) the fold of each row, from 0.
        counts: int (rows,) how many equal rows each row stands for; 0 or 1 by its weight when `None`.
        notes: what was noticed while pictures, recordings and the like were read.
        grouping: the groups that are each promised the coverage.
        groups: (rows,) the group of each row, -1 for none.
    """

    features: tuple[AbstractFeature, ...]
    target: ClassTarget | NumberTarget
    inputs: Mapping[str, Any]
    answers: np.ndarray
    weight: np.ndarray
    folds: np.ndarray
    counts: np.ndarray | None = None
    notes: tuple[Note, ...] = ()
    grouping: Grouping | None = None
    groups: np.ndarray | None = None

    @property
    def task(self) -> str:
        """`"classify"` or `"regress"`."""
        return "classify" if isinstance(self.target, ClassTarget) else "regress"

    @property
    def counted(self) -> np.ndarray:
        """The numbers of the rows, each as often as it counts: for quantiles and everything else that is counted."""
        return np.repeat(np.arange(len(self.weight)), self.weight > 0 if self.counts is None else self.counts)

    @property
    def weight_of_counted(self) -> np.ndarray:
        """The weight of each of the rows that are `counted`: a row that counts three times shares its weight out."""
        return self.weight[self.counted] / (1 if self.counts is None else self.counts[self.counted])


def num_folds(settings: Mapping[str, Any], rows: int) -> int:
    """How many folds the rows are dealt to: one for each member, more where few members would lose too many rows."""
    members = settings["members"]
    if settings.get("raw") and members < FEWEST_FOLDS:
        return max(FEWEST_FOLDS, min(rows // ENOUGH_HELD_OUT, 20))
    return FEWEST_FOLDS if members == 1 else members


def folds_of(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """The fold that each member leaves out, kind after kind."""
    count, same = settings["members"], settings.get("same_fold", False)
    return tuple(0 if same else member for member in range(count)) * len(settings["kinds"])
