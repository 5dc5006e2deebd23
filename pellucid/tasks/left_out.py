"""What the left-out rows decide: which kind of members is kept, the temperature, prediction sets and intervals."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.features.inputs import cardinalities
from pellucid.model.calibration import (
    Calibration,
    Rows,
    calibrate_classes,
    calibrate_numbers,
    left_out,
    two_columns,
)
from pellucid.model.channels import channels
from pellucid.model.members import Members
from pellucid.model.unlikeness import Unlikeness, fit_unlikeness
from pellucid.tasks.lesson import Lesson
from pellucid.uncertainty.temperature import temper


def kept_members(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...], settings: Mapping[str, Any]) -> range:
    """The members of the kind that errs least on the rows that they left out.

    The first kind is kept unless another is better by more than one standard error of the paired difference.
    """
    count = len(folds) // len(settings["kinds"])
    kinds = [range(start, start + count) for start in range(0, len(folds), count)]
    kept, *others = kinds
    for kind in others:
        if errs_less(lesson, outputs[list(kind)], outputs[list(kept)], folds[:count]):
            kept = kind
    return kept


def errs_less(lesson: Lesson, outputs: np.ndarray, others: np.ndarray, folds: tuple[int, ...]) -> bool:
    """Whether members with these outputs err less on the rows that they left out than others, by more than one standard
    error of the paired difference."""
    better = _left_out_errors(lesson, others, folds) - _left_out_errors(lesson, outputs, folds)
    return bool(len(better) > 1 and better.mean() > better.std(ddof=1) / np.sqrt(len(better)))


def _left_out_errors(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...]) -> np.ndarray:
    """For each left-out row, times its weight: the negative logarithm of the true class's probability, or the squared
    deviation."""
    classify = lesson.task == "classify"
    answers = temper(two_columns(outputs)) if classify else outputs[..., 0]
    judged, answers = left_out(answers, folds, _counted_folds(lesson))
    truth = lesson.answers[judged]
    error = -np.log(np.maximum(answers[np.arange(len(judged)), truth], 1e-12)) if classify else (answers - truth) ** 2
    return error * lesson.weight[judged]


def calibration_of(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...],
                 settings: Mapping[str, Any]) -> Calibration:
    """Temperature, sets and intervals from the outputs (members, rows, outputs) on the training rows."""
    common = {"coverage": settings["coverage"], "grouping": lesson.grouping}
    counted, target = lesson.counted, lesson.target
    folds_of_rows = _counted_folds(lesson)[counted]
    groups = None if lesson.groups is None else lesson.groups[counted]
    if lesson.task == "classify":
        rows = Rows(lesson.answers[counted], folds_of_rows, lesson.weight_of_counted, groups)
        return calibrate_classes(two_columns(outputs[:, counted]), rows, folds, **common)
    rows = Rows(target.decode(lesson.answers[counted]), folds_of_rows, groups=groups,
                channels=channels(lesson.inputs, cardinalities(lesson.features))[counted])
    numbers = np.clip(target.decode(outputs[:, counted, 0]), target.low, target.high)
    return calibrate_numbers(numbers, rows, folds, **common)


def unlikeness_of(lesson: Lesson, members: Members, folds: tuple[int, ...]) -> Unlikeness | None:
    """What is usual in the training rows, so that others can be told."""
    return fit_unlikeness(lesson.features, lesson.inputs, members, folds, lesson.folds, lesson.counted)


def _counted_folds(lesson: Lesson) -> np.ndarray:
    return np.where(lesson.weight > 0, lesson.folds, -1)
