"""What the reports of all tasks share: versions, the course of training, its cost, and what metrics.json holds."""
from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

import numpy as np

from pellucid.model.base import AbstractModel
from pellucid.networks.describe import describe
from pellucid.networks.drawing import draw
from pellucid.report.canvas import as_svg
from pellucid.report.result import Cost, Curve, NetworkPicture, Result
from pellucid.tasks.run import Stages
from pellucid.training.engine import Outcome
from pellucid.training.memory import measured_peak

PACKAGES = ("pellucid", "jax", "jaxlib", "equinox", "optax", "numpy", "scikit-learn", "polars")
_MEGABYTE = 1e6


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide over the result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def metrics_of_run(result: Result) -> dict[str, Any]:
    """What metrics.json holds, whatever the task."""
    cost = result.cost
    found = {"task": result.task, "target": result.target, "rows": dict(result.rows),
             "network": dict(result.network.metrics),
             "baselines": {one.name: dict(one.metrics) for one in result.baselines},
             "seconds": {"network": result.network.seconds, **{one.name: one.seconds for one in result.baselines},
                         "predicted": cost.predicted_seconds, **{f"stage_{name}": value for name, value in
                                                                 cost.stages.items()}},
             "peak_memory_mb": cost.peak_memory_mb, "verdict": list(result.verdict.sentences),
             "outcome": result.verdict.outcome, "warnings": [note.to_json() for note in result.notes]}
    if result.promise is not None:
        size = "mean_set_size" if result.promise.kind == "sets" else "mean_interval_width"
        found["promise"] = {"coverage_promised": result.promise.promised, "coverage_measured": result.promise.measured,
                            "low": result.promise.low, "high": result.promise.high, "rows": result.promise.rows,
                            size: result.promise.size}
    return found


def curve_of(outcome: Outcome, error: str) -> Curve:
    """The error by epoch; `error` is the name of the loss."""
    epochs = outcome.history.epochs
    return Curve(np.array([one.epoch for one in epochs]), np.array([one.training_error for one in epochs]),
                 np.array([one.validation_error for one in epochs]), error, outcome.history.best_epoch)


def cost_of(outcome: Outcome, stages: Stages, batch_size: int | None = None) -> Cost:
    """Time and memory of a run."""
    predicted = None if np.isnan(outcome.predicted_seconds) else outcome.predicted_seconds
    return Cost(predicted_seconds=predicted, seconds=outcome.seconds,
                predicted_memory_mb=outcome.predicted_memory / _MEGABYTE,
                peak_memory_mb=measured_peak() / _MEGABYTE,
                stages=dict(stages.seconds) | {"of training: compilation": outcome.compile_seconds},
                iterations=outcome.iterations, batch_size=batch_size)


def picture_of(model: AbstractModel) -> NetworkPicture:
    """One of the members, described and drawn, without names for its inputs."""
    network = model.members.network()
    description = describe(network)
    header, *rows = description.cells()
    members = f" {len(model.members)} such networks answer together." if len(model.members) > 1 else ""
    return NetworkPicture(header, tuple(rows), description.summary + members, as_svg(draw(network)))
