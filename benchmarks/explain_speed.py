"""How long reasons take: one row and 1,000 rows of German credit, warm, tests of the explanations included.

    python benchmarks/explain_speed.py                              # trains a model first
    python benchmarks/explain_speed.py --model model.pellucid --rows 1000

One JSON line. `seconds` are by the clock, `processor_seconds` what this process used: on a machine with other work, the
second says what an idle one would take. Bars: one row within 0.2 s, 1,000 rows within 10 s. `memory_mb` is how much the
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

import polars as pl
import record

import pellucid
from pellucid.explain.gradients import STEPS

TABLE = Path(pellucid.__file__).parent / "bundled" / "german_credit.csv"
BARS = {1: 0.2, 1000: 10.0}
ROUNDS = 5


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def peak() -> float:
    """The highest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Train or load, warm up, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=1000)
    options = parser.parse_args()
    table = pl.read_csv(TABLE)
    with tempfile.TemporaryDirectory() as folder:
        model = pellucid.load(options.model) if options.model else pellucid.train(
            table, "creditability", run=Path(folder) / "run").model
        model.explain(table[:1]), model.explain(table[:17])
        one = min(timed(lambda: model.explain(table[5:6])) for _ in range(ROUNDS))
        many = timed(lambda: model.explain(table[:options.rows]))
        before = peak()
        question = next(iter(model.questions(table[:1])))
        for steps in (4 * STEPS, 16 * STEPS):
            question.game.gradients(steps)
    found = {"one_row": {"seconds": one[0], "processor_seconds": one[1]},
             "rows": {"count": options.rows, "seconds": many[0], "processor_seconds": many[1]},
             "memory_mb": peak() - before, "members": len(model.members)}
    allowed = BARS[1000] * options.rows / 1000
    passed = min(one) <= BARS[1] and min(many) <= allowed
    record.emit({**record.origin(0), "benchmark": "explain_speed", **found, "passed": passed})
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
