"""From a question to an explanation: which method, its result, and whether it can be relied on."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pellucid.errors import SettingsError
from pellucid.explain.evidence import evidence
from pellucid.explain.explanation import Explanation
from pellucid.explain.faithfulness import Faithfulness, ModelChecks, agreement, try_order
from pellucid.explain.game import Game, Question
from pellucid.explain.gradients import STEPS
from pellucid.explain.occlusion import occlusion
from pellucid.explain.shapley import MOST_EXACT, PAIRS, Shares, shapley

BUDGET = 12_000
"""Rows of a network that sampling asks for one explanation."""
PASSES = 3
"""A gradient takes as long as so many answers."""
LARGEST_GAP, LARGEST_SHARE = 0.02, 2e-3
"""Of what is explained, and of the answer; where the integral of gradients is further off, more steps are taken."""
MORE_STEPS = 4 * STEPS

NOTES = {"grad_cam": ("Grad-CAM shows where the network looks for this answer. It has no unit and tells nothing of "
                      "what speaks against: its parts are shares of the difference.",)}
"""What a user should know of a method."""

Found = tuple[np.ndarray, np.ndarray, float | None]
"""Contributions, their standard errors, and how alike two halves of the ensemble are."""


def gradients(game: Game) -> Found:
    """By slopes along the way from made-up rows; more steps where the parts do not yet sum to the difference.

    Raises:
        SettingsError: gradients do not reach the parts of this game.
    """
    if game.gradients is None:
        raise SettingsError("The method `gradients` does not reach the parts of this model.",
                            "leave the method out, or choose shapley or occlusion")
    found = game.gradients(STEPS)
    allowed = max(LARGEST_GAP * abs(game.difference), LARGEST_SHARE * max(abs(game.whole), abs(game.empty)))
    if abs(found.contributions.sum() - game.difference) > allowed:
        found = game.gradients(int(np.clip(BUDGET // (PASSES * game.each), STEPS, MORE_STEPS)))
    halves = None
    if found.by_member is not None and len(found.by_member) > 1:
        middle = len(found.by_member) // 2
        halves = agreement(found.by_member[:middle].mean(axis=0), found.by_member[middle:].mean(axis=0))
    return found.contributions, found.errors, halves


def grad_cam(game: Game) -> Found:
    """Where convolutions look, as shares of the difference that is explained.

    Raises:
        SettingsError: the model does not look at a picture by convolutions.
    """
    if "grad_cam" not in game.inside:
        raise SettingsError("The method `grad_cam` needs a model that looks at a picture, and at nothing else, by "
                            "convolutions.", "leave the method out, or choose shapley or occlusion")
    seen = game.inside["grad_cam"]()
    shares = seen / seen.sum() if seen.sum() > 0 else np.zeros(len(game))
    return shares * max(game.difference, 0.0), np.zeros(len(game)), None


def _sampled(method: Callable[..., Shares], game: Game, seed: int) -> Found:
    """By as many orders as the budget allows."""
    walks = 2 * (len(game) + 1) * game.each
    found = method(game, pairs=int(np.clip(BUDGET // max(walks, 1), 4, 2 * PAIRS)), seed=seed)
    return found.contributions, found.errors, None


def _evidence(game: Game, seed: int) -> Found:
    if not game.percent:
        raise SettingsError("The method `evidence` is for probabilities; this model predicts something else.",
                            "leave the method out, or choose shapley or occlusion")
    return _sampled(evidence, game, seed)


def _occluded(game: Game) -> Found:
    found = occlusion(game)
    return found.contributions, found.errors, None


def choose_method(game: Game) -> tuple[str, str]:
    """The default method of a game, and why, in words."""
    if game.gradients is not None and not game.single_way:
        return "gradients", ("the slopes of the network itself, averaged over the way from made-up average rows to "
                             "this one, give all parts at once")
    walks = 8 * (len(game) + 1) * game.each
    if game.adds_up and walks <= BUDGET:
        return "evidence", ("words add up in the logarithm of the odds, so their shares were found there, over many "
                            "random orders, and are told in percentage points")
    if 2 ** len(game) * game.cost <= BUDGET and len(game) <= MOST_EXACT:
        return "shapley", "there are few parts, so every combination of them was asked: this is exact"
    if walks <= BUDGET:
        return "shapley", "parts were taken away and put back in many random orders, each with its reverse"
    if game.gradients is not None:
        return "gradients", ("the network is large, so its slopes along the way from an empty cell to this one are "
                             "taken instead of asking it again and again")
    return "occlusion", (f"sampling orders of {len(game)} parts would ask the network {walks:,} times, so each part "
                         "was left out once")


METHODS: dict[str, Callable[[Game, int], Found]] = {
    "gradients": lambda game, seed: gradients(game),
    "grad_cam": lambda game, seed: grad_cam(game),
    "shapley": lambda game, seed: _sampled(shapley, game, seed),
    "evidence": lambda game, seed: _evidence(game, seed),
    "occlusion": lambda game, seed: _occluded(game),
}


def answer(question: Question, *, task: str, target: str, method: str | None = None, faithfulness: bool = True,
           checks: ModelChecks | None = None, seed: int = 0) -> Explanation:
    """Explain one prediction.

    Args:
        question: which.
        task, target: of the model.
        method: of `METHODS`; chosen for the game when `None`.
        faithfulness: whether the explanation is tested.
        checks: what is known of the model.
        seed: of orders drawn.
    """
    game = question.game
    name, reason = (method, "as asked for") if method else choose_method(game)
    contributions, errors, halves = METHODS[name](game, seed)
    tested = Faithfulness(*try_order(game, contributions, seed=seed), halves, checks) if faithfulness and len(
        game) else None
    return Explanation(task, target, question.row, question.prediction, game.unit, game.whole, game.empty, game.parts,
                       contributions, errors, name, reason, question.asked, question.instead_of, tested, game.percent,
                       (*question.notes, *NOTES.get(name, ())), question.cells)
