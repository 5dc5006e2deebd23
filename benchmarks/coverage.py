"""Does every prediction keep its promise? Sets and intervals over many random splits of real tables, beside MAPIE.

    taskset -c 0 python benchmarks/coverage.py --peer-python PEERS/bin/python --results coverage.jsonl
    python benchmarks/coverage.py --shift            # only: are rows from elsewhere told from others?
    python benchmarks/coverage.py --defaults --splits 10 --tables german_credit,concrete  # by the recipe of a user

For each table and each of 100 random splits (three quarters for training, stratified) five small networks are trained,
each without a fifth of the training rows, by the program of `pellucid train` with the settings in `SETTINGS`; the test
rows serve for nothing else. No split is used twice, no training is shared between splits. MAPIE (see
peers-requirements.txt) gets the same left-out predictions to calibrate on and the same test predictions; its size is
read off at the coverage that Pellucid measured, between the two promised levels next to it.
"""

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import record
from datasets import DATASETS, Dataset

from pellucid.core.declared import TRAIN
from pellucid.data.read import as_table
from pellucid.features.inputs import cardinalities
from pellucid.features.targets import ClassTarget
from pellucid.model.calibration import left_out
from pellucid.model.channels import channels
from pellucid.model.model import Model
from pellucid.model.unlikeness import fit_unlikeness
from pellucid.tasks.learn import learn
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.prepare import Prepared, make_lesson, prepare
from pellucid.uncertainty import calibration_error, debiased_calibration_error

PROMISED = 0.9
SETTINGS = {"members": 5, "hidden": (32,), "epochs": 15, "column_dropout": 0.0, "numeric_embedding": "piecewise_linear"}
TEST = 0.25
RISKS = (0.05, 0.1, 0.2)
BARS = {"sets": (0.885, 0.915), "intervals": (0.885, 0.915), "group": 0.03, "calibration_error": 0.03, "top_1": 0.9}
SIMULATIONS = 200
KNOWN = {dataset.name: dataset for dataset in DATASETS}


@dataclass(frozen=True)
class Case:
    """A table and the column whose groups are promised the coverage each."""

    dataset: Dataset
    group: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


ELECTION = Dataset(name="election_1996", package="statsmodels", version="0.15.0",
                   file="statsmodels/datasets/anes96/anes96.csv", target="PID", task="classification",
                   read=functools.partial(pd.read_csv, sep="\t", quotechar="'"))
CASES = (
    Case(KNOWN["german_credit"], "personal_status_and_sex"),
    Case(ELECTION, "vote", {"task": "classify"}),
    Case(KNOWN["image_segments"]),
    Case(KNOWN["wage"], "education"),
    Case(KNOWN["concrete"]),
)


@dataclass(frozen=True, eq=False)
class Judged:
    """What one split showed; rows are test rows.

    Args:
        held, held_members, labels, folds: left-out rows, for MAPIE: calibrated predictions, those of all members, the
            truth, the fold.
        test, test_members, truth: the same of the test rows.
        covered, size: bool and float (rows,), by what all rows together are promised.
        group_covered, groups: by what each group is promised; the group of each row.
        answered, wrong: bool (rows, risks) and (rows,).
        method: of calibration, of scores, or of widths.
        names: of the groups.
    """

    held: np.ndarray
    held_members: np.ndarray
    labels: np.ndarray
    folds: np.ndarray
    test: np.ndarray
    test_members: np.ndarray
    truth: np.ndarray
    covered: np.ndarray
    size: np.ndarray
    group_covered: np.ndarray
    groups: np.ndarray
    answered: np.ndarray
    wrong: np.ndarray
    method: str
    names: tuple[str, ...]


