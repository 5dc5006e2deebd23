"""Learning to recognise again: pictures of one identity belong together, those of others do not."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from pellucid.nn._checks import positive
from pellucid.nn._random import subkeys
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.objectives.views import Views
from pellucid.training.program import Batch

TINY = 1e-12


@dataclass(frozen=True)
class Identities(AbstractObjective):
    """Finds the other examples of each example's identity among all examples of the batch, by the cosine of outputs.

    With z the outputs at length 1 and P(i) the others of i's identity, and τ the temperature:
    `-mean over p in P(i) of log(exp(zᵢ·z_p/τ) / Σ_k≠i exp(zᵢ·z_k/τ))`. Each example is shown in two views, so that it
    is never alone. Identities are integers; which ones does not matter, so that held-out rows may be of others.

    Source: Khosla and others 2020, "Supervised contrastive learning", equation 2.

    Args:
        views: how views are made; by default hardly changed images.
        temperature: τ, above 0; lower ones look harder at the nearest rivals.

    Example:
        >>> fit = pellucid.fit(network, objectives.Identities(), (images, people), batch_size=64)  # doctest: +SKIP
    """

    views: Views = Views(flip=0.5, shift=2, stretch=0.05, contrast=0.2)
    temperature: float = 0.1
    needs_targets: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive("Identities", "temperature", self.temperature)

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """How hard the others of each row's identity are to find."""
        first, second, third = subkeys(key, 3)
        both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]),
                            self.views(batch.inputs, first), self.views(batch.inputs, second))
        weight = jnp.concatenate([batch.weight, batch.weight])
        outputs, state = network(both, state=state, key=third, training=True, weight=weight)
        errors = together(outputs, jnp.concatenate([batch.targets, batch.targets]), weight, self.temperature)
        return Assessment(jnp.mean(errors.reshape(2, -1), axis=0), state)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The same of rows as they are; those without another of their identity beside them do not count."""
        outputs, _ = network(batch.inputs, state=state, key=None, training=False)
        same = (batch.targets[:, None] == batch.targets[None]) & ~jnp.eye(len(outputs), dtype=bool)
        company = jnp.any(same & (batch.weight[None] > 0), axis=1)
        return Assessment(together(outputs, batch.targets, batch.weight, self.temperature), state,
                          amount=company.astype(outputs.dtype))


def together(outputs: Float[Array, "rows features"], identities: Int[Array, " rows"], weight: Float[Array, " rows"],
             temperature: float) -> Float[Array, " rows"]:
    """The error of each row; 0 where no other row of its identity has a weight."""
    length = jnp.sqrt(jnp.sum(jnp.square(outputs), axis=1, keepdims=True) + TINY)
    near = (outputs / length) @ (outputs / length).T / temperature
    here = jnp.eye(len(outputs), dtype=bool)
    counts = weight[None] * ~here
    highest = jnp.max(jnp.where(here, -jnp.inf, near), axis=1, keepdims=True)
    total = jnp.sum(counts * jnp.exp(near - jax.lax.stop_gradient(highest)), axis=1, keepdims=True)
    logs = near - highest - jnp.log(jnp.maximum(total, TINY))
    same = counts * (identities[:, None] == identities[None])
    return -jnp.sum(same * logs, axis=1) / jnp.maximum(jnp.sum(same, axis=1), TINY)
