"""Learning what inputs look like by comparing them with what the network itself makes of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from pellucid.errors import SettingsError
from pellucid.nn._checks import whole_number
from pellucid.nn._random import uniform, words
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch


@dataclass(frozen=True)
class ContrastiveDivergence(AbstractObjective):
    """`F(data) - F(samples)`: lowers the free energy of the data and raises that of the machine's own samples.

    The samples are held fixed, so that the gradient by the weights is `-(vᵀ·p(h|v) - v'ᵀ·p(h|v'))`, the classical
    update. They come from `steps` rounds of Gibbs sampling that start at the data or, when `persistent`, where the
    round before ended, which comes nearer to the gradient of the likelihood as long as the learning rate is small.

    Held-out rows are measured by their pseudo-likelihood: how surely the machine sets one neuron, chosen by chance,
    when it knows the others, times their number, in nats; lower is better. For Gaussian visible neurons it is the
    squared error of the reconstruction. In training, `error` only compares two free energies; the reconstruction's
    squared error is the column `reconstruction` of the history.

    Source: Hinton 2002; persistent: Tieleman 2008, "Training restricted Boltzmann machines using approximations to
    the likelihood gradient"; pseudo-likelihood: Besag 1975.

    Args:
        steps: rounds of Gibbs sampling for each update, at least 1.
        persistent: whether sampling goes on where it ended.
        chains: persistent chains, at least 1; about as many as rows in a batch.

    Example:
        >>> machine = networks.RestrictedBoltzmannMachine(64, 32, key=key)  # doctest: +SKIP
        >>> fit = pellucid.fit(machine, objectives.ContrastiveDivergence(), images)  # doctest: +SKIP
    """

    steps: int = 1
    persistent: bool = False
    chains: int = 100

    def __post_init__(self) -> None:
        whole_number("ContrastiveDivergence", "steps", self.steps)
        whole_number("ContrastiveDivergence", "chains", self.chains)
        if not isinstance(self.persistent, bool):
            raise SettingsError(f"`ContrastiveDivergence` got persistent={self.persistent!r}; expected True or False.",
                                "pass persistent=True to let sampling go on where it ended")

    def start_state(self, network: Any) -> PyTree[Array]:
        """Nothing, or chains that start from noise."""
        if not self.persistent:
            return ()
        shape = self.chains, network.settings.visible
        return (uniform(jax.random.key(0), shape, dtype=network.weight.dtype) < 0.5).astype(network.weight.dtype)

    def network_state(self, state: PyTree[Array]) -> PyTree[Array]:
        """Nothing: a machine has no running statistics."""
        return ()

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """F(v) of each row, less that of its sample, or less the mean over the chains."""
        held = jax.lax.stop_gradient(network)
        visible = network.rows(batch.inputs)
        sampled = held.gibbs(state if self.persistent else visible, key=key, steps=self.steps)
        low = network.free_energy(sampled)
        low = jnp.mean(low) if self.persistent else low
        repaired = jnp.sum(jnp.square(visible - held.reconstruct(visible)), axis=1)
        return Assessment(network.free_energy(visible) - low, sampled if self.persistent else (),
                          {"reconstruction": repaired})

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The negative pseudo-log-likelihood of each row, or its squared reconstruction error."""
        visible = network.rows(batch.inputs)
        if network.settings.visible_kind != "binary":
            return Assessment(jnp.sum(jnp.square(visible - network.reconstruct(visible)), axis=1), state)
        neurons = visible.shape[1]
        chosen = words(key, visible.shape[:1]) % neurons
        mirrored = jnp.where(jnp.arange(neurons) == chosen[:, None], 1 - visible, visible)
        gain = network.free_energy(mirrored) - network.free_energy(visible)
        return Assessment(neurons * jax.nn.softplus(-gain), state)
