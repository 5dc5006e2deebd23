"""One network trained by Pellucid and, by the same recipe, by PyTorch: what the benchmarks of classifiers share."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

import pellucid

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Contest:
    """One network: how it is built, how it is trained, and what it has to reach.

    Args:
        make: from a key to the network.
        peer: what PyTorch builds, and how it changes the rows; see `classifier_peer.py`.
        settings: of `pellucid.fit`.
        bar: test accuracy to reach.
        known: a published one.
        label_smoothing: of the error function.
        minutes: the most that training may take on two cores; no limit when `None`.
    """

    make: Callable[[jax.Array], Any]
    peer: dict[str, Any]
    settings: dict[str, Any]
    bar: float
    known: str
    label_smoothing: float = 0.0
    minutes: float | None = None


def own(contest: Contest, rows: Rows, settings: dict[str, Any], seed: int) -> dict[str, float]:
    """Test accuracy and seconds of Pellucid."""
    loss = pellucid.losses.get("cross_entropy", label_smoothing=contest.label_smoothing)
    fit = pellucid.fit(contest.make(jax.random.key(seed)), loss, (rows["inputs"], rows["classes"]), key=seed,
                       **settings)
    chosen = fit.predict(rows["test_inputs"]).argmax(1)
    return {"accuracy": float(np.mean(chosen == rows["test_classes"])), "seconds": fit.seconds,
            "compile_seconds": fit.compile_seconds}


def peer(python: str, contest: Contest, rows: Rows, settings: dict[str, Any], seed: int) -> dict[str, float]:
    """The same of PyTorch."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        np.savez(path, **rows)
        given = contest.peer | settings | {"seed": seed, "classes": int(rows["classes"].max()) + 1,
                                           "label_smoothing": contest.label_smoothing}
        script = Path(__file__).with_name("classifier_peer.py")
        answer = subprocess.run([python, str(script), str(path), json.dumps(given)], check=True,
                                stdout=subprocess.PIPE, text=True)
    return json.loads(answer.stdout)


def line(contest: Contest, rows: Rows, *, seeds: int, peer_python: str | None, epochs: int | None) -> dict[str, Any]:
    """Train with each seed and say how it went; `epochs` in place of the recipe's own unless `None`."""
    settings = contest.settings | ({} if epochs is None else {"epochs": epochs})
    started, done, beside = time.perf_counter(), [], []
    for seed in range(seeds):
        done.append(own(contest, rows, settings, seed))
        if peer_python:
            beside.append(peer(peer_python, contest, rows, settings, seed))
    accuracy = float(np.mean([one["accuracy"] for one in done]))
    slowest = max(one["seconds"] + one["compile_seconds"] for one in done)
    in_time = contest.minutes is None or slowest <= 60 * contest.minutes
    return {"metric": "test accuracy", "bar": contest.bar, "known": contest.known, "accuracy": accuracy,
            "torch_accuracy": float(np.mean([one["accuracy"] for one in beside])) if beside else None,
            "seconds": slowest, "most_minutes": contest.minutes, "epochs": settings["epochs"], "pellucid": done,
            "torch": beside, "seconds_all": time.perf_counter() - started,
            "passed": accuracy >= contest.bar and in_time}
