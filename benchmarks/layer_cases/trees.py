"""One epoch over the Stanford Sentiment Treebank: batched trees against one tree at a time in PyTorch.

    python benchmarks/layer_cases/trees.py --data sst --peer-python PEERS/bin/python

The same network (words' vectors, binary Tree-LSTM, an answer at every node), the same Adam, the same 32 trees a step.
PyTorch walks each tree node by node in Python, as a recursive network is usually written there; it is timed on some
hundred trees drawn evenly from the sizes, on one core and on all, of which the faster counts, and scaled to the whole
by nodes. Of Pellucid the fastest epoch after the first, which compiles, counts. Both take turns, and the better turn
counts. One JSON line; exit code 1 below the bar. `benchmarks/layers.py` takes the case from `cases`.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
import jax  # noqa: E402
import record  # noqa: E402

import pellucid  # noqa: E402
from pellucid.data.trees import read_trees, tree_arrays, tree_labels, vocabulary  # noqa: E402

BAR = 10.0
SIZES = {"embedding": 150, "hidden": 150}
BATCH, EPOCHS, PEER_TREES, TURNS = 32, 3, 160, 2


def own_seconds(inputs: dict[str, np.ndarray], targets: np.ndarray, words: int) -> float:
    """Seconds of an epoch of `pellucid.fit`, the least of those after the first, which compiles."""
    network = pellucid.networks.Recursive(words, 5, **SIZES, key=jax.random.key(0))
    fit = pellucid.fit(network, "cross_entropy", (inputs, targets), epochs=EPOCHS, batch_size=BATCH)
    ends = [epoch.seconds for epoch in fit.history.epochs]
    return float(np.min(np.diff(ends)[1:]))


def peer_seconds(python: str, inputs: dict[str, np.ndarray], targets: np.ndarray, words: int) -> dict[str, Any]:
    """What PyTorch says of some trees, drawn evenly from the sizes, and the seconds of a whole epoch by nodes."""
    by_size = np.argsort(inputs["count"], kind="stable")
    chosen = by_size[np.linspace(0, len(by_size) - 1, PEER_TREES).astype(int)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trees.npz"
        np.savez(path, targets=targets[chosen], words=words, batch=BATCH,
                 **{name: values[chosen] for name, values in inputs.items()}, **SIZES)
        script = Path(__file__).with_name("trees_peer.py")
        answer = subprocess.run([python, str(script), str(path)], check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(answer.stdout)
    share = inputs["count"][chosen].sum() / inputs["count"].sum()
    return told | {"seconds": told["seconds"] / float(share)}


def cases(data: Path, peer_python: str) -> Iterator[dict[str, Any]]:
    """The one case of this family: name, bar, seconds of both, and how many times faster Pellucid is."""
    trees = read_trees(data / "train.txt")
    words = vocabulary(trees, least=2)
    inputs, targets = tree_arrays(trees, words), tree_labels(trees, "01234")
    own, peers = [], []
    for _ in range(TURNS):
        own.append(own_seconds(inputs, targets, len(words) + 1))
        peers.append(peer_seconds(peer_python, inputs, targets, len(words) + 1))
    own, peer = min(own), min(peers, key=lambda told: told["seconds"])
    ratio = peer["seconds"] / own
    yield {"case": "SST trees, one epoch, against one tree at a time", "bar": BAR, "pellucid_seconds": own,
           "torch_seconds": peer["seconds"], "torch_trees_timed": PEER_TREES, "torch_threads": peer["threads"],
           "ratio": ratio, "passed": ratio >= BAR}


def main() -> int:
    """Run the case alone; return the exit code."""
    parser = argparse.ArgumentParser(description="Time an epoch over trees, batched and one at a time.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with train.txt")
    parser.add_argument("--peer-python", required=True, help="interpreter that has torch")
    parser.add_argument("--results", type=Path, help="append the line here")
    arguments = parser.parse_args()
    passed = True
    for case in cases(arguments.data, arguments.peer_python):
        record.emit({**record.origin(0), **case}, arguments.results)
        passed &= case["passed"]
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
