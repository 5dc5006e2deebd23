"""Texts: unwanted messages, and whether a film was liked; five folds, beside TF-IDF and logistic regression.

    python benchmarks/texts.py --data DATA                # both jobs; a few minutes on two cores
    python benchmarks/texts.py --data DATA --job spam
    python benchmarks/texts.py --data DATA --quick        # a smoke run: some of the rows, two folds

`--data` is a folder with sms_spam.csv (`label`, `text`: part of the SMS Spam Collection) and movie_reviews.csv (`text`,
`score` from -4 to 4: sentences of reviews that come with the Python package vaderSentiment). Rows whose text repeats an
earlier one are left out, reviews with a score of 0 too. Each fifth is judged by a model that `pellucid.train` made from
the others with its defaults (`test_size=0`, as nothing else is judged here). Spam is judged by the average precision
for `spam`, reviews by accuracy.

The peer learns from the same rows: scikit-learn's TfidfVectorizer (words and pairs of words, sublinear counts) and
LogisticRegression, its strength chosen by five folds within the training rows; and, as `plain`, both at their own
defaults. One JSON line for each job; exit code 1 when a bar is missed.
"""
import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import record
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import accuracy_score, average_precision_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

import pellucid

SEED, FOLDS = 0, 5
QUICK_ROWS, QUICK_FOLDS = 800, 2


@dataclass(frozen=True)
class Job:
    """What is asked of a table of texts: the class of each, the metric, and the bar."""

    file: str
    positive: str
    metric: str
    bar: float


JOBS = {"spam": Job("sms_spam.csv", "spam", "average_precision", 0.988),
        "sentiment": Job("movie_reviews.csv", "liked", "accuracy", 0.79)}


def table_of(job: Job, folder: Path) -> pl.DataFrame:
    """The columns `text` and `label`, each text once."""
    frame = pl.read_csv(folder / job.file)
    if "score" in frame.columns:
        words = pl.when(pl.col("score") > 0).then(pl.lit("liked")).otherwise(pl.lit("disliked"))
        frame = frame.filter(pl.col("score") != 0).select("text", words.alias("label"))
    return frame.unique("text", keep="first", maintain_order=True)


def judged(metric: str, truth: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    """Both metrics, that of the bar first."""
    found = {"average_precision": float(average_precision_score(truth, chance)),
             "accuracy": float(accuracy_score(truth, chance > 0.5))}
    return {metric: found.pop(metric)} | found


def network(job: Job, train: pl.DataFrame, test: pl.DataFrame, seed: int) -> np.ndarray:
    """The chance of the positive class by a model of `pellucid.train`'s defaults."""
    with tempfile.TemporaryDirectory() as folder:
        run = pellucid.train(train, target="label", test_size=0, seed=seed, run=Path(folder) / "run")
        found = run.model.predict(test.drop("label"))
        return found.probabilities[:, list(run.model.classes).index(job.positive)]


def peers(train: pl.DataFrame, truth: np.ndarray, test: pl.DataFrame) -> dict[str, np.ndarray]:
    """The chances by TF-IDF and logistic regression: tuned, and as they come."""
    tuned = LogisticRegressionCV(Cs=[1.0, 3.0, 10.0, 30.0, 100.0], cv=5, solver="liblinear", scoring="neg_log_loss",
                                 l1_ratios=(0.0,), use_legacy_attributes=False)
    makers = {"tf_idf": make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), tuned),
              "tf_idf_plain": make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=500))}
    return {name: maker.fit(train["text"].to_list(), truth).predict_proba(test["text"].to_list())[:, 1]
            for name, maker in makers.items()}


def run_job(name: str, folder: Path, seed: int, quick: bool) -> dict[str, Any]:
    """All folds of a job: the mean of each metric over the folds."""
    job, folds = JOBS[name], QUICK_FOLDS if quick else FOLDS
    frame = table_of(job, folder)
    frame = frame.sample(QUICK_ROWS, seed=seed) if quick else frame
    truth = (frame["label"] == job.positive).to_numpy().astype(int)
    found: dict[str, list[dict[str, float]]] = {}
    seconds = {"network": 0.0, "network_processor": 0.0, "tf_idf": 0.0}
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(truth, truth):
        begun, own = time.perf_counter(), time.process_time()
        answers = {"network": network(job, frame[train], frame[test], seed)}
        seconds["network"] += time.perf_counter() - begun
        seconds["network_processor"] += time.process_time() - own
        begun = time.perf_counter()
        answers |= peers(frame[train], truth[train], frame[test])
        seconds["tf_idf"] += time.perf_counter() - begun
        for one, chance in answers.items():
            found.setdefault(one, []).append(judged(job.metric, truth[test], chance))
            record.say(f"{name}, fold {len(found[one])} of {folds}: {one} {found[one][-1]}")
    means = {one: {metric: round(float(np.mean([fold[metric] for fold in each])), 4) for metric in each[0]}
             for one, each in found.items()}
    return {"job": name, "rows": len(truth), "metric": job.metric, "bar": job.bar, **means,
            "by_fold": [round(fold[job.metric], 4) for fold in found["network"]],
            "seconds_a_fold": {one: round(total / folds, 1) for one, total in seconds.items()},
            "passed": means["network"][job.metric] >= job.bar}


def main() -> int:
    """Run the jobs and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the two files")
    parser.add_argument("--job", choices=tuple(JOBS), help="one of them; both by default")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--quick", action="store_true", help="a smoke run")
    options = parser.parse_args()
    passed = True
    for name in [options.job] if options.job else JOBS:
        line = run_job(name, options.data, options.seed, options.quick)
        passed &= line["passed"]
        record.emit(record.origin(options.seed) | {"benchmark": "texts"} | line, options.results)
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
