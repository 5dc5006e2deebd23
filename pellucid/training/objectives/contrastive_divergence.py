"""Learning what inputs look like by comparing them with what the network itself makes of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
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
    squared error of the reconstruction. In training, `error` only compares two free energies; without persistent
    chains, the history's column `deviation` says how far the samples are from the data they start at: the mean squared
    distance.

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
        visible, held = network.rows(batch.inputs), jax.lax.stop_gradient(network)
        sampled = held.gibbs(state if self.persistent else visible, key=key, steps=self.steps)
        seen, made = _free_energies(network, visible, sampled)
        if self.persistent:
            return Assessment(seen - jnp.mean(made), sampled)
        return Assessment(seen - made, (), {"deviation": jnp.sum(jnp.square(visible - sampled), axis=1)})

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


@jax.custom_vjp
def _free_energies(network: Any, seen: Array, made: Array) -> tuple[Array, Array]:
    """F of two sets of rows. Its gradient by the weights is one product over both: half the passes over memory."""
    return network.free_energy(seen), network.free_energy(made)


def _forward(network: Any, seen: Array, made: Array) -> tuple[tuple[Array, Array], tuple[Any, ...]]:
    hidden = network.hidden_probabilities(seen), network.hidden_probabilities(made)
    return _free_energies(network, seen, made), (network, seen, made, *hidden)


def _backward(kept: tuple[Any, ...], factors: tuple[Array, Array]) -> tuple[Any, Array, Array]:
    network, seen, made, *hidden = kept
    rows, factor = jnp.concatenate([seen, made]), jnp.concatenate(factors)[:, None]
    scaled = -factor * jnp.concatenate(hidden)
    own = network.visible_bias if network.settings.visible_kind == "gaussian" else 0
    gradient = eqx.tree_at(lambda machine: (machine.weight, machine.visible_bias, machine.hidden_bias), network,
                           (rows.T @ scaled, jnp.sum(factor * (own - rows), axis=0), jnp.sum(scaled, axis=0)))
    return gradient, jnp.zeros_like(seen), jnp.zeros_like(made)  # data and samples are given


_free_energies.defvjp(_forward, _backward)
