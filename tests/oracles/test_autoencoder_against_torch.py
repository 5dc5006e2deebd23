"""Autoencoders, reconstruction and the evidence bound against PyTorch, in value and gradient (recorded values)."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.networks import Autoencoder, GaussianCode, VariationalAutoencoder
from pellucid.training.objectives import EvidenceBound, Reconstruction
from pellucid.training.program import Batch

CASES = json.loads(Path(__file__).with_name("torch_autoencoder.json").read_text())["cases"]


def dense_of(network):
    """The layers of both halves, in the order of the record."""
    return [[half.hidden[0].dense, half.output] for half in (network.encoder, network.decoder)]


def arrays_of(network):
    """Their weights and biases."""
    return [array for half in dense_of(network) for layer in half for array in (layer.weight, layer.bias)]


def flat(recorded):
    return [jnp.asarray(array, jnp.float64) for half in recorded for layer in half for array in layer]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["kind"])
def test_errors_and_gradients(case, monkeypatch):
    with jax.enable_x64(True):
        x, noise = jnp.asarray(case["x"]), jnp.asarray(case["noise"])
        if case["kind"] == "plain":
            network = Autoencoder(5, (6,), 2, output_activation="sigmoid", key=jax.random.key(0))
            objective = Reconstruction()
        else:
            network = VariationalAutoencoder(5, (6,), 2, output=case["kind"], key=jax.random.key(0))
            objective = EvidenceBound()
        network = eqx.tree_at(arrays_of, network, flat(case["weights"]))
        if case["kind"] == "gaussian":
            network = eqx.tree_at(lambda whole: whole.log_variance, network, jnp.asarray(case["log_variance"]))
        monkeypatch.setattr(GaussianCode, "draw",
                            lambda code, key: code.mean + jnp.exp(0.5 * code.log_variance) * noise)

        def total(network, x):
            assessed = objective.errors(network, Batch(x, None, jnp.ones(4), None), state=network.initial_state(),
                                        key=jax.random.key(1))
            return jnp.sum(assessed.errors), assessed.errors

        (by_weights, by_inputs), errors = jax.jit(jax.grad(total, argnums=(0, 1), has_aux=True))(network, x)
        np.testing.assert_allclose(errors, case["errors"], rtol=1e-9)
        for made, wanted in zip(arrays_of(by_weights), flat(case["gradients"]), strict=True):
            np.testing.assert_allclose(made, wanted, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(by_inputs, case["gradient_by_inputs"], rtol=1e-8, atol=1e-10)
        if case["kind"] == "gaussian":
            np.testing.assert_allclose(by_weights.log_variance, case["gradient_by_variance"], rtol=1e-8)
