"""Texts: words are looked up and read by a network; the plain methods count them."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from pellucid.features.text import Text
from pellucid.tasks.raw.base import RawKind, Situation


def encoder(feature: Text, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """A recurrent network over the words."""
    return {"network": "recurrent", "in_features": feature.vocabulary_size, "hidden": [64],
            "out_features": situation.outputs, "cell": "gru", "bidirectional": True, "output": "mean", "codes": True,
            "dropout": 0.3}


def training(feature: Text, situation: Situation) -> dict[str, Any]:
    """Fewer epochs for more texts."""
    return {"epochs": int(np.clip(30_000 // max(situation.rows, 1), 4, 20))}


def plain(raw: Mapping[str, np.ndarray]) -> csr_array:
    """How often each word occurs: (rows, words)."""
    codes, lengths = raw["codes"], raw["lengths"]
    rows, places = np.nonzero(np.arange(codes.shape[1]) < lengths[:, None])
    words = codes[rows, places]
    counts = csr_array((np.ones(len(words), np.float32), (rows, words)), shape=(len(codes), 1 << 16))
    counts.sum_duplicates()
    return counts


TEXT = RawKind(encoder, training, plain, scaling="tf_idf")
