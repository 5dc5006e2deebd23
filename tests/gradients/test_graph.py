"""Gradients of graph networks against finite differences, in float64."""
import sys
from pathlib import Path

import pytest

from pellucid.networks import Graph

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "contracts"))
from cases.graph import graphs  # noqa: E402
from slopes import check_network  # noqa: E402


@pytest.mark.parametrize(("messages", "readout"), [("directed", "mean"), ("attention", "attention"), ("max", "max")])
def test_graph(messages, readout):
    check_network(lambda key: Graph(4, 3, edge_features=2, graph_features=2, hidden=4, depth=2, messages=messages,
                                    readout=readout, activation="tanh", dropout=0.2, head={"hidden": ()}, key=key),
                  graphs(rows=3, graph_features=2))
