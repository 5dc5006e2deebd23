"""Recursive networks, on trees of different shapes and sizes."""
from pellucid.data.trees import parse_trees, tree_arrays, vocabulary
from pellucid.networks import Recursive

ROWS, OUT = 6, 3
LINES = ["(1 a)", "(0 (1 a) (2 b))", "(0 (1 b) (2 (1 c) (0 d)))", "(2 (2 (1 a) (2 b)) (1 (0 c) (1 d)))",
         "(1 (1 (0 (2 c) (1 b)) (2 a)) (1 d))", "(0 (1 e) (1 a))"]
TREES = parse_trees(LINES)
BINARY = tree_arrays(TREES, vocabulary(TREES[:-1]), nodes=9)
WIDE = tree_arrays(parse_trees(["(1 (0 a) (1 b) (2 c))", "(2 (1 d))", *LINES[2:]]), vocabulary(TREES), nodes=8)

CASES = {
    "tree, lstm": (lambda key: Recursive(6, OUT, embedding=4, hidden=5, output="root", key=key,
                                         dropout={"words": 0.2, "embedding": 0.3, "connections": 0.2, "hidden": 0.3}),
                   BINARY),
    "tree, child sum": (lambda key: Recursive(6, OUT, embedding=4, hidden=5, cell="child_sum_lstm", output="root",
                                              inner_words=True, dropout=0.2, key=key), WIDE),
}
