"""Plain views of raw columns: few numbers of each picture or series, made without anything fitted."""
from __future__ import annotations

import math

import numpy as np


def shrunken(pixels: np.ndarray, most: int) -> np.ndarray:
    """Means of square blocks, float32 (rows, height, width, channels), at most `most` numbers a picture.

    Args:
        pixels: uint8 (rows, height, width, channels).
        most: how many numbers.
    """
    rows, height, width, channels = pixels.shape
    block = block_side(pixels.shape[1:], most)
    if block == 1:
        return pixels.astype(np.float32) / 255
    down, right = -height % block, -width % block
    padded = np.pad(pixels, ((0, 0), (0, down), (0, right), (0, 0)), mode="edge")
    shape = (rows, (height + down) // block, block, (width + right) // block, block, channels)
    return padded.reshape(shape).mean((2, 4), dtype=np.float32) / 255


def block_side(shape: tuple[int, int, int], most: int) -> int:
    """The side of the smallest square blocks of which a picture (height, width, channels) has at most `most` means."""
    (height, width, channels), block = shape, 1
    while math.ceil(height / block) * math.ceil(width / block) * channels > most:
        block += 1
    return block


def resampled(values: np.ndarray, lengths: np.ndarray, points: int) -> list[np.ndarray]:
    """(rows, channels) at each of so many places from the first to the last step, between neighbours where need be.

    Args:
        values: (rows, steps, channels).
        lengths: (rows,) steps that count, at least 1.
        points: how many places.
    """
    found, rows = [], np.arange(len(values))
    for share in np.linspace(0, 1, points):
        place = share * (lengths - 1)
        before = np.floor(place).astype(np.int64)
        after = np.minimum(before + 1, lengths - 1)
        rest = (place - before)[:, None]
        found.append(values[rows, before] * (1 - rest) + values[rows, after] * rest)
    return found
