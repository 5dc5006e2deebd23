"""Whether an explanation can be relied on: does the answer change as it says, and does it come from what was learned?

Of one row: parts are taken away (deletion) or put in (insertion) in the order of the explanation and in random orders.
Of a model: explanations must change when the weights are drawn anew, must be alike for networks that learned from
other rows, and the model must predict better than a guess.

Source: Petsiuk, Das, Saenko 2018, RISE (deletion and insertion); Adebayo et al. 2018, Sanity checks for saliency maps.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from pellucid.explain.game import Game

RANDOM_ORDERS = 16
STEPS = 5
"""Places of a curve that are asked; all of them where there are no more parts."""
LEAST_STABILITY, MOST_RANDOM = 0.5, 0.7
NEGLIGIBLE = 0.03
"""Of the largest contribution: parts that hold less have no rank of their own."""
DO_NOT_RELY = "Do not rely on this explanation"
RELY = "This explanation passed its tests"


@dataclass(frozen=True)
class Score:
    """The order of an explanation against random ones.

    Args:
        own: the mean answer along the curve in the order of the explanation.
        random: the same, mean over random orders.
        gain: how much better the order of the explanation is, as a share of the answer's whole range; above 0 is better
            than chance.
        low, high: the 95 % interval of `gain`.
    """

    own: float
    random: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class ModelChecks:
    """What is found out once for a model.

    Args:
        randomised: how alike explanations are to those of the same network with weights drawn anew: mean rank
            correlation of the sizes of contributions, near 0 for explanations that come from what was learned.
        stability: how alike the explanations of two halves of the ensemble are, which learned from other rows; mean
            rank correlation, 1 for the same; `None` for a single network.
        skill: how much better the model predicts than a guess that looks at no column, from 0 (no better) to 1;
            `None` where that is not known.
        skill_low: the lower end of its 95 % interval.
        rows: how many rows were explained for it.
    """

    randomised: float | None = None
    stability: float | None = None
    skill: float | None = None
    skill_low: float | None = None
    rows: int = 0

    def troubles(self) -> tuple[str, ...]:
        """Why explanations of this model are not to be relied on, in words; empty where they are."""
        found = []
        if self.skill_low is not None and self.skill_low <= 0:
            found.append("the model was not shown to predict better than a guess that looks at no column, so there is "
                         "nothing learned to explain")
        if self.stability is not None and self.stability < LEAST_STABILITY:
            found.append(f"networks that learned from other rows give other reasons (agreement {self.stability:.2f} of "
                         f"1; at least {LEAST_STABILITY:g} is needed)")
        if self.randomised is not None and self.randomised > MOST_RANDOM:
            found.append("networks with random weights give much the same reasons "
                         f"(agreement {self.randomised:.2f} of 1; at most {MOST_RANDOM:g} is allowed)")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ModelChecks:
        """What `to_json` wrote."""
        return cls(**record)


@dataclass(frozen=True)
class Faithfulness:
    """How far an explanation of one row can be relied on.

    Args:
        deletion, insertion: its order against random ones.
        stability: how alike the explanations of the two halves of an ensemble are for this row; `None` where unknown.
        checks: of the model.
    """

    deletion: Score
    insertion: Score
    stability: float | None = None
    checks: ModelChecks | None = None

    def troubles(self) -> tuple[str, ...]:
        """Why it is not to be relied on, in words; empty where it is."""
        found = list(self.checks.troubles() if self.checks else ())
        if min(self.deletion.low, self.insertion.low) <= 0:
            found.append("the answer does not follow its order of the parts any better than a random order")
        if self.stability is not None and self.stability < LEAST_STABILITY:
            found.append(f"for this row, networks that learned from other rows give other reasons (agreement "
                         f"{self.stability:.2f} of 1; at least {LEAST_STABILITY:g} is needed)")
        return tuple(found)

    @property
    def reliable(self) -> bool:
        """Whether it passed all tests that were made."""
        return not self.troubles()

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        if self.troubles():
            return f"{DO_NOT_RELY}: {'; '.join(self.troubles())}."
        gain, low, high, back = (f"{100 * value:.0f}" for value in (
            self.deletion.gain, self.deletion.low, self.deletion.high, self.insertion.gain))
        return (f"{RELY}: when parts are taken away in its order, the answer gives way sooner than in a random order "
                f"(by {gain} % of its range, 95 % interval {low} to {high} %), and when they are put in, it comes back "
                f"sooner (by {back} %).")

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the verdict."""
        return {**asdict(self), "reliable": self.reliable, "verdict": self.verdict}


