"""Occlusion: what the answer loses when one part is left out, and gains when it is all that is known."""
from __future__ import annotations

import numpy as np

from pellucid.explain.game import Game
from pellucid.explain.shapley import Shares


def occlusion(game: Game) -> Shares:
    """Leave out one part at a time; the losses are scaled so that they sum to the difference that is explained.

    Quick, and blind to parts that stand in for each other: taking away one of two that say the same changes nothing.
    What is left unexplained is shared out by the size of the losses, so that the parts are complete.

    Source: Zeiler & Fergus 2014, section 4.2.

    Example:
        >>> from pellucid.explain.game import game_of
        >>> occlusion(game_of(("a", "b"), lambda keep: keep @ np.array([3.0, -1.0]))).contributions.tolist()
        [3.0, -1.0]
    """
    number = len(game)
    losses = game.whole - game.ask(~np.eye(number, dtype=bool))
    left = game.difference - losses.sum()
    total = np.abs(losses).sum()
    share = np.abs(losses) / total if total > 0 else np.full(number, 1 / max(number, 1))
    return Shares(losses + left * share, np.zeros(number), False, number)
