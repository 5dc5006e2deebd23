"""Does the forecast of a learning curve hold? Fitted on half of the data, compared with the score at full size.

    python benchmarks/learning_curve.py                                   # measures everything, then fits
    python benchmarks/learning_curve.py --scores scores.json              # measures what the file lacks, then fits
    python benchmarks/learning_curve.py --scores scores.json --only-fit

20 trials on real tables (datasets.py): on nine of them a linear model and extremely randomised trees of scikit-learn,
and on two of them a small network of Pellucid (32 hidden neurons, one network, 15 epochs) by
`pellucid.learning_curve`. At most 2,000 training rows; the other rows are the test, at most 2,000. The learners of
scikit-learn are tried at six sizes up to half of the training rows, and at all of them; the network at seven sizes, of
which those up to half count.
Three to four repeats, with other test rows each. The error is 1 less ROC AUC for two classes, 1 less accuracy for more,
RMSE for numbers: its mean over the repeats.

Each forecast sees the sizes up to half and gives a 90 % interval for the measured error at full size. Pellucid's is
`uncertainty.learning_curve`. The plain one is a least-squares power law `a + b n^-c` (a and b at least 0), weighted by
the same standard errors, with Student's interval from its covariance and residuals; where it cannot be fitted, the last
error with the residual spread of the points. The interval score (Gneiting and Raftery 2007, equation 43) is divided by
the error at full size, and averaged. One JSON line for each trial and one for all; exit code 1 when fewer than 80 % of
the intervals hold the error, or the plain ones score better.
"""
import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import record
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.stats import t as student
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, roc_auc_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import pellucid
from pellucid.uncertainty.learning_curve import fit_learning_curve

COVERAGE, BAR = 0.9, 0.8
MOST, SIZES, REPEATS = 2000, 6, 4
PLAIN = ("german_credit", "digits", "image_segments", "credit_scoring", "light_chain", "concrete", "ames_housing",
         "wage", "abalone")
NETWORKS = ("german_credit", "image_segments")
LEARNERS = ("linear", "trees", "network")


def learner(name: str, classes: bool) -> Any:
    """A learner of scikit-learn."""
    if name == "linear":
        return LogisticRegression(max_iter=300) if classes else Ridge(1.0)
    kind = ExtraTreesClassifier if classes else ExtraTreesRegressor
    return kind(60, min_samples_leaf=2, random_state=0)


def matrix(frame: pd.DataFrame) -> np.ndarray:
    """All columns as numbers; nothing of the target is used."""
    words = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    numbers = [name for name in frame if name not in words]
    made = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(max_categories=12, handle_unknown="ignore", sparse_output=False), words), sparse_threshold=0)
    return made.fit_transform(frame.astype({name: str for name in words}))


def error_of(fitted: Any, x: np.ndarray, y: np.ndarray, classes: int) -> float:
    """The error that a curve is made of."""
    if not classes:
        return float(root_mean_squared_error(y, fitted.predict(x)))
    if classes == 2:
        return 1 - float(roc_auc_score(y, fitted.predict_proba(x)[:, 1]))
    return 1 - float(accuracy_score(y, fitted.predict(x)))


