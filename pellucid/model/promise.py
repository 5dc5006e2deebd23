"""What comes with each prediction: a set or an interval, whether it may be answered, how unlike training rows it is."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binom

from pellucid.core.note import Note
from pellucid.data.table import Table
from pellucid.errors import SettingsError
from pellucid.features.inputs import cardinalities
from pellucid.features.targets import ClassTarget
from pellucid.model.calibration import two_columns
from pellucid.model.channels import channels
from pellucid.model.groups import Grouping
from pellucid.model.predictions import Predictions
from pellucid.uncertainty.abstention import check_risk
from pellucid.uncertainty.calibration import share_interval
from pellucid.uncertainty.scores import check_coverage
from pellucid.uncertainty.temperature import temper

if TYPE_CHECKING:
    from pellucid.model.model import Model

STRANGE = 0.01
"""Rows with a p-value up to this are counted as unlike the training data in the notes."""


def predictions_of(model: Model, table: Table, inputs: Mapping[str, Any], coverage: float | None) -> Predictions:
    """The answers for encoded rows with their promises, and notes about these.

    Args:
        model: a `Model`.
        table: the rows as they were read; the column of the groups is looked up in it.
        inputs: the rows encoded.
        coverage: of sets and intervals; as in training when `None`.
    """
    calibration = model.calibration
    coverage = calibration.coverage if coverage is None else check_coverage(coverage)
    groups, notes = _groups(calibration.grouping, table)
    outputs = model.members.outputs(inputs).astype(np.float64)
    answers = model.answer_of(outputs)
    mean = answers.mean(axis=0)
    unlike = (None, None) if model.unlikeness is None else model.unlikeness(inputs, model.members)
    common = {"task": model.task, "target": model.target.name, "coverage": coverage, "groups": groups,
              "unlikeness": unlike[0], "p_value": unlike[1]}
    notes += _strange(unlike[1])
    if isinstance(model.target, ClassTarget):
        answered, more = _answered(model, mean)
        return Predictions(prediction=model.target.decode(model.decide(mean)), classes=model.target.classes,
                           probabilities=mean, sets=calibration.sets(answers, coverage, groups), answered=answered,
                           uncalibrated=temper(two_columns(outputs)).mean(axis=0), notes=(*notes, *more), **common)
    lower, upper = calibration.intervals(answers, coverage, groups, channels(inputs, cardinalities(model.features)))
    return Predictions(prediction=mean, lower=lower, upper=upper, notes=notes, **common)


def promise_lines(model: Model) -> tuple[str, ...]:
    """What a model promises, for its card."""
    calibration, found = model.calibration, []
    if calibration.conformal is not None:
        what = "sets hold the true class" if model.task == "classify" else "intervals hold the true value"
        groups = "" if calibration.grouping is None else f", and so in each group of `{calibration.grouping.column}`"
        found.append(f"Its {what} for {calibration.coverage:.0%} of rows like those of the training{groups}.")
    if model.unlikeness is not None:
        found.append("It says of each row how unlike the training rows it is, with a p-value; the file holds "
                     "quantiles, frequencies and covariances of the columns for that.")
    return tuple(found)


def _groups(grouping: Grouping | None, table: Table) -> tuple[np.ndarray | None, tuple[Note, ...]]:
    if grouping is None:
        return None, ()
    if grouping.column in table.names:
        return grouping.read(table.column(grouping.column)), ()
    return None, (Note("group_missing", f"The data lack the column `{grouping.column}`, so that the coverage is "
                       "promised for all rows together, not for each of its groups.", grouping.column,
                       severity="warning"),)


def _answered(model: Model, probabilities: np.ndarray) -> tuple[np.ndarray | None, tuple[Note, ...]]:
    """Which rows are answered at the risk that the model has, and what to say where none can be."""
    risk = model.decision.get("risk")
    if risk is None:
        return None, ()
    bar = bar_of(model, risk)
    notes = () if np.isfinite(bar) or bar < 0 else (
        Note("none_answered", f"No answer is given: the held-out rows cannot promise that at most {risk:.3g} of the "
             "answers are wrong. They are too few, or too many of them were answered wrongly.", severity="warning"),)
    return probabilities.max(axis=1) > bar, notes


def bar_of(model: Model, risk: float) -> float:
    """The confidence above which a model answers so that at most this share of its answers is wrong.

    Raises:
        SettingsError: the model predicts numbers, decides by another rule than the most probable class, or held out no
            rows.
    """
    why = ("it predicts numbers" if model.task != "classify" else
           "it decides by a threshold or by costs" if model.decision.get("threshold") is not None
           or model.decision.get("costs") is not None else
           "it was made without held-out rows, or by an older version" if model.calibration.abstention is None else "")
    if why:
        raise SettingsError(f"`risk` was {risk!r}, but this model cannot promise an error rate: {why}.",
                            "leave risk out, or train a model that tells the most probable class")
    return model.calibration.abstention.bar(check_risk(risk))


def _strange(p_value: np.ndarray | None) -> tuple[Note, ...]:
    """A note where more rows are unlike the training data than chance explains."""
    if p_value is None or not len(p_value):
        return ()
    count, rows = int((p_value <= STRANGE).sum()), len(p_value)
    if not count or binom.sf(count - 1, rows, STRANGE) > 1e-3:
        return ()
    return (Note("unlike_training", f"{count:,} of {rows:,} rows are unlike the training data (p-value up to "
                 f"{STRANGE:g}; {max(rows * STRANGE, 0.01):,.3g} would be by chance); what is promised does not hold "
                 "for them.", count=count, severity="warning"),)


def measured_promise(predictions: Predictions, truth: np.ndarray, grouping: Grouping | None = None) -> dict[str, Any]:
    """The coverage that was promised beside the one measured against `truth`, overall and for each group.

    Args:
        predictions: of rows with known answers.
        truth: (rows,) class indices, or numbers.
        grouping: the names of the groups.
    """
    held = coverage_of(predictions, truth)
    if held is None:
        return {}
    found = {"coverage_promised": predictions.coverage, **_measured(predictions, held, np.arange(len(held)))}
    if grouping is not None and predictions.groups is not None:
        own = {name: np.flatnonzero(predictions.groups == place) for place, name in enumerate(grouping.names)}
        found["groups"] = {name: {"rows": len(rows), **_measured(predictions, held, rows)}
                           for name, rows in own.items() if len(rows)}
    if predictions.answered is not None:
        found["answered"] = answered_promise(predictions.prediction != _labels(predictions, truth),
                                             predictions.answered)
    return found


def _labels(predictions: Predictions, truth: np.ndarray) -> np.ndarray:
    return np.array([predictions.classes[code] for code in truth], dtype=predictions.prediction.dtype)


def answered_promise(wrong: np.ndarray, answered: np.ndarray) -> dict[str, Any]:
    """The share of rows (rows,) that were answered, and how many of these answers were wrong, with intervals."""
    count, errors = int(answered.sum()), int((wrong & answered).sum())
    low, high = share_interval(errors, count)
    return {"share_answered": float(answered.mean()), "error_measured": errors / count if count else None,
            "low": float(low), "high": float(high)}


def coverage_of(predictions: Predictions, truth: np.ndarray) -> np.ndarray | None:
    """bool (rows,): whether set or interval holds the truth; `None` where there are none."""
    if predictions.sets is not None:
        return predictions.sets[np.arange(len(truth)), truth]
    if predictions.lower is not None:
        return (predictions.lower <= truth) & (truth <= predictions.upper)
    return None


def _measured(predictions: Predictions, held: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    low, high = share_interval(held[rows].sum(), len(rows))
    size = ("mean_set_size", predictions.sets[rows].sum(axis=1)) if predictions.sets is not None else (
        "mean_interval_width", predictions.upper[rows] - predictions.lower[rows])
    return {"coverage_measured": float(held[rows].mean()), "low": float(low), "high": float(high),
            size[0]: float(size[1].mean())}
