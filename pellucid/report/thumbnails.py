"""Small pictures inside a report."""
from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

LARGEST = 96


def png(pixels: np.ndarray) -> str:
    """A picture as a PNG file in base64, at most 96 pixels wide and high.

    Args:
        pixels: uint8 (height, width, 1 or 3).
    """
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((LARGEST, LARGEST))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()
