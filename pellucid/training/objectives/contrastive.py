"""Learning features without answers: two views of one example belong together, those of others do not."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.nn._checks import positive
from pellucid.nn._random import subkeys
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.objectives.views import Views
from pellucid.training.program import Batch

TINY = 1e-12


@dataclass(frozen=True)
class Contrastive(AbstractObjective):
    """Finds each example's other view among all views of the batch, by the cosine of the network's outputs.

    With z the outputs at length 1, i and j two views of one row, and τ the temperature:
    `-log(exp(zᵢ·zⱼ/τ) / Σ_k≠i w_k exp(zᵢ·z_k/τ))`, the mean over both directions. A row of weight 0 is nobody's rival.
    `found` of the history is how often the other view is the nearest one.

    Source: Chen, Kornblith, Norouzi & Hinton 2020, "SimCLR", equation 1; weights are Pellucid's own.

    Args:
        views: how views are made; the ones for images by default.
        temperature: τ, above 0; lower ones look harder at the nearest rivals.

    Example:
        >>> network = networks.Pretraining(encoder, 64, (64,), 32, key=key)  # doctest: +SKIP
        >>> fit = pellucid.fit(network, objectives.Contrastive(), images, batch_size=256)  # doctest: +SKIP
        >>> start = networks.start_from(classifier, fit.network.encoder)  # doctest: +SKIP
    """

    views: Views = Views(flip=0.5, shift=3, stretch=0.2, erase=0.5, contrast=0.4)
    temperature: float = 0.2

    def __post_init__(self) -> None:
        positive("Contrastive", "temperature", self.temperature)

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """How hard each row's other view is to find."""
        return self._assess(network, batch, state, key, training=True)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The same without learning, on views that are the same every time."""
        return self._assess(network, batch, state, key, training=False)

    def _assess(self, network: Any, batch: Batch, state: PyTree[Array], key: Array, training: bool) -> Assessment:
        first, second, third = subkeys(key, 3)
        both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]),
                            self.views(batch.inputs, first), self.views(batch.inputs, second))
        weight = jnp.concatenate([batch.weight, batch.weight])
        outputs, state = network(both, state=state, key=third if training else None, training=training,
                                 weight=weight)
        errors, found = contrasts(outputs, weight, self.temperature)
        mean = lambda values: jnp.mean(values.reshape(2, -1), axis=0)  # noqa: E731
        return Assessment(mean(errors), state, {"found": mean(found)})


def contrasts(outputs: Float[Array, "views features"], weight: Float[Array, " views"],
              temperature: float) -> tuple[Float[Array, " views"], Float[Array, " views"]]:
    """The error of each view, and whether its partner is the nearest; view i and view i + views/2 are partners."""
    count = len(outputs)
    length = jnp.sqrt(jnp.sum(jnp.square(outputs), axis=1, keepdims=True) + TINY)
    near = (outputs / length) @ (outputs / length).T / temperature
    own = jnp.arange(count)
    partner = (own + count // 2) % count
    here, hers = own[:, None] == own, own == partner[:, None]
    rivals = jnp.where(hers, 1.0, weight[None])  # the partner always counts, so that the sum is never empty
    scores = jnp.where(here | (rivals == 0), -jnp.inf, near + jnp.log(jnp.where(rivals > 0, rivals, 1)))
    right = near[own, partner]
    found = right >= jnp.max(jnp.where(here, -jnp.inf, near), axis=1)
    return jax.nn.logsumexp(scores, axis=1) - right, found.astype(outputs.dtype)
