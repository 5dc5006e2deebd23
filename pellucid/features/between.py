"""The steps of a series as parts that can be pointed at, and what the series is without some of them."""
from __future__ import annotations

import numpy as np

MOST_STEPS = 24
"""Parts of a series; in longer ones, neighbouring steps are one part."""


def step_groups(length: int) -> np.ndarray:
    """int (length,): the part that each step of a window goes into; the last steps are never joined with fewer.

    Example:
        >>> step_groups(50)[[0, 1, 2, 3, 47, 49]].tolist()
        [0, 0, 1, 1, 16, 16]
    """
    size = -(-length // MOST_STEPS)
    groups = np.arange(length)[::-1] // size
    return groups.max() - groups


def between(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Values with those that are not known on the straight line between their neighbours; before the first known value
    and behind the last one flat; at the mean of all where none is known.

    Args:
        values: float64 (time, …).
        known: bool (rows, time).

    Returns:
        float64 (rows, time, …).

    Example:
        >>> between(np.array([1.0, 9.0, 5.0]), np.array([[True, False, True], [False, True, False], [False] * 3]))
        array([[1., 3., 5.],
               [9., 9., 9.],
               [5., 5., 5.]])
    """
    length = len(values)
    places = np.arange(length)
    before = np.maximum.accumulate(np.where(known, places, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, places, length)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before >= 0, before, np.minimum(after, length - 1))
    right = np.where(after < length, after, np.maximum(before, 0))
    share = np.where(right > left, (places - left) / np.maximum(right - left, 1), 0.0)
    deep = lambda array: array.reshape(*array.shape, *[1] * (values.ndim - 1))  # noqa: E731
    filled = values[left] * (1 - deep(share)) + values[right] * deep(share)
    return np.where(deep(known.any(axis=1, keepdims=True)), filled, values.mean(axis=0))
