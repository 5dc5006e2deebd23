"""Faces: learn on some people, enrol five pictures each of others, refuse strangers; beside raw pixels.

    python benchmarks/faces.py --data orl_faces --results results.jsonl

The data are the ORL faces: folders s1 to s40 with ten pictures each. Twenty times the people are split in two halves:
20 are learned; of the other 20, ten are enrolled with five pictures each, and their other five and all pictures of the
remaining ten are asked about. Everything is done with the defaults of `pellucid.train`. One JSON line: means over the
splits of the equal error rate, and of the share of enrolled people that is named rightly where one stranger in a
hundred is let through (the threshold is set on the strangers of the split, for both methods). Bars: equal error rate at
most 2 %, identification at least 0.88 and 0.05 above raw pixels.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import record

import pellucid
from pellucid.data.table import Table
from pellucid.features.inputs import encode_inputs
from pellucid.model.verifier import likeness
from pellucid.tasks.verify.job import raw_pixels
from pellucid.tasks.verify.trials import Trials

SPLITS, LEARNED, ENROLLED, PICTURES = 20, 20, 10, 5
FALSE_ACCEPTS = 0.01
BARS = {"equal_error_rate": 0.02, "identification_rate": 0.88, "above_pixels": 0.05}


def table_of(folder: Path) -> pl.DataFrame:
    """A row for each picture."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".pgm", ".png", ".jpg"))
    return pl.DataFrame({"image": [str(file.absolute()) for file in files],
                         "label": [file.parent.name for file in files]})


def one_split(people: pl.DataFrame, seed: int, folder: Path) -> dict[str, dict[str, float]]:
    """The rates of the network and of raw pixels."""
    random = np.random.default_rng(seed)
    names = random.permutation(people["label"].unique().sort().to_numpy())
    learned, enrolled = names[:LEARNED], names[LEARNED:LEARNED + ENROLLED]
    strangers = names[LEARNED + ENROLLED:]
    model = pellucid.train(people.filter(pl.col("label").is_in(learned.tolist())), "label", task="verify", test_size=0,
                           seed=seed, run=folder / str(seed)).model
    labels = people["label"].to_numpy()
    rows = {name: random.permutation(np.flatnonzero(labels == name)) for name in names}
    known = np.concatenate([rows[name][:PICTURES] for name in enrolled])
    asked = np.concatenate([*(rows[name][PICTURES:] for name in enrolled), *(rows[name] for name in strangers)])
    whose = np.array([np.flatnonzero(enrolled == labels[row])[0] if labels[row] in enrolled else -1 for row in asked])
    inputs = encode_inputs(model.features, Table(people, "faces")).arrays
    owner = np.repeat(np.arange(ENROLLED), PICTURES)
    found = {}
    for name, vectors in (("network", model.vectors(inputs)), ("pixels", raw_pixels(inputs["columns"][0]["pixels"]))):
        scores = likeness(vectors[asked], vectors[known], owner, ENROLLED)
        mine = np.arange(ENROLLED)[None] == whose[:, None]
        friends = whose >= 0
        trials = Trials(scores[mine], scores[~mine], scores[friends].max(axis=1),
                        scores[friends].argmax(axis=1) == whose[friends], scores[~friends].max(axis=1), ENROLLED)
        found[name] = trials.metrics(FALSE_ACCEPTS)
    level = model.strangers.threshold(FALSE_ACCEPTS, ENROLLED)
    found["network"]["false_accept_rate_at_the_model's_threshold"] = float(np.mean(
        likeness(model.vectors(inputs)[asked][whose < 0], model.vectors(inputs)[known], owner,
                 ENROLLED).max(axis=1) >= level))
    return found


def main() -> int:
    """Run all splits; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with one sub-folder for each person")
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    people = table_of(options.data)
    with tempfile.TemporaryDirectory() as folder:
        splits = [one_split(people, seed, Path(folder)) for seed in range(options.splits)]
    means = {method: {name: float(np.mean([split[method][name] for split in splits])) for name in splits[0][method]}
             for method in ("network", "pixels")}
    own, other = means["network"], means["pixels"]
    above = own["identification_rate"] - other["identification_rate"]
    passed = (own["equal_error_rate"] <= BARS["equal_error_rate"]
              and own["identification_rate"] >= BARS["identification_rate"] and above >= BARS["above_pixels"])
    record.emit({**record.origin(0), "benchmark": "faces, ORL", "splits": options.splits, **means,
                 "above_pixels": above, "bars": BARS, "passed": bool(passed)}, options.results)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
