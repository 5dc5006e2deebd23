"""The network that recommends: lists of different lengths, with one head so that it has the usual outputs."""
import numpy as np

from pellucid.networks import Factorisation

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(5)
ITEMS = np.array([[0, 1, 2, 3], [2, 3, 3, 3], [3, 3, 3, 3], [1, 0, 3, 3], [2, 1, 3, 3], [0, 3, 3, 3]], np.int32)
RATINGS = (RANDOM.normal(size=ITEMS.shape) * (ITEMS < OUT)).astype(np.float32)
LISTS = {"items": ITEMS, "ratings": RATINGS}

CASES = {
    "factorisation": (lambda key: Factorisation(OUT, 4, heads=("rating",), key=key), LISTS),
    "factorisation, ranking": (lambda key: Factorisation(OUT, 2, heads=("ranking",), key=key), LISTS),
}
