"""What would change the answer, on German credit: how often it is found, whether it is valid and holds, and how fast.

    python benchmarks/counterfactuals.py
    python benchmarks/counterfactuals.py --seeds 3 --most 2

A network is trained on 700 rows of the bundled table with the settings of `pellucid train`; every refusal (`bad`) among
the other 300 rows is asked what would make it `good`. A changed row is typed anew from the words of the answer and
predicted from its text; it is valid where only named columns differ, numbers lie within what the training rows held and
are as whole as these, and categories occur in the training rows. One JSON line for each seed. Exit code 1 where fewer
than 95 % of the refusals get an answer, or where any is not valid or does not hold.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import record

import pellucid
from pellucid.explain.changes import Changes
from pellucid.model.model import Model

TABLE = Path(pellucid.__file__).parent / "bundled" / "german_credit.csv"
TARGET, REFUSED, WANTED = "creditability", "bad", "good"
TEST_ROWS = 300
LEAST_FOUND = 0.95


def is_valid(found: Changes, train: pl.DataFrame, most: int) -> bool:
    """Whether all alternatives change few columns, each to what the training rows held."""
    for one in found.alternatives:
        if not 1 <= len(one.changes) <= most:
            return False
        for change in one.changes:
            column = train[change.column]
            numbers = column.cast(pl.Float64, strict=False)
            if numbers.null_count() == 0:
                value = float(change.instead)
                if not numbers.min() <= value <= numbers.max() or ((numbers == numbers.round(0)).all() and value % 1):
                    return False
            elif change.instead not in column.to_list():
                return False
    return True


def holds(model: Model, row: dict[str, str], found: Changes) -> bool:
    """Whether the model says what was promised of each row, typed anew."""
    rows = [row | {change.column: str(change.instead) for change in one.changes} for one in found.alternatives]
    return not rows or all(model.predict(rows).prediction == WANTED)


def judged(seed: int, most: int) -> dict[str, object]:
    """The line of one seed."""
    table = pl.read_csv(TABLE, infer_schema=False)
    order = np.random.default_rng(seed).permutation(len(table))
    train, test = table[order[TEST_ROWS:].tolist()], table[order[:TEST_ROWS].tolist()]
    model = pellucid.train(train, target=TARGET, seed=seed, test_size=0, run=record.REPOSITORY / "runs" / (
        f"counterfactuals-{seed}-{time.time_ns()}")).model
    refused = test[np.flatnonzero(model.predict(test).prediction == REFUSED).tolist()]
    model.changes(refused[:1], to=WANTED, most=most)
    processor, clock = time.process_time(), time.perf_counter()
    found = model.changes(refused, to=WANTED, most=most)
    seconds = (time.process_time() - processor) / len(refused), (time.perf_counter() - clock) / len(refused)
    counts = [len(one.alternatives[0].changes) for one in found if one.alternatives]
    return {"refusals": len(refused), "found": len(counts) / len(refused),
            "valid": float(np.mean([is_valid(one, train, most) for one in found])),
            "verified": float(np.mean([holds(model, row, one) for row, one in zip(
                refused.iter_rows(named=True), found, strict=True)])),
            "changed_columns": {str(number): counts.count(number) for number in sorted(set(counts))},
            "alternatives": float(np.mean([len(one.alternatives) for one in found])),
            "processor_seconds_a_row": round(seconds[0], 4), "seconds_a_row": round(seconds[1], 4)}


def main() -> int:
    """Judge every seed; 1 where one misses the aims."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--most", type=int, default=3, help="columns that may be changed together")
    parser.add_argument("--results", type=Path, help="file to append the JSON lines to")
    options, missed = parser.parse_args(), False
    for seed in range(options.seeds):
        line = judged(seed, options.most)
        record.emit({**record.origin(seed), "benchmark": "counterfactuals", "data": "german_credit",
                     "most": options.most, **line}, options.results)
        missed |= line["found"] < LEAST_FOUND or line["valid"] < 1 or line["verified"] < 1
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
