"""Molecules in space: densities of atoms on a grid, seen by convolutions; plain methods count and measure them."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.features.molecule_3d import Molecule3D
from pellucid.tasks.raw.base import RawKind, Situation

ALIGNED_TURN, ALIGNED_SHIFT = 15.0, 0.5  # degrees, Ångström: a frame is kept, but not to the last decimal
VIEWS = 8
READ = 6_000  # molecules seen in all epochs together


def encoder(feature: Molecule3D, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """A voxel network; where molecules lie in a frame of their own each, it is turned in any way and looks often."""
    chance = {"turn": ALIGNED_TURN, "shift": ALIGNED_SHIFT, "views": 1} if feature.aligned else {"views": VIEWS}
    body = {"hidden": [16, 32], "dense": [64], "dropout": 0.3, "head": "flat" if feature.aligned else "average"}
    return {"network": "voxel", "channels": len(feature.channels), "out_features": situation.outputs,
            "size": feature.size, **chance, "body": body}


def training(feature: Molecule3D, situation: Situation) -> dict[str, Any]:
    """Few members, since each one is slow."""
    return {"epochs": int(np.clip(READ // max(situation.rows, 1), 10, 60)), "batch_size": 16, "members": 3,
            "default_rate": 2e-3, "learning_rate": 2e-3, "weight_decay": 0.1, "clip": 5.0}


def plain(raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """How many atoms of each kind there are, and how far they reach along the molecule's own axes."""
    positions, channels = raw["positions"].astype(np.float64), raw["channels"]
    there = channels.any(axis=2)[..., None]
    count = np.maximum(there.sum(axis=1), 1)
    away = np.where(there, positions - (positions * there).sum(axis=1, keepdims=True) / count[:, None], 0)
    spread = np.linalg.eigvalsh(np.einsum("rai,raj->rij", away, away) / count[:, :, None])
    return np.concatenate([channels.sum(axis=1, dtype=np.float64), np.sqrt(np.maximum(spread, 0))], axis=1)


MOLECULE_3D = RawKind(encoder, training, plain)
