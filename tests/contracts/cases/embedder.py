"""The network that recognises again."""
import numpy as np

from pellucid.networks import Embedder

ROWS, OUT = 6, 3
IMAGES = np.random.default_rng(8).integers(0, 256, (ROWS, 8, 8, 2)).astype(np.uint8)

CASES = {"embedder": (lambda key: Embedder((8, 8, 2), OUT, directions=4, shrink=2, cell=2, key=key), IMAGES)}
