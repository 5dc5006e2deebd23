"""What the left-out rows decide: which kind of members is kept, the temperature, prediction sets and intervals."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.model.calibration import Calibration, calibrate_classes, calibrate_numbers, left_out, two_columns
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
        better = (_left_out_errors(lesson, outputs[list(kept)], folds[:count])
                  - _left_out_errors(lesson, outputs[list(kind)], folds[:count]))
        if len(better) > 1 and better.mean() > better.std(ddof=1) / np.sqrt(len(better)):
            kept = kind
    return kept


def _left_out_errors(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...]) -> np.ndarray:
    """For each left-out row, times its weight: the negative logarithm of the true class's probability, or the squared
    deviation."""
    classify = lesson.task == "classify"
    answers = temper(two_columns(outputs)) if classify else outputs[..., 0]
    judged, answers = left_out(answers, folds, np.where(lesson.weight > 0, lesson.folds, -1))
    truth = lesson.answers[judged]
    error = -np.log(np.maximum(answers[np.arange(len(judged)), truth], 1e-12)) if classify else (answers - truth) ** 2
    return error * lesson.weight[judged]


def calibration_of(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...],
                 settings: Mapping[str, Any]) -> Calibration:
    """Temperature, sets and intervals from the outputs (members, rows, outputs) on the training rows."""
    row_folds = np.where(lesson.weight > 0, lesson.folds, -1)
    if lesson.task == "classify":
        return calibrate_classes(two_columns(outputs), lesson.answers, folds, row_folds, weight=lesson.weight,
                                 coverage=settings["coverage"])
    target = lesson.target
    predictions = np.clip(target.decode(outputs[..., 0]), target.low, target.high)
    return calibrate_numbers(predictions, target.decode(lesson.answers), folds, row_folds,
                             coverage=settings["coverage"])
