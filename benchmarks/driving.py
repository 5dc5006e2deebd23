"""Steering a car by what its camera sees: rendered road frames to the angle of the wheel, from a table of films.

    python benchmarks/driving.py --results results.jsonl
    python benchmarks/driving.py --quick

The script drives and renders itself: a car on a winding road, pushed about by gusts of wind, is steered by a driver who
looks ahead, at the distance from the middle of the lane, and at how fast that changes. The camera sees the road from
above the bonnet in 24 × 48 pixels, in changing light, with shadows and noise. A row of the table is the folder of the
last eight frames and the angle of the wheel at the last of them; the test is other drives on other roads.

`pellucid train TABLE --target angle --group-column drive` learns it with all other settings at their defaults, and
`pellucid evaluate` judges it. In the same run, on the same rows:

- `constant`: the mean angle of the training rows;
- `last frame`: the same command with the last frame of each row as a picture;
- `plain`: the plain methods of the report, which see the average, the last frame and how it differs from the first.

One JSON line with the root mean squared error in degrees; exit code 1 where the films are not below the constant by
more than half, and below the last frame by the margin.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import record
from image_folders import by_command
from PIL import Image

SEED, HEIGHT, WIDTH, FRAMES = 0, 24, 48, 8
DRIVES, QUICK_DRIVES, EACH = {"train": 40, "test": 15}, {"train": 18, "test": 4}, 15
SPEED, STEP = 12.0, 0.1  # metres a second, seconds from frame to frame
LOOK_AHEAD, LANE = 8.0, 2.0  # metres
GAINS = (2600.0, 5.0, 60.0, 9.0)  # degrees for the bend ahead, the offset, the heading and the drift
MARGIN, OF_CONSTANT = 0.15, 0.5


def road(random: np.random.Generator, metres: int = 800) -> np.ndarray:
    """The bend of a road, 1 / radius in metres, for each metre."""
    waves = [random.uniform(0.2, 1) * np.sin(np.arange(metres) / random.uniform(12, 40) + random.uniform(0, 6))
             for _ in range(3)]
    return 0.012 * np.sum(waves, axis=0)


def drive(random: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames (steps, height, width) uint8 and the angle of the wheel in degrees at each."""
    bends, place, offset, heading, gust = road(random), 20.0, random.normal(), 0.0, 0.0
    frames, angles, before = [], [], offset
    light, shade = random.uniform(0.6, 1.1), random.uniform(0, 1, 800)
    for _ in range(steps):
        metre = int(place)
        drift, before = (offset - before) / STEP, offset
        bend = bends[metre + int(LOOK_AHEAD)]
        angle = float(np.dot(GAINS, (bend, -offset, -heading, -drift)))
        frames.append(render(bends[metre:metre + 60], offset, heading, light, shade[metre:metre + 60], random))
        angles.append(angle)
        gust = 0.8 * gust + random.normal(scale=0.5)
        turn = SPEED * (angle / 2600.0 - bends[metre])
        heading += STEP * turn
        offset += STEP * (SPEED * heading + gust)
        place += STEP * SPEED
    return np.array(frames), np.array(angles)


def render(bends: np.ndarray, offset: float, heading: float, light: float, shade: np.ndarray,
           random: np.random.Generator) -> np.ndarray:
    """What the camera sees: the road up to sixty metres ahead, its edges and the middle line, in perspective."""
    frame = np.full((HEIGHT, WIDTH), 0.45)
    course = np.cumsum(np.cumsum(bends)) - offset - heading * np.arange(len(bends))
    for row in range(6, HEIGHT):
        ahead = min(40.0 / (row - 5), len(bends) - 1.0)
        metre, scale = int(ahead), WIDTH / (2.2 * ahead + 4.0)
        across = (np.arange(WIDTH) - WIDTH / 2) / scale - course[metre]
        asphalt = np.abs(across) < LANE
        line = np.abs(np.abs(across) - LANE) < max(0.15, 0.5 / scale)
        frame[row] = np.where(line, 0.95, np.where(asphalt, 0.25, 0.55)) * (0.75 if shade[metre] > 0.8 else 1)
    frame[:6] = 0.9
    noisy = light * frame + random.normal(scale=0.06, size=frame.shape)
    return np.round(255 * np.clip(noisy, 0, 1)).astype(np.uint8)


def write_drives(folder: Path, count: int, random: np.random.Generator) -> tuple[Path, Path, np.ndarray]:
    """Tables `films.csv` and `frames.csv`, whose rows name folders of frames or the last one, and the angles."""
    films, frames, drives, angles = [], [], [], []
    for number in range(count):
        seen, turned = drive(random, FRAMES * EACH + 5)
        for piece in range(EACH):
            first = 5 + piece * FRAMES
            place = Path("frames") / f"drive{number:03}" / f"{piece:02}"
            (folder / place).mkdir(parents=True)
            for frame in range(FRAMES):
                Image.fromarray(seen[first + frame]).save(folder / place / f"{frame}.png")
            films.append(str(place))
            frames.append(str(place / f"{FRAMES - 1}.png"))
            drives.append(f"drive {number}")
            angles.append(round(float(turned[first + FRAMES - 1]), 2))
    for name, cells in (("films", films), ("frames", frames)):
        pl.DataFrame({"camera": cells, "drive": drives, "angle": angles}).write_csv(folder / f"{name}.csv")
    return folder / "films.csv", folder / "frames.csv", np.array(angles)


def main() -> int:
    """Learn films and single frames; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, help="append the line here")
    parser.add_argument("--quick", action="store_true", help="few drives and two epochs, to see that it runs")
    options = parser.parse_args()
    words = ["--target", "angle", "--group-column", "drive", *(["--epochs", "2"] if options.quick else [])]
    random = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        parts = {part: write_drives(work / part, count, random)
                 for part, count in (QUICK_DRIVES if options.quick else DRIVES).items()}
        (films, frames, known), (test_films, test_frames, truth) = parts["train"], parts["test"]
        run, watched, seconds = by_command(work, films, test_films, words)
        _, seen, _ = by_command(work, frames, test_frames, words)
    constant = float(np.sqrt(np.mean((truth - known.mean()) ** 2)))
    error, frame_error = (one["rmse"] for one in (watched, seen))
    plain = {name: one["rmse"] for name, one in run["baselines"].items()}
    passed = error <= OF_CONSTANT * constant and error <= (1 - MARGIN) * frame_error and error <= min(plain.values())
    record.emit({**record.origin(SEED), "benchmark": "steering by films of the road",
                 "metric": "root mean squared error in degrees", "bar": {"of_constant": OF_CONSTANT, "margin": MARGIN},
                 "error": error, "constant": constant, "last_frame": frame_error, "plain": plain, "r2": watched["r2"],
                 "rows": {"train": len(known), "test": len(truth)}, "seconds": seconds, "passed": passed},
                options.results)
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
