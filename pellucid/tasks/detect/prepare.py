"""From a raw table to encoded rows of which it may be known whether they are anomalies."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.data.check import FEWEST_ROWS, check_table
from pellucid.data.schema import Schema, fit_features, infer_schema
from pellucid.data.split import Split, duplicate_groups, fold_rows, split_rows
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError
from pellucid.features.base import AbstractFeature
from pellucid.features.dates import time_values
from pellucid.features.inputs import encode_inputs
from pellucid.model.anomalies import AnomalyLabels, fit_labels
from pellucid.model.detector import is_visible, visible

USED_KINDS = ("number", "category", "boolean", "date", "image")
NORMALISE = "asinh"
LARGE = 5000


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table with its roles decided.

    Args:
        table, schema: the rows, and what their columns are; the target is not among those that are used.
        truth: (rows,) 1 for a known anomaly, 0 for a known normal row, NaN where nothing is known.
        labels: how the target says so, if there is one.
        learns: whether the known rows are learned from; else they only judge.
        duplicates: rows with equal inputs share a number.
        groups, times: of the rows, where the user named such a column.
    """

    table: Table
    schema: Schema
    truth: np.ndarray
    labels: AnomalyLabels | None
    learns: bool
    notes: tuple[Note, ...]
    duplicates: np.ndarray
    groups: np.ndarray | None = None
    times: np.ndarray | None = None

    @property
    def strata(self) -> np.ndarray | None:
        """What a split keeps the shares of: anomalies, normal rows, unknown ones."""
        return None if self.labels is None else np.where(np.isnan(self.truth), 2, self.truth).astype(np.int64)

    def split(self, test: float, seed: int) -> Split:
        """Rows for training and for the test."""
        return split_rows(len(self.table), seed=seed, test=test, target=self.strata, groups=self.groups,
                          duplicates=self.duplicates, times=self.times)

    def folds(self, rows: np.ndarray, folds: int, seed: int) -> np.ndarray:
        """The fold of each of `rows`."""
        pick = lambda array: None if array is None else array[rows]  # noqa: E731
        together = self.duplicates if self.groups is None else self.groups
        most = max(min(folds, len(rows), len(np.unique(together[rows]))), 2)
        return fold_rows(len(rows), folds=most, seed=seed, target=pick(self.strata), groups=pick(self.groups),
                         duplicates=pick(self.duplicates), times=pick(self.times))


@dataclass(frozen=True, eq=False)
class Lesson:
    """Encoded training rows.

    Args:
        features: how the columns were encoded.
        inputs: what networks take.
        truth: as in `Prepared`; all NaN where known rows only judge.
        folds: (rows,) the fold of each row.
    """

    features: tuple[AbstractFeature, ...]
    inputs: Mapping[str, Any]
    truth: np.ndarray
    folds: np.ndarray

    @property
    def clean(self) -> bool:
        """Whether all rows are known to be normal."""
        return bool(np.all(self.truth == 0))


def prepare(table: Table, target: str | None, settings: Mapping[str, Any]) -> Prepared:
    """Decide the roles of the columns.

    Raises:
        DataError: too few rows, no column to learn from, or a target that does not say which rows are anomalies.
        SettingsError: labels are to be used, but there is no target.
    """
    if len(table) < FEWEST_ROWS:
        raise DataError(f"{table.source} has {len(table)} row{'s' * (len(table) != 1)}; at least {FEWEST_ROWS} are "
                        "needed to see what is usual.", "add rows: some hundreds give a useful result")
    roles = {settings[name]: f"it is the {word} column" for name, word in (("time_column", "time"),
             ("group_column", "group")) if settings[name]}
    schema = infer_schema(table, (), settings["types"])
    labels, truth, learns, notes = _labels(table, target, settings)
    if target is not None:
        roles[target] = "it says which rows are anomalies; " + (
            "known rows are learned from" if learns else "it only judges and is never learned from")
    blind = {column.name: f"a detector does not take in columns of the type {column.kind}" for column in schema.columns
             if column.used and column.kind not in USED_KINDS}
    schema = schema.leave_out(blind | roles)
    notes += [Note("left_out", f"`{name}` is left out: {reason}.", name, severity="warning")
              for name, reason in blind.items() if name not in roles]
    used = [column.name for column in schema.columns if column.used]
    if not used:
        reasons = "; ".join(f"`{column.name}` is {column.kind}: {column.reason}" for column in schema.columns[:5])
        raise DataError("No column is left to learn from.", f"{reasons}. Override a type if it is wrong.")
    notes += list(check_table(table, schema))
    return Prepared(table, replace(schema, targets=() if target is None else (target,)), truth, labels, learns,
                    tuple(sorted(notes, key=lambda note: note.severity != "warning")), duplicate_groups(table, used),
                    groups=_groups(table, settings["group_column"]), times=_times(table, settings["time_column"]))


