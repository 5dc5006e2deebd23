"""Gradients of recursive networks against finite differences, in float64."""
import sys
from pathlib import Path

from pellucid.data.trees import parse_trees, tree_arrays, vocabulary
from pellucid.networks import Recursive

sys.path.insert(0, str(Path(__file__).parent))
from slopes import check_network  # noqa: E402

TREES = parse_trees(["(1 (1 (0 (2 c) (1 b)) (2 a)) (1 d))", "(0 (1 a) (2 b))", "(1 a)"])
INPUTS = tree_arrays(TREES, vocabulary(TREES), nodes=10)


def test_trees():
    dropout = {"words": 0.2, "embedding": 0.2, "connections": 0.2, "hidden": 0.2}
    check_network(lambda key: Recursive(5, 2, embedding=3, hidden=4, dropout=dropout, key=key), INPUTS)
