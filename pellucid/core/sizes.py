"""Lengths that arrays are padded to, so that data of about the same size share a compiled program."""
from __future__ import annotations

SHORT = 64
"""Up to this length, a size is rounded up to a power of two: compiling takes longer than working on padding does."""


def bucket(count: int) -> int:
    """The next of 8, 16, 32, 64, 80, 96, 112, 128, 160, …: lengths that share a compiled program."""
    count = max(count, 8)
    step = 1 << ((count - 1).bit_length() - (0 if count <= SHORT else 3))
    return -(-count // step) * step
