"""How strongly ligands bind to the benzodiazepine receptor: convolutions over voxels, graphs, and two plain methods.

    python benchmarks/ligands.py --data bzr.sdf --results results.jsonl
    python benchmarks/ligands.py --data bzr.sdf --quick

`--data` is an SDF file of molecules with coordinates and a property ACTIVITY (163 ligands, the negative logarithm of
the concentration that halves binding). Debian's package rdkit-data holds it as
/usr/share/RDKit/Projects/DbCLI/testData/bzr.sdf. Needs the extra `molecules` (RDKit).

Five folds, dealt anew for each repeat; each ligand is predicted by what was trained on the other four folds. Of
Pellucid's networks, one sees atoms as densities on a grid of 1 Ångström (`--type molecule=molecule_3d`), one passes
messages along bonds (what a molecule is learned by without that); both by their defaults. The plain methods are the
mean, and a ridge regression on counts of atoms' surroundings (ECFP4), its strength chosen within the training rows.

One JSON line a model: RMSE and R² of each repeat, and, of the mean of the repeats, the 95 % interval (bootstrap over
ligands) of what it is better by than the mean and than the ridge. Exit code 1 when the voxels are not clearly better
than the mean; whether they are better than the ridge is told, not asked for.
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import record
from molecules import SEED, folds_of, rmse
from sklearn.linear_model import RidgeCV
from solubility import advantage

import pellucid
from pellucid.data.read import read_table
from pellucid.features import molecules as chemistry

FOLDS, TARGET = 5, "ACTIVITY"
PENALTIES = np.logspace(-1, 4, 11)
VOXELS, GRAPH, RIDGE, MEAN = "voxel convolution", "graph network", "ridge regression on ECFP4 counts", "mean"


def trained(table, training: np.ndarray, test: np.ndarray, settings: dict) -> np.ndarray:
    """The predictions of a network that learned from the training rows."""
    with tempfile.TemporaryDirectory() as folder:
        run = pellucid.train(table.take(training).frame, TARGET, test_size=0, run=Path(folder) / "run", **settings)
    return run.model.predict(table.take(test).frame).prediction


def ridge(prints: np.ndarray, truth: np.ndarray, training: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The predictions of a ridge regression on square roots of counts."""
    model = RidgeCV(PENALTIES).fit(np.sqrt(prints[training]), truth[training])
    return model.predict(np.sqrt(prints[test]))


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="Affinity of ligands by voxels, graphs and plain methods.")
    parser.add_argument("--data", type=Path, required=True, help="bzr.sdf")
    parser.add_argument("--repeats", type=int, default=2, help="of the five folds")
    parser.add_argument("--only", default="", help="models whose name holds this; the plain ones always run")
    parser.add_argument("--quick", action="store_true", help="one repeat, one member, two epochs: a smoke run")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    table = read_table(arguments.data)
    table = table.select(["molecule", TARGET])
    found = chemistry.read_molecules(table.column("molecule").to_list())
    table, truth = table.take(found.rows), table.column(TARGET).cast(float).to_numpy()[found.rows]
    prints = chemistry.molecule_fingerprints(found)
    quick = {"epochs": 2, "members": 1} if arguments.quick else {}
    models = {
        MEAN: lambda a, b: np.full(len(b), truth[a].mean()),
        RIDGE: lambda a, b: ridge(prints, truth, a, b),
        GRAPH: lambda a, b: trained(table, a, b, quick),
        VOXELS: lambda a, b: trained(table, a, b, {"types": {"molecule": "molecule_3d"}, **quick}),
    }
    repeats = 1 if arguments.quick else arguments.repeats
    folds = [folds_of(np.array(found.canonical), FOLDS, SEED + repeat) for repeat in range(repeats)]
    answers, passed = {}, True
    for name, answer in models.items():
        if name in (GRAPH, VOXELS) and arguments.only not in name:
            continue
        start, answers[name] = time.perf_counter(), np.zeros((repeats, len(truth)))
        for repeat, fold in enumerate(folds):
            for number in range(FOLDS):
                training, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
                answers[name][repeat, test] = answer(training, test)
            record.say(f"{name}, repeat {repeat + 1}: {rmse(answers[name][repeat], truth):.3f}")
        errors = [rmse(own, truth) for own in answers[name]]
        line = {**record.origin(SEED), "benchmark": "affinity to the benzodiazepine receptor", "model": name,
                "metric": "rmse, log units", "rmse": errors, "r2": [1 - error**2 / truth.var() for error in errors],
                "ligands": len(truth), "seconds": time.perf_counter() - start}
        for other in (MEAN, RIDGE):
            if other in answers and other != name:
                better, interval = advantage(answers[name].mean(axis=0), answers[other].mean(axis=0), truth)
                line[f"better than the {other}"] = [better, *interval]
        if name == VOXELS:
            passed = line[f"better than the {MEAN}"][1] > 0
            line |= {"bar": "better than the mean, interval above 0", "passed": bool(passed)}
        record.emit(line, arguments.results)
    return int(not passed and not arguments.quick)


if __name__ == "__main__":
    sys.exit(main())
