"""Do explanations find what is known to be the cause? Made-up tables and texts with three causes among twenty parts.

    python benchmarks/planted.py                     # all jobs, 2,000 rows each
    python benchmarks/planted.py --jobs table,text --rows 2000 --seeds 0,1

The label is the majority of three causes. Each cause has two decoys, correlated at 0.7 with it, and the rest is noise.
`first` is the share of rightly predicted test rows whose three strongest parts are exactly the three causes; the bar
is 0.95. In `normal` the causes are normally distributed, so that a cause near its mean says nothing in that row; there
the strongest part must be a cause. In `noise` labels are drawn at random: the run must say that nothing was learned,
and every explanation that it is not to be relied on. One JSON line for each job and seed; exit code 1 where a bar is
missed.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import record

import pellucid

PARTS, CAUSES, DECOYS = 20, 3, 2
CORRELATION = 0.7
BAR = 0.95
JOBS = ("table", "normal", "text", "noise")
MOST_EXPLAINED = {"text": 60}
SYLLABLES = ("ba", "de", "ki", "lo", "mu", "na", "po", "ri", "su", "ta", "ve", "zo")


def made_numbers(rows: int, seed: int, *, two_sided: bool) -> tuple[pl.DataFrame, tuple[str, ...], np.ndarray]:
    """Twenty number columns in random order, the names of the causes, and the label of each row."""
    generator = np.random.default_rng(seed)
    causes = generator.normal(size=(rows, CAUSES))
    if two_sided:  # every cause says something in every row
        causes = np.sign(causes) + 0.25 * generator.normal(size=causes.shape)
        causes /= causes.std(axis=0)
    repeated = np.repeat(causes, DECOYS, axis=1)
    decoys = CORRELATION * repeated + np.sqrt(1 - CORRELATION**2) * generator.normal(size=repeated.shape)
    idle = generator.normal(size=(rows, PARTS - CAUSES - decoys.shape[1]))
    columns = np.concatenate([causes, decoys, idle], axis=1)
    names = np.array([f"column {place}" for place in generator.permutation(PARTS)])
    label = np.sign(causes).sum(axis=1) > 0 if two_sided else causes.sum(axis=1) > 0
    order = np.argsort(names)
    frame = pl.DataFrame({str(names[place]): columns[:, place] for place in order})
    return frame.with_columns(pl.Series("label", np.where(label, "yes", "no"))), tuple(
        str(name) for name in names[:CAUSES]), label


def made_texts(rows: int, seed: int) -> tuple[pl.DataFrame, tuple[str, ...], np.ndarray]:
    """Texts of twenty made-up words, the words that are causes, and the label of each row."""
    generator = np.random.default_rng(seed)
    words = np.array([one + two + three for one in SYLLABLES for two in SYLLABLES for three in SYLLABLES])
    words = generator.permutation(words)[:400]
    slots = CAUSES + CAUSES * DECOYS
    pairs, others = words[:2 * slots].reshape(slots, 2), words[2 * slots:]
    causes = generator.integers(0, 2, (rows, CAUSES))
    same = generator.uniform(size=(rows, CAUSES * DECOYS)) < (1 + CORRELATION) / 2
    decoys = np.where(same, np.repeat(causes, DECOYS, axis=1), 1 - np.repeat(causes, DECOYS, axis=1))
    chosen = np.concatenate([causes, decoys], axis=1)
    texts = []
    for row in chosen:
        idle = generator.choice(others, PARTS - slots, replace=False)
        texts.append(" ".join(generator.permutation(np.concatenate([pairs[np.arange(slots), row], idle]))))
    label = causes.sum(axis=1) >= 2
    frame = pl.DataFrame({"text": texts, "label": np.where(label, "yes", "no")})
    return frame, tuple(pairs[:CAUSES].ravel().tolist()), label


def planted(job: str, rows: int, seed: int, folder: Path) -> dict:
    """Train, explain the test rows that are right, and count where the causes come first."""
    frame, causes, _ = made_texts(rows, seed) if job == "text" else made_numbers(rows, seed, two_sided=job != "normal")
    if job == "noise":
        random = np.random.default_rng(seed + 1).integers(0, 2, rows)
        frame = frame.with_columns(pl.Series("label", np.where(random == 1, "yes", "no")))
    held_out = rows // 5
    started = time.perf_counter()
    run = pellucid.train(frame[:-held_out], "label", run=folder / f"{job}-{seed}")
    trained, started = time.perf_counter() - started, time.perf_counter()
    test = frame[-held_out:]
    predictions = run.model.predict(test)
    right = np.flatnonzero(np.asarray(predictions.prediction) == test["label"].to_numpy())
    if job != "noise":
        right = right[:MOST_EXPLAINED.get(job, held_out)]
    found = run.model.explain(test[right.tolist()] if job != "noise" else test)
    seconds = time.perf_counter() - started
    shared = {"job": job, "seed": seed, "rows": rows, "explained": len(found), "accuracy": len(right) / held_out
              if job not in MOST_EXPLAINED else None, "method": found[0].method,
              "relied_on": float(np.mean([one.faithfulness.reliable for one in found])),
              "train_seconds": trained, "seconds_a_row": seconds / len(found)}
    if job == "noise":
        says_so = any(note.kind == "nothing_learned" for note in run.result.notes)
        return {**shared, "says_nothing_learned": says_so, "passed": says_so and shared["relied_on"] == 0}
    strongest = 1 if job == "normal" else CAUSES
    ranked = [[one.parts[place].name for place in one.order[:strongest]] for one in found]
    first = float(np.mean([all(name in causes for name in names) for names in ranked]))
    gap = max(abs(one.completeness) for one in found)
    return {**shared, "first": first, "largest_gap": gap, "passed": first >= BAR}


def main() -> int:
    """Run the asked-for jobs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", default="0")
    options = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for job in options.jobs.split(","):
            for seed in map(int, options.seeds.split(",")):
                found = planted(job, options.rows, seed, Path(folder))
                record.emit({**record.origin(seed), "benchmark": "planted", **found})
                passed &= found["passed"]
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
