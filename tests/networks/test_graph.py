"""Graph networks: the order of nodes and edges does not matter, nor does padding; no second compilation."""
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Graph, describe

sys.path.insert(0, str(Path(__file__).parent.parent / "contracts"))
from cases.graph import graphs  # noqa: E402

INPUTS = graphs(rows=4, nodes=12, edges=20)
RANDOM = np.random.default_rng(0)
traces = []


@jax.jit
def predict(network, inputs):
    traces.append(1)
    return network(inputs)[0]


@jax.jit
def layer_outputs(network, inputs):
    return network.layer_outputs(inputs)


@pytest.fixture(params=["directed", "sum"], scope="module")
def network(request):
    return Graph(4, 2, edge_features=2, hidden=8, depth=2, messages=request.param, readout="sum",
                 key=jax.random.key(0))


def shuffled(inputs):
    """The same graphs with their nodes and edges listed in another order."""
    found = {name: np.array(values) for name, values in inputs.items()}
    for row, (nodes, edges) in enumerate(zip(inputs["node_count"], inputs["edge_count"], strict=True)):
        order, listed = RANDOM.permutation(nodes), RANDOM.permutation(edges)
        found["nodes"][row, order] = inputs["nodes"][row, :nodes]
        found["edges"][row, :edges] = order[inputs["edges"][row, listed]]
        found["edge_features"][row, :edges] = inputs["edge_features"][row, listed]
    return found


def test_order_padding_and_size_do_not_matter_and_compile_nothing(network):
    expected = predict(network, INPUTS)
    count = len(traces)
    np.testing.assert_allclose(predict(network, shuffled(INPUTS)), expected, rtol=1e-4, atol=1e-5)
    dirty = {name: values.copy() for name, values in INPUTS.items()}
    for row in range(4):
        dirty["nodes"][row, INPUTS["node_count"][row]:] = 9
        dirty["edges"][row, INPUTS["edge_count"][row]:] = 3
        dirty["edge_features"][row, INPUTS["edge_count"][row]:] = 9
    np.testing.assert_array_equal(predict(network, dirty), expected)
    small = {name: np.repeat(values[-1:], 4, axis=0) for name, values in INPUTS.items()}  # one node, no edge
    np.testing.assert_allclose(predict(network, small)[0], expected[-1], rtol=1e-5)
    assert len(traces) == count


def test_a_dense_adjacency_gives_the_same():
    network = Graph(4, 2, hidden=6, depth=1, messages="sum", readout="mean", key=jax.random.key(1))
    inputs = {name: values for name, values in INPUTS.items() if name != "edge_features"}
    outputs = layer_outputs(network, inputs)
    layer, values = network.layers[0], np.asarray(network.enter(jnp.asarray(INPUTS["nodes"])))
    for row, (count, edges) in enumerate(zip(INPUTS["node_count"], INPUTS["edge_count"], strict=True)):
        adjacency = np.zeros((count, count))
        for source, target in INPUTS["edges"][row, :edges]:
            adjacency[target, source] = 1
        own = values[row, :count]
        hidden = own + adjacency @ np.maximum(own, 0)
        for dense in (layer.first, layer.second):
            hidden = np.maximum(hidden @ np.asarray(dense.weight) + np.asarray(dense.bias), 0)
        np.testing.assert_allclose(outputs["nodes"][row, :count], hidden, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(outputs["readout"][row], hidden.mean(0), rtol=1e-4, atol=1e-5)
        assert not np.any(outputs["nodes"][row, count:])


def test_messages_do_not_turn_straight_back():
    network = Graph(1, 1, hidden=3, depth=3, messages="directed", activation="identity", key=jax.random.key(0))
    pair = {"nodes": np.ones((1, 2, 1), np.float32), "edges": np.array([[[0, 1], [1, 0]]], np.int32),
            "node_count": np.array([2], np.int32), "edge_count": np.array([2], np.int32)}
    outputs = layer_outputs(network, pair)
    np.testing.assert_allclose(outputs["messages 3"], outputs["messages 1"], rtol=1e-6)  # nothing new to hear


def test_rows_of_like_size_and_description(network):
    sizes = network.row_sizes(INPUTS)
    assert sizes.tolist() == (INPUTS["node_count"] + INPUTS["edge_count"]).tolist()
    assert {row.role for row in describe(network).rows} == {"input", "hidden", "output"}


@pytest.mark.parametrize(("options", "told"), [
    ({"messages": "sums"}, "did you mean `sum`"), ({"readout": "last"}, "expected one of sum, mean"),
    ({"depth": 0}, "depth=0"), ({"hidden": 0}, "hidden=0"), ({"edge_features": -1}, "edge_features=-1")])
def test_bad_settings_are_told(options, told):
    with pytest.raises(SettingsError, match=told):
        Graph(4, 1, **options, key=jax.random.key(0))


def test_bad_shapes_are_told():
    network = Graph(4, 1, edge_features=2, graph_features=3, hidden=4, key=jax.random.key(0))
    with pytest.raises(ShapeError, match="no 'graph_features' among"):
        network(INPUTS)
    with pytest.raises(ShapeError, match=r"'nodes' of shape \(batch, most, 4\), got \(4, 12, 3\)"):
        network(INPUTS | {"nodes": INPUTS["nodes"][..., :3]})
    with pytest.raises(ShapeError, match="expected a dict"):
        network(INPUTS["nodes"])
