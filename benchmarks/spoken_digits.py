"""Spoken digits: 3,000 recordings of six speakers, by a random split and by speakers that were never heard.

    python benchmarks/spoken_digits.py --data fsdd.zip                  # both protocols; half an hour on two cores
    python benchmarks/spoken_digits.py --data fsdd.zip --protocol random
    python benchmarks/spoken_digits.py --data fsdd.zip --quick          # a smoke run of few recordings and epochs

`--data` is the free spoken digit dataset (public repository Jakobovski/free-spoken-digit-dataset): a folder or a zip
file of recordings named `{digit}_{speaker}_{index}.wav`. They are put into one folder for each digit, and `train`
learns from these folders with its defaults, as `pellucid train digits/` does.

Random: the test is the fifth of the recordings that `train` keeps apart by itself. Speakers: for each of the six, the
network learns from the recordings of the five others (`test_size=0`) and is judged on all of his. Logistic regression
on the plain view (mean, spread and percentiles of each band's loudness) learns from the same recordings. Published for
this data set is 0.97, by random splits. One JSON line for each run and one for each protocol; exit code 1 when a bar is
missed.
"""
import argparse
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import record

import pellucid
from pellucid.data.read import read_table
from pellucid.tasks.baselines import fit_baselines

BARS = {"random": 0.985, "speakers": 0.85}
PUBLISHED = 0.97
SEED = 0
QUICK = {"epochs": 2, "members": 1}
QUICK_EVERY = 10


def unpacked(data: Path, folder: Path) -> list[Path]:
    """All recordings."""
    if data.is_file():
        with zipfile.ZipFile(data) as archive:
            archive.extractall(folder)
        data = folder
    return sorted(path for path in data.rglob("*.wav") if path.stem.count("_") == 2)


def speaker_of(path: Path) -> str:
    """The middle part of its name."""
    return path.stem.split("_")[1]


def class_folders(paths: list[Path], folder: Path) -> Path:
    """One folder for each digit, of links to the recordings."""
    for path in paths:
        place = folder / path.stem.split("_")[0]
        place.mkdir(parents=True, exist_ok=True)
        os.symlink(path.resolve(), place / path.name)
    return folder


def by_chance(paths: list[Path], work: Path, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """Learn with defaults; the test is the part that `train` keeps apart."""
    started = time.perf_counter()
    run = pellucid.train(class_folders(paths, work / "all"), run=work / "run", seed=seed, **settings)
    found = {name: run.metrics["baselines"][name]["accuracy"] for name in ("logistic_regression", "gradient_boosting")}
    return {"accuracy": run.metrics["network"]["accuracy"], **found,
            "seconds": round(time.perf_counter() - started, 1), "test_rows": run.metrics["rows"]["test"]}


def without(speaker: str, paths: list[Path], work: Path, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """Learn from the other speakers with defaults, and judge on this one."""
    known = class_folders([path for path in paths if speaker_of(path) != speaker], work / f"without {speaker}")
    own = class_folders([path for path in paths if speaker_of(path) == speaker], work / speaker)
    started = time.perf_counter()
    run = pellucid.train(known, run=work / f"run {speaker}", test_size=0, seed=seed, **settings)
    seconds = time.perf_counter() - started
    model, table, asked = run.model, read_table(known), read_table(own)
    inputs, questions = (model.encode(one)[1].arrays for one in (table, asked))
    truth, answers = model.truth(table), model.truth(asked)
    linear = fit_baselines("classify", inputs, truth, classes=len(model.classes), seed=seed, features=model.features,
                           names=["logistic_regression"])[0]
    return {"accuracy": model.evaluate(own)["metrics"]["accuracy"],
            "logistic_regression": float(np.mean(linear.predict(questions).argmax(axis=1) == answers)),
            "seconds": round(seconds, 1), "test_rows": len(answers)}


def main() -> int:
    """Run the protocols and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="fsdd.zip, or the folder with its recordings")
    parser.add_argument("--protocol", choices=tuple(BARS), help="one of the two; both by default")
    parser.add_argument("--speakers", help="those that are left out, comma-separated; all by default")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few recordings, epochs, speakers")
    options = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory() as name:
        work, settings = Path(name), QUICK if options.quick else {}
        paths = unpacked(options.data, work / "data")
        if not paths:
            parser.error(f"{options.data} holds no recordings named digit_speaker_index.wav")
        paths = paths[::QUICK_EVERY] if options.quick else paths
        origin = record.origin(options.seed) | {"benchmark": "spoken digits", "published": PUBLISHED}
        if options.protocol in (None, "random"):
            found = by_chance(paths, work, settings, options.seed)
            good = found["accuracy"] >= BARS["random"]
            passed &= good
            record.emit(origin | {"protocol": "random", **found, "bar": BARS["random"], "passed": good},
                        options.results)
        if options.protocol in (None, "speakers"):
            speakers = sorted({speaker_of(path) for path in paths})
            asked = options.speakers.split(",") if options.speakers else speakers[:2 if options.quick else None]
            each = {}
            for speaker in asked:
                each[speaker] = without(speaker, paths, work, settings, options.seed)
                record.emit(origin | {"protocol": "speakers", "left_out": speaker, **each[speaker]}, options.results)
            means = {name: round(float(np.mean([one[name] for one in each.values()])), 4)
                     for name in ("accuracy", "logistic_regression", "seconds")}
            good = means["accuracy"] >= BARS["speakers"]
            passed &= good
            record.emit(origin | {"protocol": "speakers", "left_out": "each in turn", **means,
                                  "by_speaker": {name: one["accuracy"] for name, one in each.items()},
                                  "bar": BARS["speakers"], "passed": good}, options.results)
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())
