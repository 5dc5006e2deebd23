"""What each kind of raw column brings to a task: its encoder network, how that is trained, and its plain view."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from pellucid.features.base import AbstractFeature
from pellucid.losses import AbstractLoss
from pellucid.networks.places import View
from pellucid.training.objectives import AbstractObjective

Plain = np.ndarray | csr_array


@dataclass(frozen=True)
class Situation:
    """What the rules for an encoder look at.

    Args:
        rows: training rows.
        outputs: how many numbers the encoder gives: classes, 1 for a number, or the length of its code.
        alone: whether the column is the only input, so that the encoder's outputs are the network's.
        classes: how many classes the target has; 0 for numbers.
    """

    rows: int
    outputs: int
    alone: bool
    classes: int = 0


@dataclass(frozen=True)
class RawKind:
    """How one kind of raw column is learned.

    Args:
        encoder: (feature, situation, settings that the user gave) to the specification of its network.
        training: (feature, situation) to settings of training that differ from `COMMON`.
        plain: `Encoded.raw` to a matrix (rows, columns) for the plain methods, sparse or dense; row by row, so that
            nothing is fitted.
        scaling: how the linear method scales that matrix: `"standard"`, `"tf_idf"` for counts, `"none"` for weights.
        width: the length of the encoder's code where other columns join it.
        objective: (feature, lesson, loss) to what a network with this column alone learns for, where that is more than
            the loss; `None` where it is not.
        blends: whether two rows may be blended into one, as pictures may.
        decide: (feature, `Encoded.raw` of the training rows, answers, number of classes, settings so far) to further
            settings that the rows themselves decide, such as whether pictures may be mirrored.
        start: (feature, encoder with a leading member axis, `Encoded.raw`, lesson, weights of the rows for each
            member) to that encoder with what is fitted instead of learned; asked where the column stands alone.
        view: (feature) to the numbers that a network with a weight for each place sees beside the encoder; `None`
            where places mean nothing.
    """

    encoder: Callable[[AbstractFeature, Situation, Mapping[str, Any]], dict[str, Any]]
    training: Callable[[AbstractFeature, Situation], dict[str, Any]]
    plain: Callable[[Mapping[str, np.ndarray]], Plain]
    scaling: str = "standard"
    width: int = 64
    objective: Callable[[AbstractFeature, Any, AbstractLoss], AbstractObjective | None] | None = None
    blends: bool = False
    decide: Callable[[AbstractFeature, Mapping[str, np.ndarray], np.ndarray, int, Mapping[str, Any]],
                     dict[str, Any]] | None = None
    start: Callable[[AbstractFeature, Any, Mapping[str, np.ndarray], Any, Sequence[np.ndarray]], Any] | None = None
    view: Callable[[AbstractFeature], View] | None = None


COMMON = {"optimiser": "adamw", "optimiser_options": (), "default_rate": 2e-3, "learning_rate": 2e-3,
          "weight_decay": 0.01, "schedule": "one_cycle", "batch_size": 64, "epochs": 20, "members": 1, "average": 0.0,
          "clip": 1.0, "kinds": (0.0,), "label_smoothing": 0.0, "raw": True}
"""Training of a network with encoders, where the kind does not say otherwise."""
