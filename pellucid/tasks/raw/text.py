"""Texts: a wide and deep network over words and pieces of words; the plain methods see the words alone."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
from scipy.sparse import csr_array

from pellucid.features.text import Text
from pellucid.networks import WideAndDeep
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.raw.base import RawKind, Situation

KNOWN = 8_192
"""Words and pairs of words, the most frequent ones, that have vectors."""
WIDTH = 16
"""Numbers that a text becomes where other columns stand beside it."""
WIDE_RATE = 20.0
"""The learning rate of the wide path: rows are about 2 long, and steps of this size are stable with momentum."""
EPOCHS, MIDDLE = 10, 5_000
"""So many passes over so many texts; four times as many texts get half of them."""
PLAIN_WIDTH = 1 << 18
BELIEF = 0.5
"""How far the wide path starts on the way to what naive Bayes would say."""


def encoder(feature: Text, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Each text's grams have a weight for each output; words and pairs have vectors, too."""
    return {"network": "wide_and_deep", "in_features": feature.codes, "out_features": situation.outputs,
            "known": min(KNOWN, feature.sizes[0] + 1), "places": feature.words, "embedding": 32, "hidden": 64,
            "code_dropout": 0.4, "dropout": 0.5,
            "wide_rate": (WIDE_RATE if situation.alone else 0.1 * WIDE_RATE) / given["default_rate"]}


def training(feature: Text, situation: Situation) -> dict[str, Any]:
    """Five networks, each of which leaves out a fifth of the texts; fewer epochs for more texts."""
    rows = max(situation.rows, 1)
    batch = 64 if rows < 20_000 else 128 if rows < 100_000 else 256
    return {"epochs": round(float(np.clip(EPOCHS * (MIDDLE / rows) ** 0.5, 3, 40))), "batch_size": batch, "members": 5,
            "learning_rate": 5e-4, "default_rate": 5e-4}


def plain(raw: Mapping[str, np.ndarray]) -> csr_array:
    """The weights of words and pairs of words: (rows, `PLAIN_WIDTH`)."""
    rows, places = np.nonzero(np.arange(raw["codes"].shape[1]) < raw["words"][:, None])
    weights = raw["weights"][rows, places].astype(np.float64)
    return csr_array((weights, (rows, raw["codes"][rows, places])), shape=(len(raw["codes"]), PLAIN_WIDTH))


def start(feature: Text, members: WideAndDeep, raw: Mapping[str, np.ndarray], lesson: Lesson,
          weights: Sequence[np.ndarray]) -> WideAndDeep:
    """The wide path begins half-way to naive Bayes: at the logarithms of how often a class has a word or pair.

    Source: the log-count ratios of Wang & Manning 2012, "Baselines and bigrams", as a start instead of a scale.
    """
    if lesson.task != "classify":
        return members
    known, outputs = feature.sizes[0] + 1, members.settings.out_features
    counts = csr_array(plain(raw)[:, :known] > 0, dtype=np.float64)
    vectors, biases = np.zeros((len(weights), feature.codes, outputs)), np.zeros((len(weights), outputs))
    for place, weight in enumerate(weights):
        beliefs, before = _beliefs(counts, lesson.answers, weight, len(lesson.target.classes))
        if outputs == 1:  # the logit of the second class
            beliefs, before = beliefs[1:] - beliefs[:1], before[1:] - before[:1]
        vectors[place, 1:known], biases[place] = BELIEF * beliefs[:, 1:].T, before
    def put(values: np.ndarray, like: Any) -> jax.Array:
        return jax.device_put(values.astype(like.dtype))
    return eqx.tree_at(lambda one: (one.wide.vectors, one.output.bias), members,
                       (put(vectors, members.wide.vectors), put(biases, members.output.bias)))


def _beliefs(counts: csr_array, answers: np.ndarray, weight: np.ndarray,
             classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Log frequencies of words by class (classes, words) and of classes (classes,), both around their mean."""
    picked = csr_array((weight.astype(np.float64), (answers, np.arange(len(answers)))), shape=(classes, len(answers)))
    frequency, before = (picked @ counts).toarray() + 1, np.bincount(answers, weight, classes) + 1
    beliefs = np.log(frequency / frequency.sum(axis=1, keepdims=True))
    return beliefs - beliefs.mean(axis=0), np.log(before) - np.log(before).mean()


TEXT = RawKind(encoder, training, plain, scaling="none", width=WIDTH, start=start)
