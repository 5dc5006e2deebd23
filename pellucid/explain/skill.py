"""Whether a model predicts better than a guess that looks at no column: without that, there is nothing to explain."""
from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import t as student

FLOOR = 1e-12


@dataclass(frozen=True)
class Skill:
    """How much of a guess's error a model saves on rows that it did not learn from.

    Args:
        share: 1 - error / error of the guess; below 0 for a model that is worse. The error is the log loss of
            probabilities, the mean squared error of numbers.
        low, high: the 95 % interval of what the mean of both saves: above 0 only where the model knows something, even
            if it is too sure of it.
        rows: how many were judged.
    """

    share: float
    low: float
    high: float
    rows: int

    @property
    def shown(self) -> bool:
        """Whether the model was shown to know something."""
        return bool(self.low > 0)

    def to_json(self) -> dict[str, float | int]:
        """Plain values."""
        return asdict(self)


def skill(truth: np.ndarray, outputs: np.ndarray, guess: np.ndarray, rows: np.ndarray | None = None) -> Skill | None:
    """Compare a model with a guess on the same rows; `None` for fewer than two.

    The interval is that of a blend of half the model and half the guess: a model that knows something improves on the
    guess when a little of it is blended in, however wrong its confidence is.

    Args:
        truth: (rows,) class numbers, or numbers.
        outputs: probabilities (rows, classes), or numbers (rows,).
        guess: the same, of the guess.
        rows: (rows,) equal numbers for the same row judged more than once.

    Example:
        >>> found = skill(np.array([0.0, 1.0] * 50), np.array([0.1, 0.9] * 50), np.full(100, 0.5))
        >>> round(found.share, 2), found.shown
        (0.96, True)
    """
    def errors(said: np.ndarray) -> np.ndarray:
        if said.ndim == 1:
            return (said - truth) ** 2
        return -np.log(np.maximum(said[np.arange(len(truth)), truth.astype(int)], FLOOR))

    saved = _by_row(errors(guess) - errors((outputs + guess) / 2), rows)
    base = float(errors(guess).mean())
    if len(saved) < 2 or base <= 0:
        return None
    half = float(student.ppf(0.975, len(saved) - 1) * saved.std(ddof=1) / np.sqrt(len(saved)))
    mean = float(saved.mean())
    return Skill(1 - float(errors(outputs).mean()) / base, (mean - half) / base, (mean + half) / base, len(saved))


def _by_row(values: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    """The mean of the values of each row."""
    if rows is None:
        return values
    _, group = np.unique(rows, return_inverse=True)
    return np.bincount(group, values) / np.bincount(group)
