"""From predictions on test rows to what the report shows: counts, curves, bins, kept promises."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from pellucid.report.result import ClassEvidence, Honesty, NumberEvidence, Promise, Roc
from pellucid.uncertainty import (
    brier_score,
    calibration_error,
    debiased_calibration_error,
    reliability,
    share_interval,
)

MOST_POINTS = 2000
MOST_CURVES = 6


def class_evidence(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[Any], *, positive: int = 1,
                   temperature: float | None = None, uncalibrated: np.ndarray | None = None,
                   method: str = "") -> ClassEvidence:
    """Confusion counts, ROC curves and reliability of a classification.

    Args:
        labels: (rows,) index of the true class.
        probabilities: (rows, classes), calibrated.
        classes: the class of each index.
        positive: the class that the ROC curve is about, where there are two.
        temperature: what the logits were divided by.
        uncalibrated: (rows, classes), the same before calibration.
        method: of calibration, in words.
    """
    labels, probabilities = np.asarray(labels, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    number = len(classes)
    confusion = np.bincount(labels * number + probabilities.argmax(axis=1), minlength=number * number)
    usual = np.argsort(-np.bincount(labels, minlength=number), kind="stable")[:MOST_CURVES]
    rocs = [_roc(labels == index, probabilities[:, index], str(classes[index]))
            for index in ([positive] if number == 2 else sorted(usual.tolist()))]
    found = honesty(probabilities, labels)
    return ClassEvidence(
        tuple(str(label) for label in classes), confusion.reshape(number, number),
        tuple(roc for roc in rocs if roc is not None), found.confidence, found.frequency, found.low, found.high,
        found.count, found.calibration_error, temperature,
        None if uncalibrated is None else honesty(uncalibrated, labels), found, method)


def honesty(probabilities: np.ndarray, labels: np.ndarray) -> Honesty:
    """Whether confidence means what it says; arguments as for `class_evidence`."""
    found = reliability(probabilities, labels, bins=int(np.clip(len(labels) // 20, 3, 10)), equal_count=True)
    return Honesty(found.confidence, found.frequency, found.low, found.high, found.count,
                   calibration_error(probabilities, labels), debiased_calibration_error(probabilities, labels),
                   brier_score(probabilities, labels))


def _roc(truth: np.ndarray, scores: np.ndarray, label: str) -> Roc | None:
    if truth.all() or not truth.any():
        return None
    false_alarms, hits, _ = roc_curve(truth, scores)
    kept = np.unique(np.linspace(0, len(hits) - 1, min(len(hits), 300)).round().astype(int))
    return Roc(label, false_alarms[kept], hits[kept], float(roc_auc_score(truth, scores)))


def number_evidence(actual: np.ndarray, predicted: np.ndarray, lower: np.ndarray | None = None,
                    upper: np.ndarray | None = None) -> NumberEvidence:
    """True and predicted numbers, at most 2,000 of them, evenly drawn from all."""
    arrays = [None if array is None else np.asarray(array, dtype=np.float64)
              for array in (actual, predicted, lower, upper)]
    kept = np.unique(np.linspace(0, len(arrays[0]) - 1, min(len(arrays[0]), MOST_POINTS)).round().astype(int))
    return NumberEvidence(*(None if array is None else array[kept] for array in arrays))


def class_promise(sets: np.ndarray, labels: np.ndarray, coverage: float) -> Promise:
    """Whether prediction sets (rows, classes) held the true classes as often as promised."""
    sets, labels = np.asarray(sets, dtype=bool), np.asarray(labels, dtype=np.int64)
    size = sets.sum(axis=1)
    return _promise("sets", sets[np.arange(len(labels)), labels], coverage, float(size.mean()),
                    single=float((size == 1).mean()))


def number_promise(lower: np.ndarray, upper: np.ndarray, actual: np.ndarray, coverage: float) -> Promise:
    """Whether intervals held the true numbers as often as promised."""
    lower, upper, actual = (np.asarray(array, dtype=np.float64) for array in (lower, upper, actual))
    width = upper - lower
    finite = np.isfinite(width)
    return _promise("intervals", (lower <= actual) & (actual <= upper), coverage,
                    float(width[finite].mean()) if finite.any() else np.inf, infinite=float(1 - finite.mean()))


def _promise(kind: str, held: np.ndarray, coverage: float, size: float, single: float | None = None,
             infinite: float | None = None) -> Promise:
    low, high = share_interval(held.sum(), len(held))
    return Promise(kind, float(coverage), float(held.mean()), float(low), float(high), len(held), size, single,
                   infinite)
