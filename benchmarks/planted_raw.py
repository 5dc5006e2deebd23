"""Do explanations of pictures, series and forecasts find what is known to be the cause?

    python benchmarks/planted_raw.py                      # all jobs, 2,000 rows each
    python benchmarks/planted_raw.py --jobs cells,steps --explain 40

As in `planted.py`, a label is the majority of three causes among twenty parts, and each cause has two decoys that agree
with it as often as correlation 0.7 means. In `image` the parts are two-coloured tiles at random places of a picture, in
`series` they are little waves one after another in random order; each part has two looks. The bar:
in 95 % of rightly predicted test rows the three strongest parts are exactly the three causes. In `cells` and `steps`
each part has its own place instead, as in a form or a spectrum: a cell of a picture is bright or dark, a step of a
series high or low. In `forecast` the next
value is a weighted mean of those 3, 7 and 12 steps ago and noise, and all twenty steps of the window resemble each
other; as a value near the others says nothing, the strongest part must be a cause. `forecast` has no wrong rows: all
count. One JSON line for each job and seed; exit code 1 where a bar is missed.
"""

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import record
from PIL import Image

import pellucid

PARTS, CAUSES, DECOYS = 20, 3, 2
SLOTS = CAUSES * (1 + DECOYS)
CORRELATION, BAR = 0.7, 0.95
JOBS = ("cells", "steps", "image", "series", "forecast")
CELL, GRID = 4, 7
INNER = np.array([GRID * row + column for row in range(1, GRID - 1) for column in range(1, GRID - 1)])
"""Places of tiles: the border stays black, so that black is the background and no part."""
STEPS, CHANNELS, IDLE = 4, 4, 20
DARK, BRIGHT, GRAIN = 70, 190, 15
LAGS, WEIGHTS = (3, 7, 12), (0.4, 0.3, 0.3)


