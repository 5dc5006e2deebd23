"""Explanations of the same network by Pellucid, Captum and SHAP: the same where the method is the same, and how good.

    python benchmarks/faithfulness.py --peer-python PEERS/bin/python               # German credit, 40 rows
    python benchmarks/faithfulness.py --peer-python PEERS/bin/python --model model.pellucid --rows 100

A model of the bundled German-credit table is trained (or read); its weights, the rows and the made-up rows that stand
in for what is not known are carried over to PyTorch (see faithfulness_peer.py). All explanations are then judged by the
same code on the same network: how much sooner than in random orders the answer gives way (deletion) or comes back
(insertion). One JSON line for each method: `deletion` and `insertion` are mean gains over random orders, `behind` the
95 % interval of how far Pellucid's default is behind the method (below 0: ahead), `seconds_a_row` those of the
processor, warm, on one core (run it under `taskset -c 0`). `agreement` lines hold the largest difference between
Pellucid and a peer that uses the same method with the same steps, as a share of the largest contribution. Exit code 1
where Pellucid's default is worse than a peer by more than chance and 0.002, slower, or where the same method differs by
more than 0.1 %. Peers start from what rows became inside the network, Pellucid's default from the table; where Captum
takes the same few steps, it is timed beside Pellucid's slopes alone.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
import record

import pellucid
from pellucid.core.part import Part
from pellucid.explain.faithfulness import try_order
from pellucid.explain.gradients import STEPS
from pellucid.explain.occlusion import occlusion
from pellucid.explain.shapley import exact_shapley, sampled_shapley
from pellucid.model.model import Model
from pellucid.model.slopes import head_of

TABLE = Path(pellucid.__file__).parent / "bundled" / "german_credit.csv"
TARGET = "creditability"
GROUPS, EXACT_ROWS = 8, 4
TOLERANCE, MARGIN = 1e-3, 2e-3
JUDGES = 64
"""Random orders that each explanation is judged by."""


def carried(model: Model, questions: list, table: pl.DataFrame) -> dict[str, np.ndarray]:
    """What PyTorch needs: weights, what rows and made-up rows become inside each network, and what is asked."""
    arrays = model.encode(table)[1].arrays
    background = questions[0].game.value.__self__.games.background
    one, network = model.members, model.members.network()
    joins = [[np.asarray(part) for part in jax.vmap(lambda weights, buffers, rows=rows: one.layout.assemble(
        weights, buffers).join(rows))(one.weights, one.buffers)] for rows in (
            {name: arrays[name] for name in ("numbers", "codes")}, background)]
    column = {}
    for position, place in enumerate(questions[0].game.value.__self__.games.places):
        column |= {channel: position for channel in range(place.numbers.start, place.numbers.stop)}
        column |= {network.num_numbers + channel: position for channel in range(place.codes.start, place.codes.stop)}
    head = head_of(model)
    asked = np.array([model.classes.index(question.asked) for question in questions])
    weights = {f"weight {name}": array for name, array in one.tensors().items()}
    return {**weights, "joined": joins[0][0], "plain": joins[0][1], "joined background": joins[1][0],
            "plain background": joins[1][1], "joined columns": np.array([column[one] for one in network.origins]),
            "plain columns": np.array([column[one] for one in network.plain_origins]), "asked": asked,
            "temperature": np.array(head.temperature), "factors": np.array(head.factors or [1.0] * 2),
            "bias": np.array(head.bias or [0.0] * 2), "steps": np.array(STEPS),
            "whole": np.array([question.game.whole for question in questions])}


def own_methods(model: Model, table: pl.DataFrame, questions: list) -> dict[str, tuple[np.ndarray, float]]:
    """Contributions (rows, parts) and seconds a row of each of Pellucid's methods, warm."""
    found = {}

    def timed(name: str, work: Any) -> None:
        started = time.process_time()
        found[name] = np.stack(work()), (time.process_time() - started) / len(questions)
    model.explain(table, faithfulness=False)
    timed("default", lambda: [one.contributions for one in model.explain(table, faithfulness=False)])
    fresh = list(model.questions(table))
    timed("slopes alone", lambda: [one.game.gradients(STEPS).contributions for one in fresh])
    timed("shapley", lambda: [sampled_shapley(one.game, pairs=32).contributions for one in questions])
    timed("occlusion", lambda: [occlusion(one.game).contributions for one in questions])
    return found


