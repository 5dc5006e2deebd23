"""What `None` means in the settings: one recipe for all tables, by smooth rules of the number of rows and columns.

How it was chosen, and what each part of it brings, is written in docs/recipe.md.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pellucid.core.declared import ESTIMATOR
from pellucid.training.optimisers import optimisers


@dataclass(frozen=True)
class TableSize:
    """What the rules look at.

    Args:
        rows: training rows.
        width: encoded input channels: numbers, and one for each level of a category.
        classes: how many classes; 0 for numbers.
    """

    rows: int
    width: int
    classes: int = 0


DEFAULT_NORMALISE = "robust"


def resolve(given: Mapping[str, Any], size: TableSize) -> dict[str, Any]:
    """All settings of learning with every `None` that means "chosen from the data" filled in.

    Args:
        given: settings, checked; those that are absent are at their defaults.
        size: the table.
    """
    chosen = ESTIMATOR.defaults | {name: value for name, value in given.items() if name in ESTIMATOR}
    task_defaults = {"loss": "cross_entropy", "label_smoothing": 0.0} if size.classes else {
        "loss": "mean_squared", "label_smoothing": 0.0}
    recipe = {**task_defaults, **_network(size), **_training(size, chosen)}
    return chosen | {name: value for name, value in recipe.items() if chosen.get(name) is None}


def _network(size: TableSize) -> dict[str, Any]:
    return {"hidden": (128, 128), "activation": "selu", "output_activation": "identity", "dropout": 0.0,
            "layer_normalisation": "none", "numeric_embedding": "periodic", "normalise": DEFAULT_NORMALISE}


def _training(size: TableSize, chosen: Mapping[str, Any]) -> dict[str, Any]:
    batch = 128 if size.rows <= 5000 else 256
    steps = 300 * math.sqrt(max(size.rows, 100) / 1000)
    members = 8 if size.rows <= 10_000 else 4
    epochs = max(10, math.ceil(steps * batch / max(size.rows, 1)))
    name = chosen.get("optimiser") or "adamw"
    rate = 1e-3 if name == "adamw" else optimisers[name].learning_rate
    decay = 15.0 if name == "adamw" else optimisers[name].weight_decay
    return {"optimiser": "adamw", "default_rate": rate, "learning_rate": rate, "weight_decay": decay, "schedule": "cosine",
            "epochs": epochs, "batch_size": batch, "members": members}
