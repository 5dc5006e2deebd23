"""What is found out once for a model: whether explanations come from what it learned, and whether it learned anything.

Source: Adebayo et al. 2018, Sanity checks for saliency maps (weights drawn anew).
"""
from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from pellucid.explain.answer import METHODS
from pellucid.explain.faithfulness import ModelChecks, agreement
from pellucid.explain.game import Game
from pellucid.explain.gradients import STEPS

ROWS = 16
DEAR_ROWS = 4
"""Rows that are explained where gradients are not to be had."""


def check_model(model: Any, data: Any, *, seed: int = 0, rows: int = ROWS) -> ModelChecks:
    """Explain some rows by the model, by the halves of its ensemble, and by the same networks with shuffled weights.

    Where gradients do not reach the parts, each part is left out once instead.

    Args:
        model: with `questions`, `members` and `metrics`.
        data: rows, as for `model.explain`.
        seed: of all chance.
        rows: how many, from the first on.
    """
    halves, members = None, len(model.members)
    own = _explained(model, data, rows, seed)
    if members > 1 and own:
        middle = members // 2
        parts = [own_halves for _, own_halves in own if own_halves is not None] or list(zip(*(
            [found for found, _ in _explained(model.of_members(chosen), data, rows, seed)]
            for chosen in (range(middle), range(middle, members))), strict=True))
        halves = float(np.mean([agreement(*pair) for pair in parts]))
    guesses = _explained(replace(model, members=model.members.shuffled(seed)), data, rows, seed)
    alike = [agreement(one, other, sizes=True) for (one, _), (other, _) in zip(own, guesses, strict=True)
             if len(one) > 1]
    skill = model.metrics.get("skill") or {}
    return ModelChecks(float(np.mean(alike)) if alike else None, halves, skill.get("share"), skill.get("low"),
                       len(own))


def _explained(model: Any, data: Any, rows: int, seed: int) -> list[tuple[np.ndarray, Any]]:
    """The contributions of each row, and those of the two halves where gradients tell them."""
    found = []
    for question in islice(model.questions(data, seed=seed), rows):
        if question.game.gradients is None and len(found) >= DEAR_ROWS:
            break
        if len(question.game):
            found.append(_contributions(question.game, seed))
    return found


def _contributions(game: Game, seed: int) -> tuple[np.ndarray, Any]:
    if game.gradients is None:
        return METHODS["occlusion"](game, seed)[0], None
    slopes = game.gradients(STEPS)
    if slopes.by_member is None or len(slopes.by_member) < 2:
        return slopes.contributions, None
    middle = len(slopes.by_member) // 2
    return slopes.contributions, (slopes.by_member[:middle].mean(axis=0), slopes.by_member[middle:].mean(axis=0))
