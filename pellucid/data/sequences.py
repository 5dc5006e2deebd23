"""Sequences of different lengths as one padded array."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.core.sizes import bucket
from pellucid.errors import DataError, ShapeError


def pad_sequences(sequences: Sequence[Any], *, length: int | None = None) -> dict[str, np.ndarray]:
    """Sequences side by side, padded with zeros at their ends, with the length of each.

    Args:
        sequences: arrays (time,) of integer codes, or (time, features) of numbers; (time,) of numbers has one feature.
        length: of the padded time axis; by default the longest sequence's, rounded up to 8, 16, 32, 64, 80, 96, …, so
            that other data of about the same length need no new compilation.

    Returns:
        `{"codes": int32 (rows, time), "lengths": int32 (rows,)}`, or `"values"`, float32 (rows, time, features).

    Raises:
        DataError: there are none, one is empty, or one is longer than `length`.
        ShapeError: they do not have the same number of features.

    Example:
        >>> padded = pad_sequences([[1, 2, 3], [4]])
        >>> padded["codes"].shape, padded["lengths"].tolist()
        ((2, 8), [3, 1])
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    lengths = np.array([array.shape[0] if array.ndim else 0 for array in arrays], np.int32)
    if not len(lengths) or lengths.min() == 0:
        empty = int(np.argmin(lengths)) if len(lengths) else 0
        raise DataError(f"Sequence {empty} of {len(lengths)} is empty; expected at least one time step in each.",
                        "leave empty sequences out")
    longest = bucket(int(lengths.max())) if length is None else length
    if lengths.max() > longest:
        raise DataError(f"Sequence {int(np.argmax(lengths))} has {lengths.max()} time steps; `length` was {length}.",
                        "cut it, or pass a larger length")
    codes = all(array.ndim == 1 and array.dtype.kind in "iub" for array in arrays)
    arrays = [array if codes or array.ndim > 1 else array[:, None] for array in arrays]
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        raise ShapeError(f"The time steps of the sequences have shapes {sorted(shapes)}; expected one shape.",
                         "give every time step the same number of features")
    padded = np.zeros((len(arrays), longest, *shapes.pop()), np.int32 if codes else np.float32)
    for row, array in zip(padded, arrays, strict=True):
        row[:len(array)] = array
    return {"codes" if codes else "values": padded, "lengths": lengths}
