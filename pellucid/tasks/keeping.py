"""Training rows that go into the model file, where the user asks for that."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.data.table import Table
from pellucid.features.inputs import is_used
from pellucid.model.examples import keep_examples
from pellucid.tasks.learn import Learned
from pellucid.tasks.lesson import Lesson


def with_examples(learned: Learned, table: Table, rows: np.ndarray, lesson: Lesson) -> Learned:
    """The model with the rows that it learned from: the columns that it looks at, and the answers.

    Args:
        learned: what came of the training.
        table: the data, the answers among them.
        rows: the numbers of the training rows.
        lesson: the same rows, encoded; those of no weight were not learned from and are not kept.
    """
    counted = np.flatnonzero(lesson.weight > 0)
    names = [feature.name for feature in lesson.features if is_used(feature)]
    examples = keep_examples(table.take(rows[counted]), [*names, lesson.target.name], rows[counted],
                             lesson.folds[counted], learned.model.calibration.folds)
    return replace(learned, model=replace(learned.model, examples=examples))
