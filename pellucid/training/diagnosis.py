"""What went well or wrong in training, in words."""
from __future__ import annotations

import numpy as np

from pellucid.training.history import History

FLAT = 0.01
"""A fall of the error by less than this share counts as none."""


def diagnose(history: History, *, learning_rate: float, epochs: int, dead_share: float | None = None,
             plain_error: float | None = None) -> list[str]:
    """Sentences for the user: what the record of training says.

    Args:
        history: the record.
        learning_rate: the largest one used.
        epochs: how many were allowed.
        dead_share: share of hidden neurons that give the same value for every row, if known.
        plain_error: the held-out error of always giving the same best answer, if known.
    """
    checks = (_not_finite(history, learning_rate), _not_falling(history, learning_rate),
              _no_signal(history, plain_error), _over_fitting(history), _stopped_short(history, epochs),
              _exploding(history), _dead(dead_share))
    return [sentence for sentence in checks if sentence]


def _curves(history: History) -> tuple[np.ndarray, np.ndarray]:
    training = np.array([epoch.training_error for epoch in history.epochs])
    return training, np.array([epoch.validation_error for epoch in history.epochs])


def _not_finite(history: History, learning_rate: float) -> str | None:
    failures = sum(history.failures)
    if not failures:
        return None
    return (f"{failures} training steps gave a number that is not finite. They were not taken, and the learning rate "
            f"was halved each time; start with one below {learning_rate:g}, or clip the gradient.")


def _not_falling(history: History, learning_rate: float) -> str | None:
    training, _ = _curves(history)
    known = training[np.isfinite(training)]
    if len(known) < 3 or known[1:].min() < known[0] - FLAT * abs(known[0]):
        return None
    direction = "rose" if known[-1] > known[0] * 1.05 else "did not fall"
    return (f"The training error {direction} (from {known[0]:.4g} to {known[-1]:.4g}). Try a learning rate a tenth of "
            f"{learning_rate:g}, check the scale of the inputs, or use a larger network.")


def _no_signal(history: History, plain_error: float | None) -> str | None:
    best = [error for error in history.best_error if np.isfinite(error)]
    if plain_error is None or not best or np.mean(best) < plain_error * (1 - FLAT):
        return None
    return (f"On held-out rows the network's error ({np.mean(best):.4g}) is no lower than that of always giving the "
            f"same answer ({plain_error:.4g}): these columns may carry no signal about the target.")


def _over_fitting(history: History) -> str | None:
    training, validation = _curves(history)
    known = np.isfinite(validation)
    if known.sum() < 5 or not history.best_epoch:
        return None
    lowest = int(np.nanargmin(validation))
    if lowest >= len(validation) - 2 or validation[-1] < validation[lowest] * 1.1 or training[-1] > training[lowest]:
        return None
    return (f"Over-fitting from epoch {history.epochs[lowest].epoch} on: the training error kept falling while the "
            f"held-out error rose from {validation[lowest]:.4g} to {validation[-1]:.4g}. The best weights were kept.")


def _stopped_short(history: History, epochs: int) -> str | None:
    if not history.best_epoch or epochs < 5 or len(history.epochs) <= epochs:
        return None
    late = np.mean([epoch >= epochs - 2 for epoch in history.best_epoch])
    _, validation = _curves(history)
    tail = validation[-max(3, epochs // 10):]
    if late < 0.75 or not np.isfinite(tail).all() or tail[-1] > tail[0] * (1 - FLAT):
        return None
    return f"The held-out error was still falling at the last epoch: more than {epochs} epochs may bring more."


def _exploding(history: History) -> str | None:
    norms = history.members.get("gradient_norm")
    if norms is None:
        return None
    norms = norms[1:][np.isfinite(norms[1:]).all(axis=1)]
    if len(norms) < 2:
        return None
    early, peak = np.median(norms[: max(2, len(norms) // 5)]), norms.max()
    if early == 0 or peak < 100 * early:
        return None
    return f"Gradients grew to {peak / early:.0f} times their early size; a lower learning rate or `clip` tames them."


def _dead(dead_share: float | None) -> str | None:
    if not dead_share or dead_share < 0.3:
        return None
    return (f"{dead_share:.0%} of the hidden neurons give the same value for every row. A lower learning rate, another "
            f"activation (leaky_relu, silu) or a smaller network would use them better.")
