"""All columns of a table as one matrix of comparable numbers, for codes that are learned without answers."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import is_used
from pellucid.features.views import resampled, shrunken

KINDS = ("number", "category", "boolean", "date", "image", "series", "text")
"""Types of columns that can be looked at."""
PIXELS, POINTS, WORDS = 400, 32, 256
RAW_SHARE = 8.0
"""A picture, series or text counts for at most as much as so many numbers."""
LIMIT = 10.0
"""Standard deviations; a single odd value is not everything that there is to learn."""


def can_view(feature: AbstractFeature) -> bool:
    """Whether a column can be looked at."""
    return is_used(feature) and feature.kind in KINDS


def columns_of(features: Sequence[AbstractFeature], arrays: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Encoded rows as one matrix (rows, width), unscaled, and the place in `features` of each of its columns.

    Numbers stand as they are, categories as a column for each level, pictures shrunken, series at 32 places, and texts
    as sums of signed random numbers, one for each word, over 256 columns.
    """
    rows = len(arrays["numbers"])
    parts, sources, number, code, raw = [np.zeros((rows, 0), np.float32)], [], 0, 0, 0
    for place, feature in enumerate(features):
        if not is_used(feature):
            continue
        own = [arrays["numbers"][:, number:number + len(feature.numbers)]]
        number += len(feature.numbers)
        if feature.cardinality is not None:
            own.append((arrays["codes"][:, code, None] == np.arange(feature.cardinality)).astype(np.float32))
            code += 1
        if feature.is_raw:
            own.append(_raw(feature.kind, arrays["columns"][raw]))
            raw += 1
        parts += own
        sources += [place] * sum(part.shape[1] for part in own)
    return np.concatenate(parts, axis=1), np.array(sources, np.int64)


def _raw(kind: str, column: Mapping[str, np.ndarray]) -> np.ndarray:
    if kind == "image":
        small = shrunken(column["pixels"], PIXELS)
        return small.reshape(len(small), int(np.prod(small.shape[1:])))
    if kind == "series":
        points = resampled(column["values"], np.maximum(column["lengths"], 1), POINTS)
        return np.concatenate(points, axis=1).astype(np.float32)
    return _hashed(column)


def _hashed(column: Mapping[str, np.ndarray]) -> np.ndarray:
    """Weights of words over few columns: each word has a place and a sign of its own."""
    rows, places = np.nonzero(np.arange(column["codes"].shape[1]) < column["words"][:, None])
    mixed = (column["codes"][rows, places].astype(np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15)
    sign = np.where(mixed >> np.uint64(63), 1.0, -1.0)
    found = np.zeros((len(column["codes"]), WORDS))
    np.add.at(found, (rows, ((mixed >> np.uint64(32)) % np.uint64(WORDS)).astype(np.int64)),
              sign * column["weights"][rows, places])
    return found.astype(np.float32)


@dataclass(frozen=True, eq=False)
class View:
    """How a matrix of columns is scaled: fitted on training rows.

    Args:
        middle, scale: float32 (width,).
        sources: int64 (width,), the place among the features that each column comes from.
    """

    middle: np.ndarray
    scale: np.ndarray
    sources: np.ndarray

    @classmethod
    def fit(cls, features: Sequence[AbstractFeature], arrays: Mapping[str, Any]) -> View:
        """Columns of numbers get variance 1; the levels of a category, the pixels of a picture and so on keep their
        proportions and together get 1, or as much as they have numbers, up to 8."""
        matrix, sources = columns_of(features, arrays)
        middle, scale = matrix.mean(axis=0, dtype=np.float64), np.ones(matrix.shape[1])
        variance = matrix.var(axis=0, dtype=np.float64)
        for place in np.unique(sources):
            own, feature = sources == place, features[place]
            if feature.cardinality is None and not feature.is_raw:
                scale[own] = np.sqrt(variance[own])
            else:
                share = min(RAW_SHARE, own.sum()) if feature.is_raw else 1.0
                scale[own] = np.sqrt(variance[own].sum() / share)
        return cls(middle.astype(np.float32), np.where(scale > 1e-6, scale, 1).astype(np.float32), sources)

    def rows(self, features: Sequence[AbstractFeature], arrays: Mapping[str, Any]) -> np.ndarray:
        """float32 (rows, width): what a network takes."""
        matrix, _ = columns_of(features, arrays)
        return np.clip((matrix - self.middle) / self.scale, -LIMIT, LIMIT).astype(np.float32)

    def without(self, rows: np.ndarray, place: int) -> np.ndarray:
        """The same rows with the middle in place of one of the features."""
        return np.where(self.sources == place, 0, rows).astype(np.float32)
