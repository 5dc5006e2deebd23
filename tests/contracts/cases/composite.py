"""Networks for tables with raw columns: encoders beside numbers and categories, and an encoder alone."""
import numpy as np

from pellucid.networks import Composite, Convolutional, Recurrent, Tabular
from pellucid.networks.places import Places, View

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(7)
PIXELS = {"pixels": RANDOM.integers(0, 256, (ROWS, 4, 4, 1)).astype(np.uint8)}
WORDS = {"codes": RANDOM.integers(0, 9, (ROWS, 8)).astype(np.int32),
         "lengths": np.array([1, 8, 3, 5, 8, 2], np.int32)}
TABLE = {"numbers": RANDOM.normal(size=(ROWS, 2)).astype(np.float32),
         "codes": RANDOM.integers(0, 3, (ROWS, 1)).astype(np.int32)}


def photo(out_features, key):
    return Convolutional((4, 4, 1), (3,), out_features, key=key)


def joined(key):
    words = Recurrent(9, (4,), 2, codes=True, key=key)
    body = Tabular(2 + 5 + 2, (3,), OUT, numbers={"columns": (0, 1), "embedding": "piecewise_linear", "bins": 2},
                   skip=True, body={"hidden": (4,)}, key=key)
    return Composite([photo(5, key), words], body, names=["photo", "review"])


def with_path(key):
    return Composite([photo(OUT, key)], path=Places(View("blocks", 2), Tabular(4, (), OUT, key=key)))


CASES = {
    "composite, photo and words": (joined, TABLE | {"columns": (PIXELS, WORDS)}),
    "composite, photo and its places": (with_path, TABLE | {"columns": (PIXELS,)}),
    "composite, photo alone": (lambda key: Composite([photo(OUT, key)]), TABLE | {"columns": (PIXELS,)}),
}
