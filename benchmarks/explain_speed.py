"""How long reasons take, warm: one row and 1,000 rows of German credit, and one picture of 224 x 224.

    python benchmarks/explain_speed.py                              # trains the models first
    python benchmarks/explain_speed.py --jobs table --model model.pellucid --rows 1000

The pictures are patches of photographs that come with scikit-image; one model for them learns from the beginning, one
from EfficientNet-Lite0 (extra `imagenet`). One JSON line a model; tests of the explanations are included, for pictures
also left out. `seconds` are by the clock, `processor_seconds` what this process used: on a machine with other work, the
second says what an idle one would take. Bars: one row within 0.2 s, 1,000 rows within 10 s, a picture within 10 s, and
within 3 s without the tests. `memory_mb` is how much the
peak of memory grew while the rows were explained with 4 and with 16 times as many steps of the integral: it must not
grow with them. Exit code 1 where a bar is missed.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import record
import skimage
from PIL import Image
from transfer import PHOTOGRAPHS

import pellucid
from pellucid.explain.gradients import STEPS

TABLE = Path(pellucid.__file__).parent / "bundled" / "german_credit.csv"
BARS = {1: 0.2, 1000: 10.0}
PICTURE_BARS = (3.0, 10.0)
"""Seconds for a picture without and with its tests."""
ROUNDS = 5
STARTS = {"picture": None, "transfer": "efficientnet-lite0"}
JOBS = ("table", *STARTS)
EACH, SIDE = 30, 128


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def peak() -> float:
    """The highest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def of_table(options: argparse.Namespace, folder: Path) -> dict:
    """One row, and many."""
    table = pl.read_csv(TABLE)
    model = pellucid.load(options.model) if options.model else pellucid.train(
        table, "creditability", run=folder / "run").model
    model.explain(table[:1]), model.explain(table[:17])
    one = min(timed(lambda: model.explain(table[5:6])) for _ in range(ROUNDS))
    many = timed(lambda: model.explain(table[:options.rows]))
    before = peak()
    question = next(iter(model.questions(table[:1])))
    for steps in (4 * STEPS, 16 * STEPS):
        question.game.gradients(steps)
    allowed = BARS[1000] * options.rows / 1000
    return {"one_row": _told(one), "rows": {"count": options.rows, **_told(many)}, "memory_mb": peak() - before,
            "members": len(model.members), "passed": min(one) <= BARS[1] and min(many) <= allowed}


def of_picture(start: str | None, folder: Path) -> dict:
    """One picture of 224 x 224, alone and with its tests."""
    names, paths = [], []
    for name, file in PHOTOGRAPHS.items():
        photograph = Image.open(Path(skimage.__file__).parent / "data" / file).convert("RGB")
        generator = np.random.default_rng(0)
        for number in range(EACH):
            left, top = (int(generator.integers(0, length - SIDE + 1)) for length in photograph.size)
            paths.append(str(folder / f"{name}-{number}.png"))
            photograph.crop((left, top, left + SIDE, top + SIDE)).resize((224, 224)).save(paths[-1])
            names.append(name)
    table = pl.DataFrame({"photo": paths, "texture": names})
    run = pellucid.train(table, "texture", run=folder / "run", start=start, epochs=3, members=1)
    run.model.explain(table[:1])
    alone = min(timed(lambda: run.model.explain(table[30:31], faithfulness=False)) for _ in range(ROUNDS))
    tested = min(timed(lambda: run.model.explain(table[30:31])) for _ in range(ROUNDS))
    return {"start": start, "picture": _told(alone), "with_tests": _told(tested),
            "method": run.model.explain(table[30:31])[0].method, "parts": len(run.model.explain(table[30:31])[0].parts),
            "passed": min(alone) <= PICTURE_BARS[0] and min(tested) <= PICTURE_BARS[1]}


def _told(seconds: tuple[float, float]) -> dict:
    return {"seconds": seconds[0], "processor_seconds": seconds[1]}


def main() -> int:
    """Train or load, warm up, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=1000)
    options, passed = parser.parse_args(), True
    for job in options.jobs.split(","):
        with tempfile.TemporaryDirectory() as folder:
            found = of_table(options, Path(folder)) if job == "table" else of_picture(STARTS[job], Path(folder))
        record.emit({**record.origin(0), "benchmark": "explain_speed", "job": job, **found})
        passed &= found["passed"]
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
