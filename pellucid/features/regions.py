"""A picture as regions that can be pointed at, and what it looks like where some of them are hidden."""
from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

MOST_REGIONS = 49
SMALLEST = 2
"""Pixels on a side."""
PLAIN = 12
"""A border whose brightness deviates by no more is the background that a thing lies before."""
BLUR = 0.15
"""Standard deviation of the blur, in parts of the shorter side."""

Box = tuple[int, int, int, int]


def grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The edges of nearly square regions, at most 49 of them: int (rows + 1,) and (columns + 1,).

    Example:
        >>> rows, columns = grid(28, 28)
        >>> rows.tolist()
        [0, 4, 8, 12, 16, 20, 24, 28]
    """
    side = np.sqrt(MOST_REGIONS)
    rows = int(np.clip(np.floor(side * np.sqrt(height / width) + 1e-9), 1, max(height // SMALLEST, 1)))
    columns = int(np.clip(min(np.floor(side * np.sqrt(width / height) + 1e-9), MOST_REGIONS // rows), 1,
                          max(width // SMALLEST, 1)))
    return tuple(np.round(np.linspace(0, length, number + 1)).astype(int)
                 for length, number in ((height, rows), (width, columns)))


def labels(height: int, width: int, box: Box) -> np.ndarray:
    """int (height, width): the region of each pixel; what lies around the picture belongs to the nearest region.

    Args:
        height, width: of the whole.
        box: top, left, height and width of the picture in it.
    """
    def along(length: int, start: int, edges: np.ndarray) -> np.ndarray:
        inside = np.clip(np.arange(length) - start, 0, edges[-1] - 1)
        return np.searchsorted(edges, inside, side="right") - 1
    rows, columns = grid(box[2], box[3])
    return along(height, box[0], rows)[:, None] * (len(columns) - 1) + along(width, box[1], columns)


def emptied(pixels: np.ndarray) -> np.ndarray:
    """What a picture looks like where it is hidden: its background, if it has a plain one, else itself, blurred until
    no shape is left.

    Args:
        pixels: uint8 (height, width, channels).
    """
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.float64)
    middle = np.median(edge, axis=0)
    if np.abs(edge - middle).mean() <= PLAIN:
        return np.broadcast_to(middle.astype(np.uint8), pixels.shape)
    width = BLUR * min(pixels.shape[:2])
    soft = gaussian_filter(pixels.astype(np.float32), (width, width, 0), mode="nearest")
    return np.round(soft).astype(np.uint8)


def hide(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A picture again and again, some of its pixels hidden: uint8 (coalitions, height, width, channels).

    Args:
        pixels: uint8 (height, width, channels).
        known: bool (coalitions, height, width).
    """
    return np.where(known[..., None], pixels, emptied(pixels))
