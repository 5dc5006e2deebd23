"""What a model that learned without answers says about rows: a code, a place on the map, a group, neighbours."""
from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.note import Note

NONE = "none"


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes of rows.

    Args:
        codes: float32 (rows, size); near codes are alike, and the first two numbers are a map.
        group: (rows,) the nearest group, from 0; -1 where there are none.
        names: of the groups.
        distance: float64 (rows,) the mean distance to the nearest training rows.
        p_value: float64 (rows,) the share of training rows that lie at least as far from those nearest to them; among
            rows like these, at most so many have one as low.
        outlier: bool (rows,) whether that is far out.
        neighbours: int64 (rows, count) the numbers of the nearest training rows, nearest first.
        notes: what was noticed about the rows.
        first_row: the number of the first row, where a large file is read in pieces.
        files: where each row comes from, where a folder is read.
    """

    codes: np.ndarray
    group: np.ndarray
    names: tuple[str, ...]
    distance: np.ndarray
    p_value: np.ndarray
    outlier: np.ndarray
    neighbours: np.ndarray
    notes: tuple[Note, ...] = ()
    first_row: int = 0
    files: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def to_frame(self) -> pl.DataFrame:
        """`row` (or `file`), `group`, `outlier`, `distance`, `p_value`, `neighbours` (a JSON list of training rows),
        `code_1`, `code_2`, …, of which the first two are the map."""
        columns: dict[str, Any] = {"row": np.arange(self.first_row, self.first_row + len(self))} if self.files is None \
            else {"file": self.files}
        columns["group"] = [self.names[group] if group >= 0 else NONE for group in self.group.tolist()]
        columns |= {"outlier": self.outlier, "distance": self.distance, "p_value": self.p_value,
                    "neighbours": [json.dumps(row) for row in self.neighbours.tolist()]}
        columns |= {f"code_{place + 1}": self.codes[:, place] for place in range(self.codes.shape[1])}
        return pl.DataFrame(columns)

    def to_json(self) -> list[dict[str, Any]]:
        """One object a row, of plain values."""
        return [row | {"neighbours": json.loads(row["neighbours"])} for row in self.to_frame().iter_rows(named=True)]

    def to_csv(self, header: bool = True) -> str:
        """Comma-separated values."""
        out = io.StringIO()
        out.write(self.to_frame().write_csv(include_header=header))
        return out.getvalue()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_json())