def judge(prepared: Prepared, seed: int, settings: Mapping[str, Any]) -> Judged:
    """Train on one split and ask about its test rows."""
    split = prepared.split(TEST, seed)
    lesson, chosen = make_lesson(prepared, split.train, {**settings, "seed": seed})
    model = learn(lesson, chosen).model
    table = prepared.table.take(split.test)
    inputs, truth = model.encode(table)[1].arrays, prepared.truth[split.test]
    answers, learned = (model.answer(rows) for rows in (inputs, lesson.inputs))
    rows, held = left_out(learned, model.calibration.folds, lesson.folds)
    grouping = model.calibration.grouping
    groups = np.full(len(truth), -1) if grouping is None else grouping.read(table.column(grouping.column))
    kept = _classes if isinstance(model.target, ClassTarget) else _numbers
    overall, own, method = (kept(model, answers, inputs, truth, groups))
    return Judged(held, learned[:, rows].T, _truth(lesson, model)[rows], lesson.folds[rows], answers.mean(axis=0),
                  answers.T, truth, *overall, own[0], groups, *_answered(model, answers, truth), method,
                  () if grouping is None else grouping.names)


def _truth(lesson: Lesson, model: Model) -> np.ndarray:
    return lesson.answers if isinstance(model.target, ClassTarget) else model.target.decode(lesson.answers)


