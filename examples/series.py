"""Tell gestures apart by the movements of a hand, one file for each recording.

    python examples/series.py

The script makes the recordings itself: two channels of any length, as CSV files in one sub-folder for each gesture.
"""
import tempfile
from pathlib import Path

import numpy as np

import pellucid

GESTURES = {"circle": (1, 1, 0.25), "line": (1, 1, 0.0), "eight": (1, 2, 0.0)}  # turns across, turns up, delay
EACH = 90

folder, random = Path(tempfile.mkdtemp()) / "gestures", np.random.default_rng(0)
for name, (across, up, delay) in GESTURES.items():
    (folder / name).mkdir(parents=True)
    for number in range(EACH):
        time = np.linspace(0, 1, random.integers(30, 60)) + random.uniform(0, 1)  # begun anywhere
        moves = np.stack([np.sin(2 * np.pi * across * time), np.sin(2 * np.pi * (up * time + delay))], axis=1)
        moves = moves * random.uniform(0.5, 1.5) + random.normal(scale=0.15, size=moves.shape)
        np.savetxt(folder / name / f"{number:03}.csv", moves, "%.3f", ",", header="x,y", comments="")

run = pellucid.train(folder)  # or: pellucid train gestures
print(run)
print(run.model.predict(folder / "eight").to_frame().head())
