"""Steer by what a camera sees: short films of a road, with the angle of the wheel at their last frame.

    python examples/driving.py

The script draws the films itself: the two edges of a road, whose bend and place in the picture change from frame to
frame. The wheel answers to both, and to how fast the road moves sideways, which no single frame shows.
"""
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

import pellucid

HEIGHT, WIDTH, FRAMES, FILMS = 16, 32, 5, 320

folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
places, angles, up = [], [], np.linspace(0, 1, HEIGHT)[::-1, None]  # 1 is far away
for film in range(FILMS):
    bend, offset, drift = random.uniform(-8, 8), random.uniform(-5, 5), random.uniform(-1.5, 1.5)
    place = folder / "frames" / f"{film:03}"
    place.mkdir(parents=True)
    for frame in range(FRAMES):
        middle = WIDTH / 2 + (offset + drift * (frame + 1 - FRAMES)) * (1 - up) + bend * up**2
        road = np.abs(np.arange(WIDTH) - middle) < 1 + 7 * (1 - up)
        pixels = np.clip(np.where(road, 0.3, 0.7) + random.normal(scale=0.08, size=road.shape), 0, 1)
        Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(place / f"{frame}.png")
    places.append(f"frames/{film:03}")
    angles.append(round(3 * bend + 2 * offset + 8 * drift, 1))
pl.DataFrame({"camera": places, "angle": angles}).write_csv(folder / "drives.csv")

run = pellucid.train(folder / "drives.csv", "angle")  # or: pellucid train drives.csv --target angle
print(run)
print(run.model.predict(folder / "drives.csv").to_frame().head())
