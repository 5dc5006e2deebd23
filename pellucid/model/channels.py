"""Encoded columns as one matrix of plain channels, for what looks at rows from outside the networks."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST_CHANNELS = 200
MOST_CODES = 30


def channels(inputs: Mapping[str, Any], cardinalities: Sequence[int]) -> np.ndarray:
    """float64 (rows, channels): the numbers, and one channel for each code of a column but its first.

    Columns with more than 30 codes are left out, and all codes, then all numbers, where there would be more than 200
    channels.

    Args:
        inputs: encoded rows: `"numbers"` and `"codes"`.
        cardinalities: the number of codes of each column of codes.
    """
    numbers = np.clip(np.asarray(inputs["numbers"], np.float64), -10, 10)
    codes = np.asarray(inputs["codes"])
    hot = [codes[:, place, None] == np.arange(1, count) for place, count in enumerate(cardinalities)
           if count <= MOST_CODES]
    if numbers.shape[1] + sum(one.shape[1] for one in hot) <= MOST_CHANNELS:
        return np.column_stack([numbers, *hot]).astype(np.float64)
    return numbers if numbers.shape[1] <= MOST_CHANNELS else numbers[:, :0]
