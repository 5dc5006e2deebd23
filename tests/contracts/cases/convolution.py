"""Convolutional networks: over series, images and volumes, plain and residual."""
import numpy as np

from pellucid.networks import Convolutional

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.integers(0, 256, (ROWS, 6, 5, 2)).astype(np.uint8)
SERIES = RANDOM.normal(size=(ROWS, 9, 2)).astype(np.float32)
VOLUMES = RANDOM.normal(size=(ROWS, 3, 4, 3, 1)).astype(np.float32)
CHANGES = {"mirror": True, "shift": 1, "erase": 0.4}

CASES = {
    "convolutional, images": (lambda key: Convolutional(
        (6, 5, 2), (4,), OUT, dense=(5,), dropout=0.2, augmentation=CHANGES, key=key), IMAGES),
    "convolutional, residual": (lambda key: Convolutional(
        (6, 5, 2), (4, 5), OUT, residual=True, augmentation={"mirror": True}, activation="silu", key=key), IMAGES),
    "convolutional, series": (lambda key: Convolutional(
        (9, 2), (4, 16), OUT, depth=2, normalisation="group", head="max", key=key), SERIES),
    "convolutional, volumes": (lambda key: Convolutional((3, 4, 3, 1), (3,), OUT, window=2, normalisation="none",
                                                         key=key), VOLUMES),
}
