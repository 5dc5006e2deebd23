"""Learning without answers: two tables and pictures of digits, by `pellucid train DATA --task embed`, beside PCA.

    python benchmarks/discoveries.py --results results.jsonl
    python benchmarks/discoveries.py --sets wine --quick

Wines, breast tissue and digits come with scikit-learn. The target is named so that it judges, and is never learned
from. Of rows kept apart, the ten nearest training rows, found by codes alone, are asked for it; as many principal
components and the scaled columns themselves are asked the same. Groups are judged by the adjusted Rand index against
the target, and by a copy of the table whose columns are shuffled, in which none may be named. One JSON line for each
set; exit code 1 where codes are worse than principal components beyond chance, where groups miss the bar, or where
chance makes groups.
"""
import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import record
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.metrics import adjusted_rand_score

import pellucid

BARS = {"wine": 0.8, "breast cancer": 0.5, "digits": 0.3}
"""Adjusted Rand index of the groups; 0 is chance, 1 the target itself."""


def frame_of(load: Callable[..., Any]) -> tuple[dict[str, Any], str]:
    """A table of scikit-learn with the names of its classes."""
    data = load(as_frame=True)
    frame = data.frame.drop(columns="target")
    return {name: frame[name].to_numpy() for name in frame} | {"kind": data.target_names[data.target]}, "kind"


def digits() -> tuple[dict[str, Any], str]:
    """Digits as pictures."""
    data = load_digits()
    return {"picture": list(np.round(data.images * 255 / 16).astype(np.uint8)),
            "digit": np.array([f"digit {label}" for label in data.target])}, "digit"


SETS = {"wine": lambda: frame_of(load_wine), "breast cancer": lambda: frame_of(load_breast_cancer), "digits": digits}


def shuffled(table: dict[str, Any], target: str) -> dict[str, Any]:
    """The same table, each column (or pixel) in an order of its own: nothing goes with anything."""
    random, found = np.random.default_rng(0), dict(table)
    for name, cells in table.items():
        if name == "picture":
            pixels = np.stack(cells)
            mixed = np.stack([random.permutation(one) for one in pixels.reshape(len(pixels), -1).T], axis=1)
            found[name] = list(mixed.reshape(pixels.shape))
        elif name != target:
            found[name] = random.permutation(cells)
    return found


def main() -> int:
    """Measure each set; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(BARS), help="comma-separated")
    parser.add_argument("--results", type=Path, help="append the lines here")
    parser.add_argument("--quick", action="store_true", help="two epochs, to see that it runs")
    options = parser.parse_args()
    settings, passed = {"task": "embed"} | ({"epochs": 2} if options.quick else {}), True
    for name in options.sets.split(","):
        table, target = SETS[name]()
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run = pellucid.train(table, target, run=Path(folder) / "a", **settings)
            seconds = time.perf_counter() - start
            chance = pellucid.train(shuffled(table, target), target, run=Path(folder) / "b", **settings)
        group = run.model.predict(table).group
        rand = float(adjusted_rand_score(table[target], group)) if len(run.model.groups) else 0.0
        good = run.result.verdict.outcome != "worse" and rand >= BARS[name] and not chance.model.groups
        methods = {"network": run.metrics["network"], **run.metrics["baselines"]}
        record.emit({**record.origin(0), "benchmark": "discoveries", "set": name,
                     "metric": "agreement of neighbours with the hidden target", "bar": BARS[name],
                     "agreement": {method: one["neighbour_agreement"] for method, one in methods.items()},
                     "explained": {method: one["explained"] for method, one in methods.items()},
                     "outcome": run.result.verdict.outcome, "groups": len(run.model.groups), "adjusted_rand": rand,
                     "groups_of_shuffled": len(chance.model.groups), "seconds": seconds, "passed": good},
                    options.results)
        passed &= good
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
