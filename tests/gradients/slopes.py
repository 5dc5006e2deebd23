"""Gradients against finite differences, along one random way through weights and inputs at once."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.nn import trainable


def check_slope(error, start, *, step=1e-6, rtol=1e-6, seed=0):
    """Compare the gradient of `error` at `start`, a pytree of float64 arrays, with a central difference."""
    random = np.random.default_rng(seed)
    leaves, structure = jax.tree.flatten(start)
    way = structure.unflatten([jnp.asarray(random.normal(size=leaf.shape)) for leaf in leaves])

    @jax.jit
    def both(start):
        gradient = jax.grad(error)(start)
        slope = sum(jnp.vdot(a, b) for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(way), strict=True))
        ahead, behind = jax.lax.map(  # one compiled copy for both
            lambda by: error(jax.tree.map(lambda a, b: a + by * b, start, way)), jnp.array([step, -step]))
        return slope, (ahead - behind) / (2 * step)

    slope, expected = both(start)
    assert abs(expected) > 1e-3
    np.testing.assert_allclose(slope, expected, rtol=rtol)


def check_network(make, inputs, *, training=True, loss=lambda output: jnp.mean(jnp.sin(3 * output)), **options):
    """The same for a network: by its weights and by every floating-point array of its inputs.

    Args:
        make: from a key to a network.
        inputs: an array, or a dict of arrays.
        training: whether dropout and batch statistics are at work.
        loss: from the network's output to a number.
        options: for `check_slope`.
    """
    with jax.enable_x64(True):
        wide = lambda leaf: jnp.asarray(leaf, jnp.float64 if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf.dtype)  # noqa: E731,E501
        network = jax.tree.map(wide, make(jax.random.key(0)))
        weights, rest = eqx.partition(network, trainable(network))
        numbers, others = eqx.partition(jax.tree.map(wide, inputs), eqx.is_inexact_array)

        def error(moved):
            whole = eqx.combine(moved[0], rest)
            output, _ = whole(eqx.combine(moved[1], others), state=whole.initial_state(), key=jax.random.key(1),
                              training=training)
            return loss(output)

        check_slope(error, (weights, numbers), **options)
