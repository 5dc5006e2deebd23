"""How strange each class would be for a row: by its own probability, or by all that is more probable."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.uncertainty.scores import plain_quantile

PENALTIES = (0.0, 0.01, 0.1, 0.3)
FEWEST_ROWS = 100
"""With fewer held-out rows nothing is chosen: they could not tell."""


def class_scores(probabilities: np.ndarray) -> np.ndarray:
    """How strange each class would be: 0 for the most probable class, 1 - p for the others.

    1 - p gives the smallest sets on average (Sadinle, Lei, Wasserman 2019, Least ambiguous set-valued classifiers).
    The top class belongs to every set anyway; counting it as not strange at all keeps that from widening the rest.

    Args:
        probabilities: (..., classes).
    """
    scores = 1.0 - np.asarray(probabilities, dtype=np.float64)
    return np.where(scores == scores.min(axis=-1, keepdims=True), 0.0, scores)


@dataclass(frozen=True)
class Strangeness:
    """The score behind prediction sets.

    Args:
        kind: `"least_ambiguous"`: 1 - p, see `class_scores`; or `"adaptive"`: the probability of all classes that are
            more probable, plus `penalty` for each place in the ranking beyond the first `free` ones. Either way the
            most probable class has score 0, so that no set is empty.
        penalty: at least 0; keeps improbable classes out of large sets.
        free: places without penalty, at least 1.

    Source: Angelopoulos, Bates, Malik, Jordan (2021), Uncertainty sets for image classifiers using conformal
        prediction (RAPS), without the random part.

    Example:
        >>> Strangeness("adaptive", 0.1)(np.array([[0.5, 0.3, 0.2]])).round(2).tolist()
        [[0.0, 0.6, 1.0]]
    """

    kind: str = "least_ambiguous"
    penalty: float = 0.0
    free: int = 1

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """Scores like `probabilities` (..., classes), at least 0."""
        if self.kind == "least_ambiguous":
            return class_scores(probabilities)
        probabilities = np.asarray(probabilities, dtype=np.float64)
        order = np.argsort(-probabilities, axis=-1, kind="stable")
        place = np.argsort(order, axis=-1, kind="stable")
        ranked = np.take_along_axis(probabilities, order, axis=-1)
        before = np.take_along_axis(np.cumsum(ranked, axis=-1) - ranked, place, axis=-1)
        penalty = self.penalty * np.maximum(place + 1 - self.free, 0)
        return np.where(place == 0, 0.0, np.maximum(before, 0.0) + penalty)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Strangeness:
        """What `to_json` wrote; the first kind for files that say nothing."""
        return cls(**(value or {}))


def choose_strangeness(probabilities: np.ndarray, labels: np.ndarray, folds: np.ndarray,
                       coverage: float) -> Strangeness:
    """The score whose sets are smallest at this coverage on rows that its quantile was not taken from.

    The least ambiguous score stays unless an adaptive one makes smaller sets by more than two standard errors.

    Args:
        probabilities: (rows, classes), held out and calibrated.
        labels: (rows,).
        folds: (rows,) each fold's sets are made by the quantile of the other folds.
        coverage: the promised one.
    """
    best, classes = Strangeness(), probabilities.shape[1]
    if classes < 3 or len(labels) < FEWEST_ROWS:
        return best
    smallest = left_out_sizes(best, probabilities, labels, folds, coverage)
    for penalty in PENALTIES:
        for free in (1, 2, 5)[:1 if penalty == 0 else 3]:
            if free >= classes:
                continue
            rival = Strangeness("adaptive", penalty, free)
            sizes = left_out_sizes(rival, probabilities, labels, folds, coverage)
            gain = smallest - sizes
            if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)) and gain.mean() > 0:
                best, smallest = rival, sizes
    return best


def left_out_sizes(strangeness: Strangeness, probabilities: np.ndarray, labels: np.ndarray, folds: np.ndarray,
                   coverage: float) -> np.ndarray:
    """The number of classes in each row's set, (rows,), where the quantile comes from the rows of other folds."""
    scores = strangeness(probabilities)
    own = scores[np.arange(len(labels)), labels]
    sizes = np.empty(len(labels))
    for fold in np.unique(folds):
        here = folds == fold
        bar = plain_quantile(own[~here], coverage) if not here.all() else np.inf
        sizes[here] = (scores[here] <= bar).sum(axis=1)
    return sizes
