"""Plain detectors that the network is held against; they see the same encoded rows."""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from threadpoolctl import threadpool_limits

LABELS = {"isolation_forest": "isolation forest", "local_outlier_factor": "local outlier factor"}
MOST_NEIGHBOURS_ROWS = 10_000
MOST_COLUMNS = 1000


@dataclass(frozen=True)
class Plain:
    """Scores of a plain method, and the seconds that fitting took."""

    scores: np.ndarray
    seconds: float


def plain_scores(learned: Mapping[str, Any], asked: Mapping[str, Any], cardinalities: tuple[int, ...],
                 seed: int) -> dict[str, Plain]:
    """How strange the rows `asked` are to plain methods that were fitted on the rows `learned`."""
    first, second = (_matrix(inputs, cardinalities) for inputs in (learned, asked))
    found = {}
    for name, make in (("isolation_forest", _forest), ("local_outlier_factor", _neighbours)):
        start = time.perf_counter()
        with threadpool_limits(1 if first.size < 1_000_000 else None):
            method = make(first, seed)
            seconds = time.perf_counter() - start
            found[name] = Plain(-method.score_samples(second), seconds)
    return found


def _matrix(inputs: Mapping[str, Any], cardinalities: tuple[int, ...]) -> np.ndarray:
    """Numbers, one-hot categories and pixels (at most about a thousand of each picture) in one matrix."""
    parts = [inputs["numbers"]]
    parts += [np.eye(levels, dtype=np.float32)[codes] for codes, levels in zip(inputs["codes"].T, cardinalities,
                                                                                strict=True)]
    for column in inputs.get("columns", ()):
        pixels = next(iter(column.values()))
        flat = pixels.reshape(len(pixels), -1)
        flat = flat[:, ::-(-flat.shape[1] // MOST_COLUMNS)].astype(np.float32)
        parts.append(flat / 255 if pixels.dtype == np.uint8 else flat)
    return np.concatenate(parts, axis=1)


def _forest(rows: np.ndarray, seed: int) -> IsolationForest:
    return IsolationForest(random_state=seed).fit(rows)


def _neighbours(rows: np.ndarray, seed: int) -> LocalOutlierFactor:
    """On a sample of many rows: neighbours are searched for among all."""
    if len(rows) > MOST_NEIGHBOURS_ROWS:
        rows = rows[np.random.default_rng(seed).choice(len(rows), MOST_NEIGHBOURS_ROWS, replace=False)]
    return LocalOutlierFactor(n_neighbors=min(20, len(rows) - 1), novelty=True).fit(rows)
