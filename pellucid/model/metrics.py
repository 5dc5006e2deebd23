"""How good predictions are, by the names that scikit-learn gives its measures."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn import metrics as scikit

from pellucid.core.registry import Registry
from pellucid.errors import SettingsError, ShapeError
from pellucid.uncertainty import brier_score, calibration_error


@dataclass(frozen=True)
class Metric:
    """One measure of quality.

    Attributes:
        name: scikit-learn's name, such as `"roc_auc"`.
        label: for people, such as "ROC AUC".
        task: the task that it belongs to, such as "classify".
        higher: whether more is better.
        gloss: what it means, for a lay reader, as the end of a sentence.
        function: (labels, probabilities, positive) or (targets, predictions) to a float or None; None for those of
            other tasks, which measure themselves.
        also: other tasks that use it.
    """

    name: str
    label: str
    task: str
    higher: bool
    gloss: str
    function: Callable[..., float | None] | None = None
    also: tuple[str, ...] = ()


metrics: Registry[Metric] = Registry("metric", aliases={"auc": "roc_auc", "ece": "expected_calibration_error"})


def _predicted(probabilities: np.ndarray) -> np.ndarray:
    return probabilities.argmax(axis=1)


def _roc_auc(labels: np.ndarray, probabilities: np.ndarray, positive: int) -> float | None:
    return _one_versus_rest(scikit.roc_auc_score, labels, probabilities, positive)


def _average_precision(labels: np.ndarray, probabilities: np.ndarray, positive: int) -> float | None:
    return _one_versus_rest(scikit.average_precision_score, labels, probabilities, positive)


def _one_versus_rest(score: Callable, labels: np.ndarray, probabilities: np.ndarray, positive: int) -> float | None:
    """Two classes: the positive one; more: the mean over those classes that some rows have and some have not."""
    classes = [positive] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    usable = [label for label in classes if 0 < np.count_nonzero(labels == label) < len(labels)]
    if not usable:
        return None
    return float(np.mean([score(labels == label, probabilities[:, label]) for label in usable]))


def _log_loss(labels: np.ndarray, probabilities: np.ndarray, positive: int) -> float:
    return float(np.mean(row_log_loss(labels, probabilities)))


def row_log_loss(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """-log of the probability given to the true class, for each row; probabilities are kept above 1e-15."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    given = probabilities[np.arange(len(labels)), labels] / probabilities.sum(axis=1)
    return -np.log(np.clip(given, 1e-15, 1.0))


def _balanced_accuracy(labels: np.ndarray, probabilities: np.ndarray, positive: int) -> float:
    right = _predicted(probabilities) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _f1(labels: np.ndarray, probabilities: np.ndarray, positive: int) -> float:
    """Two classes: of the positive one; more: the mean over the classes that occur, true or predicted."""
    predicted = _predicted(probabilities)
    if probabilities.shape[1] == 2:
        return float(scikit.f1_score(labels == positive, predicted == positive, zero_division=0.0))
    return float(scikit.f1_score(labels, predicted, average="macro", zero_division=0.0))


def _r2(targets: np.ndarray, predictions: np.ndarray) -> float | None:
    spread = float(((targets - targets.mean()) ** 2).sum())
    return 1.0 - float(((targets - predictions) ** 2).sum()) / spread if spread > 0 else None


