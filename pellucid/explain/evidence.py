"""Shapley values of the logarithm of the odds, where evidence adds up, told in percentage points.

A probability near 1 hides what made it: once two of three words are enough, the third adds nothing more. Log-odds do
not saturate: what each part adds hardly depends on the others. All parts are brought to percentage points by one
factor, `(p - p₀) / (l - l₀)`, so that they sum to the difference of the probabilities.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.explain.game import Game
from pellucid.explain.shapley import PAIRS, Shares, shapley

FARTHEST = 1e-6
"""Probabilities are kept this far from 0 and 1."""


def log_odds(probability: np.ndarray) -> np.ndarray:
    """`log(p / (1 - p))`.

    Example:
        >>> log_odds(np.array([0.5, 0.9])).round(3).tolist()
        [0.0, 2.197]
    """
    inside = np.clip(probability, FARTHEST, 1 - FARTHEST)
    return np.log(inside / (1 - inside))


def evidence(game: Game, *, pairs: int = PAIRS, seed: int = 0) -> Shares:
    """Exact up to 12 parts; above, sampled: see `shapley`. Additive in any case.

    Args:
        game: whose answer is a probability, or a difference of two.
        pairs: of orders drawn.
        seed: of the orders.

    Example:
        >>> from pellucid.explain.game import game_of
        >>> sure = game_of(("a", "b"), lambda keep: 1 / (1 + np.exp(keep @ np.array([-6.0, -3.0]))))
        >>> (evidence(sure).contributions / evidence(sure).contributions.sum()).round(3).tolist()
        [0.667, 0.333]
    """
    lowest = -1.0 if min(game.whole, game.empty) < 0 else 0.0

    def moved(values: np.ndarray) -> np.ndarray:
        return log_odds((values - lowest) / (1 - lowest))
    drawn = game.drawn
    found = shapley(replace(
        game, value=lambda keep: moved(game.value(keep)), whole=float(moved(np.float64(game.whole))),
        empty=float(moved(np.float64(game.empty))), gradients=None,
        drawn=None if drawn is None else lambda keep, which: moved(drawn(keep, which))), pairs=pairs, seed=seed)
    total = float(found.contributions.sum())
    factor = game.difference / total if abs(total) > FARTHEST else 0.0
    if factor <= 0:  # too little to tell: what is explained is next to nothing
        return shapley(game, pairs=pairs, seed=seed)
    return replace(found, contributions=factor * found.contributions, errors=factor * found.errors)
