"""Gradients of belief networks, autoencoders and memories against finite differences, in float64."""
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.networks import Autoencoder, BeliefNetwork, Memory, RestrictedBoltzmannMachine, VariationalAutoencoder

sys.path.insert(0, str(Path(__file__).parent))
from slopes import check_network, check_slope  # noqa: E402

ROWS = np.random.default_rng(1).random((6, 5))


@pytest.mark.parametrize("make", [
    lambda key: BeliefNetwork(5, (4, 3), key=key),
    lambda key: Autoencoder(5, (6,), 2, activation="silu", normalisation="batch", skip=True, key=key),
    lambda key: VariationalAutoencoder(5, (6,), 2, activation="tanh", normalisation="layer", key=key),
    lambda key: Memory(5, patterns=4, beta=0.5, key=key),
    lambda key: Memory(5, rule="pseudo_inverse", patterns=2, key=key),
], ids=["belief", "autoencoder", "variational", "modern memory", "classical memory"])
def test_gradient_by_weights_and_inputs(make):
    check_network(make, ROWS, loss=lambda output: jnp.mean(jnp.sin(50 * output)), rtol=1e-5)


@pytest.mark.parametrize("kind", ["binary", "gaussian"])
def test_free_energy(kind):
    with jax.enable_x64(True):
        machine = RestrictedBoltzmannMachine(5, 4, visible_kind=kind, key=jax.random.key(0))
        machine = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), machine)
        check_slope(lambda machine: jnp.mean(machine.free_energy(jnp.asarray(ROWS))), machine)
