"""The result of a run in plain sentences; the first says whether the network was worth it."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid.model.compare import Difference, paired_difference
from pellucid.model.metrics import higher_is_better, measure, metrics
from pellucid.report import words
from pellucid.report.result import Contender, Promise, Verdict

FALLBACKS = {"classify": ("accuracy", "log_loss"), "regress": ("mae",)}


def compare_with_best(task: str, metric: str, actual: np.ndarray, network: np.ndarray,
                      baselines: Mapping[str, np.ndarray], *, positive: int = 1, groups: np.ndarray | None = None,
                      seed: int = 0) -> tuple[str, Difference] | None:
    """The best plain method and how the network compares with it on the same rows.

    Args:
        task: "classify" or "regress".
        metric: the deciding one; where the rows do not define it, accuracy, log loss or mean error stand in.
        actual: (rows,) truth.
        network: its outputs: probabilities (rows, classes) or numbers (rows,).
        baselines: the same of each plain method, by name.
        positive: index of the positive class.
        groups: (rows,) equal numbers for predictions of one and the same row of the table.
        seed: of the bootstrap.
    """
    for name in (metric, *FALLBACKS[task]):
        values = {key: measure(name, actual, outputs, positive=positive) for key, outputs in baselines.items()}
        known = {key: value for key, value in values.items() if value is not None}
        if not known or measure(name, actual, network, positive=positive) is None:
            continue
        best = (max if higher_is_better(name) else min)(known, key=known.__getitem__)
        found = paired_difference(name, actual, network, baselines[best], positive=positive, groups=groups, seed=seed)
        return (best, found) if found else None
    return None


def write_verdict(task: str, network: Contender, baselines: tuple[Contender, ...],
                  compared: tuple[str, Difference] | None, *, promise: Promise | None = None,
                  target: str = "the target") -> Verdict:
    """The verdict in sentences, each true of these numbers.

    Args:
        task: "classify" or "regress".
        network, baselines: with their metrics on the test rows.
        compared: from `compare_with_best`.
        promise: whether sets or intervals kept their coverage.
        target: name of the target column.
    """
    labels = {contender.name: contender.label for contender in baselines}
    if compared is None:
        first, outcome, best, difference = (
            "The network could not be compared with a plain method on these rows.", "alone", None, None)
    else:
        best, difference = compared
        first, outcome = _comparison(labels[best], difference), difference.outcome
    gloss = [] if difference is None else [_gloss(difference.metric)]
    sentences = [first, *gloss, *_quality(task, network, baselines, target), *_promise_sentence(promise)]
    return Verdict(outcome, tuple(sentences), best, difference)


def _comparison(label: str, found: Difference) -> str:
    """The first sentence. Why it is plain: a reader should know within a line whether to use the network."""
    metric = metrics[found.metric]
    measured = (f"{metric.label} {words.score(found.metric, found.first)} against "
                f"{words.score(found.metric, found.second)} on {words.count(found.rows, 'test row')}")
    low, high = (_gap(found, value, signed=True) for value in (found.low, found.high))
    interval = f"95 % interval {low} to {high}"
    if found.outcome == "beats":
        return (f"The network beats the best plain method, {label}: {measured}, better by "
                f"{_gap(found, found.better)} ({interval}).")
    if found.outcome == "worse":
        return (f"The network does not beat the best plain method: {label} is better. {measured}: the network is "
                f"behind by {_gap(found, -found.better)} ({interval}).")
    if found.better == 0:
        lead = "No difference was measured"
    elif not any(digit in "123456789" for digit in _gap(found, found.better)):
        lead = "They differ by less than these digits show"
    else:
        side = "ahead" if found.better > 0 else "behind"
        lead = f"The network is {side} by {_gap(found, abs(found.better))}, which may be chance"
    return (f"The network does not clearly beat the best plain method, {label}; they are on par: {measured}. "
            f"{lead} ({interval}).")


def _gap(found: Difference, value: float, signed: bool = False) -> str:
    """A difference with the digits that its size deserves; in points for shares."""
    sign = "+" if signed and value > 0 else ""
    if found.metric in ("accuracy", "balanced_accuracy"):
        return f"{sign}{words.number(100 * value, 2)} points"
    width = found.high - found.low
    places = int(np.clip(1 - np.floor(np.log10(width)), int(width < 100), 6)) if 0 < width < np.inf else 3
    return sign + words.fixed(value, places)


def _gloss(metric: str) -> str:
    return f"Here {metrics[metric].label} is {metrics[metric].gloss}."


def _quality(task: str, network: Contender, baselines: tuple[Contender, ...], target: str) -> list[str]:
    """How good that is for somebody who knows no metric."""
    constant = next((one for one in baselines if one.name in ("majority", "mean")), None)
    name, base = ("accuracy", "always giving the most frequent class") if task == "classify" else (
        "rmse", "always giving the mean")
    value, plain = network.metrics.get(name), constant.metrics.get(name) if constant else None
    if value is None:
        return []
    if task == "classify":
        beside = f"; {base} would name {words.percent(plain)} correctly" if plain is not None else ""
        return [f"It names “{target}” correctly for {words.percent(value)} of the test rows{beside}."]
    beside = f", against {words.number(plain, 3)} for {base}" if plain is not None else ""
    return [f"Its typical error for “{target}” (root mean squared) is {words.number(value, 3)}{beside}."]


def _promise_sentence(promise: Promise | None) -> list[str]:
    if promise is None:
        return []
    promised, measured = words.percent(promise.promised), words.percent(promise.measured)
    kept = "" if promise.low <= promise.promised <= promise.high or promise.measured >= promise.promised else (
        ": less than promised, by more than chance explains")
    if promise.kind == "sets":
        names = "each names one class" if promise.size == 1 else (
            f"they name {words.number(promise.size, 3)} classes on average")
        return [f"Its prediction sets, made to hold the true class {promised} of the time, held it for {measured} of "
                f"the test rows{kept}; {names}."]
    if promise.infinite and promise.infinite == 1:
        return [f"There are too few rows for intervals that hold the truth {promised} of the time; ask for less."]
    return [f"Its intervals, made to hold the true value {promised} of the time, held it for {measured} of the test "
            f"rows{kept}; they are {words.number(promise.size, 3)} wide on average."]
