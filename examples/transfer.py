"""Tell textures apart from twenty pictures of each, starting from a network that knows photographs.

    pip install "pellucid[imagenet]" scikit-image
    python examples/transfer.py
"""
import tempfile
from pathlib import Path

import numpy as np
from skimage import data

import pellucid

photographs = {"brick": data.brick(), "grass": data.grass(), "gravel": data.gravel(), "moon": data.moon()}
generator, folder = np.random.default_rng(0), Path(tempfile.mkdtemp())
for name, photograph in photographs.items():
    middle = photograph.shape[1] // 2  # the left half is learned from, the right half asks
    for part, half, count in (("learn", photograph[:, :middle], 20), ("ask", photograph[:, middle:], 50)):
        (folder / part / name).mkdir(parents=True)
        for number in range(count):
            top, left = (generator.integers(0, length - 48) for length in half.shape)
            np.save(folder / part / name / f"{number:02}.npy", half[top:top + 48, left:left + 48])

run = pellucid.train(folder / "learn", start="efficientnet-lite0", test_size=0)  # pellucid train learn --from …
print(run.model.evaluate(folder / "ask")["metrics"])
again = pellucid.train(folder / "ask", start=run.folder / "model.pellucid", epochs=2, members=1)  # from any model
print(again)
