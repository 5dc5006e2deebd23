"""EfficientNet-Lite: all of it learning, and behind frozen layers."""
import numpy as np

from pellucid.networks import Efficient

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(12)
GREY = RANDOM.integers(0, 256, (ROWS, 6, 6, 1), dtype=np.uint8)
COLOURED = RANDOM.random((ROWS, 8, 8, 3)).astype(np.float32)
SMALL = {"stages": ((2, 3, 2, 4, 1), (1, 3, 1, 4, 1)), "first": 4, "last": 8, "dropout": 0.0}


def frozen(key):
    """Only the last convolution and the output learn."""
    return Efficient((6, 6, 1), OUT, size=(9, 9), learned=1, views=((2, 2), (4, 1)), normalisation="none", **SMALL,
                     key=key)


CASES = {
    "efficient": (lambda key: Efficient((8, 8, 3), OUT, **SMALL, key=key), COLOURED),
    "efficient, frozen": (frozen, GREY),
}
