"""What the report says of confidence: answering at a risk, rows unlike the training, and groups side by side."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.report import words
from pellucid.report.result import Grid, Section
from pellucid.uncertainty import debiased_calibration_error, share_interval

FEWEST_TO_COMPARE = 20
FEWEST_FOR_BINS = 100
LEVELS = (0.01, 0.05, 0.1)


@dataclass(frozen=True)
class Answering:
    """What a promised error rate led to on test rows.

    Attributes:
        risk: the promised share of wrong answers among those that are given.
        share: of test rows that were answered.
        error: share of these answers that were wrong; None where none was given.
        low, high: 95 % interval of `error`.
    """

    risk: float
    share: float
    error: float | None
    low: float
    high: float


def answering(wrong: np.ndarray, answered: np.ndarray, risks: Sequence[float]) -> tuple[Answering, ...]:
    """From bool (rows,) whether the likeliest class was wrong, and bool (rows, risks) whether the row is answered."""
    found = []
    for risk, own in zip(risks, answered.T, strict=True):
        count, errors = int(own.sum()), int((wrong & own).sum())
        low, high = share_interval(errors, count)
        found.append(Answering(float(risk), float(own.mean()), errors / count if count else None, float(low),
                               float(high)))
    return tuple(found)


def answering_section(found: Sequence[Answering]) -> Section:
    """How many rows are answered where only so many answers may be wrong."""
    rows = tuple((words.percent(one.risk), words.percent(one.share), words.percent(one.error),
                  "–" if one.error is None else f"{words.percent(one.low)} to {words.percent(one.high)}")
                 for one in found)
    sentences = ("A network may also say “unsure”. If it answers only rows that it is confident enough of, fewer of "
                 "its answers are wrong. How confident is enough for a promised error rate was found on held-out rows, "
                 "with a bound that holds in 95 of 100 cases; these are the test rows.",
                 "`pellucid predict --risk 0.05` answers so that at most 5 % of the answers are wrong.")
    header = ("promised: wrong answers at most", "rows answered", "answers that were wrong", "95 % interval")
    return Section("When it would rather say “unsure”", sentences, grids=(Grid("", header, rows, (0, 1, 2, 3)),))


def unlike_shares(p_value: np.ndarray) -> dict[str, float]:
    """The share of rows whose p-value is at most each of `LEVELS`: about that level for rows like the training."""
    return {f"{level:g}": float((p_value <= level).mean()) for level in LEVELS}


def unlike_section(p_value: np.ndarray) -> Section:
    """Whether the test rows are like the training rows."""
    shares = unlike_shares(p_value)
    rows = tuple((words.percent(level), words.percent(share))
                 for level, share in zip(LEVELS, shares.values(), strict=True))
    sentences = ("Every prediction comes with a p-value for “this row is like the training rows”: the share of held-"
                 "out training rows that are at least as strange. Rows with a very small one are unlike what was "
                 "learned from; then neither confidence nor sets can be trusted. Of rows like those of the training, "
                 "as many should fall below a level as the level says:",)
    return Section("Is this row like the training data?", sentences,
                   grids=(Grid("", ("p-value at most", "test rows"), rows, (0, 1)),))


@dataclass(frozen=True)
class Share:
    """A share of rows with its 95 % interval; `value` is None where there is no row."""

    value: float | None
    low: float
    high: float
    rows: int


def share_of(hits: np.ndarray) -> Share:
    """From bool (rows,)."""
    low, high = share_interval(hits.sum(), len(hits))
    return Share(float(hits.mean()) if len(hits) else None, float(low), float(high), len(hits))


@dataclass(frozen=True)
class GroupRates:
    """How one group fares.

    Attributes:
        name: of the group.
        rows: test rows.
        shares: by name: `coverage`, and for classes `actual` and `predicted` (the positive class), `wrong`,
            `false_alarms`, `misses`.
        means: by name: `size` of sets or intervals; `confidence`, `overconfidence` (mean confidence minus the share of
            right answers) and, from 100 rows on, `calibration_error` for classes; `error` (mean absolute) and `bias`
            (mean of predicted minus actual) for numbers.
        intervals: 95 % intervals of some of these means.
    """

    name: str
    rows: int
    shares: Mapping[str, Share]
    means: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]


def class_rates(name: str, truth: np.ndarray, decided: np.ndarray, probabilities: np.ndarray,
                sets: np.ndarray | None, positive: int | None) -> GroupRates:
    """How a group fares by class indices (rows,), probabilities and sets (rows, classes); rates of one class only
    where `positive` names it."""
    wrong = decided != truth
    shares = {"wrong": share_of(wrong)}
    beyond = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == truth)
    means = {"confidence": float(probabilities.max(axis=1).mean()), "overconfidence": float(beyond.mean())}
    if len(truth) >= FEWEST_FOR_BINS:
        means["calibration_error"] = debiased_calibration_error(probabilities, truth)
    if positive is not None:
        yes, said = truth == positive, decided == positive
        shares |= {"actual": share_of(yes), "predicted": share_of(said), "false_alarms": share_of(said[~yes]),
                   "misses": share_of(~said[yes])}
    if sets is not None:
        shares["coverage"] = share_of(sets[np.arange(len(truth)), truth])
        means["size"] = float(sets.sum(axis=1).mean())
    return GroupRates(name, len(truth), shares, means, {"overconfidence": _mean_interval(beyond)})


def _mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a mean; without end for fewer than two values."""
    half = 1.96 * float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return float(values.mean()) - half, float(values.mean()) + half