def plain_scores(table: str, name: str) -> dict[str, Any]:
    """Sizes and errors (sizes, repeats) of a learner of scikit-learn."""
    dataset = datasets.choose(table)[0]
    frame = dataset.load()
    y = frame[dataset.target].to_numpy()
    classes = 0
    if dataset.task == "classification":
        labels, y = np.unique(y.astype(str), return_inverse=True)
        classes = len(labels)
    x, full = matrix(frame.drop(columns=dataset.target)), min(MOST, 4 * len(frame) // 5)
    sizes = [*np.round(np.geomspace(max(32, full // 64), full / 2, SIZES)).astype(int).tolist(), full]
    errors = np.empty((len(sizes), REPEATS))
    for repeat in range(REPEATS):
        order = np.random.default_rng([7, repeat]).permutation(len(y))
        test = order[full:full + MOST]
        for place, size in enumerate(sizes):
            fitted = learner(name, bool(classes)).fit(x[order[:size]], y[order[:size]])
            errors[place, repeat] = error_of(fitted, x[test], y[test], classes)
    return {"sizes": sizes, "errors": errors.tolist()}


def network_scores(table: str) -> dict[str, Any]:
    """The same of a small network of Pellucid."""
    dataset = datasets.choose(table)[0]
    frame = dataset.load().sample(frac=1, random_state=0).head(MOST * 5 // 4)
    found = pellucid.learning_curve(frame, dataset.target, sizes=7, repeats=3, hidden=(32,), members=1, epochs=15)
    better = found.metric in ("roc_auc", "accuracy")
    return {"sizes": found.sizes.tolist(), "errors": (1 - found.scores if better else found.scores).tolist()}


def power_law(sizes: np.ndarray, errors: np.ndarray, spread: np.ndarray, rows: float) -> tuple[float, float]:
    """The plain forecast: both ends of its interval."""
    mean = errors.mean(axis=1)

    def law(n: np.ndarray, floor: float, drop: float, power: float) -> np.ndarray:
        return floor + drop * (n / sizes[0])**-power

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            found, covariance = curve_fit(law, sizes, mean, p0=(mean[-1] / 2, mean[0], 0.5), sigma=spread,
                                          bounds=([0, 0, 0.01], [np.inf, np.inf, 5]), max_nfev=20_000)
        steps = 1e-5 * np.maximum(np.abs(found), 1e-3)
        slope = np.array([(law(rows, *(found + step)) - law(rows, *(found - step))) / (2 * step.sum())
                          for step in np.diag(steps)])
        middle, freedom = float(law(rows, *found)), max(len(sizes) - 3, 1)
        misfit = (((law(sizes, *found) - mean) / spread)**2).sum() / freedom
        variance = float(slope @ covariance @ slope) + misfit * spread[-1]**2
    except (RuntimeError, ValueError, OptimizeWarning):
        middle, freedom, variance = float(mean[-1]), len(sizes) - 1, float(mean.var())
    half = student.ppf((1 + COVERAGE) / 2, freedom) * np.sqrt(variance)
    return max(middle - half, 0.0), middle + half


def interval_score(low: float, high: float, truth: float) -> float:
    """Width, and what the truth lies outside, at the price of the coverage; lower is better."""
    return high - low + 2 / (1 - COVERAGE) * (max(low - truth, 0.0) + max(truth - high, 0.0))


def judge(scores: dict[str, Any]) -> dict[str, float]:
    """Both forecasts of one trial."""
    sizes, errors = np.asarray(scores["sizes"], float), np.asarray(scores["errors"])
    seen, truth = sizes <= sizes[-1] / 2 + 1, float(errors[-1].mean())
    curve = fit_learning_curve(sizes[seen], errors[seen])
    _, low, high = curve.interval(sizes[-1], COVERAGE, measured=True)
    plain_low, plain_high = power_law(sizes[seen], errors[seen], curve.spread, sizes[-1])
    return {"rows": int(sizes[-1]), "points": int(seen.sum()), "error": truth, "low": low, "high": high,
            "inside": bool(low <= truth <= high), "score": interval_score(low, high, truth) / truth,
            "plain_low": plain_low, "plain_high": plain_high, "plain_inside": bool(plain_low <= truth <= plain_high),
            "plain_score": interval_score(plain_low, plain_high, truth) / truth}


def measured(path: Path | None, only_fit: bool) -> dict[str, Any]:
    """The scores of all trials; those that the file lacks are measured and written to it."""
    known = json.loads(path.read_text()) if path is not None and path.exists() else {}
    trials = [(table, name) for name in LEARNERS for table in (NETWORKS if name == "network" else PLAIN)]
    for table, name in trials:
        key = f"{table}, {name}"
        if key in known or only_fit:
            continue
        known[key] = network_scores(table) if name == "network" else plain_scores(table, name)
        print(f"measured: {key}", file=sys.stderr)
        if path is not None:
            path.write_text(json.dumps(known))
    return known


def main() -> int:
    """Judge every trial; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path, help="keep the measured scores in this file")
    parser.add_argument("--only-fit", action="store_true", help="judge what the file of scores holds")
    parser.add_argument("--results", type=Path, help="append the lines here")
    options = parser.parse_args()
    judged = {name: judge(scores) for name, scores in measured(options.scores, options.only_fit).items()}
    for name, one in judged.items():
        print(json.dumps({"trial": name, **{key: round(value, 4) if isinstance(value, float) else value
                                            for key, value in one.items()}}))
    inside, plain_inside, score, plain_score = (float(np.mean([one[key] for one in judged.values()])) for key in (
        "inside", "plain_inside", "score", "plain_score"))
    passed = inside >= BAR and score < plain_score
    better = sum(one["score"] < one["plain_score"] for one in judged.values())
    record.emit({**record.origin(0), "benchmark": "learning_curve", "trials": len(judged),
                 "metric": "share of 90 % intervals that hold the error at full size", "bar": BAR, "pellucid": inside,
                 "plain": plain_inside, "interval_score": round(score, 4),
                 "plain_interval_score": round(plain_score, 4), "better_in": int(better), "passed": bool(passed)},
                options.results)
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
