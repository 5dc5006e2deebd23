"""Adversarial networks: for rows of numbers and for images, with and without classes."""
import numpy as np

from pellucid.networks import Adversarial

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(8)
NOISE = RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
LABELS = RANDOM.integers(0, 2, ROWS).astype(np.int32)


def with_classes(key):
    """The layers' values are normalised, and the class is asked for."""
    return Adversarial((OUT,), 8, noise=4, classes=2, normalisation="layer", key=key)


CASES = {
    "adversarial, rows": (lambda key: Adversarial(OUT, (8, 6), noise=4, output="number", key=key), NOISE),
    "adversarial, rows with classes": (with_classes, {"values": NOISE, "labels": LABELS}),
}