def number_rates(name: str, truth: np.ndarray, predicted: np.ndarray, lower: np.ndarray | None,
                 upper: np.ndarray | None) -> GroupRates:
    """How a group fares by numbers (rows,)."""
    difference = predicted - truth
    means = {"actual": float(truth.mean()), "predicted": float(predicted.mean()),
             "error": float(np.abs(difference).mean()), "bias": float(difference.mean())}
    shares = {}
    if lower is not None and upper is not None:
        shares["coverage"] = share_of((lower <= truth) & (truth <= upper))
        means["size"] = float(np.mean(upper - lower))
    return GroupRates(name, len(truth), shares, means, {"bias": _mean_interval(difference)})


SHARES = {"actual": "truly “{}”", "predicted": "called “{}”", "wrong": "wrong answers", "false_alarms":
          "false alarms: called “{}”, but were not", "misses": "misses: were “{}”, but not called so",
          "coverage": "sets or intervals that held the truth"}
MEANS = {"confidence": "mean confidence", "overconfidence": "confidence minus right answers",
         "calibration_error": "calibration error", "size": "mean size of sets or width of intervals",
         "actual": "mean actual value", "predicted": "mean predicted value", "error": "mean error",
         "bias": "mean of predicted minus actual"}


def fairness_section(column: str, groups: Sequence[GroupRates], promised: float | None, positive: str = "") -> Section:
    """The groups of a column side by side, and in words what differs by more than chance."""
    header = ("", *(f"{one.name} ({words.count(one.rows, 'row')})" for one in groups))
    rows = [(text.format(positive), *(_share(one.shares[name]) for one in groups)) for name, text in SHARES.items()
            if all(name in one.shares for one in groups)]
    rows += [(text, *(_mean(name, one) for one in groups)) for name, text in MEANS.items()
             if any(name in one.means for one in groups)]
    sentences = [f"The test rows divided by “{column}”. Beside each share stands its 95 % interval: where the "
                 "intervals of two groups are far apart, the difference is more than chance. The network may treat "
                 "groups differently even if it does not see the column, because other columns can tell it.",
                 *_differences(groups, promised, positive)]
    return Section(f"How groups of “{column}” fare", tuple(sentences),
                   grids=(Grid("", header, tuple(rows), tuple(range(1, len(header)))),))


def _share(one: Share) -> str:
    return "–" if one.value is None else (
        f"{words.percent(one.value)} ({words.percent(one.low)} to {words.percent(one.high)})")


def _mean(name: str, one: GroupRates) -> str:
    value = one.means.get(name)
    text = words.percent if name in ("confidence", "overconfidence", "calibration_error") else words.number
    if value is None or name not in one.intervals:
        return text(value)
    low, high = one.intervals[name]
    return f"{text(value)} ({text(low)} to {text(high)})" if np.isfinite(high) else text(value)


def _differences(groups: Sequence[GroupRates], promised: float | None, positive: str) -> list[str]:
    """For each share the groups that lie furthest apart, if their intervals do not overlap; then broken promises."""
    sentences = []
    for name in ("predicted", "wrong", "false_alarms", "misses", "coverage"):
        known = [one for one in groups if name in one.shares and one.shares[name].rows >= FEWEST_TO_COMPARE]
        if len(known) < 2:
            continue
        least, most = (choose(known, key=lambda one: one.shares[name].value) for choose in (min, max))
        if least.shares[name].high < most.shares[name].low:
            sentences.append(f"{SHARES[name].format(positive)[0].upper()}{SHARES[name].format(positive)[1:]}: "
                             f"{words.percent(most.shares[name].value)} in “{most.name}”, "
                             f"{words.percent(least.shares[name].value)} in “{least.name}”; more than chance explains.")
    if not sentences:
        sentences.append("No two groups differ by more than chance explains; with few rows, that does not mean that "
                         "they are treated alike.")
    for one in groups:
        low, high = one.intervals.get("overconfidence", (0.0, 0.0))
        if one.rows >= FEWEST_TO_COMPARE and (low > 0 or high < 0):
            sentences.append(f"In “{one.name}” the network is too {'sure' if low > 0 else 'modest'}: its confidence is "
                             f"{words.percent(one.means['confidence'])}, right are "
                             f"{words.percent(one.means['confidence'] - one.means['overconfidence'])}.")
    short = [one for one in groups if promised is not None and "coverage" in one.shares
             and one.shares["coverage"].high < promised]
    sentences += [f"In “{one.name}” the promise of {words.percent(promised)} was not kept: "
                  f"{words.percent(one.shares['coverage'].value)}." for one in short]
    return sentences


def rates_json(groups: Sequence[GroupRates]) -> dict[str, Any]:
    """The same numbers for metrics.json."""
    def of(one: GroupRates) -> dict[str, Any]:
        shares = {name: {"value": share.value, "low": share.low, "high": share.high}
                  for name, share in one.shares.items()}
        means = {name: {"value": value, "low": one.intervals[name][0], "high": one.intervals[name][1]}
                 if name in one.intervals and np.isfinite(one.intervals[name][1]) else value
                 for name, value in one.means.items()}
        return {"rows": one.rows, **shares, **means}
    return {one.name: of(one) for one in groups}
