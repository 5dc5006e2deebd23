"""From probabilities to decisions: a threshold, or what each kind of error costs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.declared import TRAIN
from pellucid.errors import SettingsError, did_you_mean


@dataclass(frozen=True)
class Decisions:
    """One way to decide, and what it led to on rows with known answers.

    Attributes:
        rule: in words, such as "the class that costs least".
        cost: mean cost of a row, measured against the truth.
        expected: mean cost of a row that the probabilities promised; None where they say nothing about the rule.
        error_rate: share of decisions that were wrong.
        counts: (actual, decided) number of rows, a row per actual class.
        chosen: whether this is the rule that was asked for.
    """

    rule: str
    cost: float
    expected: float | None
    error_rate: float
    counts: tuple[tuple[int, ...], ...]
    chosen: bool = False


@dataclass(frozen=True)
class DecisionReport:
    """The asked-for rule beside the plain ones.

    Attributes:
        classes: in the order of `costs` and of each rule's `counts`.
        costs: (actual, decided).
        rules: the asked-for rule first, then the most probable class, then always one answer.
        threshold: for the positive class, where a threshold was given.
        positive: the positive class, where a threshold was given.
    """

    classes: tuple[str, ...]
    costs: tuple[tuple[float, ...], ...]
    rules: tuple[Decisions, ...]
    threshold: float | None = None
    positive: str | None = None


def cost_matrix(costs: Mapping[Any, Mapping[Any, float]], classes: Sequence[Any]) -> np.ndarray:
    """`costs` {actual: {decided: cost}} as a matrix (actual, decided).

    A right decision costs 0 unless stated; every wrong one must be stated. Gains are negative costs.

    Raises:
        SettingsError: an unknown class, a missing or not finite cost.

    Example:
        >>> cost_matrix({"bad": {"good": 5}, "good": {"bad": 1}}, ["bad", "good"]).tolist()
        [[0.0, 5.0], [1.0, 0.0]]
    """
    names = [str(label) for label in classes]
    given = {str(actual): {str(decided): cost for decided, cost in row.items()} for actual, row in costs.items()}
    for name in [*given, *(decided for row in given.values() for decided in row)]:
        if name not in names:
            raise SettingsError(f"`costs` names the class `{name}`, which the target does not have.",
                                did_you_mean(name, names))
    matrix = np.zeros((len(names), len(names)))
    for row, actual in enumerate(names):
        for column, decided in enumerate(names):
            cost = given.get(actual, {}).get(decided, 0.0 if row == column else None)
            if cost is None:
                raise SettingsError(f"`costs` does not say what deciding `{decided}` costs where `{actual}` is true.",
                                    f'add it, for example costs={{"{actual}": {{"{decided}": 1}}, ...}}')
            matrix[row, column] = _finite(cost)
    return matrix


def _finite(cost: Any) -> float:
    try:
        value = float(cost)
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise SettingsError(f"`costs` holds {cost!r}; expected a finite number.", "write each cost as a number")
    return value


def decide(probabilities: np.ndarray, *, costs: np.ndarray | None = None, threshold: float | None = None,
           positive: int = 1) -> np.ndarray:
    """The class to act on.

    With `costs`, the class of the least expected cost: argmin over d of sum over a of p(a) cost(a, d). With
    `threshold`, the positive class where its probability reaches it, else the most probable other class. With
    neither, the most probable class.

    Args:
        probabilities: (rows, classes), calibrated.
        costs: (actual, decided), from `cost_matrix`.
        threshold: from 0 to 1.
        positive: index of the class that the threshold is for.

    Returns:
        (rows,) class indices.

    Example:
        >>> decide(np.array([[0.3, 0.7]]), costs=np.array([[0.0, 5.0], [1.0, 0.0]])).tolist()
        [0]
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if costs is not None and threshold is not None:
        raise SettingsError("`costs` and `threshold` were both given; expected one of them.", "leave one out")
    if costs is not None:
        return (probabilities @ np.asarray(costs)).argmin(axis=1)
    if threshold is None:
        return probabilities.argmax(axis=1)
    others = np.where(np.arange(probabilities.shape[1]) == positive, -np.inf, probabilities)
    reached = probabilities[:, positive] >= check_threshold(threshold)
    return np.where(reached, positive, others.argmax(axis=1))


def check_threshold(threshold: Any) -> float:
    """`threshold` as a float; `SettingsError` unless it lies between 0 and 1."""
    return TRAIN["threshold"].check(threshold)


def best_threshold(costs: np.ndarray, positive: int = 1) -> float | None:
    """The probability of the positive class from which deciding for it costs less; None unless two classes.

    Source: Elkan (2001), The foundations of cost-sensitive learning, equation 2.
    """
    costs = np.asarray(costs, dtype=np.float64)
    if costs.shape != (2, 2):
        return None
    false_alarm = costs[1 - positive, positive] - costs[1 - positive, 1 - positive]
    miss = costs[positive, 1 - positive] - costs[positive, positive]
    return float(false_alarm / (false_alarm + miss)) if false_alarm >= 0 and miss >= 0 < false_alarm + miss else None


def decision_report(actual: np.ndarray, probabilities: np.ndarray, classes: Sequence[Any], *,
                    costs: Mapping[Any, Mapping[Any, float]] | None = None, threshold: float | None = None,
                    positive: int = 1) -> DecisionReport:
    """What the asked-for rule costs on rows with known answers, beside the plain rules.

    Args:
        actual: (rows,) index of the true class.
        probabilities: (rows, classes), calibrated.
        classes: the class of each index.
        costs: {actual: {decided: cost}}; without it every error costs 1.
        threshold: for the positive class, instead of the rule that follows from the costs.
        positive: index of the positive class.
    """
    actual, probabilities = np.asarray(actual, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    number = len(classes)
    matrix = 1.0 - np.eye(number) if costs is None else cost_matrix(costs, classes)
    name = str(classes[positive])
    rule = (f"“{name}” from a probability of {check_threshold(threshold):g}" if threshold is not None
            else "the class with the least expected cost")
    asked = decide(probabilities, threshold=threshold, positive=positive) if threshold is not None else decide(
        probabilities, costs=matrix)
    rules = [_judge(rule, asked, actual, probabilities, matrix, chosen=True),
             _judge("the most probable class", probabilities.argmax(axis=1), actual, probabilities, matrix)]
    rules += [_judge(f"always “{label}”", np.full(len(actual), index), actual, probabilities, matrix)
              for index, label in enumerate(classes) if number <= 5 or index == _cheapest(actual, matrix)]
    return DecisionReport(tuple(str(label) for label in classes), tuple(map(tuple, matrix.tolist())), tuple(rules),
                          threshold, name if threshold is not None else None)


def _cheapest(actual: np.ndarray, costs: np.ndarray) -> int:
    return int((np.bincount(actual, minlength=len(costs)) @ costs).argmin())


def _judge(rule: str, decided: np.ndarray, actual: np.ndarray, probabilities: np.ndarray, costs: np.ndarray,
           chosen: bool = False) -> Decisions:
    number = len(costs)
    counts = np.bincount(actual * number + decided, minlength=number * number).reshape(number, number)
    rows = max(len(actual), 1)
    expected = (probabilities @ costs)[np.arange(len(actual)), decided]
    return Decisions(rule, float((counts * costs).sum() / rows), float(expected.sum() / rows),
                     float(1 - np.trace(counts) / rows) if len(actual) else 0.0,
                     tuple(map(tuple, counts.tolist())), chosen)
