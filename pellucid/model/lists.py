"""Ranked lists of items for users: what a model that recommends answers."""
from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.note import Note


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Items for users, the best first; one row an item.

    Args:
        user: whom for.
        rank: from 1 on.
        item: what.
        score: the chance, of all items that the user has not met, that this is the next one liked.
        rating: the expected rating; `None` where there are only clicks.
        notes: what was noticed, such as users never seen.
        first_row: the number of the first row, where a large file is answered in pieces.
    """

    user: np.ndarray
    rank: np.ndarray
    item: np.ndarray
    score: np.ndarray
    rating: np.ndarray | None = None
    notes: tuple[Note, ...] = ()
    first_row: int = 0

    def __len__(self) -> int:
        return len(self.user)

    def to_frame(self) -> pl.DataFrame:
        """A data frame with `user`, `rank`, `item`, `score`, and for ratings the expected `rating`."""
        frame = pl.DataFrame({"user": self.user.astype(str), "rank": self.rank, "item": self.item.astype(str),
                              "score": self.score})
        return frame if self.rating is None else frame.with_columns(pl.Series("rating", self.rating))

    def to_json(self) -> list[dict[str, Any]]:
        """One object a row, of plain values."""
        return self.to_frame().to_dicts()

    def to_csv(self, header: bool = True) -> str:
        """Comma-separated text."""
        out = io.BytesIO()
        self.to_frame().write_csv(out, include_header=header)
        return out.getvalue().decode("utf-8")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_json())

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()
