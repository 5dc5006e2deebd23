"""Encoders with a head for learning without answers."""
import jax
import numpy as np

from pellucid.networks import Feedforward, Pretraining, Tabular

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(9)
FLAT = RANDOM.normal(size=(ROWS, 5)).astype(np.float32)
TABLE = {"numbers": FLAT, "codes": RANDOM.integers(0, 4, (ROWS, 2)).astype(np.int32)}


def flat(key):
    """A feed-forward encoder with running statistics and a path past its layers."""
    first, second = jax.random.split(key)
    encoder = Feedforward(5, (8,), 4, normalisation="batch", skip=True, dropout=0.1, key=first)
    return Pretraining(encoder, 4, (6,), OUT, key=second)


def table(key):
    """An encoder of tables."""
    first, second = jax.random.split(key)
    return Pretraining(Tabular(5, (4, 4), 4, body={"hidden": (8,)}, key=first), 4, (), OUT, key=second)


CASES = {"pretraining": (flat, FLAT), "pretraining, table": (table, TABLE)}
