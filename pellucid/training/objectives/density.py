"""Learning where rows lie, without answers: the most probable density."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from pellucid.nn._checks import positive
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch


@dataclass(frozen=True)
class Density(AbstractObjective):
    """How surprising rows are to a network that has a density, for each number of a row: −log p(x) / features.

    Args:
        width: the blur of the density, above 0.

    Example:
        >>> network = networks.Mixture(2, key=key)  # doctest: +SKIP
        >>> fit = pellucid.fit(network, objectives.Density(0.3), rows, learning_rate=0.02)  # doctest: +SKIP
    """

    width: float = 0.3

    def __post_init__(self) -> None:
        positive("Density", "width", self.width)

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The surprise of each row of the batch."""
        surprise = network.surprise(batch.inputs, self.width)
        return Assessment(jnp.mean(surprise, axis=1) / network.weight.shape[-1], state)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The same without learning."""
        return self.errors(network, batch, state=state, key=key)
