"""Learning a distribution of inputs by raising a bound of their likelihood."""
from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, PyTree

from pellucid.errors import SettingsError
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch


@dataclass(frozen=True)
class EvidenceBound(AbstractObjective):
    """`-E[log p(x | z)] + beta · KL(q(z | x) ‖ N(0, 1))` in nats: an upper bound of -log p(x) where beta is 1.

    For a `VariationalAutoencoder`. One code is drawn for each row each time. The history has the columns
    `reconstruction` and `divergence`, the two terms. Held-out rows are measured with the same formula.

    Source: Kingma & Welling 2014, "Auto-encoding variational Bayes"; beta: Higgins et al. 2017, "β-VAE".

    Args:
        beta: how much the divergence counts, at least 0; above 1 for simpler codes, below 1 for sharper pictures.

    Example:
        >>> network = networks.VariationalAutoencoder(784, (400,), 20, key=key)  # doctest: +SKIP
        >>> fit = pellucid.fit(network, objectives.EvidenceBound(), images)  # doctest: +SKIP
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.beta, bool) or not isinstance(self.beta, numbers.Real) or not 0 <= self.beta < float("inf"):
            raise SettingsError(f"`EvidenceBound` got beta={self.beta!r}; expected a number of at least 0.",
                                "leave beta at 1 for the bound of the likelihood")

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """Both terms for each row, with one drawn code."""
        return self._assess(network, batch, state, key, training=True)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The same without learning."""
        return self._assess(network, batch, state, key, training=False)

    def _assess(self, network: Any, batch: Batch, state: PyTree[Array], key: Array, *, training: bool) -> Assessment:
        raw, code, state = network.outputs(batch.inputs, state=state, key=key, training=training, weight=batch.weight)
        missing, divergence = -network.log_density(batch.inputs, raw), code.divergence()
        return Assessment(missing + self.beta * divergence, state,
                          {"reconstruction": missing, "divergence": divergence})
