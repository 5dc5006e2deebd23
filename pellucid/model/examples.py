"""Training rows that a model keeps, where its user asked for that; else a model file holds none."""
from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.data.table import Table
from pellucid.errors import DataError

PREFIX = "examples."
LARGEST = 256 * 2**20
"""Bytes of rows that a file keeps; of larger tables, rows evenly spaced."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Training rows with their answers.

    Args:
        table: the columns that the model looks at and its target, with their own types.
        rows: int64 (count,), the number of each in the data that were trained on, counted from 0.
        folds: int64 (count,), the fold of each.
        left_out: the fold that each network left out: it did not learn from those rows.
        total: of how many training rows these were chosen.
    """

    table: Table
    rows: np.ndarray
    folds: np.ndarray
    left_out: tuple[int, ...]
    total: int

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def learned_from(self) -> np.ndarray:
        """bool (networks, rows): whether a network learned from a row."""
        return np.array(self.left_out)[:, None] != self.folds

    def to_json(self) -> dict[str, Any]:
        """All but the rows."""
        return {"left_out": list(self.left_out), "total": self.total}

    def tensors(self) -> dict[str, np.ndarray]:
        """The rows as an Arrow file, and their numbers."""
        file = io.BytesIO()
        self.table.frame.write_ipc(file, compression="uncompressed")
        return {f"{PREFIX}table": np.frombuffer(file.getvalue(), np.uint8), f"{PREFIX}rows": self.rows,
                f"{PREFIX}folds": self.folds}

    @classmethod
    def from_record(cls, value: Mapping[str, Any] | None, tensors: Mapping[str, np.ndarray]) -> Examples | None:
        """What `to_json` and `tensors` gave; `None` for files that keep no rows."""
        if value is None:
            return None
        try:
            frame = pl.read_ipc(io.BytesIO(tensors[f"{PREFIX}table"].tobytes()))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ValueError(f"its training rows cannot be read: {str(error).splitlines()[0]}") from error
        rows, folds = (np.asarray(tensors[f"{PREFIX}{name}"], np.int64) for name in ("rows", "folds"))
        if not len(frame) == len(rows) == len(folds):
            raise ValueError("its training rows do not fit their numbers")
        return cls(Table(frame, "training rows"), rows, folds, tuple(int(fold) for fold in value["left_out"]),
                   int(value["total"]))


def keep_examples(table: Table, names: list[str], rows: np.ndarray, folds: np.ndarray,
                  left_out: tuple[int, ...]) -> Examples:
    """What a model is to keep.

    Args:
        table: the training rows.
        names: of the columns that are kept.
        rows, folds: of each row, see `Examples`.
        left_out: see `Examples`.

    Raises:
        DataError: a column holds what a file cannot keep, such as pictures in memory.
    """
    for name in names:
        if table.column(name).dtype == pl.Object:
            raise DataError(f"The column `{name}` holds objects, which a model file cannot keep.",
                            "give paths to files instead, or leave keep_examples out")
    frame = table.frame.select(names)
    most = max(int(len(frame) * min(LARGEST / max(frame.estimated_size(), 1), 1)), 1)
    chosen = np.unique(np.linspace(0, len(frame) - 1, min(most, len(frame))).astype(np.int64))
    return Examples(Table(frame[chosen], "training rows"), rows[chosen].astype(np.int64),
                    folds[chosen].astype(np.int64), left_out, len(frame))