def judged(questions: list, contributions: np.ndarray) -> np.ndarray:
    """(rows, 2): gains in deletion and insertion."""
    scores = [try_order(question.game, own, orders=JUDGES, steps=20) for question, own in zip(
        questions, contributions, strict=True)]
    return np.array([[deletion.gain, insertion.gain] for deletion, insertion in scores])


def behind(own: np.ndarray, other: np.ndarray) -> list[float]:
    """The 95 % interval of how far `own` is behind, over rows."""
    gap = other - own
    half = 1.96 * gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else 0.0
    return [float(gap.mean() - half), float(gap.mean() + half)]


def grouped_exact(questions: list, groups: np.ndarray) -> np.ndarray:
    """Exact Shapley values of eight groups of columns, for a few rows."""
    parts = tuple(Part(f"group {place}", f"group {place}") for place in range(GROUPS))
    return np.stack([exact_shapley(one.game.grouped(groups, parts)).contributions for one in questions[:EXACT_ROWS]])


def trained(path: str | None, folder: Path) -> Model:
    """The model at `path`, or a new one of the first 800 rows."""
    if path is not None:
        return pellucid.load(path)
    return pellucid.train(pl.read_csv(TABLE)[:800], TARGET, run=folder / "run").model


def main() -> int:
    """Explain, judge, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, table = trained(options.model, folder), pl.read_csv(TABLE)[800:800 + options.rows]
        questions = list(model.questions(table))
        groups = np.arange(len(questions[0].game)) % GROUPS
        np.savez(folder / "in.npz", groups=groups, exact_rows=EXACT_ROWS, **carried(model, questions, table))
        subprocess.run([options.peer_python, str(Path(__file__).with_name("faithfulness_peer.py")),
                        str(folder / "in.npz"), str(folder / "out.npz")], check=True)
        peers = dict(np.load(folder / "out.npz"))
    return told(model, table, questions, groups, peers)


def told(model: Model, table: pl.DataFrame, questions: list, groups: np.ndarray, peers: dict) -> int:
    """Print the lines, and give the exit code."""
    own, passed, shared = own_methods(model, table, questions), True, record.origin(0)
    drift = float(np.abs(peers["network"] - [question.game.whole for question in questions]).max())
    record.emit({**shared, "benchmark": "faithfulness", "line": "same network", "largest_difference": drift})
    default = judged(questions, own["default"][0])
    same = {"integrated gradients, Captum": np.stack([one.game.gradients(STEPS).contributions for one in questions]),
            "exact Shapley values, SHAP": grouped_exact(questions, groups)}
    for name, ours in same.items():
        gap = float(np.abs(ours - peers[f"{name}|contributions"]).max() / np.abs(ours).max())
        passed &= gap <= TOLERANCE
        record.emit({**shared, "benchmark": "faithfulness", "line": "agreement", "method": name, "difference": gap})
    contenders = {f"Pellucid, {name}": values for name, values in own.items()} | {
        name.removesuffix("|contributions"): (values, float(peers[name.replace("|contributions", "|seconds")]))
        for name, values in peers.items() if name.endswith("|contributions") and "exact" not in name}
    for name, (contributions, seconds) in contenders.items():
        gains = judged(questions, contributions)
        gaps = {what: behind(default[:, place], gains[:, place])
                for place, what in enumerate(("deletion", "insertion"))}
        line = {"method": name, "deletion": float(gains[:, 0].mean()), "insertion": float(gains[:, 1].mean()),
                "behind": gaps, "seconds_a_row": seconds}
        if "Pellucid" not in name:
            alike = own["slopes alone" if name == "integrated gradients, Captum" else "default"][1]
            line["passed"] = all(low <= MARGIN for low, _ in gaps.values()) and alike < seconds
            passed &= line["passed"]
        record.emit({**shared, "benchmark": "faithfulness", "line": "method", **line})
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
