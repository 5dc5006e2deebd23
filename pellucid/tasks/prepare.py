"""From a raw table to rows that can be learned: target, features, folds; all fitted on training rows only."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.data.check import check_table, require_trainable
from pellucid.data.same import equal_rows
from pellucid.data.schema import Schema, fit_features, infer_schema
from pellucid.data.split import Split, fold_rows, split_rows
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError
from pellucid.features.base import AbstractFeature
from pellucid.features.dates import time_values
from pellucid.features.inputs import Inputs, cardinalities, encode_inputs, encodes_alone, number_names, raw_features
from pellucid.features.targets import (
    ClassTarget,
    NumberTarget,
    fit_class_target,
    fit_number_target,
    recognise_target,
)
from pellucid.features.types import feature_types
from pellucid.model.decision import cost_matrix, decide
from pellucid.model.groups import Grouping, fit_grouping
from pellucid.tasks.defaults import DEFAULT_NORMALISE, TableSize, decided, resolve
from pellucid.tasks.lesson import Lesson, num_folds
from pellucid.tasks.transfer import adapted

TARGET_NAMES = ("target", "label", "class", "y", "outcome", "response", "churn", "survived", "diagnosis", "species")


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table with its roles decided.

    Args:
        table: the rows that have a target.
        schema: the columns.
        target: of all rows for classes; for numbers it is fitted anew on the training rows.
        truth: class indices, or numbers in the target's units, one a row.
        notes: what was noticed.
        duplicates: rows with equal inputs share a number.
        groups, times: of the rows, where the user named such a column.
        grouping: the groups that are each promised the coverage.
    """

    table: Table
    schema: Schema
    target: ClassTarget | NumberTarget
    truth: np.ndarray
    notes: tuple[Note, ...]
    duplicates: np.ndarray
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    grouping: Grouping | None = None

    @property
    def task(self) -> str:
        """`"classify"` or `"regress"`."""
        return "classify" if isinstance(self.target, ClassTarget) else "regress"

    def split(self, test: float, seed: int) -> Split:
        """Rows for training and for the test."""
        return split_rows(len(self.table), seed=seed, test=test, target=self.truth, groups=self.groups,
                          duplicates=self.duplicates, times=self.times)

    def folds(self, rows: np.ndarray, folds: int, seed: int) -> np.ndarray:
        """The fold of each of `rows`; fewer folds where there are too few rows or groups."""
        pick = lambda array: None if array is None else array[rows]  # noqa: E731
        together = self.groups if self.groups is not None else self.duplicates
        most = min(folds, len(rows), len(np.unique(together[rows])))
        return fold_rows(len(rows), folds=max(most, 2), seed=seed, target=self.truth[rows], groups=pick(self.groups),
                         duplicates=pick(self.duplicates), times=pick(self.times))


def guess_target(table: Table) -> tuple[str, str]:
    """The column to predict when the user names none, and why: a telling name, that of the last column first, else the
    last column."""
    last, by_name = table.names[-1], {name.lower(): name for name in table.names}
    telling = [by_name[name] for name in TARGET_NAMES if name in by_name]
    if telling:
        return last if last in telling else telling[0], "its name says so"
    return last, "it is the last column"


def prepare(table: Table, target: str, settings: Mapping[str, Any]) -> Prepared:
    """Decide the roles of the columns and leave out rows without a target.

    Args:
        table: as read.
        target: the column to predict.
        settings: `task`, `types`, `positive`, `time_column`, `group_column`.

    Raises:
        DataError: nothing can be learned from this table; the message says why.
    """
    schema = infer_schema(table, target, settings["types"])
    families = _families(table, schema, settings["group_column"])
    roles = {settings[name]: f"it is the {word} column" for name, word in (("time_column", "time"),
             ("group_column", "group")) if settings[name] and (name == "time_column" or families is None)}
    if target in roles:
        raise SettingsError(f"`{target}` was named as the target and as the time or group column.",
                            "name another column")
    schema = schema.leave_out(roles)
    require_trainable(table, schema, task=settings["task"])
    notes = check_table(table, schema, task=settings["task"])
    fitted, truth = _fit_target(table, target, settings)
    known = np.flatnonzero(truth >= 0 if isinstance(fitted, ClassTarget) else np.isfinite(truth))
    if len(known) < len(table):
        lacking = len(table) - len(known)
        notes = (*(note for note in notes if note.kind != "target_missing"),
                 Note("target_missing", f"{lacking:,} of {len(table):,} rows have no value of `{target}` and were left "
                      "out.", target, lacking, "warning"))
        table, truth = table.take(known), truth[known]
    groups = _groups(table, settings["group_column"]) if families is None else families[known]
    return Prepared(table, schema, fitted, truth, notes, equal_rows(table, schema), groups=groups,
                    times=_times(table, settings["time_column"]), grouping=_grouping(table, target, settings))


