"""A table as it was read: raw columns, where they came from, and what the user should know."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.errors import DataError, did_you_mean

__all__ = ["Note", "Table"]


@dataclass(frozen=True)
class Table:
    """Raw columns of equal length.

    Args:
        frame: from text files every column is text, nothing is guessed; other sources keep their types.
        source: what it was read from, such as `"bank.csv"`, `"data frame"`, `"array"`, `"standard input"`.
        notes: what reading noticed.
    """

    frame: pl.DataFrame
    source: str
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @property
    def names(self) -> tuple[str, ...]:
        """The column names."""
        return tuple(self.frame.columns)

    def column(self, name: str) -> pl.Series:
        """One column.

        Raises:
            DataError: there is no such column; the hint names the nearest.
        """
        if name not in self.frame.columns:
            raise DataError(f"There is no column `{name}` in {self.source}.", did_you_mean(name, self.names))
        return self.frame.get_column(name)

    def take(self, indices: np.ndarray | Sequence[int]) -> Table:
        """The rows at `indices`, in that order."""
        return replace(self, frame=self.frame[np.asarray(indices, dtype=np.int64)])

    def select(self, names: Sequence[str]) -> Table:
        """The columns `names`, in that order.

        Raises:
            DataError: there is no such column.
        """
        return replace(self, frame=pl.DataFrame([self.column(name) for name in names]))
