"""A linear output on frozen features, solved instead of learned: ridge regression, as strong as left-out rows ask."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Of the pull to zero, as shares of the features' mean square."""
SCALES = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 20.0, 28.0, 40.0)
"""What scores between 0 and 1 are multiplied by, to become logits."""
SMALL = 1e-7


def solved_outputs(features: np.ndarray, answers: np.ndarray, members: Sequence[np.ndarray], classes: int,
                   outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (members, features, outputs) and biases (members, outputs) of a linear output.

    Args:
        features: (rows, features), each of a like spread.
        answers: (rows,) class numbers, or numbers.
        members: for each, the weight of every row; those of 0 are not seen.
        classes: how many classes; 0 for numbers.
        outputs: one for each class; or one for numbers, and for the logit of the second of two classes.
    """
    found = [_solved(features, answers, weight, classes, outputs) for weight in members]
    return np.stack([weight for weight, _ in found]), np.stack([bias for _, bias in found])


def _solved(features: np.ndarray, answers: np.ndarray, weight: np.ndarray, classes: int,
            outputs: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.flatnonzero(weight > 0)
    answers, share = answers[rows], np.asarray(weight, np.float64)[rows] / weight[rows].mean()
    wanted = np.eye(classes)[answers] if classes and outputs > 1 else np.asarray(answers, np.float64)[:, None]
    slopes, bias, left_out = ridge(np.asarray(features[rows], np.float64), wanted, share)
    if not classes:
        return slopes, bias
    if outputs == 1:  # from scores around a half to logits around 0
        bias, left_out = bias - 0.5, left_out - 0.5
    scale = min(SCALES, key=lambda factor: _log_loss(factor * left_out, answers, share))
    return scale * slopes, scale * bias


def ridge(x: np.ndarray, y: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes (features, outputs), biases (outputs,), and each row's answer (rows, outputs) by all other rows.

    The strength is the one with the least squared error of those answers, which one decomposition gives for all of
    them: `y - ŷ₋ᵢ = (y - ŷ) / (1 - hᵢ)` with the leverage `hᵢ` of a row.

    Args:
        x: (rows, features).
        y: (rows, outputs).
        share: (rows,) how much each row counts, 1 on average.

    Source: Golub, Heath & Wahba 1979, section 2; Hoerl & Kennard 1970.
    """
    middle, usual = share @ x / share.sum(), share @ y / share.sum()
    root = np.sqrt(share)[:, None]
    centred, wanted = root * (x - middle), root * (y - usual)
    left, squares = _directions(centred)
    along, best = left.T @ wanted, None
    for strength in STRENGTHS:
        pull = max(strength * squares.sum() / len(x), SMALL)
        kept = squares / (squares + pull)
        free = np.maximum(1 - np.square(left) @ kept - share / share.sum(), 1e-3)[:, None]
        error = (wanted - left @ (kept[:, None] * along)) / free
        if best is None or np.sum(error**2) < best[0]:
            best = np.sum(error**2), pull, y - error / root
    _, pull, answers = best
    slopes = centred.T @ (left @ (along / (squares + pull)[:, None]))
    return slopes, usual - middle @ slopes, answers


def _directions(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The left singular vectors (rows, rank) and the squared singular values (rank,), by the smaller product."""
    wide = x.shape[1] >= x.shape[0]
    squares, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    kept = squares > SMALL * max(squares[-1], 1e-300)
    squares, vectors = squares[kept], vectors[:, kept]
    return (vectors if wide else (x @ vectors) / np.sqrt(squares)), squares


def _log_loss(logits: np.ndarray, answers: np.ndarray, share: np.ndarray) -> float:
    both = np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits
    both = both - both.max(axis=1, keepdims=True)
    return float(share @ (np.log(np.exp(both).sum(axis=1)) - both[np.arange(len(both)), answers]))
