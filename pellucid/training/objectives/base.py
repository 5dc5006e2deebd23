"""What every objective offers: an error for each row of a batch, by whose gradient the network learns."""
from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Array, Float, PyTree

from pellucid.training.program import Batch


class Assessment(NamedTuple):
    """What an objective says of a network's work on one batch.

    Args:
        errors: of each row; their weighted mean is what gradient descent minimises.
        state: the network's state after the batch, and whatever else the objective carries from step to step.
        also: further figures of each row by name; their means become columns of the history.
        amount: how much each row counts beside its weight, such as the number of its time steps; all alike when `None`.
    """

    errors: Float[Array, " batch"]
    state: PyTree[Array]
    also: Mapping[str, Float[Array, " batch"]] = MappingProxyType({})
    amount: Float[Array, " batch"] | None = None


class Prepared(NamedTuple):
    """Training rows made ready on the host.

    Args:
        inputs, targets, weight: arrays with a leading row axis.
        shared: arrays that every step sees whole, as `batch.shared`: a bank of labelled examples, a stream of text.
    """

    inputs: PyTree[np.ndarray]
    targets: PyTree[np.ndarray]
    weight: np.ndarray
    shared: PyTree[np.ndarray] = ()


@dataclass(frozen=True)
class AbstractObjective(abc.ABC):
    """An objective: frozen and hashable, so that it can be part of a compiled program's key.

    Attributes:
        needs_targets: whether data are (inputs, targets); else they are the inputs alone.
        falls: whether a falling error is a sign of learning; not so between two opponents.
    """

    needs_targets: ClassVar[bool] = False
    falls: ClassVar[bool] = True

    @abc.abstractmethod
    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The error of each row while training; differentiable by the weights of `network`.

        A padded row has weight 0: whatever joins rows (batch statistics, negatives) has to take `batch.weight`.
        """

    @abc.abstractmethod
    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The error of each held-out row, without learning; `key` is the same one at every call."""

    def finish(self, mean: Float[Array, ""]) -> Float[Array, ""]:
        """The last step, from the mean over all rows to the reported error."""
        return mean

    def start_state(self, network: Any) -> PyTree[Array]:
        """What is carried from step to step: the network's own state, unless the objective needs more."""
        return network.initial_state()

    def network_state(self, state: PyTree[Array]) -> PyTree[Array]:
        """The part of the carried state that belongs to the network and is kept with it."""
        return state

    def prepare(self, inputs: PyTree[np.ndarray], targets: PyTree[np.ndarray], weight: np.ndarray,
                seed: int) -> Prepared:
        """Make the training rows ready, on the host."""
        return Prepared(inputs, targets, weight)
