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
        files: where each row comes from, as a path relative to the folder that was read; `None` for tables.
        digests: a number for the content of each file that a cell names, by column of paths: equal files have equal
            ones.
    """

    frame: pl.DataFrame
    source: str
    notes: tuple[Note, ...] = ()
    files: pl.Series | None = None
    digests: pl.DataFrame | None = None

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
        indices = np.asarray(indices, dtype=np.int64)
        pick = lambda rows: None if rows is None else rows[indices]  # noqa: E731
        return replace(self, frame=self.frame[indices], files=pick(self.files), digests=pick(self.digests))

    def piece(self, start: int, rows: int) -> Table:
        """Up to `rows` rows from `start` on; the notes go with the first piece."""
        cut = lambda values: None if values is None else values.slice(start, rows)  # noqa: E731
        return replace(self, frame=self.frame.slice(start, rows), files=cut(self.files), digests=cut(self.digests),
                       notes=self.notes if start == 0 else ())

    def contents(self, names: Sequence[str]) -> pl.DataFrame:
        """The columns `names` for comparing rows: files by what they hold instead of where they are."""
        frame = self.frame.select(names)
        known = [] if self.digests is None else [name for name in names if name in self.digests.columns]
        return frame.with_columns(self.digests.select(known)) if known else frame

    def with_columns(self, columns: Sequence[pl.Series]) -> Table:
        """The same table with other cells in some columns."""
        return replace(self, frame=self.frame.with_columns(columns))

    def select(self, names: Sequence[str]) -> Table:
        """The columns `names`, in that order.

        Raises:
            DataError: there is no such column.
        """
        return replace(self, frame=pl.DataFrame([self.column(name) for name in names]))
