"""Graph networks."""
import numpy as np

from pellucid.networks import Graph

ROWS, OUT = 6, 3
NODES, EDGES = 6, 8
RANDOM = np.random.default_rng(3)


def graphs(rows=ROWS, nodes=NODES, edges=EDGES, graph_features=0):
    """Random graphs of different sizes, with edges both ways; the last one has a single node."""
    inputs = {"nodes": RANDOM.normal(size=(rows, nodes, 4)).astype(np.float32),
              "edges": np.zeros((rows, edges, 2), np.int32),
              "edge_features": RANDOM.normal(size=(rows, edges, 2)).astype(np.float32),
              "node_count": RANDOM.integers(3, nodes + 1, rows).astype(np.int32),
              "edge_count": np.zeros(rows, np.int32)}
    inputs["node_count"][-1] = 1
    for row, count in enumerate(inputs["node_count"]):
        pairs = [(a, b) for a in range(count) for b in range(a)]
        chosen = RANDOM.permutation(len(pairs))[:edges // 2]
        both = [way for index in chosen for way in (pairs[index], pairs[index][::-1])]
        inputs["edge_count"][row] = len(both)
        inputs["edges"][row, :len(both)] = np.array(both, np.int32).reshape(-1, 2)
    if graph_features:
        inputs["graph_features"] = RANDOM.normal(size=(rows, graph_features)).astype(np.float32)
    return inputs


CASES = {
    "graph, directed": (lambda key: Graph(4, OUT, edge_features=2, graph_features=3, hidden=8, dropout=0.1, key=key),
                        graphs(graph_features=3)),
    "graph, attention": (lambda key: Graph(4, OUT, edge_features=2, hidden=8, depth=2, messages="attention",
                                           readout="attention", activation="silu",
                                           head={"hidden": (5,), "normalisation": "batch"}, key=key), graphs()),
}
