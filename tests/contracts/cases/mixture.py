"""Radial neurons that have a density."""
import numpy as np

from pellucid.networks import Mixture

ROWS = 6
RANDOM = np.random.default_rng(5)
NUMBERS = RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
TABLE = {"numbers": NUMBERS[:, :2], "codes": RANDOM.integers(0, 3, (ROWS, 1)).astype(np.int32),
         "columns": ({"pixels": RANDOM.integers(0, 256, (ROWS, 3, 2, 1), dtype=np.uint8)},)}

CASES = {
    "mixture": (lambda key: Mixture(4, units=5, key=key), NUMBERS),
    "mixture, table with pixels": (lambda key: Mixture(2, cardinalities=(3,), pixels=(6,), directions=2, units=4,
                                                       key=key), TABLE),
}
