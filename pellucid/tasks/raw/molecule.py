"""Molecules: messages pass along bonds, and RDKit's descriptors join them; the plain methods see descriptors alone."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np

from pellucid.features.chemistry import atom_features, bond_features
from pellucid.features.molecule import Molecule
from pellucid.networks import Graph
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.raw.base import RawKind, Situation

BINS = 4  # of each descriptor; found by cross-validation within the training rows of `solubility`
READ = 36_000  # molecules read in all epochs together; found on molecules that no benchmark is judged by


def encoder(feature: Molecule, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """A graph network, with descriptors of the whole molecule beside the readout."""
    return {"network": "graph", "node_features": len(atom_features()), "edge_features": len(bond_features()),
            "graph_features": feature.graph_features, "graph_bins": BINS, "out_features": situation.outputs,
            "hidden": 64, "depth": 3, "dropout": 0.3, "head": {"hidden": [256], "skip": True}}


def training(feature: Molecule, situation: Situation) -> dict[str, Any]:
    """Strong weight decay, and members that are few because each one is large."""
    return {"epochs": int(np.clip(READ // max(situation.rows, 1), 12, 100)), "batch_size": 32, "members": 5,
            "default_rate": 1e-3, "learning_rate": 1e-3, "weight_decay": 0.5, "clip": 5.0}


def start(feature: Molecule, encoder: Graph, raw: Mapping[str, np.ndarray], lesson: Lesson,
          weights: Sequence[np.ndarray]) -> Graph:
    """Bins between quantiles of the descriptors of the training rows."""
    if encoder.graph_embedding is None:
        return encoder
    return eqx.tree_at(lambda one: one.graph_embedding, encoder,
                       encoder.graph_embedding.fitted(raw["graph_features"][lesson.counted]))


def plain(raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """The scaled descriptors, and whether the molecule is missing."""
    return raw["graph_features"]


MOLECULE = RawKind(encoder, training, plain, start=start)
