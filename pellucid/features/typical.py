"""What is usual at each place of pictures or series that lie alike, and made-up ones from that.

They come from quantiles of each place alone; no training row is kept.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.features.background import even_shares

SHARES = 9
"""Evenly spaced quantiles of each place."""

Typical = tuple[tuple[float, ...], ...]
"""(quantiles, places)."""


def typical_of(seen: np.ndarray) -> Typical:
    """The quantiles at each place, each a value that occurs, with six digits.

    Args:
        seen: (rows, places).
    """
    found = np.quantile(seen, (np.arange(SHARES) + 0.5) / SHARES, axis=0, method="inverted_cdf")
    return tuple(tuple(float(f"{value:.6g}") for value in own) for own in found.tolist())


def made_up(typical: Typical, groups: Sequence[int] | np.ndarray, rows: int,
            generator: np.random.Generator) -> np.ndarray:
    """float64 (rows, places): made-up rows; the places of a group stand at the same quantile, groups at any.

    Args:
        typical: the quantiles.
        groups: int (places,).
        rows: how many.
        generator: of the quantiles.

    Example:
        >>> made = made_up(((0.0, 0.0, 5.0), (1.0, 1.0, 6.0)), [0, 0, 1], 4, np.random.default_rng(0))
        >>> sorted(map(tuple, made[:, :2].tolist())), sorted(made[:, 2].tolist())
        ([(0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (1.0, 1.0)], [5.0, 5.0, 6.0, 6.0])
    """
    quantiles, groups = np.asarray(typical, np.float64), np.asarray(groups)
    shares = np.stack([even_shares(rows, generator) for _ in range(int(groups.max()) + 1)], axis=1)
    which = np.minimum((shares * len(quantiles)).astype(int), len(quantiles) - 1)[:, groups]
    return quantiles[which, np.arange(quantiles.shape[1])]
