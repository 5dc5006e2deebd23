"""Pictures: a residual network, taught with pictures changed at random; the plain methods see them shrunken."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.features.image import Image
from pellucid.features.views import block_side, shrunken
from pellucid.networks.places import View
from pellucid.tasks.raw.base import RawKind, Situation
from pellucid.tasks.raw.mirror import keep_meaning

PLAIN, COMPARED = 400, 256
"""Numbers of a picture that the plain methods see, and by which similar pictures are found."""
STAGES = ((13, (32, 64)), (40, (32, 64, 128)), (80, (16, 32, 64, 128)), (math.inf, (16, 32, 64, 128, 128)))
"""Features of each stage, by the shorter side of the pictures up to which they are for."""
WORK = 2.5e12
"""Multiplications of all passes forwards that up to `MANY` pictures get: some two minutes on two cores."""
MANY, GROWTH = 5000, 0.77
CROSSED, JUDGINGS = 250, 8
"""With fewer pictures quality is measured by cross-validation: many trainings, each with less work."""
ENOUGH_EPOCHS, MOST_EPOCHS, FEWEST_EPOCHS = 60, 100, 8
MOST_MEMBERS = 5


def encoder(feature: Image, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """A residual network: the larger the pictures, the more stages, unless the user says otherwise."""
    hidden = given.get("hidden") if situation.alone else None  # beside other columns, it is that of the joint network
    return {"network": "convolutional", "in_shape": list(feature.shape), "hidden": list(hidden or _hidden(feature)),
            "out_features": situation.outputs, "residual": True, "dropout": 0.2,
            "augmentation": changes(feature, given.get("augmentation"))}


def changes(feature: Image, augmentation: str | None) -> dict[str, Any]:
    """How pictures are changed while training: nothing, or as suits characters or photographs."""
    if augmentation == "none":
        return {}
    side = min(feature.height, feature.width)
    return {"mirror": augmentation == "photographs", "shift": max(round(side / 14), 1), "rotate": 10.0, "zoom": 0.1,
            "contrast": 0.2, "erase": 0.3 if side > 13 else 0.0}


def decide(feature: Image, raw: Mapping[str, np.ndarray], answers: np.ndarray, classes: int,
           given: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the pictures may be mirrored, by the pictures themselves, where the user does not say."""
    if given.get("augmentation") is not None:
        return {}
    small = shrunken(raw["pixels"], COMPARED)
    mirrored = small[:, :, ::-1].reshape(len(small), -1)
    harmless = keep_meaning(small.reshape(len(small), -1), mirrored, answers, classes)
    return {"augmentation": "photographs" if harmless else "characters"}


def training(feature: Image, situation: Situation) -> dict[str, Any]:
    """The more pictures there are and the larger they are, the fewer epochs and networks."""
    rows = max(situation.rows, 1)
    work = WORK * max(rows / MANY, 1.0) ** GROWTH / (JUDGINGS if rows < CROSSED else 1)
    passes = work / (rows * multiplications(feature.shape, _hidden(feature)))
    members = int(np.clip(passes / ENOUGH_EPOCHS, 1, MOST_MEMBERS))
    return {**({"hidden": _hidden(feature)} if situation.alone else {}),
            "epochs": int(np.clip(passes / members, FEWEST_EPOCHS, MOST_EPOCHS if rows < 1000 else ENOUGH_EPOCHS)),
            "members": members, "batch_size": 32 if rows < 1000 else 64 if rows < 20_000 else 128,
            "learning_rate": 5e-3, "default_rate": 5e-3, "weight_decay": 0.05,
            "label_smoothing": 0.1 if situation.classes else 0.0}


def multiplications(shape: Sequence[int], hidden: Sequence[int]) -> float:
    """Of one picture on its way through the residual network."""
    height, width, before = shape
    total, places = 0.0, float(height * width)
    for size in hidden:
        total += 9 * places * before * size
        places /= 4
        total += 2 * 9 * places * size * size
        before = size
    return total


def _hidden(feature: Image) -> tuple[int, ...]:
    side = min(feature.height, feature.width)
    return next(hidden for most, hidden in STAGES if side <= most)


def plain(raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """Shrunken pixels from 0 to 1, at most 400 numbers a picture: (rows, numbers)."""
    return shrunken(raw["pixels"], PLAIN).reshape(len(raw["pixels"]), -1)


def view(feature: Image) -> View:
    """What the plain methods see."""
    return View("blocks", block_side(feature.shape, PLAIN))


IMAGE = RawKind(encoder, training, plain, blends=True, decide=decide, view=view)
