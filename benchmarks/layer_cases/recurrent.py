"""Training steps of an LSTM through time, Pellucid's compiled loop against PyTorch.

    python benchmarks/layer_cases/recurrent.py --peer-python PEERS/bin/python

Each step is forward, backward and Adam on a batch of whole sequences, with a dense layer for ten classes on the last
step. Pellucid runs `pellucid.fit`; PyTorch an eager loop over the same shapes, once on all cores and once on one, of
which the faster counts. Both take turns, and the fastest epoch of each counts. One JSON line a case; exit code 1 below
a bar. `benchmarks/layers.py` takes the cases from `cases`.
"""
import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
import jax  # noqa: E402
import record  # noqa: E402

import pellucid  # noqa: E402

CLASSES, TURNS, EPOCHS = 10, 2, 5
CASES = (
    {"name": "LSTM 64→256 over 100 steps, batch 64", "features": 64, "neurons": 256, "time": 100, "batch": 64,
     "steps": 8, "bar": 1.0},
    {"name": "LSTM 16→64 over 30 steps, batch 32", "features": 16, "neurons": 64, "time": 30, "batch": 32,
     "steps": 100, "bar": 1.2},
)


def own_seconds(case: dict[str, Any]) -> float:
    """Seconds of a training step of `pellucid.fit`, the least of the epochs after the first."""
    random, rows = np.random.default_rng(0), case["batch"] * case["steps"]
    inputs = random.normal(size=(rows, case["time"], case["features"])).astype(np.float32)
    targets = random.integers(0, CLASSES, rows).astype(np.int32)
    network = pellucid.networks.Recurrent(case["features"], (case["neurons"],), CLASSES, cell="lstm",
                                          key=jax.random.key(0))
    fit = pellucid.fit(network, "cross_entropy", (inputs, targets), epochs=EPOCHS, batch_size=case["batch"])
    ends = [epoch.seconds for epoch in fit.history.epochs]
    return float(np.min(np.diff(ends)[1:])) / case["steps"]


def peer_seconds(python: str, case: dict[str, Any]) -> dict[str, float]:
    """Seconds of a step by number of threads."""
    script = Path(__file__).with_name("recurrent_peer.py")
    given = json.dumps(case | {"classes": CLASSES, "epochs": EPOCHS})
    answer = subprocess.run([python, str(script), given], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(answer.stdout)


def cases(data: Path | None, peer_python: str) -> Iterator[dict[str, Any]]:
    """Each case of this family: name, bar, seconds of both, and how many times faster Pellucid is; needs no data."""
    for case in CASES:
        own, peer = [], []
        for _ in range(TURNS):
            own.append(own_seconds(case))
            peer.append(peer_seconds(peer_python, case))
        by_threads = {threads: min(turn[threads] for turn in peer) for threads in peer[0]}
        ratio = min(by_threads.values()) / min(own)
        yield {"case": case["name"], "bar": case["bar"], "pellucid_seconds": min(own), "torch_seconds_by_threads":
               by_threads, "ratio": ratio, "passed": ratio >= case["bar"]}


def main() -> int:
    """Run the cases alone; return the exit code."""
    parser = argparse.ArgumentParser(description="Time training steps of recurrent layers.")
    parser.add_argument("--peer-python", required=True, help="interpreter that has torch")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    passed = True
    for case in cases(None, arguments.peer_python):
        record.emit({**record.origin(0), **case}, arguments.results)
        passed &= case["passed"]
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
