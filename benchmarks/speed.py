"""Training steps per second of a 30-64-64-2 network with Adam at batch 32, Pellucid and its peers.

    python benchmarks/speed.py --peer-python PEERS/bin/python
    python benchmarks/speed.py --contenders pellucid,sklearn --repeats 3

Every contender trains on the same rows, in a process of its own, and takes turns with the others. The
first run of each, with imports' and compilers' work in it, is reported apart; the rest give the median.
Every run must reach the target accuracy. One JSON line for each contender; `ratio` is how many times
faster Pellucid is. Exit code 1 when a contender failed or missed the target accuracy.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import record
from sklearn.datasets import make_classification

SEED = 0
FEATURES = 30
INFORMATIVE_FEATURES = 12
TRAINING_ROWS = 4096
TEST_ROWS = 1024
TARGET_ACCURACY = 0.93
PELLUCID = "pellucid"
# name: whether it runs in the peers' environment, and what it needs in its environment variables
CONTENDERS: dict[str, tuple[bool, dict[str, str]]] = {
    PELLUCID: (False, {}),
    "sklearn": (False, {}),
    "torch": (True, {}),
    "keras": (True, {"KERAS_BACKEND": "jax"}),  # with torch behind it Keras refuses steps_per_execution above 1
}


class ContenderError(Exception):
    """A contender ended before it answered."""


@dataclass(frozen=True)
class Contender:
    """A running process that trains once whenever it is told a seed."""

    name: str
    process: subprocess.Popen[str]

    def run(self, seed: int) -> dict[str, Any]:
        """Train once and return the seconds, the accuracy and the number of steps."""
        try:
            print(seed, file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise ContenderError(f"`{self.name}` ended with exit code {self.process.wait()}; its message is above")
        return json.loads(answer)

    def close(self) -> None:
        """Let the process end and wait for it."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


def write_data(path: Path) -> None:
    """Write one made-up problem of two classes, the same for every contender."""
    inputs, classes = make_classification(
        TRAINING_ROWS + TEST_ROWS,
        FEATURES,
        n_informative=INFORMATIVE_FEATURES,
        n_redundant=0,
        class_sep=1.5,
        flip_y=0.01,
        random_state=SEED,
    )
    inputs = (inputs / inputs.std(axis=0)).astype(np.float32)
    classes = classes.astype(np.int32)
    np.savez(
        path,
        inputs=inputs[:TRAINING_ROWS],
        classes=classes[:TRAINING_ROWS],
        test_inputs=inputs[TRAINING_ROWS:],
        test_classes=classes[TRAINING_ROWS:],
    )


def start(name: str, peer_python: str, data: Path, epochs: int) -> Contender:
    """Start a contender's process in the interpreter where its package lives."""
    is_peer, variables = CONTENDERS[name]
    script = Path(__file__).with_name("speed_contenders.py")
    process = subprocess.Popen(
        [peer_python if is_peer else sys.executable, str(script), name, str(data), str(epochs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )
    return Contender(name, process)


@contextlib.contextmanager
def contenders(names: Sequence[str], peer_python: str, epochs: int) -> Iterator[list[Contender]]:
    """Start the processes one after the other, and end them all afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        write_data(data)
        running = [start(name, peer_python, data, epochs) for name in names]
        try:
            yield running
        finally:
            for contender in running:
                contender.close()


def measure(running: Sequence[Contender], repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Let the contenders take turns, one run each; the first run of each is in front of its list.

    A contender that fails has an empty list and takes no further turn.
    """
    runs: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in running}
    failed: set[str] = set()
    for seed in range(repeats + 1):
        for contender in running:
            if contender.name in failed:
                continue
            record.say(f"{contender.name}: run {seed + 1} of {repeats + 1}")
            try:
                runs[contender.name].append(contender.run(seed))
            except ContenderError as error:
                record.say(f"error: {error}")
                failed.add(contender.name)
    return {name: [] if name in failed else done for name, done in runs.items()}


def line(name: str, runs: Sequence[Mapping[str, Any]], pellucid_speed: float | None) -> dict[str, Any]:
    """Return the JSON line of one contender."""
    opening = {**record.origin(SEED), "benchmark": "training steps per second, 30-64-64-2, batch 32, Adam"}
    if not runs:
        return {**opening, "contender": name, "error": "ended before it answered"}
    first, *timed = runs
    speed = steps_per_second(runs)
    accuracy = min(run["accuracy"] for run in runs)
    return {
        **opening,
        "contender": name,
        "metric": "accuracy",
        "mean": statistics.mean(run["accuracy"] for run in runs),
        "target_accuracy": TARGET_ACCURACY,
        "reached": accuracy >= TARGET_ACCURACY,
        "steps": first["steps"],
        "seconds_first_run": first["seconds"],
        "seconds": [run["seconds"] for run in timed],
        "steps_per_second": speed,
        "ratio": None if pellucid_speed is None else pellucid_speed / speed,
    }


def steps_per_second(runs: Sequence[Mapping[str, Any]]) -> float:
    """Return the median over the runs after the first."""
    return statistics.median(run["steps"] / run["seconds"] for run in runs[1:])


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in CONTENDERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown contender {', '.join(unknown)}; choose from {', '.join(CONTENDERS)}")
    return names


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time Pellucid's training loop and its peers'.")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has torch and keras")
    parser.add_argument("--contenders", type=_names, default=tuple(CONTENDERS), help="comma-separated; all by default")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each, after one that is not")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the rows in one run")
    parser.add_argument("--results", type=Path, help="append the lines here")
    return parser.parse_args()


def main() -> int:
    """Run the benchmark; return the exit code."""
    arguments = _arguments()
    with contenders(arguments.contenders, arguments.peer_python, arguments.epochs) as running:
        runs = measure(running, arguments.repeats)
    own = runs.get(PELLUCID)
    pellucid_speed = steps_per_second(own) if own else None
    lines = [line(name, done, pellucid_speed) for name, done in runs.items()]
    for result in lines:
        record.emit(result, arguments.results)
    return int(not all(result.get("reached") for result in lines))


if __name__ == "__main__":
    sys.exit(main())
