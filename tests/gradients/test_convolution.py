"""Gradients of convolutional networks against finite differences; gradients of gradients."""
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import nn
from pellucid.networks import Convolutional

sys.path.insert(0, str(Path(__file__).parent))
from slopes import check_network, check_slope  # noqa: E402

RANDOM = np.random.default_rng(0)
SERIES, IMAGES = RANDOM.normal(size=(5, 6, 2)), RANDOM.normal(size=(4, 4, 5, 2))
CHANGES = {"mirror": True, "shift": 1, "erase": 0.4}


@pytest.mark.parametrize(("make", "inputs"), [
    (lambda key: Convolutional((6, 2), (16, 16), 3, activation="tanh", normalisation="group", dropout=0.2, key=key),
     SERIES),
    (lambda key: Convolutional((4, 5, 2), (3,), 3, residual=True, activation="silu", augmentation=CHANGES, key=key),
     IMAGES),
])
def test_network(make, inputs):
    check_network(make, inputs)


@pytest.mark.parametrize("options", [{}, {"transposed": True, "stride": 2}])
def test_gradient_of_a_gradient(options):
    with jax.enable_x64(True):
        layer = nn.Convolution(16, 16, (2, 3), key=jax.random.key(0), **options)
        x = jnp.asarray(RANDOM.normal(size=(2, 3, 5, 16)))

        def penalty(given):
            weight, x = given
            own = eqx.tree_at(lambda layer: layer.weight, layer, weight)
            return jnp.sum(jax.grad(lambda x: jnp.sum(jnp.tanh(own(x))))(x) ** 2)

        check_slope(penalty, (layer.weight.astype(jnp.float64), x))
