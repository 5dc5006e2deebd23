"""Networks that see points in space."""
import numpy as np

from pellucid.networks import Voxel

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(5)
POINTS = {"positions": RANDOM.uniform(-3, 3, (ROWS, 5, 3)).astype(np.float32),
          "channels": RANDOM.integers(0, 2, (ROWS, 5, 2)).astype(np.uint8)}
BODY = {"hidden": (4,), "dense": (5,), "dropout": 0.1}

CASES = {"voxel, several views": (lambda key: Voxel(2, OUT, size=8, views=3, body=BODY, key=key), POINTS)}