def _grouping(table: Table, target: str, settings: Mapping[str, Any]) -> Grouping | None:
    """The groups that are each promised the coverage."""
    name = settings["coverage_group"]
    if name == target and name is not None:
        raise SettingsError(f"`coverage_group` was `{name}`, which is the target.", "name another column")
    return None if name is None else fit_grouping(name, table.column(name))


def _fit_target(table: Table, target: str,
                settings: Mapping[str, Any]) -> tuple[ClassTarget | NumberTarget, np.ndarray]:
    column = table.column(target)
    task, _ = recognise_target(target, column, settings["task"])
    if task == "classify":
        classes = fit_class_target(target, column, positive=settings["positive"])
        _check_rule(settings, classes)
        return classes, classes.encode(column)
    for name in ("positive", "threshold", "costs", "risk"):
        if settings[name] is not None:
            raise SettingsError(f"`{name}` was {settings[name]!r}, but `{target}` holds numbers.",
                                f"leave {name} out, or set the task to classify")
    number = fit_number_target(target, column)
    return number, number.read(column)


def _check_rule(settings: Mapping[str, Any], classes: ClassTarget) -> None:
    """Tell a rule of decision that does not fit the classes before anything is trained."""
    costs = None if settings["costs"] is None else cost_matrix(settings["costs"], classes.classes)
    decide(np.zeros((0, len(classes.classes))), costs=costs, threshold=settings["threshold"])
    if settings["risk"] is not None and (costs is not None or settings["threshold"] is not None):
        raise SettingsError(f"`risk` was {settings['risk']!r}, but a threshold or costs decide, and an error rate can "
                            "be promised for the most probable class only.", "leave one of them out")


def _families(table: Table, schema: Schema, name: str | None) -> np.ndarray | None:
    """The group of each row where the group column is an input too, such as the scaffold of a molecule."""
    if name is None or not schema.column(name).used or name in schema.targets:
        return None
    found = feature_types[schema.column(name).kind].families(table.column(name))
    return None if found is None else np.unique(found.fill_null("").to_numpy(), return_inverse=True)[1]


def _groups(table: Table, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    return np.unique(table.column(name).cast(str).fill_null("").to_numpy(), return_inverse=True)[1]


def _times(table: Table, name: str | None) -> np.ndarray | None:
    """The time column as numbers that rise with time."""
    if name is None:
        return None
    times = time_values(table.column(name))
    if np.isnan(times).mean() > 0.5:
        raise SettingsError(f"`time_column` was `{name}`, which holds few dates or numbers.",
                            "name a column of dates, times or numbers")
    return times


def make_lesson(prepared: Prepared, rows: np.ndarray, settings: Mapping[str, Any]) -> tuple[Lesson, dict[str, Any]]:
    """Fit features and target on `rows`, encode them, deal them to folds, and fill in the settings' defaults."""
    table = prepared.table.take(rows)
    features = fit_features(prepared.schema, table, normalise=settings["normalise"] or DEFAULT_NORMALISE)
    features = adapted(features, settings, len(rows))
    inputs = encode_inputs(features, table)
    raw = {feature.name for feature in raw_features(features)}
    target, answers = prepared.target, prepared.truth[rows].astype(np.int32)
    if isinstance(target, NumberTarget):
        target = fit_number_target(target.name, table.column(target.name))
        answers = target.encode(table.column(target.name))
    width = len(number_names(features)) + sum(cardinalities(features))
    classes = len(target.classes) if isinstance(target, ClassTarget) else 0
    chosen = resolve(settings, TableSize(len(rows), width, classes), features)
    chosen |= {name: settings[name] for name in ("coverage_group", "risk")}
    weight = class_weights(answers, classes) if chosen["class_weight"] == "balanced" and classes else np.ones(len(rows))
    if encodes_alone(features):
        weight = weight * _with_value(features, inputs)
    folds = prepared.folds(rows, num_folds(chosen, len(rows)), chosen["seed"])
    lesson = Lesson(features, target, inputs.arrays, answers, weight.astype(np.float32), folds,
                    notes=tuple(note for note in inputs.notes if note.column in raw), grouping=prepared.grouping,
                    groups=None if prepared.grouping is None else prepared.grouping.read(
                        table.column(prepared.grouping.column)))
    return lesson, decided(features, inputs.arrays, answers, classes, chosen)


def _with_value(features: Sequence[AbstractFeature], inputs: Inputs) -> np.ndarray:
    """Whether the only input of a row can be read: there is nothing to learn from the others."""
    place = next(place for place, feature in enumerate(features) if feature.is_raw)
    there = ~inputs.missing[:, place]
    if not there.any():
        reason = inputs.notes[0].message if inputs.notes else f"No cell of `{features[place].name}` holds a value."
        raise DataError(reason, "check that the files are there and can be opened by other programs")
    return there


def class_weights(codes: np.ndarray, classes: int) -> np.ndarray:
    """Row weights that give every class the same total, with mean 1."""
    counts = np.bincount(codes, minlength=classes)
    return (len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[codes]
