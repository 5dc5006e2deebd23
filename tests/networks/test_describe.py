"""Descriptions, drawings and synapses."""
import equinox as eqx
import jax
import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.networks import Feedforward, PerExample, Tabular, describe, strongest_synapses, weights

KEY = jax.random.key(0)


def test_a_plain_network():
    description = describe(Feedforward(30, (64, 64), 2, activation="tanh", key=KEY), batch_size=32)
    assert [description.neurons(role) for role in ("input", "hidden", "output")] == [30, 128, 2]
    assert description.synapses == 30 * 64 + 64 * 64 + 64 * 2 and description.biases == 130
    assert description.flops == 2 * 32 * description.synapses and description.bytes == 4 * (description.synapses + 130)
    assert [row.activation for row in description.rows] == ["", "tanh", "tanh", "identity"]
    assert [row.shape for row in description.rows] == ["", "30 × 64", "64 × 64", "64 × 2"]


def test_paths():
    description = describe(Feedforward(4, (6, 6), 1, residual=True, skip=True, key=KEY))
    assert description.paths == ((1, 3, "residual"), (3, 5, "residual"), (0, 6, "linear path"))
    assert "linear path: from depth 0 to depth 6" in str(description)


def test_a_table():
    network = Tabular(3, (5, 100), 2, numbers={"embedding": "periodic"}, skip=True, scale=True,
                      body={"hidden": (8,)}, key=KEY)
    description = describe(network)
    assert description.neurons("input") == 3 + 4 + 100
    assert [row.name for row in description.rows] == [
        "numbers", "categories, one-hot", "categories", "periodic embedding", "category embedding", "scale", "hidden 1",
        "output", "linear path"]


def test_a_foreign_network_lists_its_arrays():
    description = describe(PerExample(eqx.nn.MLP(3, 2, 8, 1, key=KEY)))
    assert description.synapses == 24 + 16 and description.biases == 10 and description.rows[0].role == "weights"


def test_weights_and_strongest_synapses():
    network = Feedforward(3, (4,), 2, key=KEY)
    network = eqx.tree_at(lambda network: network.hidden[0].dense.weight, network,
                          np.array([[0, 0, 0, 1.0], [0, -5, 0, 0], [2, 0, 0, 0]], np.float32))
    assert list(weights(network)) == ["hidden[0].dense.weight", "output.weight"]
    strong = strongest_synapses(network, ("age", "amount", "rate"), 3)
    assert [(synapse.source, synapse.neuron, synapse.weight) for synapse in strong] == [
        ("amount", 1, -5.0), ("rate", 0, 2.0), ("age", 3, 1.0)]
    assert str(strong[0]) == "amount → neuron 1: -5"
    with pytest.raises(ShapeError):
        strongest_synapses(network, ("age",))
