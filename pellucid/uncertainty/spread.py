"""How wrong a predicted number usually is for rows like this one: the spread that intervals are scaled by."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.uncertainty.scores import evenly, plain_quantile

KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)
PULLS = (1.0, 10.0, 100.0)
LARGEST_RATIO = 6.0
"""A spread is at most so many times larger or smaller than the middle one: it is a guess beyond the rows seen."""
NARROWER = 0.97
"""A learned spread has to make intervals narrower by so much on average; less may be chance."""
FEWEST_ROWS = 100
"""With fewer held-out rows the spread is the same everywhere."""
MOST_ROWS, MOST_CROSSED = 5000, 2000
MOST_STEPS = 50


@dataclass(frozen=True, eq=False)
class LearnedSpread:
    """The mean size of the error, exp(weights · z), where z holds the prediction's place between knots, and channels.

    Args:
        knots: of the predicted number, rising.
        center, scale: of the columns of z, (columns,).
        weights: (1 + columns,), the first one for the constant.
        middle: the median spread of the rows it was learned from; spreads stay within `LARGEST_RATIO` of it.
        channels: whether z holds the input channels, not only the prediction.
    """

    knots: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    middle: float
    channels: bool

    @classmethod
    def fit(cls, residuals: np.ndarray, predictions: np.ndarray, channels: np.ndarray | None,
            pull: float) -> LearnedSpread:
        """Learn from held-out rows by the likelihood of Laplace's distribution: the least mean of log s + |r| / s.

        Args:
            residuals: (rows,) truth minus prediction.
            predictions: (rows,) of networks that did not learn from the row.
            channels: (rows, channels) what else the spread may depend on; `None` for the prediction alone.
            pull: how strongly the weights but the constant are pulled to 0, in rows.
        """
        knots = np.unique(np.quantile(predictions, KNOTS))
        design = _design(predictions, knots, channels)
        center, scale = design.mean(axis=0), np.maximum(design.std(axis=0), 1e-9)
        z = np.column_stack([np.ones(len(design)), (design - center) / scale])
        size = np.maximum(np.abs(residuals), 1e-12 + 1e-3 * np.mean(np.abs(residuals)))

        pulls = np.append(0.0, np.full(design.shape[1], pull)) / len(z)
        weights = np.append(np.log(size.mean()), np.zeros(design.shape[1]))
        for _ in range(MOST_STEPS):
            weights, moved = _newton_step(z, size, pulls, weights)
            if moved < 1e-4:
                break
        middle = float(np.exp(np.median(z @ weights)))
        return cls(knots, center, scale, weights, middle, channels is not None)

    def __call__(self, predictions: np.ndarray, channels: np.ndarray | None = None) -> np.ndarray:
        """The spread of each row, float64 (rows,), above 0."""
        design = (_design(predictions, self.knots, channels if self.channels else None) - self.center) / self.scale
        log_spread = self.weights[0] + np.clip(design, -10, 10) @ self.weights[1:]
        bound = np.log(LARGEST_RATIO)
        return np.exp(np.clip(log_spread, np.log(self.middle) - bound, np.log(self.middle) + bound))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"knots": self.knots.tolist(), "center": self.center.tolist(), "scale": self.scale.tolist(),
                "weights": self.weights.tolist(), "middle": self.middle, "channels": self.channels}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> LearnedSpread | None:
        """What `to_json` wrote; `None` for `None`."""
        if value is None:
            return None
        arrays = (np.asarray(value[name], np.float64) for name in ("knots", "center", "scale", "weights"))
        return cls(*arrays, float(value["middle"]), bool(value["channels"]))


def _newton_step(z: np.ndarray, size: np.ndarray, pulls: np.ndarray,
                 weights: np.ndarray) -> tuple[np.ndarray, float]:
    """One step down the convex error of `LearnedSpread.fit`, halved while it leads up; and how far a spread moved."""
    def error(weights: np.ndarray) -> float:
        log_spread = np.clip(z @ weights, -500, 500)
        return float(np.mean(log_spread + size * np.exp(-log_spread)) + pulls @ weights**2 / 2)

    relative = size * np.exp(-np.clip(z @ weights, -500, 500))
    slope = z.T @ (1 - relative) / len(z) + pulls * weights
    bend = (z.T * relative) @ z / len(z) + np.diag(pulls + 1e-9)
    step = np.linalg.solve(bend, slope)
    step *= min(1.0, 2 / max(float(np.abs(z @ step).max()), 1e-12))
    before = error(weights)
    for _ in range(20):
        if error(weights - step) <= before:
            break
        step = step / 2
    else:
        return weights, 0.0
    return weights - step, float(np.abs(z @ step).max())


def _design(predictions: np.ndarray, knots: np.ndarray, channels: np.ndarray | None) -> np.ndarray:
    """(rows, columns): how far the prediction lies within each part between two knots, then the channels."""
    predictions = np.asarray(predictions, np.float64)
    parts = [np.clip(predictions, low, high) for low, high in zip(knots[:-1], knots[1:], strict=True)]
    parts = parts or [np.zeros(len(predictions))]
    return np.column_stack(parts if channels is None else [*parts, channels])


def choose_spread(residuals: np.ndarray, predictions: np.ndarray, channels: np.ndarray | None, folds: np.ndarray,
                  coverage: float) -> tuple[LearnedSpread | None, np.ndarray]:
    """The spread that gives the best intervals on rows it was not learned from, and each row's own.

    Args:
        residuals, predictions, channels: as for `LearnedSpread.fit`.
        folds: (rows,) each fold's spread is learned from the others.
        coverage: of the intervals.

    Returns:
        The spread, learned from all rows, or `None` where a constant one is as good: where the interval score
        (Gneiting & Raftery 2007) is not better by two standard errors, or the mean width not smaller by 3 %; and
        (rows,) what the other folds say about each row, 1 for a constant one.
    """
    if len(residuals) < FEWEST_ROWS or len(np.unique(folds)) < 2 or not np.abs(residuals).max() > 0:
        return None, np.ones(len(residuals))
    best, found = _interval_scores(residuals, np.ones(len(residuals)), folds, coverage), (None, np.ones(len(residuals)))
    for kind in (None, channels) if channels is not None and channels.shape[1] else (None,):
        for pull in PULLS:
            spread = _left_out_spread(residuals, predictions, kind, folds, pull)
            rival = _interval_scores(residuals, spread, folds, coverage)
            gain = best[0] - rival[0]
            better = gain.mean() > 2 * gain.std() / np.sqrt(len(gain))
            if better and rival[1].mean() <= (NARROWER if found[0] is None else 1.0) * best[1].mean():
                best, found = rival, ((kind, pull), spread)
    if found[0] is None:
        return None, found[1]
    kept = evenly(len(residuals), MOST_ROWS)
    channels = None if found[0][0] is None else channels[kept]
    return LearnedSpread.fit(residuals[kept], predictions[kept], channels, found[0][1]), found[1]


def _left_out_spread(residuals: np.ndarray, predictions: np.ndarray, channels: np.ndarray | None, folds: np.ndarray,
                     pull: float) -> np.ndarray:
    spread = np.empty(len(residuals))
    for fold in np.unique(folds):
        here, others = folds == fold, np.flatnonzero(folds != fold)
        others = others[evenly(len(others), MOST_CROSSED)]
        learned = LearnedSpread.fit(residuals[others], predictions[others],
                                    None if channels is None else channels[others], pull)
        spread[here] = learned(predictions[here], None if channels is None else channels[here])
    return spread


def _interval_scores(residuals: np.ndarray, spread: np.ndarray, folds: np.ndarray,
                     coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) the interval score and (rows,) the width; each fold's quantile comes from the other folds."""
    half = np.empty(len(residuals))
    for fold in np.unique(folds):
        here = folds == fold
        half[here] = spread[here] * plain_quantile(np.abs(residuals[~here]) / spread[~here], coverage)
    beyond = np.maximum(np.abs(residuals) - half, 0)
    return 2 * half + 2 / (1 - coverage) * beyond, 2 * half