def _classes(model: Model, answers: np.ndarray, inputs: Any, truth: np.ndarray, groups: np.ndarray) -> tuple:
    def kept(groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        sets = model.calibration.sets(answers, PROMISED, groups)
        return sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    conformal = model.calibration.conformal
    return kept(None), kept(groups), f"{model.calibration.calibrator.method}, {conformal.strangeness.kind}"


def _numbers(model: Model, answers: np.ndarray, inputs: Any, truth: np.ndarray, groups: np.ndarray) -> tuple:
    seen = channels(inputs, cardinalities(model.features))

    def kept(groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = model.calibration.intervals(answers, PROMISED, groups, seen)
        return (lower <= truth) & (truth <= upper), upper - lower
    spread = model.calibration.spread
    how = "one width" if spread is None else "spread by columns" if spread.channels else "spread by prediction"
    return kept(None), kept(groups), how


def _answered(model: Model, answers: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if model.calibration.abstention is None:
        return np.zeros((len(truth), 0), bool), np.zeros(len(truth), bool)
    mean = answers.mean(axis=0)
    bars = np.array([model.calibration.abstention.bar(risk) for risk in RISKS])
    return mean.max(axis=1)[:, None] > bars, mean.argmax(axis=1) != truth


def line(case: Case, splits: int, peer_python: str | None, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """All splits of one table."""
    started, processor = time.perf_counter(), time.process_time()
    settings = TRAIN.check({**recipe, **case.settings, "coverage_group": case.group})
    prepared = prepare(as_table(case.dataset.load()), case.dataset.target, settings)
    judged = []
    for seed in range(splits):
        judged.append(judge(prepared, seed, settings))
        if not (seed + 1) % 10:
            record.say(f"{case.dataset.name}: {seed + 1} of {splits} splits")
    seconds = {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - processor}
    classify = prepared.task == "classify"
    found = _coverage(judged, classify) | (_honesty(judged) | _risks(judged) if classify else {})
    found |= {"groups": _groups(judged)} if case.group else {}
    found |= {"mapie": _peer(judged, peer_python, found)} if peer_python else {}
    named = {"table": case.dataset.name, "package": case.dataset.package, "file": case.dataset.file,
             "rows": len(prepared.table), "splits": splits, "settings": dict(recipe), "promised": PROMISED}
    return named | found | seconds | {"passed": _passed(found, classify)}


def _coverage(judged: list[Judged], classify: bool) -> dict[str, Any]:
    each = np.array([one.covered.mean() for one in judged])
    methods, counts = np.unique([one.method for one in judged], return_counts=True)
    found = {"kind": "sets" if classify else "intervals", "coverage": float(each.mean()),
             "standard_error": float(each.std() / np.sqrt(len(each))),
             "mean_size": float(np.mean([one.size.mean() for one in judged])),
             "methods": dict(zip(methods.tolist(), counts.tolist(), strict=True))}
    if classify:
        found |= {"top_1": float(1 - np.mean([one.wrong.mean() for one in judged])),
                  "empty": int(sum((one.size == 0).sum() for one in judged))}
    return found


def _honesty(judged: list[Judged]) -> dict[str, Any]:
    """Calibration of all test rows of all splits together, and what perfectly honest probabilities would show."""
    probabilities = np.concatenate([one.test for one in judged])
    truth = np.concatenate([one.truth for one in judged])
    generator, honest = np.random.default_rng(0), []
    top = probabilities.max(axis=1)
    for _ in range(SIMULATIONS):
        honest.append(debiased_calibration_error(top, generator.random(len(top)) < top))
    return {"pooled_rows": len(truth), "debiased_error": debiased_calibration_error(probabilities, truth),
            "calibration_error": calibration_error(probabilities, truth),
            "honest_95": float(np.quantile(honest, 0.95))}


def _risks(judged: list[Judged]) -> dict[str, Any]:
    """At each risk: rows answered, errors among them over all splits, and splits whose own rate was above the risk."""
    found = {}
    for place, risk in enumerate(RISKS):
        counts = np.array([one.answered[:, place].sum() for one in judged])
        errors = np.array([(one.wrong & one.answered[:, place]).sum() for one in judged])
        rows = sum(len(one.truth) for one in judged)
        found[f"{risk:g}"] = {"answered": float(counts.sum() / rows),
                              "error": float(errors.sum() / counts.sum()) if counts.sum() else None,
                              "splits_above": float(np.mean(errors > risk * counts))}
    return {"risk": found}


def _groups(judged: list[Judged]) -> dict[str, Any]:
    """The coverage of each group over all splits, by its own promise, and by the one for all rows together."""
    groups, own, overall = (np.concatenate([getattr(one, name) for one in judged])
                            for name in ("groups", "group_covered", "covered"))
    return {name: {"test_rows_of_a_split": float(np.sum(groups == place) / len(judged)),
                   "coverage": float(own[groups == place].mean()),
                   "without_own_promise": float(overall[groups == place].mean())}
            for place, name in enumerate(judged[0].names) if (groups == place).any()}


def _peer(judged: list[Judged], python: str, found: dict[str, Any]) -> dict[str, Any]:
    """MAPIE's mean size at the coverage measured here, by the name of its score."""
    fields = ("held", "held_members", "labels", "folds", "test", "test_members", "truth")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.npz"
        np.savez(path, **{f"{place}.{name}": getattr(one, name) for place, one in enumerate(judged) for name in fields
                          if one.held.ndim == 1 or not name.endswith("members")})
        script = Path(__file__).with_name("coverage_peer.py")
        answer = json.loads(subprocess.run([python, str(script), str(path)], check=True, stdout=subprocess.PIPE,
                                           text=True).stdout)
    sizes = {}
    for score, values in answer.items():
        coverage, size, empty = np.array(values["mean"]).T
        order = np.argsort(coverage, kind="stable")
        nominal = values["levels"].index(PROMISED)
        sizes[score] = {"size_at_same_coverage": float(np.interp(found["coverage"], coverage[order], size[order])),
                        "coverage_at_promise": float(coverage[nominal]), "size_at_promise": float(size[nominal]),
                        "empty_at_promise": float(empty[nominal])}
    return sizes


def _passed(found: dict[str, Any], classify: bool) -> dict[str, bool]:
    low, high = BARS[found["kind"]]
    sure = classify and found["top_1"] > BARS["top_1"]
    passed = {"coverage": found["coverage"] >= low and (found["coverage"] <= high or sure)}
    if classify:
        passed |= {"never_empty": found["empty"] == 0,
                   "calibration": found["debiased_error"] <= max(BARS["calibration_error"], found["honest_95"])}
    if "groups" in found:
        passed["groups"] = all(abs(one["coverage"] - PROMISED) <= BARS["group"] for one in found["groups"].values())
    if "mapie" in found:
        passed["size"] = found["mean_size"] <= 1.005 * min(
            one["size_at_same_coverage"] for one in found["mapie"].values())
    return passed


def _shifts() -> dict[str, tuple[pd.DataFrame, pd.DataFrame, str]]:
    """Rows to learn from and rows from elsewhere, by real columns that are then left out, and the target."""
    bikes, abalone, cells, segments = (KNOWN[name].load() for name in ("bikeshare", "abalone", "breast_cancer",
                                                                       "image_segments"))
    months = bikes["mnth"].astype(str)
    bikes = bikes.drop(columns=["mnth", "season", "day"])
    warm, cold = months.isin(["May", "June", "July", "Aug", "Sept"]), months.isin(["Dec", "Jan", "Feb"])
    found = {"bikeshare: warm months, cold months": (bikes[warm], bikes[cold], "bikers")}
    grown = abalone["sex"] != "I"
    abalone = abalone.drop(columns="sex")
    found["abalone: adults, infants"] = (abalone[grown], abalone[~grown], "rings")
    benign, cells = cells["target"] == "benign", cells.drop(columns="target")
    found["breast_cancer: benign, malignant"] = (cells[benign], cells[~benign], "mean radius")
    for left in sorted(segments["category"].unique()):
        own = segments["category"] == left
        found[f"image_segments: others, {left}"] = (segments[~own], segments[own], "category")
    return found


def shifts() -> list[dict[str, Any]]:
    """Whether rows from elsewhere get small p-values, and rows like those of the training do not."""
    lines = []
    for name, (usual, other, target) in _shifts().items():
        table = as_table(usual)
        settings = TRAIN.check({**SETTINGS})
        prepared = prepare(table, target, settings)
        split = prepared.split(TEST, 0)
        lesson, _ = make_lesson(prepared, split.train, settings)
        model = Model(lesson.features, lesson.target, None, None)
        found = fit_unlikeness(lesson.features, lesson.inputs, None, (0,), lesson.folds, lesson.counted)
        inside, outside = (found(model.encode(rows)[1].arrays, None)[1]
                           for rows in (prepared.table.take(split.test), as_table(other)))
        ranks = np.searchsorted(np.sort(inside), outside, side="left") / len(inside)
        also = np.searchsorted(np.sort(inside), outside, side="right") / len(inside)
        lines.append({"shift": name, "like": len(inside), "unlike": len(outside),
                      "like_at_most_0.05": float((inside <= 0.05).mean()),
                      "unlike_at_most_0.05": float((outside <= 0.05).mean()),
                      "roc_auc": float(1 - np.mean((ranks + also) / 2))})
    return lines


def main() -> int:
    """Print one line for each table."""
    parser = argparse.ArgumentParser(description="Measure whether predictions keep their promise.")
    parser.add_argument("--tables", help="comma-separated names; all by default")
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--peer-python", help="interpreter that has MAPIE; without it no sizes are compared")
    parser.add_argument("--defaults", action="store_true", help="train with the settings of a user who gives none")
    parser.add_argument("--shift", action="store_true", help="only the rows from elsewhere")
    parser.add_argument("--results", type=Path, help="file to append the lines to")
    arguments = parser.parse_args()
    wanted = None if arguments.tables is None else arguments.tables.split(",")
    passed = True
    if not arguments.shift:
        for case in CASES:
            if wanted is None or case.dataset.name in wanted:
                found = line(case, arguments.splits, arguments.peer_python, {} if arguments.defaults else SETTINGS)
                record.emit(record.origin(0) | found, arguments.results)
                passed = passed and all(found["passed"].values())
    if arguments.shift or wanted is None:
        for found in shifts():
            record.emit(record.origin(0) | found, arguments.results)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
