"""Sets of codes with weights."""
import numpy as np

from pellucid.networks import WideAndDeep

ROWS, OUT, PLACES = 6, 3, 7
RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(1, 12, (ROWS, PLACES)).astype(np.int32) * (np.arange(PLACES) < RANDOM.integers(0, 8, (ROWS, 1)))
SETS = {"codes": CODES, "weights": (CODES > 0) * RANDOM.uniform(0.1, 1, (ROWS, PLACES)).astype(np.float32)}

CASES = {
    "wide and deep": (lambda key: WideAndDeep(12, OUT, known=9, places=4, embedding=3, hidden=5, code_dropout=0.2,
                                              dropout=0.2, key=key), SETS),
}
