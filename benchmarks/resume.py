"""Kill a training run with SIGKILL at random moments, resume it, and compare the weights bit by bit.

    python benchmarks/resume.py
    python benchmarks/resume.py --kills 5 --epochs 2000

One run is left alone. The others are killed at moments spread at random over the time that it took: while it
reads, compiles, trains, saves or judges, or before it has done anything. Two more are killed on purpose while a
checkpoint is being written and while the trained network is judged. Each is resumed with the same command and
`--resume`. One JSON line; exit code 1 when a resumed run failed or ended with other weights or another record.
"""

import argparse
import csv
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import record

SEED = 0
ROWS = 400
COLUMNS = 8
POLL = 0.0005
PATIENCE = 600.0
# what a killed run has written last: how far it had come
STAGES = {"report.html": "done", "model.pellucid": "judging", "checkpoint/carry.safetensors": "training",
          "settings.json": "before the first checkpoint"}
Moment = Callable[[Path, float], bool]


def write_table(path: Path) -> None:
    """Write a made-up table of two classes."""
    rng = np.random.default_rng(SEED)
    numbers = rng.normal(size=(ROWS, COLUMNS))
    good = numbers[:, 0] + numbers[:, 1] ** 2 + 0.5 * rng.normal(size=ROWS) > 0.5
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{column}" for column in range(COLUMNS)), "target"])
        writer.writerows([*(f"{value:.6f}" for value in row), "good" if yes else "bad"]
                         for row, yes in zip(numbers, good, strict=True))


def start(table: Path, folder: Path, options: Sequence[str]) -> subprocess.Popen[str]:
    """Start training in a process of its own."""
    command = [sys.executable, "-m", "pellucid", "train", str(table), "--target", "target", "--run", str(folder),
               "--quiet", *options]
    return subprocess.Popen(command, cwd=record.REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu")})


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a run to end well."""
    said, _ = process.communicate(timeout=PATIENCE)
    if process.returncode:
        raise RuntimeError(f"the run ended with exit code {process.returncode}: {said}")


def kill(process: subprocess.Popen[str], folder: Path, moment: Moment) -> None:
    """Kill the run as soon as `moment` has come, or let it end if it never does."""
    begun = time.perf_counter()
    while process.poll() is None and not moment(folder, time.perf_counter() - begun):
        time.sleep(POLL)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def after(seconds: float) -> Moment:
    """The moment that comes after so many seconds."""
    return lambda folder, elapsed: elapsed >= seconds


def while_saving(folder: Path, elapsed: float) -> bool:
    """The moment in which a checkpoint is being written."""
    return any((folder / "checkpoint").glob(".carry.safetensors.*"))


def while_judging(folder: Path, elapsed: float) -> bool:
    """The moment after training, before everything is written."""
    return (folder / "model.pellucid").exists()


def stage(folder: Path) -> str:
    """How far a killed run had come."""
    if any((folder / "checkpoint").glob(".carry.safetensors.*")):
        return "saving"
    for name, reached in STAGES.items():
        if (folder / name).exists():
            return reached
    return "before the run"


def weights(folder: Path) -> str:
    """A digest of the weights in the model file."""
    with zipfile.ZipFile(folder / "model.pellucid") as file:
        return hashlib.sha256(file.read("weights.safetensors")).hexdigest()


def errors(folder: Path) -> list[list[str]]:
    """The record of training but for the seconds."""
    with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
        return [row[:-1] for row in csv.reader(file)]


def measure(kills: int, options: Sequence[str]) -> dict[str, Any]:
    """Kill and resume; return what the JSON line holds."""
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as place:
        root, table = Path(place), Path(place) / "table.csv"
        write_table(table)
        finish(start(table, root / "warm", options))  # fills the compile cache
        begun = time.perf_counter()
        finish(start(table, root / "whole", options))
        seconds = time.perf_counter() - begun
        moments = [after(moment) for moment in rng.uniform(0, seconds, kills)] + [while_saving, while_judging]
        stages: Counter[str] = Counter()
        same = 0
        for number, moment in enumerate(moments):
            folder = root / f"run{number}"
            kill(start(table, folder, options), folder, moment)
            reached = stage(folder)
            finish(start(table, folder, [*options, "--resume"]))
            equal = weights(folder) == weights(root / "whole") and errors(folder) == errors(root / "whole")
            stages[reached] += 1
            same += equal
            record.say(f"kill {number + 1} of {len(moments)}, {reached}: {'the same' if equal else 'NOT THE SAME'}")
        return {"metric": "resumed runs with the same bits", "kills": len(moments), "same": same,
                "stages": dict(stages), "seconds": seconds}


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="Kill training runs and resume them.")
    parser.add_argument("--kills", type=int, default=20, help="random moments, beside the two that are chosen")
    parser.add_argument("--epochs", type=int, default=8_000, help="passes over the rows in a run")
    parser.add_argument("--results", type=Path, help="append the line here")
    arguments = parser.parse_args()
    options = ["--epochs", str(arguments.epochs), "--batch-size", "8", "--members", "2", "--hidden", "16"]
    found = measure(arguments.kills, options)
    record.emit({**record.origin(SEED), "benchmark": "kill -9 and resume", **found}, arguments.results)
    return int(found["same"] != found["kills"])


if __name__ == "__main__":
    sys.exit(main())
