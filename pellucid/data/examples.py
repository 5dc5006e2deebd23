"""Examples: a frozen index view between tables and encoding."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.data.table import Table


@dataclass(frozen=True)
class Examples:
    """Some rows of a table; splits and shuffles act on examples, encoders on columns.

    Args:
        table: the whole table; shared, never copied.
        rows: int64 (examples,), the table row of each example.
    """

    table: Table
    rows: np.ndarray

    @classmethod
    def all_of(cls, table: Table) -> Examples:
        """Every row, in order."""
        return cls(table, np.arange(len(table), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: np.ndarray) -> Examples:
        """The examples at `positions`, in that order."""
        return Examples(self.table, self.rows[np.asarray(positions)])

    def gather(self) -> Table:
        """The rows as a table of their own."""
        return self.table.take(self.rows)
