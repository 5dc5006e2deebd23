"""Drawing clothes of a class that is asked for: an adversarial network against a DCGAN of the same processor time.

    python benchmarks/adversarial.py --peer-python PEERS/bin/python --results results.jsonl
    python benchmarks/adversarial.py --quick

Fashion-MNIST. A small convolutional classifier is trained first, on the training images, and judges both: how often it
finds what was asked for, whether all ten classes turn up, and the Fréchet distance between what its last hidden layer
gives for 10,000 drawn and for the 10,000 test images; `floor` is that distance for 10,000 training images.
The DCGAN in PyTorch gets the seconds of processor time that Pellucid took, compilation included; its width is the
recipe's 64, and 32 where steps are cheaper, and the better of the two counts. Processor time is that of all threads:
run it pinned to one core (`taskset -c 0`), where it is what a quiet machine's clock would show.
One JSON line a contender. Exit code 1 when Pellucid misses a bar.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import record
from small_networks import SmallConvolution
from zoo_data import FASHION_MNIST, fashion_mnist

import pellucid
from pellucid.model.generated import class_coverage, frechet_distance

SEED = 0
CLASSES = 10
DRAWN = 10_000
AGREEMENT = 0.95
EPOCHS, QUICK_EPOCHS, QUICK_ROWS = 4, 1, 2_000
TRAINING = {"batch_size": 64, "learning_rate": 6e-3, "optimiser": "rmsprop", "schedule": "cosine", "average": 0.998}
OBJECTIVE = {"penalty": 0.1, "penalised": 0.25, "class_pull": 1.0}
JUDGE = {"epochs": 6, "batch_size": 128, "learning_rate": 2e-3, "schedule": "one_cycle"}
PEER_WIDTHS = (64, 32)
TILE = 500


class Judge:
    """A classifier trained on the training images, and what it says of the test images."""

    def __init__(self, data: dict[str, np.ndarray], epochs: int) -> None:
        network = SmallConvolution((32, 64), 128, CLASSES, dropout=0.4, key=jax.random.key(SEED))
        self.network = pellucid.fit(network, "cross_entropy", (data["train"], data["train_classes"]), key=SEED,
                                    **JUDGE | {"epochs": epochs}).network
        self.real, found = self.look(data["test"])
        self.accuracy = float(np.mean(found == data["test_classes"]))
        some = np.random.default_rng(SEED).permutation(len(data["train"]))[:DRAWN]
        self.floor = frechet_distance(self.look(data["train"][some])[0], self.real)

    def look(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The last hidden layer's values and the classes that it finds."""
        parts = [_seen(self.network, images[start:start + TILE]) for start in range(0, len(images), TILE)]
        features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return features, logits.argmax(axis=1)

    def figures(self, images: np.ndarray, asked: np.ndarray) -> dict[str, Any]:
        """Agreement, classes alive, and distance to the test images."""
        features, found = self.look(images.astype(np.float32))
        coverage = class_coverage(asked, found, CLASSES)
        return {"agreement": round(coverage.agreement, 4), "alive": coverage.alive,
                "frechet_distance": round(frechet_distance(features, self.real), 2)}


@eqx.filter_jit
def _seen(network: SmallConvolution, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    features = network.features(images)
    return features, network.output(features)


def pellucid_run(data: dict[str, np.ndarray], asked: np.ndarray, epochs: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Train Pellucid's network; its images and what it took."""
    started, clock = time.process_time(), time.perf_counter()
    network = pellucid.networks.Adversarial((28, 28, 1), classes=CLASSES, key=jax.random.key(SEED))
    fit = pellucid.fit(network, pellucid.objectives.RelativisticPairing(**OBJECTIVE),
                       {"values": data["train"], "labels": data["train_classes"]}, key=SEED, epochs=epochs, **TRAINING)
    took = {"processor_seconds": time.process_time() - started, "seconds": time.perf_counter() - clock,
            "compile_seconds": fit.compile_seconds, "epochs": epochs}
    return fit.network.sample(len(asked), labels=asked, key=jax.random.key(SEED + 1)), took


def peer_run(python: str, given: Path, seconds: float, width: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Train the DCGAN in the peers' environment; its images and what it took."""
    script, drawn = Path(__file__).with_name("adversarial_peer.py"), given.with_name(f"drawn-{width}.npz")
    command = [python, str(script), str(given), str(drawn), "--seconds", str(seconds), "--width", str(width)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(np.load(drawn)), json.loads(answer.splitlines()[-1])


def picture(images: np.ndarray, path: Path) -> None:
    """Write ten rows of ten images as one PNG."""
    from PIL import Image

    sheet = images[:100, ..., 0].reshape(10, 10, 28, 28).transpose(0, 2, 1, 3).reshape(280, 280)
    Image.fromarray(np.rint(sheet * 255).astype(np.uint8)).resize((840, 840)).save(path)


def main() -> int:
    """Train, judge, and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FASHION_MNIST)
    parser.add_argument("--peer-python", help="the interpreter of an environment with PyTorch")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--picture", type=Path, help="where to write a hundred images as a PNG")
    parser.add_argument("--quick", action="store_true", help="a smoke run on few images")
    options = parser.parse_args()
    data = fashion_mnist(options.data)
    data = {name: values[..., None] if values.ndim == 3 else values for name, values in data.items()}
    if options.quick:
        data |= {name: data[name][:QUICK_ROWS] for name in ("train", "train_classes")}
    judge = Judge(data, QUICK_EPOCHS if options.quick else JUDGE["epochs"])
    asked = np.arange(500 if options.quick else DRAWN, dtype=np.int32) % CLASSES
    opening = {**record.origin(SEED), "benchmark": "adversarial, Fashion-MNIST", "judge_accuracy": judge.accuracy,
               "floor": round(judge.floor, 2)}
    images, took = pellucid_run(data, asked, QUICK_EPOCHS if options.quick else options.epochs)
    mine = {**opening, "contender": "pellucid", **judge.figures(images, asked), **took}
    if options.picture:
        picture(images, options.picture)
    peers = []
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "data.npz"
        np.savez(given, images=data["train"], labels=data["train_classes"], asked=asked)
        for width in PEER_WIDTHS if options.peer_python else ():
            drawn, its = peer_run(options.peer_python, given, took["processor_seconds"], width)
            peers.append({**opening, "contender": f"torch DCGAN, width {width}",
                          **judge.figures(drawn["images"], asked), **its,
                          "averaged": judge.figures(drawn["averaged"], asked)})
    best = min((peer["frechet_distance"] for peer in peers), default=None)
    passed = (mine["agreement"] >= AGREEMENT and mine["alive"] == CLASSES
              and (best is None or mine["frechet_distance"] <= best))
    for line in ({**mine, "bar": {"agreement": AGREEMENT, "alive": CLASSES, "frechet_distance": best},
                  "passed": passed}, *peers):
        record.emit(line, options.results)
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
