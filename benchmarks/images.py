"""Fashion-MNIST, 60,000 pictures of clothes to learn from and 10,000 to judge by, without looking at the latter before.

    python benchmarks/images.py --peer-python PEERS/bin/python
    python benchmarks/images.py --networks Residual --results results.jsonl
    python benchmarks/images.py --quick

Feed-forward, convolutional and residual networks; PyTorch trains the same layers by the same recipe (AdamW, one cycle,
and for the convolutions mirrored, shifted and partly erased pictures and smoothed labels). The data are those of the
Debian package dataset-fashion-mnist, or of `--data`. One JSON line for each network; exit code 1 below a bar, or where
the residual network takes more than 30 minutes on two cores.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import record
from contest import Contest, line
from zoo_data import FASHION_MNIST, fashion_mnist

from pellucid.networks import Convolutional, Feedforward

SHAPE, CLASSES = (28, 28, 1), 10
CHANGES = {"mirror": True, "shift": 2}
ERASING = {**CHANGES, "erase": 0.4}
RECIPE = {"optimiser": "adamw", "schedule": "one_cycle", "batch_size": 128}
QUICK_ROWS = 1024

CONTESTS = {
    "Feedforward": Contest(
        lambda key: Feedforward(784, (512, 256), CLASSES, dropout=0.3, key=key),
        {"kind": "feedforward", "hidden": (512, 256), "dropout": 0.3},
        RECIPE | {"epochs": 30, "learning_rate": 2e-3, "weight_decay": 0.05}, 0.895, "0.883"),
    "Convolutional": Contest(
        lambda key: Convolutional(SHAPE, (32, 64, 128), CLASSES, dropout=0.4, augmentation=CHANGES, key=key),
        {"kind": "convolutional", "hidden": (32, 64, 128), "dropout": 0.4, "augmentation": CHANGES},
        RECIPE | {"epochs": 20, "learning_rate": 5e-3, "weight_decay": 0.05}, 0.925, "0.916-0.925",
        label_smoothing=0.1),
    "Residual": Contest(
        lambda key: Convolutional(SHAPE, (32, 64, 128), CLASSES, residual=True, dropout=0.2, augmentation=ERASING,
                                  key=key),
        {"kind": "convolutional", "residual": True, "hidden": (32, 64, 128), "dropout": 0.2, "augmentation": ERASING},
        RECIPE | {"epochs": 18, "learning_rate": 5e-3, "weight_decay": 0.05}, 0.935, "",
        label_smoothing=0.1, minutes=30),
}


def rows_of(data: dict[str, np.ndarray], flat: bool) -> dict[str, np.ndarray]:
    """Pictures as bytes of (28, 28, 1), or as rows of 784 numbers from 0 to 1."""
    def shaped(images: np.ndarray) -> np.ndarray:
        return (images.reshape(len(images), -1) / 255).astype(np.float32) if flat else images[..., None]

    return {"inputs": shaped(data["train"]), "classes": data["train_classes"],
            "test_inputs": shaped(data["test"]), "test_classes": data["test_classes"]}


def main() -> int:
    """Train every network; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="interpreter that has torch")
    parser.add_argument("--data", type=Path, default=FASHION_MNIST)
    parser.add_argument("--networks", default=",".join(CONTESTS), help="comma-separated; all by default")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="in place of each recipe's own")
    parser.add_argument("--results", type=Path, help="append the lines here")
    parser.add_argument("--quick", action="store_true", help="one epoch over a thousand pictures, to see that it runs")
    options = parser.parse_args()
    data, passed = fashion_mnist(options.data), True
    if options.quick:
        data = {name: values[:QUICK_ROWS] for name, values in data.items()}
    for name in options.networks.split(","):
        result = line(CONTESTS[name], rows_of(data, name == "Feedforward"), seeds=options.seeds,
                      peer_python=options.peer_python, epochs=1 if options.quick else options.epochs)
        record.emit({**record.origin(0), "benchmark": "Fashion-MNIST", "network": name, **result}, options.results)
        passed &= result["passed"]
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
