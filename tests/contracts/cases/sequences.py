"""Recurrent networks and transformers, on numbers and on codes, with rows of one length and of many."""
import numpy as np

from pellucid.networks import Recurrent, Transformer

ROWS, OUT, TIME = 6, 3, 7
RANDOM = np.random.default_rng(0)
LENGTHS = np.array([7, 3, 1, 5, 7, 2], np.int32)
VALUES = RANDOM.normal(size=(ROWS, TIME, 2)).astype(np.float32)
CODES = RANDOM.integers(0, 9, (ROWS, TIME)).astype(np.int32)
RAGGED_VALUES, RAGGED_CODES = {"values": VALUES, "lengths": LENGTHS}, {"codes": CODES, "lengths": LENGTHS}

CASES = {
    "simple recurrence": (lambda key: Recurrent(2, (4,), OUT, cell="simple", output="mean", key=key), VALUES),
    "lstm, both ways": (lambda key: Recurrent(2, (4,), OUT, cell="lstm", bidirectional=True, dropout=0.2, key=key),
                        RAGGED_VALUES),
    "gru on codes": (lambda key: Recurrent(9, (4,), OUT, codes=True, key=key), RAGGED_CODES),
    "transformer": (lambda key: Transformer(9, OUT, width=8, depth=1, heads=2, codes=True, dropout=0.1, key=key),
                    RAGGED_CODES),
    "causal transformer": (lambda key: Transformer(2, OUT, width=8, depth=1, heads=2, causal=True, output="last",
                                                   positions="learned", key=key), VALUES),
}
