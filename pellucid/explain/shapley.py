"""Shapley values: what each part wins on average over all orders in which the parts could become known.

`φ_i = Σ_S |S|! (n - |S| - 1)! / n! · (v(S ∪ i) - v(S))`; they sum to v(all) - v(none).

Source: Shapley 1953; Lundberg & Lee 2017 for predictions; Mitchell, Cooper, Frank, Holmes 2022, "Sampling permutations
for Shapley value estimation", for orders taken with their reverse.
"""
from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from pellucid.explain.game import Game

MOST_EXACT = 12
PAIRS = 24
"""Orders drawn, each with its reverse, where nothing else is asked."""


@dataclass(frozen=True)
class Shares:
    """Shapley values.

    Args:
        contributions: float64 (parts,); they sum to `game.difference` but for rounding.
        errors: float64 (parts,), standard errors; 0 where the values are exact.
        exact: whether all coalitions were asked.
        asked: how many coalitions were.
    """

    contributions: np.ndarray
    errors: np.ndarray
    exact: bool
    asked: int


def shapley(game: Game, *, pairs: int = PAIRS, seed: int = 0) -> Shares:
    """Exact up to 12 parts; above, from orders drawn in pairs, each with its reverse. Additive in any case.

    Args:
        game: the prediction.
        pairs: of orders drawn where there are more than 12 parts, at least 2.
        seed: of the orders.

    Example:
        >>> from pellucid.explain.game import game_of
        >>> both = game_of(("a", "b", "idle"), lambda keep: (keep[:, 0] & keep[:, 1]) * 1.0)
        >>> shapley(both).contributions.round(12).tolist()
        [0.5, 0.5, 0.0]
    """
    return exact_shapley(game) if len(game) <= MOST_EXACT else sampled_shapley(game, pairs=pairs, seed=seed)


def exact_shapley(game: Game) -> Shares:
    """By asking all 2^parts coalitions."""
    number = len(game)
    codes = np.arange(2**number)
    keep = (codes[:, None] >> np.arange(number)) & 1 == 1
    values, sizes = game.ask(keep), keep.sum(axis=1)
    weight = np.array([factorial(size) * factorial(number - size - 1) / factorial(number) for size in range(number)])
    contributions = np.empty(number)
    for part in range(number):
        without = codes[~keep[:, part]]
        contributions[part] = weight[sizes[without]] @ (values[without | (1 << part)] - values[without])
    return Shares(contributions, np.zeros(number), True, len(codes))


def sampled_shapley(game: Game, *, pairs: int = PAIRS, seed: int = 0) -> Shares:
    """By walking from nothing to everything in orders drawn at random, and each of them back.

    Where the game is drawn, each pair of orders has one draw of its own and all draws are used equally often: the sum
    is still exactly what is to be explained.
    """
    number, generator = len(game), np.random.default_rng(seed)
    pairs = -(-pairs // game.draws) * game.draws
    forward = np.stack([generator.permutation(number) for _ in range(pairs)])
    orders = np.stack([forward, forward[:, ::-1]], axis=1).reshape(-1, number)
    ranks = np.argsort(orders, axis=1)
    keep = ranks[:, None, :] < np.arange(number + 1)[None, :, None]  # (orders, steps, parts)
    which = np.repeat(np.arange(pairs) % game.draws, 2 * (number + 1))
    values = game.ask_drawn(keep.reshape(-1, number), which).reshape(len(orders), number + 1)
    gains = np.take_along_axis(np.diff(values, axis=1), ranks, axis=1)
    of_pairs = gains.reshape(-1, 2, number).mean(axis=1)
    errors = of_pairs.std(axis=0, ddof=1) / np.sqrt(len(of_pairs)) if len(of_pairs) > 1 else np.full(number, np.nan)
    return Shares(of_pairs.mean(axis=0), errors, False, keep.shape[0] * (number + 1))