def made_bits(rows: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """int (rows, slots), causes first, then their decoys; and the label of each row."""
    causes = generator.integers(0, 2, (rows, CAUSES))
    same = generator.uniform(size=(rows, CAUSES * DECOYS)) < (1 + CORRELATION) / 2
    decoys = np.where(same, np.repeat(causes, DECOYS, axis=1), 1 - np.repeat(causes, DECOYS, axis=1))
    return np.concatenate([causes, decoys], axis=1), causes.sum(axis=1) >= 2


def tiles() -> list[np.ndarray]:
    """Tiles whose halves have two of seven colours, side by side or one above the other."""
    colours = [np.array(one) * 255 for one in itertools.product((0, 1), repeat=3)][1:]
    found = []
    for first, second in itertools.permutations(colours, 2):
        for axis in range(2):
            tile = np.empty((CELL, CELL, 3), np.uint8)
            tile[:] = first
            tile[(slice(CELL // 2, None), slice(None))[::1 if axis else -1]] = second
            found.append(tile)
    return found


def made_pictures(rows: int, seed: int, folder: Path) -> tuple[pl.DataFrame, list[set[str]]]:
    """Pictures on black with twenty tiles, and the names of the regions that hold the causes."""
    generator = np.random.default_rng(seed)
    looks = [tiles()[place] for place in generator.permutation(len(tiles()))]
    pairs, others = looks[:2 * SLOTS], looks[2 * SLOTS:]
    bits, label = made_bits(rows, generator)
    folder.mkdir()
    paths, causes = [], []
    for row, own in enumerate(bits):
        picture = np.zeros((GRID * CELL, GRID * CELL, 3), np.uint8)
        places = INNER[generator.permutation(len(INNER))[:PARTS]]
        idle = generator.choice(len(others), PARTS - SLOTS, replace=False)
        shown = [pairs[2 * slot + bit] for slot, bit in enumerate(own)] + [others[one] for one in idle]
        for place, tile in zip(places, shown, strict=True):
            top, left = CELL * (place // GRID), CELL * (place % GRID)
            picture[top:top + CELL, left:left + CELL] = tile
        paths.append(str(folder / f"{row}.png"))
        Image.fromarray(picture).save(paths[-1])
        causes.append({f"region {place // GRID + 1},{place % GRID + 1}" for place in places[:CAUSES]})
    return pl.DataFrame({"photo": paths, "label": np.where(label, "yes", "no")}), causes


def made_series(rows: int, seed: int) -> tuple[pl.DataFrame, list[set[str]]]:
    """Series of twenty waves of four steps in four channels, and the names of the steps that hold the causes."""
    generator = np.random.default_rng(seed)
    waves = generator.normal(size=(2 * SLOTS + IDLE, STEPS, CHANNELS)).round(2)
    bits, label = made_bits(rows, generator)
    cells, causes = [], []
    for own in bits:
        order = generator.permutation(PARTS)
        idle = 2 * SLOTS + generator.choice(IDLE, PARTS - SLOTS, replace=False)
        chosen = np.concatenate([2 * np.arange(SLOTS) + own, idle])
        series = np.empty((PARTS, STEPS, CHANNELS))
        series[order] = waves[chosen]
        cells.append(str(series.reshape(-1, CHANNELS).tolist()))
        causes.append({f"steps {STEPS * place + 1} to {STEPS * (place + 1)}" for place in order[:CAUSES]})
    return pl.DataFrame({"track": cells, "label": np.where(label, "yes", "no")}), causes


def made_cells(rows: int, seed: int, folder: Path) -> tuple[pl.DataFrame, list[set[str]]]:
    """Grainy pictures on black with twenty cells, each at its own place, and the regions that hold the causes."""
    generator = np.random.default_rng(seed)
    bits, label = made_bits(rows, generator)
    bits = np.concatenate([bits, generator.integers(0, 2, (rows, PARTS - SLOTS))], axis=1)
    places = INNER[generator.permutation(len(INNER))[:PARTS]]
    folder.mkdir()
    paths = []
    for row, own in enumerate(bits):
        picture = np.zeros((GRID, GRID))
        picture.flat[places] = np.where(own, BRIGHT, DARK)
        picture = np.kron(picture, np.ones((CELL, CELL)))
        picture += (picture > 0) * generator.normal(size=picture.shape) * GRAIN
        paths.append(str(folder / f"{row}.png"))
        Image.fromarray(picture.round().astype(np.uint8)).save(paths[-1])
    causes = {f"region {place // GRID + 1},{place % GRID + 1}" for place in places[:CAUSES]}
    return pl.DataFrame({"photo": paths, "label": np.where(label, "yes", "no")}), [causes] * rows


def made_steps(rows: int, seed: int) -> tuple[pl.DataFrame, list[set[str]]]:
    """Series of twenty noisy steps, each high or low, and the steps that are the causes."""
    generator = np.random.default_rng(seed)
    bits, label = made_bits(rows, generator)
    bits = np.concatenate([bits, generator.integers(0, 2, (rows, PARTS - SLOTS))], axis=1)
    order = generator.permutation(PARTS)
    values = np.empty((rows, PARTS))
    values[:, order] = 2 * bits - 1 + 0.1 * generator.normal(size=bits.shape)
    causes = {f"step {place + 1}" for place in order[:CAUSES]}
    cells = [str(one) for one in values.round(3).tolist()]
    return pl.DataFrame({"track": cells, "label": np.where(label, "yes", "no")}), [causes] * rows


def of_classes(job: str, options: argparse.Namespace, seed: int, folder: Path) -> dict:
    """Train, explain the test rows that are right, and count where the causes come first."""
    made = {"cells": made_cells, "steps": made_steps, "image": made_pictures, "series": made_series}[job]
    frame, causes = made(options.rows, seed, *([folder / f"{job}-files-{seed}"] if job in ("cells", "image") else []))
    held_out, started = options.rows // 5, time.perf_counter()
    asked = {name: value for name in ("epochs", "members") if (value := getattr(options, name)) is not None}
    run = pellucid.train(frame[:-held_out], "label", run=folder / f"{job}-{seed}", augmentation="none", test_size=0.1,
                         **asked)
    trained, test = time.perf_counter() - started, frame[-held_out:]
    said = np.asarray(run.model.predict(test).prediction)
    right = np.flatnonzero(said == test["label"].to_numpy())
    chosen, started = right[:options.explain], time.perf_counter()
    found = run.model.explain(test[chosen.tolist()], method=options.method)
    seconds = time.perf_counter() - started
    truth = [causes[options.rows - held_out + row] for row in chosen]
    first = [{one.parts[place].name for place in one.order[:CAUSES]} == own
             for one, own in zip(found, truth, strict=True)]
    return {"accuracy": len(right) / held_out, "parts": float(np.mean([len(one.parts) for one in found])),
            "first": float(np.mean(first)), "strongest": float(np.mean([
                one.parts[one.order[0]].name in own for one, own in zip(found, truth, strict=True)])),
            "passed": float(np.mean(first)) >= BAR, **_shared(found, trained, seconds)}


def of_forecasts(options: argparse.Namespace, seed: int, folder: Path) -> dict:
    """Train on one long series and explain the forecasts from many of its later ends."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=options.rows + 50)
    for step in range(max(LAGS), len(values)):
        values[step] += sum(weight * values[step - lag] for lag, weight in zip(LAGS, WEIGHTS, strict=True))
    series = pl.DataFrame({"step": range(options.rows), "value": values[50:]})
    held_out, started = options.rows // 5, time.perf_counter()
    run = pellucid.train(series[:-held_out], "value", task="forecast", time_column="step", horizon=PARTS // 2,
                         run=folder / f"forecast-{seed}")
    trained, started = time.perf_counter() - started, time.perf_counter()
    ends = np.linspace(options.rows - held_out, options.rows, options.explain).astype(int)
    found = [one for end in ends for one in run.model.explain(series[:end], method=options.method)]
    seconds = time.perf_counter() - started
    wanted = [{str(end - lag) for lag in LAGS} for end in ends]
    ranked = [[one.parts[place].name for place in one.order[:CAUSES]] for one in found]
    strongest = float(np.mean([names[0] in own for names, own in zip(ranked, wanted, strict=True)]))
    return {"parts": len(found[0].parts), "strongest": strongest,
            "first": float(np.mean([set(names) == own for names, own in zip(ranked, wanted, strict=True)])),
            "passed": strongest >= BAR, **_shared(found, trained, seconds)}


def _shared(found: list, trained: float, seconds: float) -> dict:
    return {"explained": len(found), "method": found[0].method,
            "relied_on": float(np.mean([one.faithfulness.reliable for one in found])),
            "largest_gap": max(abs(one.completeness) for one in found), "train_seconds": trained,
            "seconds_a_row": seconds / len(found)}


def main() -> int:
    """Run the asked-for jobs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--explain", type=int, default=60, help="rows that are explained")
    parser.add_argument("--method", default=None)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--members", type=int, default=None)
    options = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for job in options.jobs.split(","):
            for seed in map(int, options.seeds.split(",")):
                found = of_forecasts(options, seed, Path(folder)) if job == "forecast" else of_classes(
                    job, options, seed, Path(folder))
                record.emit({**record.origin(seed), "benchmark": "planted_raw", "job": job, "seed": seed,
                             "rows": options.rows, **found})
                passed &= found["passed"]
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
