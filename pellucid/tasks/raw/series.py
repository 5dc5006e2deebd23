"""Series: residual convolutions over time; the plain methods see summaries and resampled values."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.features.series import Series
from pellucid.features.views import resampled
from pellucid.networks.places import View
from pellucid.tasks.raw.base import RawKind, Situation

HIDDEN = (16, 32, 64)
CHANGES = {"noise": 0.05, "scale": 0.1, "shift": 0.05, "stretch": 0.05}
SEEN = 6_000_000
"""Steps of series that are seen in all epochs of all networks together."""
FEWEST, ENOUGH, MOST = 15, 80, 120
"""Limits for the number of epochs."""
FEW, CROSSED, JUDGINGS = 1000, 250, 6
"""Below so many series batches are smaller; below so many, quality is measured by cross-validation: many trainings,
each with less work."""
MOST_MEMBERS = 5
POINTS = 32
"""Values of each channel that the plain methods see, evenly spread over the series."""
PLACES = 400
"""Numbers of a series that a network with a weight for each place sees."""


def encoder(feature: Series, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Residual convolutions over time, unless the user says otherwise."""
    hidden = given.get("hidden") if situation.alone else None  # beside other columns, it is that of the joint network
    changes = {} if given.get("augmentation") == "none" else CHANGES
    return {"network": "time_series", "length": feature.length, "channels": feature.width,
            "out_features": situation.outputs, "hidden": list(hidden or HIDDEN), "dropout": 0.3, "jitter": changes}


def training(feature: Series, situation: Situation) -> dict[str, Any]:
    """Fewer epochs and networks for more and longer series."""
    rows = max(situation.rows, 1)
    passes = SEEN / (rows * feature.length * (JUDGINGS if rows < CROSSED else 1))
    members = int(np.clip(passes / ENOUGH, 1, MOST_MEMBERS))
    return {**({"hidden": HIDDEN} if situation.alone else {}), "members": members,
            "epochs": int(np.clip(passes / members, FEWEST, MOST)), "batch_size": 64 if rows >= FEW else 16,
            "default_rate": 4e-3, "learning_rate": 4e-3, "weight_decay": 0.02,
            "label_smoothing": 0.1 if situation.classes else 0.0}


def plain(raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """Of each channel: mean, spread, least, greatest, first and last value, slope, how alike neighbours are and how far
    they differ, and 32 values from all over; and the length."""
    values, lengths = raw["values"].astype(np.float64), np.maximum(raw["lengths"], 1)
    steps = np.arange(values.shape[1])
    valid = (steps < lengths[:, None])[..., None]
    count = lengths[:, None].astype(np.float64)

    def mean(what: np.ndarray, less: int = 0) -> np.ndarray:
        return np.where(valid[:, less:], what, 0).sum(axis=1) / np.maximum(count - less, 1)

    middle = mean(values)
    away = values - middle[:, None]
    spread = np.sqrt(mean(away**2))
    time = (steps - (count - 1) / 2)[..., None]
    slope = mean(away * time) / np.maximum(mean(np.broadcast_to(time, values.shape) ** 2), 1e-12)
    alike = mean(away[:, 1:] * away[:, :-1], 1) / np.maximum(spread**2, 1e-12)
    move = mean(np.abs(np.diff(values, axis=1)), 1)
    low, high = np.where(valid, values, np.inf).min(axis=1), np.where(valid, values, -np.inf).max(axis=1)
    last = np.take_along_axis(values, (lengths - 1)[:, None, None], axis=1)[:, 0]
    parts = [middle, spread, low, high, values[:, 0], last, slope * count, alike, move,
             *resampled(values, lengths, POINTS)]
    return np.concatenate([*parts, np.log(count)], axis=1)


def view(feature: Series) -> View:
    """Each step of short series, evenly spread ones of longer series."""
    return View("points", min(feature.length, max(PLACES // feature.width, 1)))


SERIES = RawKind(encoder, training, plain, view=view)
