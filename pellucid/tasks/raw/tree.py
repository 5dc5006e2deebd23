"""Trees: a network walks them from the words to the root; the plain methods count the words."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from pellucid.features.tree import MOST_WORDS, TreeFeature
from pellucid.losses import AbstractLoss
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.raw.base import RawKind, Situation
from pellucid.training.objectives import EveryNode

READ = 80_000  # trees read in all epochs together
AGREE = 0.9


def encoder(feature: TreeFeature, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """A Tree-LSTM: of children in order where they are few, else of their sum."""
    return {"network": "recursive", "cardinality": feature.vocabulary_size, "out_features": situation.outputs,
            "embedding": 150, "hidden": 150, "word_rate": 3.0, "output": "root", "arity": feature.arity,
            "cell": "lstm" if feature.arity <= 3 else "child_sum_lstm",
            "dropout": {"embedding": 0.5, "connections": 0.3, "hidden": 0.5}}


def training(feature: TreeFeature, situation: Situation) -> dict[str, Any]:
    """AdaGrad, whose steps stay long for rare words; a running average of the weights."""
    return {"epochs": int(np.clip(READ // max(situation.rows, 1), 6, 40)), "batch_size": 32, "optimiser": "adagrad",
            "default_rate": 0.03, "learning_rate": 0.03, "weight_decay": 0.0, "schedule": "constant", "average": 0.998}


def objective(feature: TreeFeature, lesson: Lesson, loss: AbstractLoss) -> EveryNode | None:
    """Every node learns, where the labels of nodes and the classes to be told are the same thing."""
    if lesson.task != "classify" or loss.name != "cross_entropy" or not feature.labels:
        return None
    raw = lesson.inputs["columns"][0]
    here = {str(label): code for code, label in enumerate(lesson.target.classes)}
    classes = np.array([here.get(label, -1) for label in feature.labels])
    roots = raw["labels"][np.arange(len(raw["count"])), raw["count"] - 1]
    told = roots >= 0
    agrees = told.any() and float(np.mean(classes[roots[told]] == lesson.answers[told])) >= AGREE
    return EveryNode(loss, tuple(classes.tolist())) if agrees else None


def plain(raw: Mapping[str, np.ndarray]) -> csr_array:
    """How often each word occurs: (rows, words); what nodes are labelled with stays out of it."""
    tokens = raw["tokens"]
    rows, places = np.nonzero((tokens >= 0) & (np.arange(tokens.shape[1]) < raw["count"][:, None]))
    counts = csr_array((np.ones(len(rows), np.float32), (rows, tokens[rows, places])),
                       shape=(len(tokens), MOST_WORDS + 1))
    counts.sum_duplicates()
    return counts


TREE = RawKind(encoder, training, plain, scaling="tf_idf", objective=objective)
