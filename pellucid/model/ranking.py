"""How good ranked lists are: recall and NDCG at so many items, and how much of the catalogue they show."""
from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

AT = 10
"""The length of the lists that metrics are about."""


def top_items(scores: Float[np.ndarray, "users items"], seen: Bool[np.ndarray, "users items"],
              count: int) -> Int[np.ndarray, "users count"]:
    """The best items of each user, best first; those seen are left out, -1 stands where none is left.

    Args:
        scores: higher is better.
        seen: what must not be shown.
        count: items in a list.
    """
    scores, items = np.where(seen, -np.inf, scores), scores.shape[1]
    kept = min(count, items)
    best = np.argpartition(-scores, kept - 1, axis=1)[:, :kept] if kept < items else np.tile(
        np.arange(items), (len(scores), 1))
    value = np.take_along_axis(scores, best, axis=1)
    order = np.lexsort((best, -value), axis=1)
    best = np.where(np.isneginf(np.take_along_axis(value, order, axis=1)), -1, np.take_along_axis(best, order, axis=1))
    return np.pad(best, ((0, 0), (0, count - kept)), constant_values=-1)


def list_quality(top: Int[np.ndarray, "users count"], liked: Bool[np.ndarray, "users items"],
                 ) -> tuple[Float[np.ndarray, " users"], Float[np.ndarray, " users"]]:
    """Recall and NDCG of each user's list.

    Recall is the share of the liked items that the list holds. NDCG is `Σ_hits 1/log₂(rank + 1)` over its value for a
    list that begins with all liked items. Both are NaN for users who like nothing.

    Source: Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques".
    """
    hits = np.take_along_axis(liked, np.maximum(top, 0), axis=1) & (top >= 0)
    count = liked.sum(axis=1)
    worth = 1 / np.log2(np.arange(2, top.shape[1] + 2))
    best = np.concatenate([[0.0], np.cumsum(worth)])[np.minimum(count, top.shape[1])]
    with np.errstate(invalid="ignore", divide="ignore"):
        return hits.sum(axis=1) / np.where(count, count, np.nan), (hits * worth).sum(axis=1) / np.where(
            count, best, np.nan)


def shown_share(top: Int[np.ndarray, "users count"], items: int) -> float:
    """The share of all items that stand in somebody's list."""
    return len(np.unique(top[top >= 0])) / max(items, 1)
