"""Parts: every array belongs to one, and what a description counts by them."""
import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from pellucid.networks import Feedforward, Tabular, describe
from pellucid.networks.parts import Part, Parts, array_kind

KEY = jax.random.key(0)


class Windows(eqx.Module):
    """A window of 3 × 3 over an image of 8 × 8, named as a layer names its arrays."""

    weight: jax.Array
    gate_bias: jax.Array
    vectors: jax.Array

    def parts(self):
        return Parts((Part("image", "input", 64, shape=(8, 8, 1), kind="image"),
                      Part("filters", "hidden", 5, "relu", (self.weight, self.gate_bias), shape=(6, 6, 5), uses=36,
                           kind="convolution"),
                      Part("words", "hidden", 2, arrays={"anything": self.vectors}, depth=1)))


def test_uses_shapes_and_names_without_fields():
    network = Windows(jnp.ones((3, 3, 1, 5)), jnp.ones(5), jnp.ones((7, 2)))
    image, filters, words = describe(network, batch_size=10).rows
    assert (image.depth, filters.depth, words.depth) == (0, 1, 1)
    assert filters.kind == "convolution" and filters.output == (6, 6, 5) and filters.shape == "3 × 3 × 1 × 5"
    assert filters.synapses == 45 and filters.biases == 5 and filters.bias and filters.flops == 2 * 45 * 36 * 10
    assert words.synapses == 14 and words.flops == 0  # looked up, not multiplied


@pytest.mark.parametrize(("name", "kind"), [
    ("weight", "multiplied"), ("recurrent_weight", "multiplied"), ("weights", "multiplied"), ("vectors", "looked up"),
    ("bias", "bias"), ("visible_bias", "bias"), ("phase", "bias"), ("edges", "other"), ("", "other"),
])
def test_kinds_of_arrays(name, kind):
    assert array_kind(name) == kind


@pytest.mark.parametrize("network", [
    Feedforward(4, (6, 6), 2, residual=True, normalisation="batch", skip=True, key=KEY),
    Tabular(3, (5, 100), 2, numbers={"embedding": "periodic"}, skip=True, scale=True, column_dropout=0.2, key=KEY),
])
def test_every_array_belongs_to_one_part(network):
    own = [id(leaf) for part in network.parts().rows for leaf in jax.tree.leaves(part.arrays)]
    assert sorted(own) == sorted(id(leaf) for leaf in jax.tree.leaves(network))
