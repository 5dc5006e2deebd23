"""How outputs become honest answers: calibrated probabilities, conformal sets and intervals, who may be answered."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.model.groups import Grouping
from pellucid.uncertainty.abstention import Abstention
from pellucid.uncertainty.calibrator import Calibrator, choose_calibrator
from pellucid.uncertainty.conformal import ClassConformal, NumberConformal
from pellucid.uncertainty.scores import evenly
from pellucid.uncertainty.spread import LearnedSpread, choose_spread
from pellucid.uncertainty.strangeness import choose_strangeness

Conformal = ClassConformal | NumberConformal
FEWEST_IN_GROUP = 50
"""A group with fewer left-out rows gets the coverage of all rows together."""
INNER_FOLDS = 5
MOST_ROWS = 5000
"""Kinds of sets are compared on at most so many left-out rows."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Fitted on held-out rows only: each row is judged by the networks that did not learn from it.

    Args:
        folds: for each member, the number of the fold that it left out.
        calibrator: from logits to probabilities; does nothing for numbers.
        conformal: the scores behind sets or intervals; `None` when no row was held out. With the scores of a single
            fold, sets and intervals are those of the mean answer; otherwise of each member (CV+).
        coverage: promised unless another is asked for.
        spread: what intervals are scaled by; `None` for one width everywhere.
        grouping: the groups that have a promise of their own.
        by_group: their scores, in the order of `grouping.names`; `None` for a group with too few rows.
        abstention: how often answers were wrong by their confidence; `None` for numbers.
    """

    folds: tuple[int, ...]
    calibrator: Calibrator = Calibrator()
    conformal: Conformal | None = None
    coverage: float = 0.9
    spread: LearnedSpread | None = None
    grouping: Grouping | None = None
    by_group: tuple[Conformal | None, ...] = ()
    abstention: Abstention | None = None

    @property
    def temperature(self) -> float:
        """By which logits are divided first."""
        return self.calibrator.temperature

    def by_fold(self, outputs: np.ndarray) -> np.ndarray:
        """Mean over the members that left out the same fold: (members, …) to (folds, …)."""
        folds = np.array(self.folds)
        return np.stack([outputs[folds == fold].mean(axis=0) for fold in range(int(folds.max()) + 1)])

    def _asked(self, answers: np.ndarray, mean: np.ndarray, conformal: Conformal) -> np.ndarray:
        return mean[None] if len(conformal.folds) == 1 else self.by_fold(answers)

    def sets(self, answers: np.ndarray, coverage: float, groups: np.ndarray | None = None) -> np.ndarray | None:
        """bool (rows, classes) from the probabilities (members, rows, classes); `None` where nothing was held out.

        `groups` holds the group of each row, -1 for none; without it every row is promised what all together are.
        """
        mean = answers.mean(axis=0)

        def of(conformal: Conformal, rows: np.ndarray | slice) -> np.ndarray:
            return conformal.sets(self._asked(answers[:, rows], mean[rows], conformal), mean[rows], coverage)

        if self.conformal is None:
            return None
        found = of(self.conformal, slice(None))
        for conformal, rows in self._own_promises(groups):
            found[rows] = of(conformal, rows)
        return found

    def intervals(self, answers: np.ndarray, coverage: float, groups: np.ndarray | None = None,
                  channels: np.ndarray | None = None) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Lower and upper ends (rows,) from the numbers (members, rows); see `sets` and `LearnedSpread`."""
        mean = answers.mean(axis=0)
        spread = np.ones(len(mean)) if self.spread is None else self.spread(mean, channels)

        def of(conformal: Conformal, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
            scaled = self._asked(answers[:, rows], mean[rows], conformal) / spread[rows]
            lower, upper = conformal.intervals(scaled, coverage, mean[rows] / spread[rows])
            return np.minimum(lower * spread[rows], mean[rows]), np.maximum(upper * spread[rows], mean[rows])

        if self.conformal is None:
            return None, None
        lower, upper = of(self.conformal, slice(None))
        for conformal, rows in self._own_promises(groups):
            lower[rows], upper[rows] = of(conformal, rows)
        return lower, upper

    def _own_promises(self, groups: np.ndarray | None) -> list[tuple[Conformal, np.ndarray]]:
        """The scores of each group that has some, with the numbers of its rows."""
        if groups is None:
            return []
        found = [(conformal, np.flatnonzero(groups == group)) for group, conformal in enumerate(self.by_group)]
        return [(conformal, rows) for conformal, rows in found if conformal is not None and len(rows)]

    def to_json(self) -> dict[str, Any]:
        """Plain values; what there is not is left out."""
        plain = lambda one: None if one is None else one.to_json()  # noqa: E731
        more = {"spread": plain(self.spread), "grouping": plain(self.grouping), "abstention": plain(self.abstention),
                "by_group": [plain(one) for one in self.by_group] or None}
        return {"folds": list(self.folds), **self.calibrator.to_json(), "coverage": self.coverage,
                "conformal": plain(self.conformal)} | {name: one for name, one in more.items() if one is not None}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Calibration:
        """What `to_json` wrote."""
        grouping = record.get("grouping")
        return cls(tuple(record["folds"]), Calibrator.from_json(record), _conformal(record["conformal"]),
                   float(record["coverage"]), LearnedSpread.from_json(record.get("spread")),
                   None if grouping is None else Grouping.from_json(grouping),
                   tuple(map(_conformal, record.get("by_group", ()))), Abstention.from_json(record.get("abstention")))


def _conformal(value: Mapping[str, Any] | None) -> Conformal | None:
    if value is None:
        return None
    return (ClassConformal if value["kind"] == "classes" else NumberConformal).from_json(value)


def two_columns(logits: np.ndarray) -> np.ndarray:
    """Logits (…, classes); a single logit is that of the second of two classes."""
    if logits.shape[-1] > 1:
        return logits
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)


