"""Made-up cells as frequent as those of the training rows: what stands in for a cell that is not known.

They come from fitted quantiles and counts of one column alone; no training row is kept.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

QUANTILES = 65


def quantiles_of(values: np.ndarray) -> tuple[float, ...]:
    """65 evenly spaced quantiles of finite `values` (rows,), each a value that occurs, so that whole numbers stay
    whole; empty for no value."""
    if not len(values):
        return ()
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return tuple(np.quantile(values, shares, method="inverted_cdf").tolist())


def even_shares(rows: int, generator: np.random.Generator) -> np.ndarray:
    """float64 (rows,): one number from each of `rows` equal pieces of [0, 1), in random order."""
    return generator.permutation((np.arange(rows) + generator.uniform(size=rows)) / max(rows, 1))


def numbers_at(shares: np.ndarray, quantiles: Sequence[float], *, center: float = 0.0, scale: float = 1.0,
               missing: float = 0.0) -> np.ndarray:
    """The values at these shares of a column, NaN for as many as it lacked.

    Args:
        shares: float64 (rows,) in [0, 1).
        quantiles: as `quantiles_of` gives them; a normal distribution stands in for empty ones of older files.
        center, scale: of that distribution.
        missing: the share of cells without a value.

    Example:
        >>> numbers_at(np.array([0.1, 0.6, 0.9]), (1.0, 2.0), missing=0.5).tolist()
        [nan, 1.0, 2.0]
    """
    inside = np.clip((shares - missing) / max(1 - missing, 1e-12), 0, 1 - 1e-12)
    if len(quantiles):
        values = np.asarray(quantiles, np.float64)[(inside * len(quantiles)).astype(int)]
    else:
        values = center + scale * ndtri(np.clip(inside, 1e-3, 1 - 1e-3))
    return np.where(shares < missing, np.nan, values)


def codes_at(shares: np.ndarray, counts: Sequence[int], levels: int) -> np.ndarray:
    """The codes 0 … levels at these shares of a column.

    Args:
        shares: float64 (rows,) in [0, 1).
        counts: how many training rows held code 0, 1, …; where empty (older files), the second level is half as
            frequent as the first, the third a third, and so on.
        levels: the highest code.

    Example:
        >>> codes_at(np.array([0.1, 0.5, 0.9]), (0, 3, 1), 2).tolist()
        [1, 1, 2]
    """
    weights = np.asarray(counts, np.float64) if len(counts) else np.array(
        [0.0, *(1 / np.arange(1, levels + 1))] if levels else [1.0])
    ends = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(ends, shares, side="right"), len(weights) - 1).astype(np.int32)
