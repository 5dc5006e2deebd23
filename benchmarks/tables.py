"""Pellucid against scikit-learn's models on public tables, on the same repeated splits.

    python benchmarks/tables.py                                        # everything, about an hour
    python benchmarks/tables.py --tables digits,wage --models pellucid,linear
    python benchmarks/tables.py --results results.jsonl                # peers already in the file are re-used

One JSON line for each table and model, one for each table with Pellucid's distance to the best peer, and
a last one with the mean ranks and the bars. Progress goes to standard error. Exit code 1 when Pellucid
failed on a table or missed a bar, 2 for a wrong option.
"""

import argparse
import importlib
import multiprocessing
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import peers
import record
from datasets import Dataset, DatasetError
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

SEED = 0
PELLUCID = "pellucid"
MODELS = (PELLUCID, *peers.PEERS)
LARGE_ROWS = 10_000
TOLERANCE = 0.01
LARGE_REGRESSION_TOLERANCE = 0.02
NUM_STANDARD_ERRORS = 2.0
KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Splits:
    """How a table is cut: `folds` parts, each once the test part, `repeats` times over."""

    folds: int
    repeats: int
    stratified: bool
    seed: int = SEED

    def indices(self, frame: pd.DataFrame, target: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and the rows to test on, split by split."""
        kind = RepeatedStratifiedKFold if self.stratified else RepeatedKFold
        splitter = kind(n_splits=self.folds, n_repeats=self.repeats, random_state=self.seed)
        yield from splitter.split(frame, frame[target])


@dataclass(frozen=True)
class Job:
    """One model on one table: what a worker process needs to know."""

    dataset: str
    model: str
    splits: Splits
    num_jobs: int


def splits_for(dataset: Dataset, num_rows: int, repeats: int) -> Splits:
    """Return 5 x 3 for German credit, 3 x 1 above 10,000 rows, else 5 x the repeats asked for."""
    stratified = dataset.task == "classification"
    if dataset.name == "german_credit":
        return Splits(folds=5, repeats=3, stratified=stratified)
    if num_rows > LARGE_ROWS:
        return Splits(folds=3, repeats=1, stratified=stratified)
    return Splits(folds=5, repeats=repeats, stratified=stratified)


# One model on one table, in a process of its own so that its peak memory is its own.


def measure(job: Job) -> dict[str, Any]:
    """Train and test a model on every split; return the scores, the seconds and the peak memory."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the network's default number of epochs is a default
    (dataset,) = datasets.choose(job.dataset)
    frame = dataset.load()
    runs = [
        _measure_split(dataset, frame, job, train, test) for train, test in job.splits.indices(frame, dataset.target)
    ]
    return {
        "scores": {name: [run["scores"][name] for run in runs] for name in runs[0]["scores"]},
        "seconds_fit": float(np.mean([run["seconds_fit"] for run in runs])),
        "seconds_predict": float(np.mean([run["seconds_predict"] for run in runs])),
        "peak_memory_mb": round(_peak_memory_kib() / KIB_PER_MIB, 1),
    }


def _peak_memory_kib() -> int:
    """Return this process's own peak; getrusage's would start from the parent's, which outlives `exec`."""
    status = Path("/proc/self/status")
    if status.exists():
        for text in status.read_text().splitlines():
            if text.startswith("VmHWM:"):
                return int(text.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _measure_split(
    dataset: Dataset, frame: pd.DataFrame, job: Job, train: np.ndarray, test: np.ndarray
) -> dict[str, Any]:
    inputs, target = frame.drop(columns=dataset.target), frame[dataset.target]
    model = _build(job, dataset.task)
    started = time.perf_counter()
    model.fit(inputs.iloc[train], target.iloc[train])
    fitted = time.perf_counter()
    scores = _score(model, dataset.task, inputs.iloc[test], target.iloc[test])
    return {"scores": scores, "seconds_fit": fitted - started, "seconds_predict": time.perf_counter() - fitted}


def _build(job: Job, task: str) -> Any:
    if job.model != PELLUCID:
        return peers.PEERS[job.model](task, job.num_jobs, SEED)
    pellucid = importlib.import_module("pellucid")  # here, so that peers alone run without it
    return pellucid.Classifier() if task == "classification" else pellucid.Regressor()


def _score(model: Any, task: str, inputs: pd.DataFrame, target: pd.Series) -> dict[str, float]:
    """Return the metrics by their scikit-learn names, the one that is compared first."""
    if task == "regression":
        predicted = model.predict(inputs)
        return {"r2": r2_score(target, predicted), "rmse": root_mean_squared_error(target, predicted)}
    probabilities = np.asarray(model.predict_proba(inputs), dtype=np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = list(model.classes_)
    chosen = np.asarray(labels)[probabilities.argmax(axis=1)]
    scores = {
        "accuracy": accuracy_score(target, chosen),
        "log_loss": log_loss(target, probabilities, labels=labels),
    }
    if len(labels) == 2:
        scores = {"roc_auc": roc_auc_score(target == labels[1], probabilities[:, 1]), **scores}
    return scores


def _measure_alone(job: Job) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(measure, job).result()


# From measurements to lines.


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Return the mean of the splits, its standard error and the splits themselves.

    The splits of a cross-validation share training rows, so the standard error is a little too small.
    """
    scores = np.asarray(values, dtype=np.float64)
    error = scores.std(ddof=1) / np.sqrt(len(scores))
    return {"mean": float(scores.mean()), "standard_error": float(error), "scores": [float(x) for x in scores]}


def identity(dataset: Dataset, frame: pd.DataFrame, model: str, splits: Splits) -> dict[str, Any]:
    """Return the fields that two results must share to be comparable."""
    return {
        "table": dataset.name,
        "model": model,
        "task": dataset.task,
        "rows": len(frame),
        "columns": frame.shape[1] - 1,
        "data": datasets.fingerprint(frame),
        "splits": asdict(splits),
        "peers": peers.SETTINGS_VERSION,
    }


def result_line(who: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON line of one model on one table."""
    (metric, values), *others = measured["scores"].items()
    return {
        **record.origin(SEED),
        **who,
        "metric": metric,
        **summary(values),
        "other_metrics": {name: summary(scores) for name, scores in others},
        "seconds_fit": measured["seconds_fit"],
        "seconds_predict": measured["seconds_predict"],
        "peak_memory_mb": measured["peak_memory_mb"],
    }


def _finished(lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {model: line for model, line in lines.items() if line["mean"] is not None}


def paired_line(lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return how far Pellucid is from the best peer of one table, split by split; None without both."""
    own = lines.get(PELLUCID)
    others = {model: line for model, line in lines.items() if model != PELLUCID}
    if own is None or not others:
        return None
    best = max(others, key=lambda model: others[model]["mean"])
    difference = summary([a - b for a, b in zip(own["scores"], others[best]["scores"], strict=True)])
    large_regression = own["task"] == "regression" and own["rows"] > LARGE_ROWS
    tolerance = LARGE_REGRESSION_TOLERANCE if large_regression else TOLERANCE
    allowed = tolerance + NUM_STANDARD_ERRORS * difference["standard_error"]
    return {
        **record.origin(SEED),
        "table": own["table"],
        "metric": own["metric"],
        "pellucid": own["mean"],
        "best_peer": best,
        "best_peer_mean": others[best]["mean"],
        "difference": difference["mean"],
        "difference_standard_error": difference["standard_error"],
        "tolerance": tolerance,
        "within": difference["mean"] >= -allowed,
    }


def mean_ranks(results: Mapping[str, Mapping[str, Mapping[str, Any]]], models: Sequence[str]) -> dict[str, float]:
    """Return each model's mean rank, 1 the best; a model that failed on a table is last there."""
    scores = [
        [lines[model]["mean"] if lines[model]["mean"] is not None else -np.inf for model in models]
        for lines in results.values()
    ]
    ranks = rankdata(-np.asarray(scores), axis=1)
    return {model: float(rank) for model, rank in zip(models, ranks.mean(axis=0), strict=True)}


@dataclass(frozen=True)
class Bar:
    """A promise about Pellucid on one table: the value compared and the value it must reach."""

    name: str
    table: str
    value: Callable[[Mapping[str, Any]], float]
    needed: Callable[[Mapping[str, Any]], float]
    higher_is_better: bool = True


def _own_mean(lines: Mapping[str, Any]) -> float:
    return lines[PELLUCID]["mean"]


def _rmse(lines: Mapping[str, Any], model: str) -> float:
    return lines[model]["other_metrics"]["rmse"]["mean"]


def _best_peer(lines: Mapping[str, Any]) -> float:
    return max(lines[model]["mean"] for model in peers.PEERS)


BARS = (
    Bar("German credit: AUC at least 0.795", "german_credit", _own_mean, lambda lines: 0.795),
    Bar(
        "German credit: AUC at most 0.003 under the best peer's",
        "german_credit",
        _own_mean,
        lambda lines: _best_peer(lines) - 0.003,
    ),
    Bar("digits: accuracy at least 0.98", "digits", _own_mean, lambda lines: 0.98),
    Bar("breast cancer: AUC at least 0.995", "breast_cancer", _own_mean, lambda lines: 0.995),
    Bar(
        "diabetes: RMSE at most ridge's",
        "diabetes",
        lambda lines: _rmse(lines, PELLUCID),
        lambda lines: _rmse(lines, "linear"),
        higher_is_better=False,
    ),
)


def judge(bar: Bar, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a bar's value, what it needed and whether it passed; `passed` is null when it was not run."""
    lines = results.get(bar.table, {})
    if PELLUCID in lines and PELLUCID not in _finished(lines):
        return {"bar": bar.name, "value": None, "needed": None, "passed": False}
    try:
        value, needed = bar.value(_finished(lines)), bar.needed(_finished(lines))
    except KeyError:  # a model that the bar compares was not run, or failed
        return {"bar": bar.name, "value": None, "needed": None, "passed": None}
    passed = value >= needed if bar.higher_is_better else value <= needed
    return {"bar": bar.name, "value": value, "needed": needed, "passed": passed}


# The whole run.


def recorded_peers(results: Path | None) -> list[dict[str, Any]]:
    """Return the peers' lines of a results file, to be used again for the same data and splits."""
    return [line for line in record.read(results) if line.get("model") in peers.PEERS and "scores" in line]


def find_recorded(lines: Sequence[Mapping[str, Any]], who: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the newest recorded line of the same model, data and splits."""
    for line in reversed(lines):
        if all(line.get(name) == value for name, value in who.items()):
            return dict(line)
    return None


def run_model(
    who: Mapping[str, Any], job: Job, recorded: Sequence[Mapping[str, Any]], results: Path | None
) -> dict[str, Any]:
    """Measure one model on one table, or take it from the file; print its line and return it."""
    known = find_recorded(recorded, who)
    if known is not None:
        record.emit({**known, "reused": True})
        return known
    record.say(f"{job.dataset}: {job.model}")
    try:
        line = result_line(who, _measure_alone(job))
    except Exception as error:  # one model that fails must not lose the others' results
        record.say(traceback.format_exc())
        line = {**record.origin(SEED), **who, "mean": None, "error": f"{type(error).__name__}: {error}"}
    record.emit(line, results)
    return line


def run_table(
    dataset: Dataset, arguments: argparse.Namespace, recorded: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Run the chosen models on one table and print the paired difference."""
    frame = dataset.load()
    splits = splits_for(dataset, len(frame), arguments.repeats)
    lines = {}
    for model in arguments.models:
        who = identity(dataset, frame, model, splits)
        job = Job(dataset.name, model, splits, arguments.jobs)
        lines[model] = run_model(who, job, recorded, arguments.results)
    paired = paired_line(
        {model: line for model, line in lines.items() if model == PELLUCID or line["mean"] is not None}
    )
    if paired is not None:
        record.emit(paired, arguments.results)
    return lines


def _models(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown model {', '.join(unknown)}; choose from {', '.join(MODELS)}")
    return names


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text}")
    return number


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare Pellucid with scikit-learn's models on public tables.")
    parser.add_argument("--tables", help="comma-separated names; all by default")
    parser.add_argument("--models", type=_models, default=MODELS, help="comma-separated; all by default")
    parser.add_argument("--repeats", type=_positive, default=1, help="repeats of 5 folds (small tables)")
    parser.add_argument("--results", type=Path, help="append the lines here, and re-use the peers' lines in it")
    parser.add_argument("--jobs", type=_positive, default=2, help="processes for the forest")
    return parser.parse_args()


def main() -> int:
    """Run the benchmark; return the exit code."""
    arguments = _arguments()
    try:
        chosen = datasets.choose(arguments.tables)
        recorded = recorded_peers(arguments.results)
        results = {dataset.name: run_table(dataset, arguments, recorded) for dataset in chosen}
    except (DatasetError, FileNotFoundError) as error:
        record.say(f"error: {error}")
        return 2
    bars = [judge(bar, results) for bar in BARS]
    ranks = mean_ranks(results, arguments.models)
    record.emit({**record.origin(SEED), "tables": list(results), "mean_rank": ranks, "bars": bars}, arguments.results)
    failed = any(line["mean"] is None for lines in results.values() for line in lines.values())
    return int(failed or any(bar["passed"] is False for bar in bars))


if __name__ == "__main__":
    sys.exit(main())
