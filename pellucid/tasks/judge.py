"""How good a model is on rows that nothing was chosen by, beside plain methods on the same rows.

Tables of 250 rows and more keep some rows for the test. Smaller ones are judged by repeated cross-validation:
each row is predicted by models that did not see it, and the model that is kept learns from all rows.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.features.inputs import raw_features
from pellucid.model.metrics import evaluate
from pellucid.model.model import Model
from pellucid.report.result import Contender
from pellucid.tasks.baselines import fit_baselines
from pellucid.tasks.learn import Learned, learn
from pellucid.tasks.prepare import Prepared, make_lesson

FEW_ROWS = 250
OUTER_FOLDS = 5
REPEATS = 2
RISKS = (0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(eq=False)
class Evidence:
    """What network and plain methods said about rows that they did not learn from.

    Args:
        truth: (rows,) of the judged rows; a row of the table may be judged more than once.
        rows: the number of the table's row of each.
        network: probabilities (rows, classes), or numbers (rows,).
        sets, lower, upper: the network's promise.
        uncalibrated: as `network`, before calibration; `None` for numbers.
        answered: bool (rows, risks): whether a row is answered at each risk of `RISKS`; `None` where none is promised.
        p_value: (rows,) of being like the training rows.
        groups: (rows,) the group of each row, -1 for none.
        baselines: the same as `network`, by name.
        seconds: of fitting each, by name.
        labels: of the plain methods, for people.
        notes: what was noticed while pictures, recordings and the like among these rows were read.
    """

    truth: np.ndarray
    rows: np.ndarray
    network: np.ndarray
    sets: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    uncalibrated: np.ndarray | None = None
    answered: np.ndarray | None = None
    p_value: np.ndarray | None = None
    groups: np.ndarray | None = None
    baselines: dict[str, np.ndarray] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def judge_model(prepared: Prepared, model: Model, train: np.ndarray, test: np.ndarray, *,
                baselines: bool = True) -> Evidence:
    """Ask `model`, and plain methods fitted on `train`, about the rows `test`."""
    predictions = model.predict(prepared.table.take(test))
    network = predictions.prediction if predictions.probabilities is None else predictions.probabilities
    raw = {feature.name for feature in raw_features(model.features)}
    notes = tuple(replace(note, message=f"Test rows: {note.message}") for note in predictions.notes
                  if note.column in raw)
    evidence = Evidence(prepared.truth[test], test, network, predictions.sets, predictions.lower, predictions.upper,
                        predictions.uncalibrated, _answered(model, predictions.probabilities), predictions.p_value,
                        predictions.groups, notes=notes)
    if baselines:
        inputs, asked = (model.encode(prepared.table.take(rows))[1].arrays for rows in (train, test))
        fitted = fit_baselines(prepared.task, inputs, prepared.truth[train], classes=len(model.classes) or None,
                               seed=model.settings["seed"], features=model.features)
        for one in fitted:
            evidence.baselines[one.name] = one.predict(asked)
            evidence.seconds[one.name], evidence.labels[one.name] = one.seconds, one.label
    return evidence


def _answered(model: Model, probabilities: np.ndarray | None) -> np.ndarray | None:
    """Which rows are answered at each of `RISKS`, and at the model's own; `None` where no risk can be promised."""
    found = model.calibration.abstention
    if probabilities is None or found is None:
        return None
    bars = [found.bar(risk) for risk in risks_of(model)]
    return probabilities.max(axis=1)[:, None] > np.array(bars)


def risks_of(model: Model) -> tuple[float, ...]:
    """The risks that answering is judged at, rising: some usual ones, and the model's own."""
    own = model.decision.get("risk")
    return tuple(sorted({*RISKS, *([] if own is None else [own])}))


def cross_judge(prepared: Prepared, settings: Mapping[str, Any], *, baselines: bool = True) -> tuple[
        Evidence, list[tuple[np.ndarray, Model]]]:
    """Repeated cross-validation: the evidence of all repeats, and the models of the first with the rows they judge."""
    pieces, first = [], []
    everything = np.arange(len(prepared.table))
    for repeat in range(REPEATS):
        outer = prepared.folds(everything, OUTER_FOLDS, settings["seed"] + repeat)
        for fold in np.unique(outer):
            train, test = np.flatnonzero(outer != fold), np.flatnonzero(outer == fold)
            model = learn(*make_lesson(prepared, train, settings)).model
            pieces.append(judge_model(prepared, model, train, test, baselines=baselines))
            first += [(test, model)] if repeat == 0 else []
    return _joined(pieces), first


def _joined(pieces: list[Evidence]) -> Evidence:
    def join(name: str) -> Any:
        parts = [getattr(piece, name) for piece in pieces]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    names = [name for name in pieces[0].baselines if all(name in piece.baselines for piece in pieces)]
    names_of_arrays = ("truth", "rows", "network", "sets", "lower", "upper", "uncalibrated", "answered", "p_value",
                       "groups")
    return Evidence(**{name: join(name) for name in names_of_arrays},
                    baselines={name: np.concatenate([piece.baselines[name] for piece in pieces]) for name in names},
                    seconds={name: float(np.mean([piece.seconds[name] for piece in pieces])) for name in names},
                    labels=pieces[0].labels)


def contenders(task: str, evidence: Evidence, seconds: float, positive: int) -> tuple[Contender, tuple[Contender, ...]]:
    """The network and the plain methods with all metrics of the task."""
    def judged(name: str, label: str, outputs: np.ndarray, took: float) -> Contender:
        return Contender(name, label, evaluate(task, evidence.truth, outputs, positive=positive), took)

    network = judged("network", "this network", evidence.network, seconds)
    plain = tuple(judged(name, evidence.labels[name], outputs, evidence.seconds[name])
                  for name, outputs in evidence.baselines.items())
    return network, plain


def learned_seconds(learned: Learned) -> float:
    """What learning took, compilation included."""
    return learned.outcome.seconds + learned.outcome.compile_seconds
