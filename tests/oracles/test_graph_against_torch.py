"""Message passing against PyTorch, one edge at a time there, all graphs at once here (recorded values)."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.nn.message_passing import DirectedMessagePassing, MessagePassing, Readout, end_to_end

GOLDEN = json.loads(Path(__file__).with_name("torch_graph.json").read_text())
MOST_NODES, MOST_EDGES = 6, 9
COUNTS = [[len(nodes) for nodes in GOLDEN["cases"][0]["nodes"]], [len(edges) for edges in GOLDEN["edges"]]]


def padded(arrays, most, fill=0):
    """Arrays of different lengths as one, with numbers in the padding that would show if they were used."""
    whole = np.full((len(arrays), most, *np.shape(arrays[0])[1:]), fill, np.asarray(arrays[0]).dtype)
    for row, values in zip(whole, arrays, strict=True):
        row[:len(values)] = values
    return jnp.asarray(whole)


def weight(layer, name):
    """The array of a layer that the record calls `name`."""
    part = getattr(layer, name.removesuffix("_bias"))
    return part if isinstance(part, jax.Array) else (part.bias if name.endswith("_bias") else part.weight)


def with_weights(layer, case):
    """The layer with the recorded weights."""
    for name, value in case["weights"].items():
        layer = eqx.tree_at(lambda tree, name=name: getattr(tree, name) if name == "self_gain" else getattr(
            getattr(tree, name.removesuffix("_bias")), "bias" if name.endswith("_bias") else "weight"),
            layer, jnp.asarray(value))
    return layer


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_layer(case):
    with jax.enable_x64(True):
        if case["name"] == "directed":
            layer = DirectedMessagePassing(4, 2, 4, depth=3, activation="tanh", key=jax.random.key(0))
        else:
            layer = MessagePassing(4, 2, aggregation=case["name"], heads=2, activation="tanh", key=jax.random.key(0))
        layer = with_weights(layer, case)
        edges = padded(GOLDEN["edges"], MOST_EDGES).astype(jnp.int32)
        counts = [jnp.asarray(count, jnp.int32) for count in COUNTS]
        readouts = [Readout(4, aggregation=kind, key=jax.random.key(0)) for kind in ("sum", "mean", "max")]

        def run(layer, nodes, features):
            graphs = end_to_end(edges, MOST_NODES, *counts)
            output = layer(nodes, features, graphs)
            output = output[0] if case["name"] == "directed" else output
            return jnp.sum(jnp.where(graphs.node_present[..., None], output, 0) ** 3), (
                output, [readout(output, graphs) for readout in readouts])

        gradient, (output, read) = jax.jit(jax.grad(run, (0, 1, 2), has_aux=True))(
            layer, padded(case["nodes"], MOST_NODES, 7.0), padded(case["features"], MOST_EDGES, -5.0))
    for row, expected in enumerate(case["output"]):
        np.testing.assert_allclose(output[row, :len(expected)], expected, rtol=1e-9, atol=1e-12)
    for name, expected in case["gradient"].items():
        found = weight(gradient[0], name)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12, err_msg=name)
    for found, name in zip(gradient[1:], ("nodes_gradient", "features_gradient"), strict=True):
        for row, expected in enumerate(case[name]):
            np.testing.assert_allclose(found[row, :len(expected)], expected, rtol=1e-8, atol=1e-12)
            assert not np.any(found[row, len(expected):])  # padding has no say
    for found, kind in zip(read, ("sum", "mean", "max"), strict=True):
        np.testing.assert_allclose(found, case["readout"][kind], rtol=1e-9)
