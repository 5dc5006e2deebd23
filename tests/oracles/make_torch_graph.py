"""Records what PyTorch gives for the cases of `test_graph_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_graph.py

The reference takes one graph at a time, one node at a time and one edge at a time, as the papers' formulas do.
"""
import json
from pathlib import Path

import numpy as np
import torch

RANDOM = np.random.default_rng(11)
FEATURES, EDGE_FEATURES, HEADS, DEPTH = 4, 2, 2, 3
EDGES = [[(0, 1), (1, 0), (1, 2), (2, 1)], [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (0, 2), (3, 0)]]
NODES = [3, 4]


def tensor(*shape):
    return torch.tensor(RANDOM.normal(size=shape).round(3), dtype=torch.float64, requires_grad=True)


def aggregate(kind, messages):
    if not messages:
        return torch.zeros(FEATURES, dtype=torch.float64)
    stacked = torch.stack(messages)
    return {"sum": stacked.sum(0), "mean": stacked.mean(0), "max": stacked.amax(0)}[kind]


def neighbourly(kind, weights, nodes, edges, features):
    """`MessagePassing`."""
    messages = {edge: torch.tanh(nodes[edge[0]] + features[i] @ weights["edge"]) for i, edge in enumerate(edges)}
    found = []
    for v in range(len(nodes)):
        into = [edge for edge in edges if edge[1] == v]
        if kind == "attention" and into:
            size, parts = FEATURES // HEADS, []
            for head in range(HEADS):
                own = slice(head * size, (head + 1) * size)
                scores = []
                for u, _ in into:
                    raw = (nodes[u] @ weights["score_source"] + weights["score_source_bias"]
                           + nodes[v] @ weights["score_target"]
                           + features[edges.index((u, v))] @ weights["score_edge"])
                    scores.append(torch.nn.functional.leaky_relu(raw, 0.2)[own] @ weights["score"][:, head])
                share = torch.softmax(torch.stack(scores), 0)
                parts.append(sum(share[i] * messages[edge][own] for i, edge in enumerate(into)))
            gathered = torch.cat(parts)
        else:
            gathered = aggregate("sum" if kind == "attention" else kind, [messages[edge] for edge in into])
        hidden = (1 + weights["self_gain"]) * nodes[v] + gathered
        for name in ("first", "second"):
            hidden = torch.tanh(hidden @ weights[name] + weights[name + "_bias"])
        found.append(hidden)
    return torch.stack(found)


def directed(weights, nodes, edges, features):
    """`DirectedMessagePassing`."""
    start = {edge: torch.cat([nodes[edge[0]], features[i]]) @ weights["enter"] for i, edge in enumerate(edges)}
    state = {edge: torch.tanh(value) for edge, value in start.items()}
    for _ in range(DEPTH - 1):
        state = {(v, w): torch.tanh(start[v, w] + sum(
            (state[u, x] for u, x in edges if x == v and u != w), torch.zeros(FEATURES, dtype=torch.float64))
            @ weights["hidden"]) for v, w in edges}
    found = []
    for v in range(len(nodes)):
        gathered = sum((state[edge] for edge in edges if edge[1] == v), torch.zeros(FEATURES, dtype=torch.float64))
        found.append(torch.tanh(torch.cat([nodes[v], gathered]) @ weights["leave"] + weights["leave_bias"]))
    return torch.stack(found)


def record(name, weights, layer):
    """Output and gradients of the sum of cubes by weights, nodes and edges; readouts of the same output."""
    nodes, features = [tensor(count, FEATURES) for count in NODES], [tensor(len(e), EDGE_FEATURES) for e in EDGES]
    outputs = [layer(weights, *given) for given in zip(nodes, EDGES, features, strict=True)]
    sum((output ** 3).sum() for output in outputs).backward()
    as_lists = lambda tensors: [one.tolist() for one in tensors]  # noqa: E731
    return {"name": name, "weights": {key: value.tolist() for key, value in weights.items()},
            "nodes": as_lists(nodes), "features": as_lists(features), "output": as_lists(outputs),
            "gradient": {key: value.grad.tolist() for key, value in weights.items()},
            "nodes_gradient": as_lists(one.grad for one in nodes),
            "features_gradient": as_lists(one.grad for one in features),
            "readout": {"sum": as_lists(o.sum(0) for o in outputs), "mean": as_lists(o.mean(0) for o in outputs),
                        "max": as_lists(o.amax(0) for o in outputs)}}


def main():
    cases = []
    for kind in ("sum", "mean", "max", "attention"):
        weights = {"edge": tensor(EDGE_FEATURES, FEATURES), "self_gain": tensor(1)}
        for name in ("first", "second"):
            weights |= {name: tensor(FEATURES, FEATURES), name + "_bias": tensor(FEATURES)}
        if kind == "attention":
            weights |= {"score_source": tensor(FEATURES, FEATURES), "score_source_bias": tensor(FEATURES),
                        "score_target": tensor(FEATURES, FEATURES), "score_edge": tensor(EDGE_FEATURES, FEATURES),
                        "score": tensor(FEATURES // HEADS, HEADS)}
        cases.append(record(kind, weights, lambda *given, kind=kind: neighbourly(kind, *given)))
    size = FEATURES
    weights = {"enter": tensor(size + EDGE_FEATURES, size), "hidden": tensor(size, size),
               "leave": tensor(2 * size, size), "leave_bias": tensor(size)}
    cases.append(record("directed", weights, directed))
    golden = {"torch": torch.__version__, "edges": EDGES, "cases": cases}
    Path(__file__).with_name("torch_graph.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
