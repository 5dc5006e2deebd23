"""Is a row like those of the training? A distance from what is usual, and its p-value; no training row is kept."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri
from sklearn.covariance import ledoit_wolf

from pellucid.uncertainty.scores import Scores, evenly

GRID = 65
MOST_CHANNELS = 256
"""With more channels, how they vary together is left out: it could not be learned, or would fill the file."""
MOST_ROWS = 5000
TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual in rows of channels and codes: how each channel is distributed, and how they vary together.

    Args:
        quantiles: (channels, grid) of each channel; they become normal scores, beyond the ends by the last slope.
        shares: for each column of codes, (codes,) how often each occurs, none of them 0.
        center: (columns,) of normal scores and one-hot codes.
        precision: (columns, columns) the inverse covariance, or (columns,) where only variances are known.
    """

    quantiles: np.ndarray
    shares: tuple[np.ndarray, ...]
    center: np.ndarray
    precision: np.ndarray

    @classmethod
    def fit(cls, channels: np.ndarray, codes: np.ndarray, cardinalities: Sequence[int]) -> Usual:
        """Learn from training rows: (rows, channels) numbers and (rows, columns) codes."""
        some = evenly(len(channels), MOST_ROWS)
        channels, codes = np.asarray(channels, np.float64)[some], codes[some]
        quantiles = np.quantile(channels, _grid(), axis=0).T
        shares = tuple((np.bincount(codes[:, place], minlength=count) + 0.5) / (len(codes) + 0.5 * count)
                       for place, count in enumerate(cardinalities))
        bare = cls(quantiles, shares, np.zeros(0), np.zeros(0))
        joined = bare.joined(bare.normal_scores(channels), codes)
        center = joined.mean(axis=0) if len(joined) else np.zeros(joined.shape[1])
        if joined.shape[1] > MOST_CHANNELS or len(joined) < 3 or not joined.shape[1]:
            return cls(quantiles, shares, center, 1 / np.maximum(joined.var(axis=0), 1 / max(len(joined), 1)))
        covariance = ledoit_wolf(joined)[0] + np.eye(joined.shape[1]) / len(joined)
        return cls(quantiles, shares, center, np.linalg.inv(covariance))

    def normal_scores(self, channels: np.ndarray) -> np.ndarray:
        """(rows, channels): where each value stands, as the quantile of a normal distribution."""
        places, scores = ndtri(_grid()), np.empty(channels.shape, np.float64)
        for index, own in enumerate(self.quantiles):
            known, first = np.unique(own, return_index=True)
            last = len(own) - 1 - np.unique(own[::-1], return_index=True)[1]
            score = (places[first] + places[last]) / 2
            scores[:, index] = np.interp(channels[:, index], known, score)
            wide = max(float(own[-1] - own[0]) / (places[-1] - places[0]), TINY)
            scores[:, index] += np.maximum(channels[:, index] - known[-1], 0) / wide
            scores[:, index] -= np.maximum(known[0] - channels[:, index], 0) / wide
        return np.clip(scores, -100, 100)

    def joined(self, scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """(rows, columns): normal scores and standardised one-hot codes side by side."""
        hot = [(np.arange(len(share)) == codes[:, place, None]) / np.sqrt(share)
               for place, share in enumerate(self.shares)]
        return np.column_stack([scores, *hot])

    def distances(self, channels: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """float64 (rows, 2): how far a row is from the middle, all channels together; and its strangest channel."""
        scores = self.normal_scores(np.asarray(channels, np.float64))
        away = self.joined(scores, codes) - self.center
        together = (away @ self.precision * away if self.precision.ndim == 2 else away * away * self.precision)
        rare = [ndtri(1 - share[codes[:, place]] / 2) for place, share in enumerate(self.shares)]
        single = np.abs(np.column_stack([scores, *rare])) if scores.shape[1] or rare else np.zeros((len(away), 1))
        return np.column_stack([np.sqrt(np.maximum(together.sum(axis=1), 0)), single.max(axis=1)])


def _grid() -> np.ndarray:
    return (np.arange(GRID) + 0.5) / GRID


@dataclass(frozen=True, eq=False)
class Ranks:
    """How far held-out rows were, by each kind of distance, and the p-value that all kinds together give.

    Args:
        kinds: the distances of held-out rows, one for each kind.
        joint: 1 minus the least p-value of each held-out row.
    """

    kinds: tuple[Scores, ...]
    joint: Scores

    @classmethod
    def fit(cls, distances: np.ndarray) -> Ranks:
        """Learn from the distances (rows, kinds) of rows that nothing was fitted to."""
        kinds = tuple(Scores.of(column) for column in distances.T)
        return cls(kinds, Scores.of(1 - _least(kinds, distances)))

    def __call__(self, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many times as far as the median held-out row, by the strangest kind; and the p-value; both (rows,)."""
        middle = np.array([max(float(np.median(own.values)), TINY) for own in self.kinds])
        return (distances / middle).max(axis=1), _tail(self.joint, 1 - _least(self.kinds, distances) - 1e-9)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kinds": [own.to_json() for own in self.kinds], "joint": self.joint.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ranks:
        """What `to_json` wrote."""
        return cls(tuple(Scores.from_json(own) for own in value["kinds"]), Scores.from_json(value["joint"]))


def _least(kinds: Sequence[Scores], distances: np.ndarray) -> np.ndarray:
    return np.min([_tail(own, column) for own, column in zip(kinds, distances.T, strict=True)], axis=0)


def _tail(scores: Scores, values: np.ndarray) -> np.ndarray:
    """(1 + how many scores are at least as large) / (1 + all of them), float64 (rows,)."""
    below = scores.ranks()[np.searchsorted(scores.values, values, side="left")]
    return (1 + scores.count - below) / (1 + scores.count)


def left_out_distances(channels: np.ndarray, codes: np.ndarray, cardinalities: Sequence[int],
                       folds: np.ndarray) -> np.ndarray:
    """float64 (rows, 2): each row's distances from what is usual in the other folds."""
    distances = np.zeros((len(channels), 2))
    for fold in np.unique(folds):
        here = folds == fold
        distances[here] = Usual.fit(channels[~here], codes[~here], cardinalities).distances(channels[here], codes[here])
    return distances
