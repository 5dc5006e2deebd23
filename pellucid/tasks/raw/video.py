"""Films: convolutions for each frame and a memory over time; the plain methods see the average and the last frame."""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.features.video import Video
from pellucid.features.views import shrunken
from pellucid.tasks.raw.base import RawKind, Situation

PLAIN = 144
"""Numbers of each of three pictures that the plain methods see."""
STAGES = ((24, (8, 16, 32)), (math.inf, (8, 16, 32, 64)))
"""Features of each stage, by the shorter side of a frame up to which they are for."""
WORK = 5e11
"""Multiplications of all passes forwards: some minutes on two cores."""
CROSSED, JUDGINGS = 250, 8
"""With fewer films quality is measured by cross-validation: many trainings, each with less work."""
FEWEST_EPOCHS, MOST_EPOCHS = 10, 50


def encoder(feature: Video, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Convolutions, and a recurrent layer over what they find; the smaller the frames, the fewer stages."""
    hidden = given.get("hidden") if situation.alone else None  # beside other columns, it is that of the joint network
    return {"network": "film", "in_shape": list(feature.shape), "hidden": list(hidden or _hidden(feature)),
            "out_features": situation.outputs, "dropout": 0.2,
            "augmentation": changes(feature, situation, given.get("augmentation"))}


def changes(feature: Video, situation: Situation, augmentation: str | None) -> dict[str, Any]:
    """How films are changed while training; where the answer is a number, things stay in their places."""
    if augmentation == "none":
        return {}
    side = min(feature.height, feature.width)
    shift = max(round(side / 16), 1) if situation.classes else 0
    return {"mirror": augmentation == "photographs", "shift": shift, "contrast": 0.2}


def training(feature: Video, situation: Situation) -> dict[str, Any]:
    """The more and the larger films there are, the fewer epochs."""
    rows = max(situation.rows, 1)
    work = WORK / (JUDGINGS if rows < CROSSED else 1)
    passes = work / (rows * feature.frames * multiplications(feature, _hidden(feature)))
    return {**({"hidden": _hidden(feature)} if situation.alone else {}),
            "epochs": int(np.clip(passes, FEWEST_EPOCHS, MOST_EPOCHS)), "batch_size": 16 if rows < 1000 else 32,
            "learning_rate": 3e-3, "default_rate": 3e-3, "weight_decay": 0.02,
            "label_smoothing": 0.05 if situation.classes else 0.0}


def multiplications(feature: Video, hidden: tuple[int, ...]) -> float:
    """Of one frame on its way through the convolutions."""
    total, places, before = 0.0, float(feature.height * feature.width), 2 * feature.channels
    for size in hidden:
        total += 9 * places * before * size
        places, before = places / 4, size
    return total


def _hidden(feature: Video) -> tuple[int, ...]:
    side = min(feature.height, feature.width)
    return next(hidden for most, hidden in STAGES if side <= most)


def plain(raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """Three shrunken pictures: the average of all frames, the last frame, and how far that differs from the first."""
    values, lengths = raw["values"], np.maximum(raw["lengths"], 1)
    rows = len(values)
    if not rows:
        return np.zeros((0, 3))
    last = values[np.arange(rows), lengths - 1]
    there = (np.arange(values.shape[1]) < lengths[:, None])[:, :, None, None, None]
    mean = np.where(there, values, 0).sum(axis=1, dtype=np.float32) / lengths[:, None, None, None]
    first, end = shrunken(values[:, 0], PLAIN), shrunken(last, PLAIN)
    average = shrunken(np.round(mean).astype(np.uint8), PLAIN)
    return np.concatenate([part.reshape(rows, -1) for part in (average, end, end - first)], axis=1)


VIDEO = RawKind(encoder, training, plain, blends=False)
"""Films are not blended: two motions at once are a third one."""
