"""Losses, activation functions and normalisations against PyTorch, in value and gradient (recorded values)."""
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import losses, nn

GOLDEN = json.loads(Path(__file__).with_name("torch_golden.json").read_text())


def check(function, case):
    x = jnp.asarray(case["x"], jnp.float64)
    np.testing.assert_allclose(jax.jit(lambda x: function(x))(x), case["y"], rtol=1e-7, atol=1e-9)
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(function(x) ** 3)))(x)
    np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", GOLDEN["losses"], ids=lambda case: case["name"])
def test_losses(case):
    with jax.enable_x64(True):
        loss = losses.get(case["name"], **case["parameters"])
        check(lambda x: loss.per_example(x, jnp.asarray(case["targets"])), case)


@pytest.mark.parametrize("case", GOLDEN["activations"], ids=lambda case: case["name"])
def test_activations(case):
    with jax.enable_x64(True):
        check(nn.activations[case["name"]].function, case)


@pytest.mark.parametrize("case", GOLDEN["normalisations"], ids=lambda case: case["name"])
def test_normalisations(case):
    with jax.enable_x64(True):
        layer = getattr(nn, case["name"])(3)
        batch = isinstance(layer, nn.BatchNormalisation)
        check((lambda x: layer(x, state=layer.initial_state(), training=True)[0]) if batch else layer, case)


def test_the_recorded_values_are_those_of_the_installed_torch():
    torch = pytest.importorskip("torch")
    for case in GOLDEN["activations"]:
        if hasattr(torch.nn.functional, case["name"]) and "softmax" not in case["name"]:
            y = getattr(torch.nn.functional, case["name"])(torch.tensor(case["x"], dtype=torch.float64))
            np.testing.assert_allclose(y.numpy(), case["y"], rtol=1e-12)
