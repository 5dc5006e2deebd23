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
        count: (levels,) held-out rows above each bar.
        errors: (levels,) how many of their answers were wrong.
    """

    bars: np.ndarray
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
        above = confidence[None] > bars[:, None]
        return cls(bars, above.sum(axis=1), (above & np.asarray(wrong, bool)).sum(axis=1))

    def bounds(self, sureness: float = SURENESS) -> np.ndarray:
        """(levels,) error rates that none of the true ones exceeds, in `sureness` of the draws of held-out rows.

        Clopper-Pearson bounds, each at (1 - sureness) / levels, so that the best level may be chosen afterwards. A bar
        is the confidence of a row that is itself not counted, so that the others are independent of it.

        Source: Geifman & El-Yaniv (2017), Selective classification for deep neural networks.
        """
        wrong = np.minimum(self.errors + 1, self.count)
        upper = beta.ppf(1 - (1 - sureness) / len(self.bars), wrong, np.maximum(self.count - wrong + 1, 1))
        return np.where((self.count > 0) & (self.errors < self.count), upper, 1.0)

    def bar(self, risk: float) -> float:
        """The confidence above which answers are wrong at most this often; inf where no bar can promise that.

        Args:
            risk: the largest share of wrong answers among the answered rows, above 0 and below 1.
        """
        kept = np.flatnonzero(self.bounds() <= check_risk(risk))
        return float(self.bars[kept[-1]]) if len(kept) else np.inf

    def to_json(self) -> dict[str, Any]:
        """Plain values; the last bar, which lets every row through, is `None`."""
        return {"bars": [bar if np.isfinite(bar) else None for bar in self.bars.tolist()],
                "count": self.count.tolist(), "errors": self.errors.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Abstention | None:
        """What `to_json` wrote; `None` for `None`."""
        if value is None:
            return None
        bars = np.array([-np.inf if bar is None else bar for bar in value["bars"]], np.float64)
        return cls(bars, np.asarray(value["count"], np.int64), np.asarray(value["errors"], np.int64))


def check_risk(risk: float) -> float:
    """`risk` as a float; `SettingsError` unless it lies strictly between 0 and 1."""
    return TRAIN["risk"].check(risk)
