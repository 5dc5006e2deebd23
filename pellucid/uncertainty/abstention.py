"""Answering only where the promised error rate holds: which confidence a row needs for an answer."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

from pellucid.core.declared import TRAIN

LEVELS = 20
"""Shares of rows that may be answered: 5 %, 10 %, …, all."""
SURENESS = 0.95
"""How often the bound on the error rate holds, over the choice of held-out rows."""


@dataclass(frozen=True, eq=False)
class Abstention:
    """How often held-out answers above some levels of confidence were wrong.

    Args:
        bars: float64 (levels,), falling: a row is answered where its confidence is above the bar.
        doubt: (levels,) the mean of 1 - confidence of the rows above each bar.
        count: (levels,) held-out rows above each bar.
        errors: (levels,) how many of their answers were wrong.
    """

    bars: np.ndarray
    doubt: np.ndarray
    count: np.ndarray
    errors: np.ndarray

    @classmethod
    def fit(cls, confidence: np.ndarray, wrong: np.ndarray) -> Abstention:
        """Learn from held-out rows.

        Args:
            confidence: (rows,) the probability of the answer.
            wrong: bool (rows,) whether the answer was wrong.

        Example:
            >>> Abstention.fit(np.linspace(0.5, 1, 400), np.arange(400) < 200).bar(0.05) > 0.7
            True
        """
        falling = np.sort(np.asarray(confidence, np.float64))[::-1]
        ranks = np.ceil(np.arange(1, LEVELS + 1) / LEVELS * len(falling)).astype(int)
        bars = np.append(falling[ranks[:-1] - 1], -np.inf) if len(falling) else np.full(LEVELS, -np.inf)
        above = np.asarray(confidence)[None] > bars[:, None]
        count = above.sum(axis=1)
        doubt = (above * (1 - np.asarray(confidence, np.float64))).sum(axis=1) / np.maximum(count, 1)
        return cls(bars, doubt, count, (above & np.asarray(wrong, bool)).sum(axis=1))

    def bar(self, risk: float, sureness: float = SURENESS) -> float:
        """The confidence above which answers are wrong at most this often; inf where no bar can promise that.

        The bars are tested one after another, each by a Clopper-Pearson bound on its error rate, until one fails; the
        lowest one that held is taken. Confidences alone, no answers, say where to begin: at the bar that would hold
        most easily if confidences were honest. So each test may use all of 1 - `sureness`, and the promise holds in
        `sureness` of all draws of held-out rows. A bar is the confidence of a row that is itself not counted, so that
        the rows above it are independent of it.

        Args:
            risk: the largest share of wrong answers among the answered rows, above 0 and below 1.
            sureness: above 0 and below 1.

        Sources: Geifman & El-Yaniv (2017), Selective classification for deep neural networks; Angelopoulos, Bates,
            Candès, Jordan, Lei (2021), Learn then test, fixed-sequence testing.
        """
        risk = check_risk(risk)
        expected = highest_rate(self.count, self.doubt * self.count, sureness)
        held = highest_rate(self.count, self.errors, sureness) <= risk
        lowest = np.inf
        for level in range(int(np.argmin(expected)), len(self.bars)):
            if not held[level]:
                break
            lowest = float(self.bars[level])
        return lowest

    def to_json(self) -> dict[str, Any]:
        """Plain values; the last bar, which lets every row through, is `None`."""
        return {"bars": [bar if np.isfinite(bar) else None for bar in self.bars.tolist()],
                "doubt": self.doubt.tolist(), "count": self.count.tolist(), "errors": self.errors.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Abstention | None:
        """What `to_json` wrote; `None` for `None`."""
        if value is None:
            return None
        bars = np.array([-np.inf if bar is None else bar for bar in value["bars"]], np.float64)
        return cls(bars, np.asarray(value["doubt"], np.float64), np.asarray(value["count"], np.int64),
                   np.asarray(value["errors"], np.int64))


def highest_rate(count: np.ndarray, errors: np.ndarray, sureness: float = SURENESS) -> np.ndarray:
    """The error rate that the true one exceeds with a chance of at most 1 - `sureness`, by Clopper and Pearson.

    Example:
        >>> highest_rate(np.array([100]), np.array([0])).round(3).tolist()
        [0.03]
    """
    some = (count > 0) & (errors < count)
    return np.where(some, beta.ppf(sureness, errors + 1, np.where(some, count - errors, 1)), 1.0)


def check_risk(risk: float) -> float:
    """`risk` as a float; `SettingsError` unless it lies strictly between 0 and 1."""
    return TRAIN["risk"].check(risk)
