"""Sample weights and class weights: how much a row counts in the error, and how often where rows are counted."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from pellucid.errors import DataError, SettingsError, did_you_mean

MOST_REPEATS = 5_000_000
"""Whole-number weights with a larger sum are relative ones: nobody has so many equal rows in mind."""


@dataclass(frozen=True)
class RowWeights:
    """The weights of the rows of a table.

    Whole numbers are taken at their word: a row of weight 3 counts as three equal rows in the error, and in all that is
    counted: scaling, vocabularies, quantiles, folds, calibration. Other weights are relative: they are scaled to a mean
    of 1 and count in the error only; with weight 0, a row counts nowhere.

    Args:
        weight: float32 (rows,), at least 0.
        counts: int64 (rows,), how many equal rows each row stands for.
    """

    weight: np.ndarray
    counts: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The numbers of the rows, each as often as it counts."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def times(self, factor: np.ndarray) -> RowWeights:
        """The same rows, counted as before, with other weights in the error."""
        return RowWeights((self.weight * factor).astype(np.float32), self.counts)


def row_weights(sample_weight: Any, rows: int) -> RowWeights:
    """The weights of `rows` rows; all 1 when `sample_weight` is `None`.

    Raises:
        ValueError: a wrong length, a weight below 0 or not finite, or no weight above 0.
    """
    if sample_weight is None:
        return RowWeights(np.ones(rows, np.float32), np.ones(rows, np.int64))
    weight = _check_sample_weight(sample_weight, np.zeros((rows, 1)), dtype=np.float64, ensure_non_negative=True)
    if not weight.any():
        raise DataError("All sample weights are zero; expected at least one above zero.", "leave them out")
    if (weight == np.floor(weight)).all() and weight.sum() <= max(MOST_REPEATS, rows):
        return RowWeights(weight.astype(np.float32), weight.astype(np.int64))
    return RowWeights((weight / weight[weight > 0].mean()).astype(np.float32), (weight > 0).astype(np.int64))


def class_factors(class_weight: str | Mapping[Any, float] | None, codes: np.ndarray, classes: np.ndarray,
                  weight: np.ndarray) -> np.ndarray:
    """float64 (rows,): by how much `class_weight` multiplies the weight of each row.

    Args:
        class_weight: `"balanced"` gives every class the same total weight; a mapping gives factors by label, 1 for
            labels that it leaves out.
        codes: (rows,) classes.
        classes: the labels.
        weight: (rows,) the weights before.

    Raises:
        SettingsError: a label that is no class, or a factor that is no number of at least 0.
    """
    if class_weight == "balanced":
        totals = np.bincount(codes, weights=weight, minlength=len(classes))
        return (totals.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1)))[codes]
    factors = np.ones(len(classes))
    given = class_weight if isinstance(class_weight, Mapping) else {}
    for label, factor in given.items():
        place = np.flatnonzero(classes == label)
        if not len(place):
            raise SettingsError(f"`class_weight` names {label!r}, which is not among the classes.",
                                did_you_mean(str(label), [str(one) for one in classes]))
        if isinstance(factor, str) or not np.isfinite(factor) or factor < 0:
            raise SettingsError(f"`class_weight` was {factor!r} for {label!r}; expected a number of at least 0.",
                                "pass {label: weight}, or `balanced`")
        factors[place] = factor
    return factors[codes]
