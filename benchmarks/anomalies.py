"""Anomalies without labels: the network beside an isolation forest, the local outlier factor and PCA.

    python benchmarks/anomalies.py --data shared/data             # all, about ten minutes on two cores
    python benchmarks/anomalies.py --only breast_cancer,digits --quick

Tables (nothing is learned from the column that says which rows are anomalies; the test rows are a fifth of all):

- shuttle: `shuttle.csv.gz` of `--data`, 49,097 rows, 7 % anomalies. Bar: ROC AUC of the network at least 0.996.
- breast_cancer: scikit-learn's, all 357 benign rows and 40 malignant ones: mean over five draws of these.
- image_segments: of the package river, all classes as normal save for one, of which 40 rows are drawn: mean over the
  seven classes.

Pictures: scikit-learn's digits as PNG. Networks learn from pictures of nine digits that are known to be normal; the
tenth is the anomaly; mean over the ten. Bar: ROC AUC at least that of PCA reconstruction + 0.02.
"""
import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import record
from datasets import DATASETS
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

import pellucid

TARGET = "anomaly"
RARE, DRAWS = 40, 5
SHUTTLE_BAR, PICTURE_MARGIN = 0.996, 0.02
EXPLAINED = 0.9
"""The share of the variance that PCA keeps."""


def shuttle(folder: Path, seed: int) -> Iterator[pl.DataFrame]:
    """The one table of the shared data."""
    del seed
    yield pl.read_csv(folder / "shuttle.csv.gz")


def breast_cancer(folder: Path, seed: int) -> Iterator[pl.DataFrame]:
    """Benign rows, and few malignant ones, drawn anew for each table."""
    del folder
    frame = load_breast_cancer(as_frame=True).frame
    for draw in range(DRAWS):
        yield _rare(frame.drop(columns="target"), frame["target"].to_numpy() == 0, DRAWS * seed + draw)


def image_segments(folder: Path, seed: int) -> Iterator[pl.DataFrame]:
    """One table for each class that is made rare."""
    del folder
    frame = next(one for one in DATASETS if one.name == "image_segments").load()
    for label in sorted(frame["category"].unique()):
        yield _rare(frame.drop(columns="category"), frame["category"].to_numpy() == label, seed)


def _rare(inputs: pd.DataFrame, anomalous: np.ndarray, seed: int) -> pl.DataFrame:
    drawn = np.random.default_rng(seed).choice(np.flatnonzero(anomalous), RARE, replace=False)
    rows = np.concatenate([np.flatnonzero(~anomalous), np.sort(drawn)])
    return pl.from_pandas(inputs.iloc[rows].reset_index(drop=True).rename(columns=str)).with_columns(
        pl.Series(TARGET, anomalous[rows].astype(int)))


TABLES: dict[str, Callable[[Path, int], Iterator[pl.DataFrame]]] = {
    "shuttle": shuttle, "breast_cancer": breast_cancer, "image_segments": image_segments}


def judge_table(name: str, folder: Path, seed: int, quick: bool) -> dict[str, Any]:
    """Mean figures over the tables of a name, as `pellucid train` reports them."""
    found, start = [], time.perf_counter()
    for frame in TABLES[name](folder, seed):
        with tempfile.TemporaryDirectory() as place:
            run = pellucid.train(frame, TARGET, task="detect", run=Path(place) / "run", seed=seed,
                                 **({"epochs": 2, "members": 2} if quick else {}))
        found.append({"network": run.metrics["network"], **run.metrics["baselines"]})
        if quick:
            break
    mean = {method: {metric: _mean([one[method].get(metric) for one in found]) for metric in
                     ("roc_auc", "average_precision", "recall_at_rate")} for method in found[0]}
    figure, bar = mean["network"]["roc_auc"], SHUTTLE_BAR if name == "shuttle" else None
    return {"name": name, "tables": len(found), "metric": "roc_auc", "pellucid": figure, "methods": mean,
            "seconds": round(time.perf_counter() - start, 1), "bar": bar,
            "passed": None if bar is None else figure >= bar}


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else round(float(np.mean(values)), 4)


def judge_digits(seed: int, quick: bool) -> dict[str, Any]:
    """The mean ROC AUC over the ten digits that are left out in turn."""
    digits, start, found = load_digits(), time.perf_counter(), []
    pictures = np.array([_png(row) for row in digits.data], dtype=object)
    for left_out in range(1 if quick else 10):
        normal = np.random.default_rng(seed + left_out).permutation(np.flatnonzero(digits.target != left_out))
        train, test = normal[len(normal) // 5:], normal[:len(normal) // 5]
        test = np.concatenate([test, np.flatnonzero(digits.target == left_out)])
        truth = digits.target[test] == left_out
        frame = pl.DataFrame({"picture": pl.Series(pictures[train].tolist(), dtype=pl.Binary),
                              TARGET: ["normal"] * len(train)})
        with tempfile.TemporaryDirectory() as place:
            run = pellucid.train(frame, TARGET, task="detect", labels="use", run=Path(place) / "run", seed=seed)
        asked = pl.DataFrame({"picture": pl.Series(pictures[test].tolist(), dtype=pl.Binary)})
        pca = PCA(EXPLAINED).fit(digits.data[train])
        rest = digits.data[test] - pca.inverse_transform(pca.transform(digits.data[test]))
        found.append((roc_auc_score(truth, run.model.predict(asked).score),
                      roc_auc_score(truth, (rest**2).sum(axis=1))))
    network, plain = np.mean(found, axis=0)
    return {"name": "digits", "left_out": len(found), "metric": "roc_auc", "pellucid": round(float(network), 4),
            "methods": {"network": {"roc_auc": [round(float(one), 4) for one, _ in found]},
                        "pca_reconstruction": {"roc_auc": round(float(plain), 4)}},
            "seconds": round(time.perf_counter() - start, 1), "bar": round(float(plain) + PICTURE_MARGIN, 4),
            "passed": bool(network >= plain + PICTURE_MARGIN)}


def _png(row: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray((row.reshape(8, 8) * 255 / 16).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def main() -> int:
    """Run what was asked for; 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("shared/data"), help="the folder of shuttle.csv.gz")
    parser.add_argument("--only", default=",".join((*TABLES, "digits")), help="names, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, help="append the lines to this file")
    parser.add_argument("--quick", action="store_true", help="a smoke run; bars may be missed")
    options = parser.parse_args()
    passed = True
    for name in options.only.split(","):
        line = judge_digits(options.seed, options.quick) if name == "digits" else judge_table(
            name, options.data, options.seed, options.quick)
        record.emit({**record.origin(options.seed), "benchmark": "anomalies", **line}, options.results)
        passed &= line["passed"] is not False
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
