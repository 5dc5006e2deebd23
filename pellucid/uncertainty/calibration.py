"""Do confidences mean what they say? Measures of calibration on rows with known answers."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from pellucid.errors import SettingsError, ShapeError


@dataclass(frozen=True)
class Reliability:
    """Confidence against frequency in bins; one entry for each bin that holds a row.

    Attributes:
        confidence: mean predicted probability of the bin's rows.
        frequency: share of the bin's rows for which the prediction came true.
        low, high: 95 % Wilson interval of the frequency.
        count: rows in the bin.
    """

    confidence: np.ndarray
    frequency: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


def share_interval(hits: np.ndarray, count: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """The Wilson score interval of a share: `hits` out of `count`; [0, 1] where count is 0.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    hits, count = np.asarray(hits, dtype=np.float64), np.asarray(count, dtype=np.float64)
    z = float(norm.ppf(0.5 + level / 2))
    number = np.maximum(count, 1)
    centre = (hits + z * z / 2) / (number + z * z)
    half = z / (number + z * z) * np.sqrt(np.maximum(hits * (number - hits) / number, 0) + z * z / 4)
    some = count > 0
    return np.where(some, np.clip(centre - half, 0, 1), 0.0), np.where(some, np.clip(centre + half, 0, 1), 1.0)


def _claims(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was claimed (rows,) and whether it came true (rows,), for probabilities (rows,) or (rows, classes)."""
    probabilities, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    if probabilities.ndim not in (1, 2) or labels.shape != probabilities.shape[:1]:
        raise ShapeError(f"Expected probabilities (rows,) or (rows, classes) and labels (rows,), got "
                         f"{probabilities.shape} and {labels.shape}.", "pass one label for each row")
    if probabilities.ndim == 1:
        return probabilities, labels.astype(np.float64)
    return probabilities.max(axis=1), (probabilities.argmax(axis=1) == labels).astype(np.float64)


def _bins(confidence: np.ndarray, bins: int, equal_count: bool) -> np.ndarray:
    """The bin number of each row: of equal width on [0, 1], or of equal count where ties keep together."""
    if bins < 1:
        raise SettingsError(f"`bins` was {bins!r}; expected at least 1.", "set bins to 10")
    if equal_count:
        edges = np.unique(np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1])) if len(confidence) else []
        return np.searchsorted(edges, confidence, side="left")
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10, *,
                equal_count: bool = False) -> Reliability:
    """Confidence against frequency, binned.

    Args:
        probabilities: (rows, classes): judges the top class; or (rows,): judges this one class.
        labels: (rows,) the true class's index; or 0/1 for one class.
        bins: number of bins on [0, 1].
        equal_count: bins of about equally many rows instead of equal width.

    Example:
        >>> reliability(np.array([0.9, 0.9, 0.2]), np.array([1, 0, 0])).frequency.tolist()
        [0.0, 0.5]
    """
    confidence, came_true = _claims(probabilities, labels)
    number = _bins(confidence, bins, equal_count)
    count = np.bincount(number, minlength=1).astype(np.float64)
    used = count > 0
    hits = np.bincount(number, came_true, minlength=1)[used]
    claimed = np.bincount(number, confidence, minlength=1)[used]
    count = count[used]
    low, high = share_interval(hits, count)
    return Reliability(claimed / count, hits / count, low, high, count.astype(np.int64))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: the mean distance of confidence and frequency, sum of n_b / n |conf_b - freq_b|.

    Biased upwards on few rows: use `debiased_calibration_error` there.

    Source: Naeini, Cooper, Hauskrecht (2015); Guo et al. (2017). Bins of equal width.
    """
    found = reliability(probabilities, labels, bins)
    total = found.count.sum()
    return float(found.count @ np.abs(found.confidence - found.frequency) / total) if total else 0.0


def debiased_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Root mean squared calibration error without the bias of few rows per bin; bins of equal count.

    Subtracts from each bin's squared distance its expected noise freq (1 - freq) / (n_b - 1); never below 0.

    Source: Kumar, Liang, Ma (2019), Verified uncertainty calibration, debiased estimator.
    """
    found = reliability(probabilities, labels, bins, equal_count=True)
    enough = found.count > 1
    if not enough.any():
        return 0.0
    count, frequency = found.count[enough], found.frequency[enough]
    squared = (found.confidence[enough] - frequency) ** 2 - frequency * (1 - frequency) / (count - 1)
    return float(np.sqrt(max(0.0, count @ squared / count.sum())))


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance of probabilities and truth, as scikit-learn's `brier_score_loss`.

    Two classes: mean (p - y)^2, within [0, 1]; more: the sum over the classes, within [0, 2]. Lower is better.

    Args:
        probabilities: (rows, classes), or (rows,) for one class with 0/1 labels.
        labels: (rows,).
    """
    probabilities, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    if probabilities.ndim == 1:
        return float(np.mean((probabilities - labels) ** 2))
    truth = np.eye(probabilities.shape[1])[labels]
    total = float(np.mean(((probabilities - truth) ** 2).sum(axis=1)))
    return total / 2 if probabilities.shape[1] == 2 else total
