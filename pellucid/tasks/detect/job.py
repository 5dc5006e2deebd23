"""`pellucid.train` for anomalies: learn where rows lie, judge by known rows, and tell what stands out."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.data.table import Table
from pellucid.features.inputs import cardinalities, encode_inputs
from pellucid.model.detector import visible
from pellucid.tasks.detect.learn import Learned, learn
from pellucid.tasks.detect.plain import Plain, plain_scores
from pellucid.tasks.detect.prepare import Lesson, Prepared, make_lesson, plain_view, prepare, resolve
from pellucid.tasks.detect.telling import Evidence, tell
from pellucid.tasks.job import Finished, Job, Order

FEW_ROWS = 250
"""Smaller tables keep no rows for a test: each row is judged by the network that left it out."""


def recognise(table: Table, target: str | None) -> str | None:
    """Never by itself: most tables without a target are meant to have one."""
    return None


def run(order: Order) -> Finished:
    """Train and judge; see `Job`."""
    with order.stages.timed("reading"):
        prepared = prepare(order.table, order.target, order.settings)
        rows = np.arange(len(prepared.table))
        known = prepared.labels is not None and np.isfinite(prepared.truth).any()
        share = order.settings["test_size"]
        apart = known and share > 0 and len(rows) >= FEW_ROWS
        split = prepared.split(share, order.settings["seed"]) if apart else None
        train, test = (rows, rows[:0]) if split is None else (split.train, split.test)
        settings = resolve(order.settings, len(train))
        lesson = make_lesson(prepared, train, settings)
        folds = int(lesson.folds.max()) + 1
        settings |= {"members": min(settings["members"], folds), "labels": "use" if prepared.learns else "judge"}
    with order.stages.timed("training"):
        learned = learn(prepared, lesson, settings, order.watch)
    order.keep(learned.model)
    with order.stages.timed("judging"):
        found = learned.model.predict(prepared.table)
        evidence = None
        if known and share > 0:
            evidence = _tested(prepared, learned, train, test, settings) if apart else _left_out(
                prepared, learned, lesson, settings)
    return tell(order, prepared, learned, evidence, found, {"train": len(train), "test": len(test)})


def _tested(prepared: Prepared, learned: Learned, train: np.ndarray, test: np.ndarray,
            settings: Mapping[str, Any]) -> Evidence | None:
    """Network and plain methods about the test rows of which it is known what they are."""
    test = test[np.isfinite(prepared.truth[test])]
    if not len(test):
        return None
    table = prepared.table.take(test)
    found = learned.model.predict(table)
    features, inputs = plain_view(prepared, train)
    asked = visible(features, encode_inputs(features, table).arrays)
    plain = plain_scores(inputs, asked, cardinalities(features), settings["seed"])
    return Evidence(prepared.truth[test], found.score, found.flagged, plain,
                    "The test rows are rows drawn at random that nothing was learned from; the networks never see the "
                    "target of any row." if not prepared.learns else
                    "The test rows are rows drawn at random that nothing was learned from.")


def _left_out(prepared: Prepared, learned: Learned, lesson: Lesson, settings: Mapping[str, Any]) -> Evidence | None:
    """Of a small table: each row by the network that left it out, and by plain methods that did so too."""
    known = np.isfinite(prepared.truth)
    plain, (features, inputs) = {}, plain_view(prepared, np.arange(len(known)))
    for fold in np.unique(lesson.folds):
        pick = lambda rows: {name: tuple({key: array[rows] for key, array in one.items()} for one in value)  # noqa: E731
                             if name == "columns" else value[rows] for name, value in inputs.items()}
        own = lesson.folds == fold
        for name, one in plain_scores(pick(~own), pick(own), cardinalities(features), settings["seed"]).items():
            scores, seconds = plain.setdefault(name, (np.zeros(len(known)), []))
            scores[own] = one.scores
            seconds.append(one.seconds)
    ranks = learned.model.ranks
    count = ranks.count.sum()
    p_values = (1 + (learned.left_out[None] >= learned.left_out[:, None]).sum(axis=1) - 1) / max(count, 1)
    return Evidence(prepared.truth[known], learned.left_out[known], p_values[known] <= settings["false_alarms"], {
        name: Plain(scores[known], float(np.mean(seconds))) for name, (scores, seconds) in plain.items()},
        "The table is small, so every row was judged by a network that had left it out, and by plain methods that did "
        "so too; the model that was kept is all of these networks together.")


DETECT = Job("detect", run, recognise)
