"""Gradients of whole networks against finite differences, in float64."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.losses import cross_entropy, root_mean_squared
from pellucid.networks import Feedforward, Tabular
from pellucid.nn import trainable

RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(8, 5))
TABLE = {"numbers": RANDOM.normal(size=(8, 3)), "codes": RANDOM.integers(0, 4, (8, 2)).astype(np.int32)}
LABELS, WEIGHT = RANDOM.integers(0, 3, 8).astype(np.int32), RANDOM.random(8)
CASES = [
    (lambda key: Feedforward(5, (7, 6), 3, activation="silu", normalisation="layer", skip=True, key=key), FLAT),
    (lambda key: Feedforward(5, (6, 6), 3, activation="tanh", normalisation="batch", residual=True, dropout=0.2,
                             key=key), FLAT),
    (lambda key: Tabular(3, (4, 4), 3, numbers={"embedding": "periodic"}, categories={"one_hot_limit": 1}, scale=True,
                         skip=True, column_dropout=0.3, body={"hidden": (6,), "activation": "selu"}, key=key), TABLE),
    (lambda key: Tabular(3, (4, 4), 3, numbers={"embedding": "piecewise_linear", "bins": 4, "size": 3},
                         body={"hidden": (6,), "activation": "gelu"}, key=key), TABLE),
]


@pytest.mark.parametrize(("make", "inputs"), CASES)
def test_gradient_by_weights_and_inputs(make, inputs):
    with jax.enable_x64(True):
        network = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), make(jax.random.key(0)))
        weights, rest = eqx.partition(network, trainable(network))
        key = jax.random.key(1)

        def error(moved):
            weights, numbers = moved
            given = numbers if not isinstance(inputs, dict) else inputs | {"numbers": numbers}
            whole = eqx.combine(weights, rest)
            output, _ = whole(given, state=whole.initial_state(), key=key, training=True, weight=jnp.asarray(WEIGHT))
            return cross_entropy(output, LABELS, WEIGHT) + root_mean_squared(output, jnp.ones_like(output))

        start = weights, jnp.asarray(inputs["numbers"] if isinstance(inputs, dict) else inputs)
        leaves, structure = jax.tree.flatten(start)
        way = structure.unflatten([jnp.asarray(RANDOM.normal(size=leaf.shape)) for leaf in leaves])

        @jax.jit
        def both(start):
            gradient = jax.grad(error)(start)
            slope = sum(jnp.vdot(a, b) for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(way), strict=True))
            ahead, behind = (jax.tree.map(lambda a, b, step=step: a + step * b, start, way) for step in (1e-6, -1e-6))
            return slope, (error(ahead) - error(behind)) / 2e-6

        slope, expected = both(start)
        assert abs(expected) > 1e-3
        np.testing.assert_allclose(slope, expected, rtol=1e-6)
