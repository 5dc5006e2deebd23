"""Learning to give inputs back, whole or damaged."""
from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.errors import SettingsError, did_you_mean
from pellucid.losses import AbstractLoss, losses, mean_squared
from pellucid.nn._random import normal, subkeys, uniform
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch

DAMAGES = ("gaussian", "masking", "salt_and_pepper")


@dataclass(frozen=True)
class Reconstruction(AbstractObjective):
    """How far a network's outputs are from its own inputs, given whole or, with `noise`, damaged.

    Each time a row is shown it is damaged anew, and the clean row is the aim: a denoising autoencoder. Held-out rows
    are damaged too, in the same way every time.

    Source: Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders".

    Args:
        noise: how much damage: the standard deviation (`"gaussian"`) or the share of inputs hit, 0 for none.
        damage: `"gaussian"` adds noise; `"masking"` sets inputs to 0; `"salt_and_pepper"` to 0 or 1.
        loss: one of `pellucid.losses` for numbers or probabilities, or its name.

    Example:
        >>> network = networks.Autoencoder(64, (64,), 16, key=key)  # doctest: +SKIP
        >>> fit = pellucid.fit(network, objectives.Reconstruction(noise=0.5), images)  # doctest: +SKIP
    """

    noise: float = 0.0
    damage: str = "gaussian"
    loss: AbstractLoss = mean_squared

    def __post_init__(self) -> None:
        if isinstance(self.loss, str):
            object.__setattr__(self, "loss", losses[self.loss])
        if self.damage not in DAMAGES:
            raise SettingsError(f"`Reconstruction` got damage={self.damage!r}; expected one of {', '.join(DAMAGES)}.",
                                did_you_mean(str(self.damage), DAMAGES))
        most = float("inf") if self.damage == "gaussian" else 1.0
        if not isinstance(self.noise, numbers.Real) or not 0 <= self.noise <= most or self.noise == float("inf"):
            raise SettingsError(f"`Reconstruction` got noise={self.noise!r}; expected a number from 0 to {most}.",
                                "set noise to 0.3, for example, or to 0 for whole inputs")

    def damaged(self, rows: Float[Array, "batch features"], key: Array) -> Float[Array, "batch features"]:
        """Rows with fresh damage."""
        if not self.noise:
            return rows
        if self.damage == "gaussian":
            return rows + self.noise * normal(key, rows.shape, rows.dtype)
        first, second = subkeys(key, 2)
        hit = uniform(first, rows.shape) < self.noise
        if self.damage == "masking":
            return jnp.where(hit, 0, rows)
        return jnp.where(hit, (uniform(second, rows.shape) < 0.5).astype(rows.dtype), rows)

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The loss of each row's reconstruction against the clean row."""
        first, second = subkeys(key, 2)
        rows = network.rows(batch.inputs)
        outputs, state = network(self.damaged(rows, first), state=state, key=second, training=True,
                                 weight=batch.weight)
        return Assessment(self.loss.per_example(outputs, rows), state)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The same without learning."""
        rows = network.rows(batch.inputs)
        noisy = self.damaged(rows, jax.random.fold_in(key, 0))
        outputs, state = network(noisy, state=state, key=None, training=False)
        return Assessment(self.loss.per_example(outputs, rows), state)

    def finish(self, mean: Float[Array, ""]) -> Float[Array, ""]:
        """The reported error; a root, for the root mean squared one."""
        return self.loss.finish(mean)
