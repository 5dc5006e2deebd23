"""What `None` means in the settings: one recipe for all tables, by smooth rules of the number of rows and columns.

How it was chosen, and what each part of it brings, is written in docs/recipe.md.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.declared import ESTIMATOR
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import encodes_alone, raw_features
from pellucid.tasks.raw import COMMON, Situation
from pellucid.tasks.transfer import kind_of
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
LARGE = 20_000
"""From so many rows on there are fewer and wider networks."""
FEWEST_EPOCHS = 12
TWO_KINDS = 3000
"""Up to so many rows members with and without column dropout compete."""
COLUMN_DROPOUT = 0.3
RIVAL = "periodic"
"""The other way to take in numbers: smooth waves instead of bins."""
RIVALLED = range(1000, LARGE)
"""With so many rows it competes: fewer could not tell, and more take long."""


def resolve(given: Mapping[str, Any], size: TableSize, features: Sequence[AbstractFeature] = ()) -> dict[str, Any]:
    """All settings of learning with every `None` that means "chosen from the data" filled in.

    Args:
        given: settings, checked; those that are absent are at their defaults.
        size: the table.
        features: its columns; raw ones bring their own training.
    """
    chosen = ESTIMATOR.defaults | {name: value for name, value in given.items() if name in ESTIMATOR or name == "start"}
    task_defaults = {"loss": "cross_entropy", "label_smoothing": 0.0} if size.classes else {
        "loss": "mean_squared", "label_smoothing": 0.0}
    recipe = {**task_defaults, **_network(size), **_training(size, chosen), **_kinds(size, chosen),
              "rival": _rival(size, chosen, features), **_raw(size, chosen, features)}
    return chosen | {name: value for name, value in recipe.items() if chosen.get(name) is None}


def _network(size: TableSize) -> dict[str, Any]:
    width = 128 if size.rows < LARGE else 256
    return {"hidden": (width, width), "activation": "relu", "output_activation": "identity",
            "initialiser": "he_normal", "dropout": 0.0, "layer_normalisation": "none",
            "numeric_embedding": "piecewise_linear", "bins": max(4, round(0.35 * size.rows**0.4)),
            "normalise": DEFAULT_NORMALISE}


def _training(size: TableSize, chosen: Mapping[str, Any]) -> dict[str, Any]:
    batch = int(min(max(2 ** round(math.log2(max(size.rows, 32) / 32)), 128), 1024, max(size.rows, 1)))
    iterations = 500 * math.sqrt(max(size.rows, 1000) / 1000)
    members = 8 if size.rows < LARGE else 4
    kept = max(size.rows * (1 - 1 / members), 1)
    per_epoch = math.ceil(kept / min(chosen.get("batch_size") or batch, kept))
    return {"epochs": max(FEWEST_EPOCHS, math.ceil(iterations / per_epoch)), "batch_size": batch, "members": members,
            "schedule": "warm_cosine", **_optimiser(chosen.get("optimiser"))}


def _kinds(size: TableSize, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The kinds of members that compete, each with its column dropout.

    Whether column dropout helps depends on how noisy a table is, which only its left-out rows can tell: on small tables
    members with and without it are trained side by side, and the left-out rows choose.
    """
    asked = chosen.get("column_dropout")
    if asked is not None or size.rows > TWO_KINDS:
        return {"kinds": (asked or 0.0,)}
    return {"kinds": (COLUMN_DROPOUT * min(1.0, 1000 / max(size.rows, 1)), 0.0)}


def _rival(size: TableSize, chosen: Mapping[str, Any], features: Sequence[AbstractFeature]) -> str | None:
    """The embedding of numbers in a second training, between which and the first the left-out rows choose; `None` for
    one training, as where the user has named an embedding or limits the time."""
    asked = any(chosen.get(name) is not None for name in ("numeric_embedding", "time_limit"))
    numbers = any(feature.kind in ("number", "date") for feature in features)
    return RIVAL if numbers and not asked and size.rows in RIVALLED and not raw_features(features) else None


def _raw(size: TableSize, chosen: Mapping[str, Any], features: Sequence[AbstractFeature]) -> dict[str, Any]:
    """Training of a network with encoders: that of its raw columns, the longest one where they differ."""
    found = raw_features(features)
    if not found:
        return {}
    situation = Situation(size.rows, max(size.classes, 1), encodes_alone(features), size.classes)
    wishes = [kind_of(feature, chosen).training(feature, situation) for feature in found]
    recipe = COMMON | {name: value for wish in wishes for name, value in wish.items()}
    recipe["epochs"] = max(wish.get("epochs", COMMON["epochs"]) for wish in wishes)
    if not situation.alone:
        recipe |= {"hidden": (128,), "column_dropout": 0.0}
    asked = chosen.get("optimiser")
    return recipe if asked in (None, recipe["optimiser"]) else recipe | _optimiser(asked)


def decided(features: Sequence[AbstractFeature], inputs: Mapping[str, Any], answers: np.ndarray, classes: int,
            chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The resolved settings with those that raw columns decide by the encoded rows themselves."""
    result = dict(chosen)
    for feature, raw in zip(raw_features(features), inputs.get("columns", ()), strict=True):
        choose = kind_of(feature, chosen).decide
        if choose is not None:
            result |= choose(feature, raw, answers, classes, result)
    return result


def _optimiser(name: str | None) -> dict[str, Any]:
    """AdamW as in the recipe; another optimiser, asked for by name, with what suits it."""
    if name in (None, "adamw"):
        return {"optimiser": "adamw", "optimiser_options": (("b2", 0.99),), "default_rate": 3e-3,
                "learning_rate": 3e-3, "weight_decay": 0.02}
    recipe = optimisers[name]
    return {"optimiser_options": (), "default_rate": recipe.learning_rate, "learning_rate": recipe.learning_rate,
            "weight_decay": recipe.weight_decay}
