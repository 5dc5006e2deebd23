"""Rows of other lengths, trees of other shapes and graphs of other sizes compile nothing: read from JAX's own log."""
import jax
import numpy as np
import pytest

import pellucid
from pellucid.data.sequences import pad_sequences
from pellucid.data.trees import parse_trees, tree_arrays, vocabulary
from pellucid.networks import Graph, Recurrent, Recursive, Transformer

ROWS, LONGEST = 40, 16
KEY = jax.random.key(0)


def sequences(random):
    lengths = random.integers(1, LONGEST + 1, ROWS)
    return pad_sequences([random.integers(0, 5, length) for length in lengths], length=LONGEST)


def trees(random):
    def grow(depth):
        if depth == 0 or random.random() < 0.3:
            return f"({random.integers(3)} {random.choice(list('abcde'))})"
        return f"({random.integers(3)} {grow(depth - 1)} {grow(depth - 1)})"
    grown = parse_trees([grow(4) for _ in range(ROWS)])
    return tree_arrays(grown, vocabulary(parse_trees(["(0 (1 a) (1 b))", "(0 (1 c) (1 d))"])), nodes=31)


def graphs(random):
    """Rings of different sizes."""
    count = random.integers(3, LONGEST + 1, ROWS).astype(np.int32)
    places = np.arange(LONGEST)
    ahead = np.where(places < count[:, None] - 1, places + 1, 0)
    edges = np.stack([np.broadcast_to(places, ahead.shape), ahead], axis=-1).astype(np.int32)
    return {"nodes": random.normal(size=(ROWS, LONGEST, 3)).astype(np.float32), "edges": edges, "node_count": count,
            "edge_count": count}


CASES = {
    "recurrent": (lambda: Recurrent(5, (4,), 3, cell="lstm", codes=True, key=KEY), sequences),
    "transformer": (lambda: Transformer(5, 3, width=8, depth=1, heads=2, codes=True, key=KEY), sequences),
    "recursive": (lambda: Recursive(6, 3, embedding=4, hidden=4, output="root", key=KEY), trees),
    "graph": (lambda: Graph(3, 3, hidden=4, depth=1, key=KEY), graphs),
}


@pytest.mark.parametrize("name", CASES)
def test_training_and_prediction_on_other_sizes_compile_nothing(name, caplog):
    make, draw = CASES[name]
    network, compiled = make(), []

    def work(seed):
        random = np.random.default_rng(seed)
        inputs, labels = draw(random), random.integers(0, 3, ROWS).astype(np.int32)
        caplog.clear()
        with jax.log_compiles():
            fit = pellucid.fit(network, "cross_entropy", (inputs, labels), epochs=1, batch_size=8, key=seed)
            fit.predict(inputs)
        compiled.append([record.getMessage() for record in caplog.records if "XLA compilation" in record.getMessage()])
        return fit.history.failures

    assert [work(seed) for seed in (1, 2)] == [(0,), (0,)]
    assert compiled[0]  # the first time, the log does tell of compilations
    assert compiled[1] == []
