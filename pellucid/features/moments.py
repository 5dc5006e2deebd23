"""A recording as moments of low and of high pitch that can be pointed at, and what is heard without some of them."""
from __future__ import annotations

import numpy as np

MOMENT, FEWEST, MOST = 0.05, 4, 16
"""Seconds of a moment, and how many there are at least and at most."""
LOWEST = 60.0
"""Hz."""
BREAK = 700.0
"""Hz, from where on the ear hears pitches on a logarithmic scale."""
BLEND = 0.005
"""Seconds in which a moment comes and goes, so that hiding one makes no click."""
SLOPE = 0.1
"""The width of the change from low to high pitches, in parts of the pitch between them."""


def moments(length: int, rate: int) -> np.ndarray:
    """The edges of the moments of a recording, in samples: int (moments + 1,).

    Example:
        >>> moments(4000, 8000).tolist()
        [0, 400, 800, 1200, 1600, 2000, 2400, 2800, 3200, 3600, 4000]
    """
    number = int(np.clip(round(length / rate / MOMENT), FEWEST, MOST))
    return np.round(np.linspace(0, length, min(number, max(length, 1)) + 1)).astype(int)


def middle_pitch(rate: int) -> float:
    """Hz: half of what the ear tells apart is below, half above; the mel scale's middle.

    Example:
        >>> round(middle_pitch(8000))
        1262
    """
    return float(np.sqrt((BREAK + min(LOWEST, rate / 16)) * (BREAK + rate / 2)) - BREAK)


def silenced(samples: np.ndarray, length: int, rate: int, keep: np.ndarray) -> np.ndarray:
    """A recording again and again, some of its moments without their low or high pitches.

    The parts add up to the recording.

    Args:
        samples: int16 (time,).
        length: how many of them count.
        rate: samples a second.
        keep: bool (coalitions, 2 · moments); of each moment first the low pitches, then the high ones.

    Returns:
        int16 (coalitions, time).
    """
    edges = moments(length, rate)
    windows = _windows(len(samples), edges, rate)
    low = _low(samples[:length].astype(np.float64), rate)
    both = np.zeros((2, len(samples)))
    both[:, :length] = low, samples[:length] - low
    chosen = keep.reshape(len(keep), len(edges) - 1, 2).astype(np.float64)
    heard = sum((chosen[:, :, band] @ windows) * both[band] for band in range(2))
    return np.clip(np.rint(heard), -32768, 32767).astype(np.int16)


def _windows(length: int, edges: np.ndarray, rate: int) -> np.ndarray:
    """float64 (moments, length): how much of each sample belongs to each moment; they add up to 1."""
    ramp, times = max(BLEND * rate, 1.0), np.arange(length)
    begun = np.clip((times - edges[1:-1, None]) / ramp + 0.5, 0.0, 1.0)
    ends = np.ones((1, length)), np.zeros((1, length))
    return np.concatenate([ends[0], begun]) - np.concatenate([begun, ends[1]])


def _low(samples: np.ndarray, rate: int) -> np.ndarray:
    """The low pitches alone."""
    middle = middle_pitch(rate)
    pitches = np.fft.rfftfreq(len(samples), 1 / rate)
    share = np.clip((middle * (1 + SLOPE / 2) - pitches) / (middle * SLOPE), 0.0, 1.0)
    return np.fft.irfft(np.fft.rfft(samples) * share, len(samples))
