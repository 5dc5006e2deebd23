"""Training steps of plain convolutional networks, Pellucid's compiled loop against PyTorch, channels last.

    python benchmarks/layer_cases/convolution.py --peer-python PEERS/bin/python

Windows of 3 × 3 with "same" padding, each followed by relu and a maximum over 2 × 2, then a dense layer for ten
classes; forward, backward and Adam. Pellucid runs `pellucid.fit`; PyTorch an eager loop over the same shapes, once on
all cores and once on one, of which the faster counts. Both take turns, and the fastest epoch of each counts. One JSON
line a case; exit code 1 below a bar. `benchmarks/layers.py` takes the cases from `cases`.
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
    {"name": "convolution 32-64 on 28×28×1, batch 64", "shape": (28, 28, 1), "hidden": (32, 64), "batch": 64,
     "steps": 40, "bar": 0.95},
    {"name": "convolution 64-128-256 on 32×32×3, batch 64", "shape": (32, 32, 3), "hidden": (64, 128, 256),
     "batch": 64, "steps": 8, "bar": 0.85},
)


def own_seconds(case: dict[str, Any]) -> dict[str, float]:
    """Seconds of a training step of `pellucid.fit`, the least of the epochs after the first; and of compilation."""
    random, rows = np.random.default_rng(0), case["batch"] * case["steps"]
    inputs = random.normal(size=(rows, *case["shape"])).astype(np.float32)
    targets = random.integers(0, CLASSES, rows).astype(np.int32)
    network = pellucid.networks.Convolutional(case["shape"], case["hidden"], CLASSES, normalisation="none",
                                              key=jax.random.key(0))
    fit = pellucid.fit(network, "cross_entropy", (inputs, targets), epochs=EPOCHS, batch_size=case["batch"])
    ends = [epoch.seconds for epoch in fit.history.epochs]
    return {"step": float(np.min(np.diff(ends)[1:])) / case["steps"], "compilation": fit.compile_seconds}


def peer_seconds(python: str, case: dict[str, Any]) -> dict[str, float]:
    """Seconds of a step by number of threads."""
    script = Path(__file__).with_name("convolution_peer.py")
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
        seconds = min(turn["step"] for turn in own)
        ratio = min(by_threads.values()) / seconds
        yield {"case": case["name"], "bar": case["bar"], "pellucid_seconds": seconds, "torch_seconds_by_threads":
               by_threads, "ratio": ratio, "compilation_seconds": max(turn["compilation"] for turn in own),
               "passed": ratio >= case["bar"]}


def main() -> int:
    """Run the cases alone; return the exit code."""
    parser = argparse.ArgumentParser(description="Time training steps of convolutional networks.")
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
