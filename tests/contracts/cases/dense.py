"""Feed-forward networks, networks for tables, and a foreign network."""
import equinox as eqx
import numpy as np

from pellucid.networks import Feedforward, PerExample, Tabular

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(ROWS, 5)).astype(np.float32)
TABLE = {"numbers": RANDOM.normal(size=(ROWS, 4)).astype(np.float32),
         "codes": np.stack([RANDOM.integers(0, size, ROWS) for size in (3, 5, 40)], 1).astype(np.int32)}
CARDINALITIES = (3, 5, 40)
EDGES = np.sort(RANDOM.normal(size=(4, 6)), axis=1)

CASES = {
    "linear": (lambda key: Feedforward(5, (), OUT, key=key), FLAT),
    "two hidden": (lambda key: Feedforward(5, (8, 7), OUT, activation="tanh", key=key), FLAT),
    "no bias, skip, dropout": (lambda key: Feedforward(5, (8,), OUT, bias=False, skip=True, dropout=0.3, key=key),
                               FLAT),
    "layer normalisation": (lambda key: Feedforward(5, (8, 8), OUT, normalisation="layer", activation="silu", key=key),
                            FLAT),
    "batch normalisation": (lambda key: Feedforward(5, (8,), OUT, normalisation="batch", dropout=0.2, key=key), FLAT),
    "residual": (lambda key: Feedforward(5, (8, 6), OUT, residual=True, normalisation="batch", dropout=0.1, skip=True,
                                         first_gain=2.0, first_bias=0.5, key=key), FLAT),
    "table, periodic": (lambda key: Tabular(
        4, CARDINALITIES, OUT, numbers={"embedding": "periodic", "columns": (0, 2), "sources": (0, 0, 1, 2)},
        scale=True, skip=True, column_dropout=0.3,
        body={"hidden": (8, 8), "activation": "selu", "dropout": 0.1}, key=key), TABLE),
    "table, plr": (lambda key: Tabular(4, CARDINALITIES, OUT, numbers={"embedding": "plr", "variant": "plr", "size": 3},
                                       body={"hidden": (8,), "normalisation": "batch"}, key=key), TABLE),
    "table, piecewise": (lambda key: Tabular(
        4, CARDINALITIES, OUT, numbers={"embedding": "ple", "bins": 5, "size": 3}, categories={"one_hot_limit": 4},
        body={"hidden": (8,)}, edges=EDGES, key=key), TABLE),
    "foreign": (lambda key: PerExample(eqx.nn.MLP(5, OUT, 8, 1, key=key)), FLAT),
}
