"""Temperature scaling: one number that makes confidences honest."""
from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from pellucid.errors import ShapeError

COLDEST, HOTTEST = 0.05, 20.0


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities that `logits` (..., classes) stand for, in float64 and without overflow."""
    logits = np.asarray(logits, dtype=np.float64)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def temper(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities softmax(logits / temperature).

    Args:
        logits: (..., classes).
        temperature: above 1 the confidences shrink, below 1 they grow; the order of the classes stays.

    Returns:
        Probabilities, float64, same shape.

    Example:
        >>> temper(np.array([0.0, 0.0]), 2.0).tolist()
        [0.5, 0.5]
    """
    return np.exp(log_softmax(np.asarray(logits, dtype=np.float64) / temperature))


def fit_temperature(logits: np.ndarray, labels: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The temperature T that minimises the sum of -log softmax(logits / T)[label] over the rows, plus log(T)^2 / 2.

    The last term counts for little beside a hundred rows; with few, or where every row is right, it keeps T near 1
    instead of letting the confidence grow without end.

    Args:
        logits: (rows, classes) from a network that did not train on these rows.
        labels: (rows,) the index of each row's true class.
        weight: (rows,) row weights; all one by default.

    Returns:
        T within [0.05, 20]; 1.0 where nothing can be learned: no row, or logits that are all equal.

    Source:
        Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks.

    Example:
        >>> fit_temperature(np.array([[8.0, 0.0], [8.0, 0.0], [8.0, 0.0], [8.0, 0.0]]), np.array([0, 0, 0, 1])) > 3
        True
    """
    logits = np.asarray(logits, dtype=np.float64)
    labels = np.asarray(labels, dtype=np.int64)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ShapeError(f"`fit_temperature` expected logits (rows, classes) and labels (rows,), got {logits.shape} "
                         f"and {labels.shape}.", "pass one label for each row of logits")
    weight = np.ones(len(labels)) if weight is None else np.asarray(weight, dtype=np.float64)
    usable = np.isfinite(logits).all(axis=1) & (weight > 0)
    logits, labels, weight = logits[usable], labels[usable], weight[usable]
    if not len(labels) or np.ptp(logits, axis=1).max() == 0:
        return 1.0
    rows = np.arange(len(labels))

    def error(log_temperature: float) -> float:
        return log_temperature**2 / 2 - float(weight @ log_softmax(logits / np.exp(log_temperature))[rows, labels])

    found = minimize_scalar(error, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded",
                            options={"xatol": 1e-4})
    return float(np.exp(found.x)) if error(found.x) < error(0.0) else 1.0