def left_out(outputs: np.ndarray, folds: tuple[int, ...], row_folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's outputs from the members that left it out.

    Args:
        outputs: (members, rows, …).
        folds: the fold that each member left out.
        row_folds: (rows,) the fold of each row.

    Returns:
        The numbers of the rows that some member left out, and (those rows, …) the mean of these members.
    """
    member_folds = np.array(folds)
    judged = np.flatnonzero(np.isin(row_folds, member_folds))
    answers = np.empty((len(judged), *outputs.shape[2:]), np.float64)
    for fold in np.unique(member_folds):
        here = row_folds[judged] == fold
        answers[here] = outputs[member_folds == fold][:, judged[here]].mean(axis=0)
    return judged, answers


@dataclass(frozen=True, eq=False)
class Rows:
    """Training rows as calibration sees them.

    Args:
        truth: (rows,) class indices, or numbers in the target's units.
        folds: (rows,) the fold of each row; -1 for one that does not count.
        weight: (rows,) how much each counts in calibration; all alike when `None`.
        groups: (rows,) the group of each, -1 for none; `None` without groups.
        channels: (rows, channels) what the spread of errors may depend on.
    """

    truth: np.ndarray
    folds: np.ndarray
    weight: np.ndarray | None = None
    groups: np.ndarray | None = None
    channels: np.ndarray | None = None

    def at(self, rows: np.ndarray) -> Rows:
        """Some of the rows."""
        pick = lambda array: None if array is None else array[rows]  # noqa: E731
        return Rows(self.truth[rows], self.folds[rows], pick(self.weight), pick(self.groups), pick(self.channels))

    @property
    def inner(self) -> np.ndarray:
        """(rows,) at most five folds, by which rows judge what was fitted to others."""
        several = len(np.unique(self.folds)) > 1
        return (self.folds if several else np.arange(len(self.folds))) % INNER_FOLDS


def calibrate_classes(logits: np.ndarray, rows: Rows, folds: tuple[int, ...], *, coverage: float = 0.9,
                      grouping: Grouping | None = None) -> Calibration:
    """Fit probabilities, sets and bars for answers on the logits (members, rows, classes) of the training rows."""
    judged, held_out = left_out(logits, folds, rows.folds)
    if not len(judged):
        return Calibration(folds, coverage=coverage)
    rows = rows.at(judged)
    calibrator, probabilities = choose_calibrator(held_out, rows.truth, rows.inner, rows.weight)
    some = evenly(len(judged), MOST_ROWS)
    strangeness = choose_strangeness(probabilities[some], rows.truth[some], rows.inner[some], coverage)

    def fit(own: np.ndarray) -> ClassConformal:
        return ClassConformal.fit(probabilities[own], rows.truth[own], np.zeros(len(own), int), 1, strangeness)

    wrong = probabilities.argmax(axis=1) != rows.truth
    return Calibration(folds, calibrator, fit(np.arange(len(judged))), coverage, grouping=grouping,
                       by_group=_each_group(rows.groups, grouping, fit),
                       abstention=Abstention.fit(probabilities.max(axis=1), wrong))


def calibrate_numbers(predictions: np.ndarray, rows: Rows, folds: tuple[int, ...], *, coverage: float = 0.9,
                      grouping: Grouping | None = None) -> Calibration:
    """Fit prediction intervals on the predictions (members, rows), in the target's units."""
    judged, held_out = left_out(predictions, folds, rows.folds)
    if not len(judged):
        return Calibration(folds, coverage=coverage)
    gain = gain_of_mean(predictions[:, judged], rows.truth[judged], folds, rows.folds[judged])
    rows = rows.at(judged)
    residuals = rows.truth - held_out
    spread, own_spread = choose_spread(residuals, held_out, rows.channels, rows.inner, coverage)
    scores = gain * residuals / own_spread

    def fit(own: np.ndarray) -> NumberConformal:
        return NumberConformal.fit(scores[own], np.zeros(len(own), int), 1)

    return Calibration(folds, conformal=fit(np.arange(len(judged))), coverage=coverage, spread=spread,
                       grouping=grouping, by_group=_each_group(rows.groups, grouping, fit))


def _each_group(groups: np.ndarray | None, grouping: Grouping | None, fit: Any) -> tuple[Conformal | None, ...]:
    if groups is None or grouping is None:
        return ()
    members = [np.flatnonzero(groups == group) for group in range(len(grouping.names))]
    return tuple(fit(own) if len(own) >= FEWEST_IN_GROUP else None for own in members)


def gain_of_mean(predictions: np.ndarray, truth: np.ndarray, folds: tuple[int, ...], row_folds: np.ndarray) -> float:
    """How much smaller errors of the mean of all members are than those of the members that left a row out; at most 1.

    A member's error is the mean's error plus its own deviation from the mean, so that mean squared errors differ by
    the members' variance v: sqrt(1 - v (1 - 1/m) / mean squared error), m members in place of one. The variance is
    taken among the members that did learn from a row. They agree more there than on new rows, so that the gain is
    rather too small than too large, and intervals rather too wide than too narrow.

    Args:
        predictions: (members, rows); truth: (rows,).
        folds: the fold that each member left out; row_folds: (rows,).
    """
    learned = np.array(folds)[:, None] != row_folds[None]
    alone, count = (~learned).sum(axis=0), learned.sum(axis=0)
    enough = (count > 1) & (alone > 0)
    if not enough.any():
        return 1.0
    learned, chosen, alone, count = learned[:, enough], predictions[:, enough], alone[enough], count[enough]
    mean = (chosen * learned).sum(axis=0) / count
    variance = (learned * (chosen - mean) ** 2).sum(axis=0) / (count - 1)
    held_out = (chosen * ~learned).sum(axis=0) / alone
    error = float(np.mean((truth[enough] - held_out) ** 2))
    removed = float(np.mean(variance * (1 / alone - 1 / len(folds))))
    return float(np.sqrt(np.clip(1 - removed / error, 0.25, 1.0))) if error > 0 else 1.0
