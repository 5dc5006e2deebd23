"""The adding problem: two of 200 numbers are marked, far apart; the network is to say their sum.

    python benchmarks/adding.py --results results.jsonl
    python benchmarks/adding.py --quick

Each sequence has 200 steps of two numbers: a value from [0, 1), and a mark that is 1 at one step of each half and 0
elsewhere; the target is the sum of the two marked values. Always answering 1 has a mean squared error of 1/6 = 0.167.
An LSTM, a GRU and a simple recurrent network of 64 neurons are trained on the same 20,000 sequences with the same
settings, and measured on 2,000 others. The gated ones learn it; the simple one has forgotten the first number by the
time that the second one comes.

One JSON line a cell. Exit code 1 when a gated one is not below 0.01, or the simple one is.

Source: Hochreiter & Schmidhuber 1997, experiment 4; marks as in Le, Jaitly & Hinton 2015, section 4.1.
"""
import argparse
import sys
import time
from pathlib import Path

import jax
import numpy as np
import record

import pellucid

BAR, BASELINE = 0.01, 1 / 6
LENGTH, ROWS, TEST_ROWS = 200, 20_000, 2_000
NEURONS = 64
TRAINING = {"epochs": 12, "batch_size": 64, "learning_rate": 3e-3, "schedule": "one_cycle", "clip": 1.0}
LEARNS = {"lstm": True, "gru": True, "simple": False}


def sequences(rows: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and marks, (rows, length, 2), and the sum of the two marked values, (rows, 1)."""
    random = np.random.default_rng(seed)
    values, marks = random.random((rows, length), np.float32), np.zeros((rows, length), np.float32)
    half, every = length // 2, np.arange(rows)
    for low, high in ((0, half), (half, length)):
        marks[every, random.integers(low, high, rows)] = 1
    return np.stack([values, marks], axis=-1), np.sum(values * marks, axis=1, keepdims=True)


def judge(cell: str, length: int, rows: int, settings: dict, seed: int) -> dict:
    """Train one network and measure it."""
    network = pellucid.networks.Recurrent(2, (NEURONS,), 1, cell=cell, key=jax.random.key(seed))
    inputs, targets = sequences(rows, length, 2 * seed)
    test_inputs, test_targets = sequences(TEST_ROWS, length, 2 * seed + 1)
    started = time.perf_counter()
    fit = pellucid.fit(network, "mean_squared", (inputs, targets), key=seed, **settings)
    seconds = time.perf_counter() - started
    error = float(np.mean(np.square(fit.predict(test_inputs) - test_targets)))
    epochs = [round(epoch.training_error, 5) for epoch in fit.history.epochs]
    return {**record.origin(seed), "benchmark": f"adding problem, length {length}", "network": cell, "neurons": NEURONS,
            "settings": settings | {"rows": rows}, "metric": "mean squared error", "pellucid": error,
            "baseline": BASELINE, "bar": BAR, "seconds": seconds, "training_errors": epochs,
            "passed": (error < BAR) == LEARNS[cell]}


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="Add two numbers that are far apart.")
    parser.add_argument("--cells", default=",".join(LEARNS), help="comma-separated; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of data and weights")
    parser.add_argument("--quick", action="store_true", help="sequences of 20 steps, and fewer of them")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    passed = True
    for cell in arguments.cells.split(","):
        size = (20, 4_000) if arguments.quick else (LENGTH, ROWS)
        result = judge(cell, *size, TRAINING, arguments.seed)
        record.emit(result, arguments.results)
        passed = passed and result["passed"]
    return int(not (passed or arguments.quick))


if __name__ == "__main__":
    sys.exit(main())