def _labels(table: Table, target: str | None, settings: Mapping[str, Any]) -> tuple[
        AnomalyLabels | None, np.ndarray, bool, list[Note]]:
    """What the target says, whether it is learned from, and what the user should know about that."""
    unknown = np.full(len(table), np.nan)
    if target is None:
        if settings["labels"] == "use":
            raise SettingsError("`labels` was 'use', but no target was named.",
                                "name the column that says which rows are anomalies, or leave labels out")
        return None, unknown, False, []
    labels = fit_labels(target, table.column(target), settings["positive"])
    truth = labels.read(table.column(target))
    missing, strange = int(np.isnan(truth).sum()), int(np.nansum(truth))
    learns = settings["labels"] == "use" or (settings["labels"] is None and missing > 0)
    named = ", ".join(f"`{word}`" for word in labels.anomalies[:5]) or "no value"
    known = len(truth) - missing
    notes = [Note("labels", f"In `{target}`, {named} means an anomaly: {strange:,} of {known:,} known rows. " + (
        "They are learned from." if learns else "They only judge; nothing is learned from them."), target)]
    if strange in (0, known):
        what = "normal" if not strange else "an anomaly"
        then = ("all others are compared with them" if learns and not strange else "nothing can be judged by them")
        notes.append(Note("one_class", f"Every known row of `{target}` is {what}: {then}.", target, known, "warning"))
    if learns and strange == known and not missing:
        raise DataError(f"Every row of `{target}` is an anomaly, so nothing shows what is normal.",
                        "add normal rows, or leave the target out")
    return labels, truth, learns, notes


def _groups(table: Table, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    return np.unique(table.column(name).cast(str).fill_null("").to_numpy(), return_inverse=True)[1]


def _times(table: Table, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    times = time_values(table.column(name))
    if np.isnan(times).mean() > 0.5:
        raise SettingsError(f"`time_column` was `{name}`, which holds few dates or numbers.",
                            "name a column of dates, times or numbers")
    return times


def make_lesson(prepared: Prepared, rows: np.ndarray, settings: Mapping[str, Any]) -> Lesson:
    """Fit the features on `rows`, encode them, and deal them to folds.

    Raises:
        DataError: no column encodes to anything.
    """
    table = prepared.table.take(rows)
    features = fit_features(prepared.schema, table, normalise=settings["normalise"] or NORMALISE)
    if not any(map(is_visible, features)):
        raise DataError("No column is left to learn from in the training rows.", "give columns that vary")
    truth = prepared.truth[rows] if prepared.learns else np.full(len(rows), np.nan)
    folds = prepared.folds(rows, max(settings["members"], 2), settings["seed"])
    return Lesson(features, visible(features, encode_inputs(features, table).arrays), truth, folds)


def plain_view(prepared: Prepared, rows: np.ndarray) -> tuple[tuple[AbstractFeature, ...], dict[str, Any]]:
    """What plain methods see of `rows`: numbers that are standardised and otherwise as they are."""
    table = prepared.table.take(rows)
    features = fit_features(prepared.schema, table, normalise="standard")
    return features, visible(features, encode_inputs(features, table).arrays)


def resolve(settings: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """All settings with every `None` filled in.

    Raises:
        SettingsError: a rate that has to be found.
    """
    batch = settings["batch_size"] or int(np.clip(2 ** round(np.log2(max(rows, 16) / 16)), 32, 512))
    members = settings["members"] or (8 if rows < LARGE else 4)
    per_epoch = max(-(-rows * (members - 1) // (max(members, 2) * batch)), 1)
    recipe = {"hidden": (int(np.clip(rows // 8, 4, 64)),), "optimiser": "adam", "learning_rate": 0.02,
              "weight_decay": 0.0, "schedule": "cosine", "epochs": max(-(-STEPS // per_epoch), 4), "members": members,
              "batch_size": batch, "normalise": NORMALISE, "labels": "judge"}
    asked = {name: value for name, value in settings.items() if value is not None}
    if asked.get("learning_rate") == "find":
        raise SettingsError("`learning_rate` was 'find', which a detector cannot do.", "pass a number")
    return {**settings, **recipe, **asked}


STEPS = 1200
"""Iterations, more or less, whatever the number of rows."""
