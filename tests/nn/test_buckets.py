"""Arrays trimmed to what a batch needs: same values and gradients at every size, one compilation."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.nn.buckets import sizes_for, trimmed

RANDOM = np.random.default_rng(0)
NODES, EDGES = RANDOM.normal(size=(2, 20, 3)), RANDOM.normal(size=(2, 40, 3))
WEIGHT = RANDOM.normal(size=(3, 3))


def masked(given, nodes, edges):
    """Outputs that depend on valid entries only: one for each node, one for each row, one for each pair."""
    weight, node_count, edge_count = given
    nodes = jnp.where(jnp.arange(nodes.shape[1])[None, :, None] < node_count, nodes, 0)
    edges = jnp.where(jnp.arange(edges.shape[1])[None, :, None] < edge_count, edges, 0)
    return jnp.tanh(nodes @ weight), edges.sum((1, 2)), jnp.einsum("bnf,bef->bne", nodes, edges)


@pytest.mark.parametrize("compare", ["values", "gradients"])
def test_equals_the_plain_function_at_every_size_and_compiles_once(compare):
    traces = []

    def error(function, weight, nodes, edges, counts):
        outputs = function((weight, *counts), nodes, edges)
        return sum(jnp.sum(jnp.sin(output) * (index + 1)) for index, output in enumerate(outputs))

    def cut(weight, nodes, edges, counts):
        traces.append(compare)
        return error(lambda whole, *arrays: trimmed(
            masked, whole, (arrays[0], counts[0]), (arrays[1], counts[1])), weight, nodes, edges, counts)

    def plain(*given):
        return error(masked, *given)

    both = [jax.jit(function if compare == "values" else jax.grad(function, (0, 1, 2))) for function in (cut, plain)]
    before = None
    for counts in ((1, 1), (5, 11), (10, 10), (3, 40), (20, 40)):
        given = WEIGHT, NODES, EDGES, tuple(map(jnp.int32, counts))
        got, wanted = (one(*given) for one in both)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), got, wanted)
        before = len(traces) if before is None else before
        assert len(traces) == before


def test_outputs_beyond_what_was_computed_are_zero():
    ones = trimmed(lambda whole, x: x + whole, jnp.ones(()), (jnp.zeros((2, 40)), jnp.int32(9)))
    assert ones.shape == (2, 40) and ones[0].tolist() == [1.0] * 10 + [0.0] * 30


def test_sizes():
    assert sizes_for(100, (0.5, 1)) == (50, 100) and sizes_for(4) == (4, 4, 4, 4)
    with pytest.raises(ShapeError, match="groups of their own"):
        trimmed(masked, 0, ((NODES, EDGES), jnp.int32(1)))
