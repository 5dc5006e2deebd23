"""Is one model better than another on the same rows, or could the difference be chance?"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from pellucid.model.metrics import higher_is_better, measure, row_log_loss

CELLS = 20_000_000  # rows × resamples that fit a few seconds


@dataclass(frozen=True)
class Difference:
    """How much better the first model is than the second.

    Attributes:
        metric: name of the metric.
        first, second: the metric of each.
        better: positive where the first is better, whichever way the metric points.
        low, high: 95 % interval of `better`.
        rows: how many different rows were compared.
    """

    metric: str
    first: float
    second: float
    better: float
    low: float
    high: float
    rows: int

    @property
    def outcome(self) -> str:
        """"beats", "on par" or "worse": whether the interval lies above, around or below 0."""
        return "beats" if self.low > 0 else "worse" if self.high < 0 else "on par"


def paired_difference(metric: str, actual: np.ndarray, first: np.ndarray, second: np.ndarray, *, positive: int = 1,
                      groups: np.ndarray | None = None, resamples: int = 1000, seed: int = 0) -> Difference | None:
    """The difference of two models on the same rows, with a 95 % bootstrap interval over the rows.

    Rows are drawn with replacement, for both models alike, and the metric of both is taken anew each time.

    Args:
        metric: name of the metric.
        actual: (rows,) truth; `first`, `second`: outputs as for `measure`.
        positive: index of the positive class, for two classes.
        groups: (rows,) rows of the same number are drawn together: repeated predictions of one row of the table.
        resamples: how often; fewer above 20,000 rows, 100 at least.
        seed: of the draws.

    Returns:
        The difference, or None where the metric is not defined on these rows.

    Source: Efron, Tibshirani (1993), An introduction to the bootstrap, percentile interval.
    """
    values = [measure(metric, actual, outputs, positive=positive) for outputs in (first, second)]
    if None in values:
        return None
    sign = 1.0 if higher_is_better(metric) else -1.0
    _, groups = np.unique(np.arange(len(actual)) if groups is None else groups, return_inverse=True)
    scorers = [_scorer(metric, np.asarray(actual), np.asarray(outputs, dtype=np.float64), positive)
               for outputs in (first, second)]
    generator, number = np.random.default_rng(seed), int(groups.max()) + 1
    resamples = int(max(100, min(resamples, CELLS // len(actual)))) if resamples > 100 else resamples
    drawn = np.empty(resamples)
    for index in range(resamples):
        count = np.bincount(generator.integers(0, number, number), minlength=number)[groups].astype(np.float64)
        drawn[index] = sign * (scorers[0](count) - scorers[1](count))
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (-np.inf, np.inf)
    return Difference(metric, values[0], values[1], sign * (values[0] - values[1]), float(low), float(high), number)


def _scorer(metric: str, actual: np.ndarray, outputs: np.ndarray, positive: int) -> Callable[[np.ndarray], float]:
    """The metric as a function of how often each row counts; nan where these counts leave it undefined."""
    if metric == "roc_auc":
        classes = [positive] if outputs.shape[1] == 2 else [
            label for label in range(outputs.shape[1]) if 0 < np.count_nonzero(actual == label) < len(actual)]
        areas = [_area_scorer(actual == label, outputs[:, label]) for label in classes]
        return lambda count: float(np.mean([area(count) for area in areas]))
    per_row = _per_row(metric, actual, outputs)
    if per_row is None:
        rows = np.arange(len(actual))

        def repeated(count: np.ndarray) -> float:
            drawn = np.repeat(rows, count.astype(np.int64))
            value = measure(metric, actual[drawn], outputs[drawn], positive=positive)
            return np.nan if value is None else value
        return repeated
    if metric == "rmse":
        return lambda count: float(np.sqrt(count @ per_row / count.sum()))
    return lambda count: float(count @ per_row / count.sum())


def _per_row(metric: str, actual: np.ndarray, outputs: np.ndarray) -> np.ndarray | None:
    """What the metric is a mean of, or None."""
    if metric == "accuracy":
        return (outputs.argmax(axis=1) == actual).astype(np.float64)
    if metric == "log_loss":
        return row_log_loss(actual, outputs)
    if metric == "mae":
        return np.abs(actual - outputs)
    return (actual - outputs) ** 2 if metric == "rmse" else None


def _area_scorer(hits: np.ndarray, scores: np.ndarray) -> Callable[[np.ndarray], float]:
    """The area under the ROC curve for row counts: pairs in the right order, ties half; sorted once."""
    place = rankdata(scores, method="dense") - 1
    number = int(place.max()) + 1

    def area(count: np.ndarray) -> float:
        positives = np.bincount(place[hits], count[hits], minlength=number)
        negatives = np.bincount(place[~hits], count[~hits], minlength=number)
        pairs = positives.sum() * negatives.sum()
        return float(positives @ (np.cumsum(negatives) - negatives / 2)) / pairs if pairs else np.nan
    return area