for _metric in (
    Metric("roc_auc", "ROC AUC", "classify", True,
           "how well it ranks: 0.5 is guessing, 1 is perfect", _roc_auc, ("detect",)),
    Metric("accuracy", "accuracy", "classify", True,
           "the share of right answers", lambda y, p, positive: float(np.mean(_predicted(p) == y))),
    Metric("balanced_accuracy", "balanced accuracy", "classify", True,
           "the share of right answers, every class counting the same", _balanced_accuracy),
    Metric("average_precision", "average precision", "classify", True,
           "how pure the top of the ranking is; the share of the class is guessing, 1 is perfect", _average_precision,
           ("detect",)),
    Metric("f1", "F1", "classify", True,
           "the balance of finding all of a class and naming nothing else so; 1 is perfect", _f1),
    Metric("log_loss", "log loss", "classify", False,
           "the penalty for confident errors; 0 is perfect", _log_loss),
    Metric("brier", "Brier score", "classify", False,
           "the mean squared distance of probabilities and truth; 0 is perfect",
           lambda y, p, positive: brier_score(p, y)),
    Metric("expected_calibration_error", "calibration error", "classify", False,
           "how far confidence and the share of right answers lie apart; 0 is perfect",
           lambda y, p, positive: calibration_error(p, y)),
    Metric("equal_error_rate", "equal error rate", "verify", False,
           "the share of errors where as many are refused wrongly as let through wrongly; 0 is perfect"),
    Metric("identification_rate", "identified", "verify", True,
           "the share of known identities that are named rightly while strangers are refused at the stated rate"),
    Metric("rank_one", "nearest is right", "verify", True,
           "the share of known identities whose nearest example is their own, strangers aside"),
    Metric("false_accept_rate", "strangers let in", "verify", False, "the share of strangers that are accepted"),
    Metric("neighbour_agreement", "neighbours know", "embed", True,
           "how well the nearest rows tell what was hidden: 0 is no better than the usual value, 1 is perfect"),
    Metric("explained", "given back", "embed", True,
           "the share of what varies that can be given back from the code; 1 is all of it"),
    Metric("recall_at_rate", "found at the stated false alarms", "detect", True,
           "the share of anomalies that are stranger than all normal rows but the share that may be flagged"),
    Metric("recall", "anomalies flagged", "detect", True, "the share of known anomalies that the detector flags"),
    Metric("false_alarm_rate", "normal rows flagged", "detect", False,
           "the share of known normal rows that the detector flags"),
    Metric("flagged", "rows flagged", "detect", False, "the share of all rows that the detector flags"),
    Metric("mase", "MASE", "forecast", False,
           "the mean error in parts of that of repeating the last season on the training data; 0 is perfect"),
    Metric("rmse", "RMSE", "regress", False,
           "the typical error, large errors counting more, in the target's units",
           lambda y, p: float(np.sqrt(np.mean((y - p) ** 2))), ("forecast", "recommend")),
    Metric("mae", "MAE", "regress", False, "the mean error, in the target's units",
           lambda y, p: float(np.mean(np.abs(y - p))), ("forecast", "recommend")),
    Metric("median_absolute_error", "median error", "regress", False,
           "half of the errors are smaller, in the target's units", lambda y, p: float(np.median(np.abs(y - p)))),
    Metric("r2", "R²", "regress", True,
           "the share of the target's variation that is explained; 0 is no better than the mean, 1 is perfect", _r2),
    Metric("recall_at_10", "recall@10", "recommend", True,
           "the share of what a user liked in the test that stands among the ten items listed"),
    Metric("ndcg_at_10", "NDCG@10", "recommend", True,
           "how many of the ten listed items were liked in the test, the first ones counting most; 1 is perfect"),
    Metric("coverage_at_10", "catalogue shown", "recommend", True,
           "the share of all items that stand in the list of somebody"),
):
    metrics.add(_metric.name, _metric)


def main_metric(task: str, classes: int | None = None) -> str:
    """The metric that decides a comparison: ROC AUC for two classes, accuracy for more, RMSE for numbers.

    Args:
        task: "classify" or "regress".
        classes: how many classes; two when not given.
    """
    if task == "regress":
        return "rmse"
    if task != "classify":
        raise SettingsError(f"`task` was {task!r}; expected `classify` or `regress`.", "set task to `classify`")
    return "roc_auc" if classes is None or classes <= 2 else "accuracy"


def higher_is_better(metric: str) -> bool:
    """Whether more is better: true for accuracy, false for errors."""
    return metrics[metric].higher


def metrics_of(task: str) -> tuple[str, ...]:
    """The names of the metrics of a task, the main one of two classes or of numbers first."""
    return tuple(name for name, metric in metrics.items() if metric.task == task or task in metric.also)


def measure(metric: str, actual: np.ndarray, outputs: np.ndarray, *, positive: int = 1) -> float | None:
    """One metric.

    Args:
        metric: its name.
        actual: (rows,) class indices, or numbers in the target's units.
        outputs: (rows, classes) probabilities, or (rows,) numbers.
        positive: index of the positive class; only counts where there are two.

    Returns:
        The value, or None where it is not defined: no rows, a ranking of one class, R² of a constant.

    Example:
        >>> measure("accuracy", [0, 1], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """
    entry = metrics[metric]
    regress = entry.task == "regress"
    actual = np.asarray(actual, dtype=np.float64 if regress else np.int64)
    outputs = np.asarray(outputs, dtype=np.float64)
    if len(actual) != len(outputs) or actual.ndim != 1 or outputs.ndim != (1 if regress else 2):
        raise ShapeError(f"`{metric}` expected actual (rows,) and outputs {'(rows,)' if regress else '(rows, classes)'}"
                         f", got {actual.shape} and {outputs.shape}.", "pass one output for each row")
    if not len(actual) or not np.isfinite(outputs).all():
        return None
    return entry.function(actual, outputs) if regress else entry.function(actual, outputs, positive)


def evaluate(task: str, actual: np.ndarray, outputs: np.ndarray, *, positive: int = 1) -> dict[str, float | None]:
    """All metrics of a task by name; None for those that these rows do not define. Arguments as for `measure`."""
    return {name: measure(name, actual, outputs, positive=positive) for name in metrics_of(task)}
