"""`pellucid.learning_curve`: train on growing parts of a table, and say what more rows would bring."""
from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.declared import LEARNING_CURVE, TRAIN
from pellucid.data.read import as_table
from pellucid.errors import DataError, SettingsError
from pellucid.features.targets import ClassTarget
from pellucid.model.metrics import higher_is_better, main_metric, measure
from pellucid.report.growth import Growth
from pellucid.tasks.jobs import find_job
from pellucid.tasks.learn import learn
from pellucid.tasks.prepare import Prepared, guess_target, make_lesson, prepare
from pellucid.uncertainty.learning_curve import fit_learning_curve

FEWEST_ROWS, ROWS_FOR_A_CLASS = 32, 4
"""The smallest part has at least so many rows, and so many for each class."""
WIDEST, NARROWEST = 64, 3
"""The smallest part is at least a 64th of all training rows, and at most a third."""


def learning_curve(data: Any, target: str | None = None, *, progress: Callable[[str], None] | None = None,
                   **settings: Any) -> Growth:
    """Train on growing parts of a table, fit a curve with error bars, and say what more rows would bring.

    Each repeat draws test rows of its own; the parts of the others grow: each holds the smaller ones. The same recipe
    as `pellucid.train` trains on each part.

    Args:
        data: a file, a data frame, an array, or rows as mappings.
        target: the column to predict; a telling name or the last column when `None`.
        progress: called with a line after each training.
        settings: `sizes`, `repeats`, and those of `pellucid.train` that say how to train; see docs/settings.md.

    Raises:
        DataError: the data cannot be read, or have too few rows.
        SettingsError: a setting is unknown or out of range, or the task has no learning curve.

    Example:
        >>> growth = pellucid.learning_curve("bank.csv", target="creditability")  # doctest: +SKIP
        >>> print(growth)  # doctest: +SKIP
    """
    start = time.perf_counter()
    chosen = LEARNING_CURVE.check(settings)
    training = TRAIN.check({name: value for name, value in chosen.items() if name in TRAIN})
    table = as_table(data)
    job, _ = find_job(table, target, training["task"])
    if job is not None:
        raise SettingsError(f"The task is to {job.task}, which has no learning curve.",
                            "set the task to classify or regress, and name the target")
    prepared = prepare(table, target or guess_target(table)[0], training)
    scores = _scores(prepared, training, chosen["sizes"], chosen["repeats"], progress)
    source = Path(data).name if isinstance(data, (str, Path)) and str(data) != "-" else table.source
    return growth_of(prepared, scores, source=source, seconds=time.perf_counter() - start)


def growth_of(prepared: Prepared, scores: Mapping[str, Any], *, source: str, seconds: float) -> Growth:
    """The curve of scores that were measured."""
    metric, sizes, measured = scores["metric"], scores["sizes"], scores["scores"]
    error = 1 - measured if higher_is_better(metric) else measured
    return Growth(source, prepared.task, prepared.target.name, metric, sizes, measured,
                  fit_learning_curve(sizes, error), fit_learning_curve(sizes, scores["wrong"]), scores["test_rows"],
                  seconds)


def _scores(prepared: Prepared, settings: Mapping[str, Any], points: int, repeats: int,
            progress: Callable[[str], None] | None) -> dict[str, Any]:
    """The metric, and the error whose floor bounds the noise, each (points, repeats), with the sizes."""
    if settings["test_size"] == 0:
        raise SettingsError("`test_size` was 0, but a learning curve is measured on test rows.", "leave test_size out")
    splits = [prepared.split(settings["test_size"], settings["seed"] + repeat) for repeat in range(repeats)]
    classes = len(prepared.target.classes) if isinstance(prepared.target, ClassTarget) else 0
    sizes = sizes_of(min(len(split.train) for split in splits), points, classes)
    metric = main_metric(prepared.task, classes or None)
    if any(len(np.unique(prepared.truth[split.test])) < 2 for split in splits) and metric == "roc_auc":
        metric = "accuracy"
    scores, wrong = np.empty((len(sizes), repeats)), np.empty((len(sizes), repeats))
    for repeat, split in enumerate(splits):
        order = _growing(prepared, split.train, settings["seed"] + repeat)
        for place, size in enumerate(sizes):
            own = {**settings, "seed": (settings["seed"] + repeat) % 2**32}
            model = learn(*make_lesson(prepared, np.sort(order[:size]), own)).model
            outputs = model.answer(model.encode(prepared.table.take(split.test))[1].arrays).mean(axis=0)
            truth = prepared.truth[split.test]
            scores[place, repeat] = measure(metric, truth, outputs, positive=model.positive)
            wrong[place, repeat] = 1 - measure("accuracy", truth, outputs) if classes else scores[place, repeat]
            if progress is not None:
                progress(f"{repeat * len(sizes) + place + 1} of {len(sizes) * repeats}: {size:,} rows, "
                         f"{metric} {scores[place, repeat]:.4g}")
    return {"metric": metric, "sizes": sizes, "scores": scores, "wrong": wrong, "test_rows": len(splits[0].test)}


def sizes_of(rows: int, points: int, classes: int) -> np.ndarray:
    """Growing numbers of training rows up to `rows`, evenly on a logarithmic scale.

    Raises:
        DataError: there are too few rows for a curve.
    """
    fewest = max(FEWEST_ROWS, ROWS_FOR_A_CLASS * classes)
    if rows < NARROWEST * fewest:
        raise DataError(f"There are {rows:,} training rows; a learning curve needs at least {NARROWEST * fewest:,}.",
                        "give more rows, or a target with fewer classes")
    first = min(max(fewest, rows // WIDEST), rows // NARROWEST)
    return np.unique(np.round(np.geomspace(first, rows, points)).astype(int))


def _growing(prepared: Prepared, rows: np.ndarray, seed: int) -> np.ndarray:
    """The rows in an order in which every beginning has its share of each class; the latest first where time counts."""
    if prepared.times is not None:
        return rows[::-1]
    generator = np.random.default_rng([seed, len(rows)])
    shuffled = generator.permutation(rows)
    if not isinstance(prepared.target, ClassTarget):
        return shuffled
    codes, place = prepared.truth[shuffled], np.empty(len(rows))
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        place[own] = (np.arange(len(own)) + generator.random()) / len(own)
    return shuffled[np.argsort(place, kind="stable")]
