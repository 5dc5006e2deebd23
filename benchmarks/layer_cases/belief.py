"""Epochs of a restricted Boltzmann machine of 784-500, Pellucid's compiled loop against scikit-learn's BernoulliRBM.

    python benchmarks/layer_cases/belief.py

Both see the same rows, in batches of 10, scikit-learn's default, and for comparison of 100, with one round of Gibbs
sampling an update (scikit-learn's chains persist, which saves it nothing) and plain gradient steps. scikit-learn turns
whole numbers into 64-bit ones, its default, by which it is judged, and keeps 32-bit ones: `ratio_32_bit` is against
those. Both use the cores they find and take turns; the fastest epoch of each counts. One JSON line a case; exit code 1
below a bar. `benchmarks/layers.py` takes the cases from `cases`.
"""
import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
import jax  # noqa: E402
import record  # noqa: E402
from sklearn.neural_network import BernoulliRBM  # noqa: E402

import pellucid  # noqa: E402
from pellucid.training.objectives import ContrastiveDivergence  # noqa: E402

VISIBLE, HIDDEN, ROWS, RATE, TURNS, EPOCHS = 784, 500, 2000, 0.05, 2, 4
CASES = ({"batch": 10, "bar": 3.0}, {"batch": 100, "bar": None})


def own_seconds(rows: np.ndarray, batch: int) -> float:
    """Seconds of an epoch of `pellucid.fit`, the least of those after the first."""
    machine = pellucid.networks.RestrictedBoltzmannMachine(VISIBLE, HIDDEN, key=jax.random.key(0))
    fit = pellucid.fit(machine, ContrastiveDivergence(), rows, epochs=EPOCHS, batch_size=batch, optimiser="sgd",
                       learning_rate=RATE)
    return float(np.min(np.diff([epoch.seconds for epoch in fit.history.epochs])[1:]))


def peer_seconds(rows: np.ndarray, batch: int) -> float:
    """Seconds of an epoch of scikit-learn's, the least of a few."""
    taken = []
    for seed in range(EPOCHS - 1):
        machine = BernoulliRBM(HIDDEN, learning_rate=RATE, batch_size=batch, n_iter=1, random_state=seed)
        begin = time.perf_counter()
        machine.fit(rows)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def cases(data: Path | None = None, peer_python: str | None = None) -> Iterator[dict[str, Any]]:
    """Each case: name, bar, seconds of both, and how many times faster Pellucid is; needs neither data nor peers."""
    rows = (np.random.default_rng(0).random((ROWS, VISIBLE)) < 0.2).astype(np.float32)
    for case in CASES:
        own, peer, narrow = [], [], []
        for _ in range(TURNS):
            own.append(own_seconds(rows, case["batch"]))
            peer.append(peer_seconds(rows.astype(np.float64), case["batch"]))
            narrow.append(peer_seconds(rows, case["batch"]))
        steps, ratio = ROWS // case["batch"], min(peer) / min(own)
        yield {"case": f"RBM 784-500, CD-1, batch {case['batch']}", "bar": case["bar"],
               "pellucid_seconds": min(own) / steps, "sklearn_seconds": min(peer) / steps,
               "sklearn_seconds_32_bit": min(narrow) / steps, "ratio": ratio, "ratio_32_bit": min(narrow) / min(own),
               "passed": case["bar"] is None or ratio >= case["bar"]}


def main() -> int:
    """Run the cases alone; return the exit code."""
    parser = argparse.ArgumentParser(description="Time the training of a restricted Boltzmann machine.")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    passed = True
    for case in cases():
        record.emit({**record.origin(0), **case}, arguments.results)
        passed &= case["passed"]
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