def try_order(game: Game, contributions: np.ndarray, *, orders: int = RANDOM_ORDERS, steps: int = STEPS,
              seed: int = 0) -> tuple[Score, Score]:
    """Deletion and insertion in the order of `contributions` (parts,), the most supporting first, against random ones.

    Where what is not known is drawn, each random order is compared with the own one under the same draw.

    Args:
        game: the prediction.
        contributions: of the parts.
        orders: random orders to compare with, at least 2.
        steps: places of each curve.
        seed: of the random orders.
    """
    number, generator = len(game), np.random.default_rng([seed, 1])
    places = np.unique(np.linspace(0, number, min(steps, number) + 1).round().astype(int))
    own = np.argsort(-contributions, kind="stable")
    drawn = np.stack([generator.permutation(number) for _ in range(orders)])
    pairs = np.stack([np.broadcast_to(own, drawn.shape), drawn])  # (own or random, orders, parts)
    ranks = np.argsort(pairs, axis=2)
    inserted = ranks[:, :, None, :] < places[:, None]
    keep = np.stack([~inserted, inserted])  # (deletion or insertion, own or random, orders, places, parts)
    which = np.broadcast_to(np.arange(orders)[:, None] % game.draws, keep.shape[:-1])
    values = game.ask_drawn(keep.reshape(-1, number), which.reshape(-1)).reshape(keep.shape[:-1])
    areas = np.trapezoid(values, places / max(number, 1), axis=-1)
    span = float(np.ptp(values)) or 1.0
    return _score(areas[0], -1, span), _score(areas[1], 1, span)


def _score(areas: np.ndarray, sign: int, span: float) -> Score:
    gains = sign * (areas[0] - areas[1]) / span
    mean = float(gains.mean())
    half = float(student.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains)))
    return Score(float(areas[0].mean()), float(areas[1].mean()), mean, mean - half, mean + half)


def agreement(one: np.ndarray, other: np.ndarray, *, sizes: bool = False) -> float:
    """The rank correlation of two explanations (parts,); 1 where both are all the same, 0 where only one is.

    Parts that hold next to nothing have no rank among themselves: where three of twenty parts matter, the order of the
    other seventeen is chance.

    Args:
        one, other: contributions.
        sizes: whether only their sizes count, not their signs.

    Example:
        >>> agreement(np.array([3.0, 1.0, -2.0]), np.array([30.0, 2.0, -9.0]))
        1.0
        >>> agreement(np.array([3.0, 0.001, -0.002, 0.0]), np.array([9.0, -0.003, 0.0, 0.002]))
        1.0
    """
    one, other = (_told(np.abs(array) if sizes else array) for array in (np.asarray(one), np.asarray(other)))
    flat = np.ptp(one) == 0, np.ptp(other) == 0
    if len(one) < 2 or all(flat):
        return 1.0
    if any(flat):
        return 0.0
    first, second = rankdata(one), rankdata(other)
    return float(np.corrcoef(first, second)[0, 1])


def _told(contributions: np.ndarray) -> np.ndarray:
    """Contributions, 0 where they are next to nothing beside the largest."""
    sizes = np.abs(contributions)
    return np.where(sizes < NEGLIGIBLE * sizes.max(initial=0.0), 0.0, contributions)
