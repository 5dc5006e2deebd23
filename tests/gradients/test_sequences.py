"""Gradients of recurrent networks and transformers against finite differences, in float64, over several stretches."""
import sys
from pathlib import Path

import numpy as np
import pytest

from pellucid.networks import Recurrent, Transformer

sys.path.insert(0, str(Path(__file__).parent))
from slopes import check_network  # noqa: E402

RANDOM = np.random.default_rng(0)
VALUES, LENGTHS = RANDOM.normal(size=(3, 37, 2)), np.array([35, 1, 19], np.int32)
CODES = RANDOM.integers(0, 5, (3, 37)).astype(np.int32)
CASES = {
    "lstm": (lambda key: Recurrent(2, (3,), 2, cell="lstm", bidirectional=True, key=key),
             {"values": VALUES, "lengths": LENGTHS}),
    "gru": (lambda key: Recurrent(5, (3,), 2, codes=True, output="steps", dropout=0.2, key=key),
            {"codes": CODES, "lengths": LENGTHS}),
    "transformer": (lambda key: Transformer(2, 2, width=4, depth=1, heads=2, causal=True, output="last", dropout=0.1,
                                            key=key), {"values": VALUES[:, :10], "lengths": np.array([7, 1, 4])}),
}


@pytest.mark.parametrize("name", CASES)
def test_networks(name):
    check_network(*CASES[name])
