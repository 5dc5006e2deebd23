"""The network for films: rows of different lengths in 8 bits, and plain values."""
import numpy as np

from pellucid.networks import Film

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(13)
FRAMES = RANDOM.integers(0, 256, (ROWS, 5, 8, 8, 2)).astype(np.uint8)
LENGTHS = np.array([5, 1, 3, 4, 2, 5], np.int32)
SMALL = {"hidden": (3, 4), "code": 5, "memory": 4}

CASES = {
    "film": (lambda key: Film((5, 8, 8, 2), OUT, **SMALL, dropout=0.2, augmentation={"shift": 1, "contrast": 0.1},
                              key=key), {"values": FRAMES, "lengths": LENGTHS}),
    "film, plain": (lambda key: Film((5, 8, 8, 2), OUT, **SMALL, motion=False, residual=True, key=key),
                    (FRAMES / 255).astype(np.float32)),
}
