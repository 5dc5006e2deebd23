"""What every feature type offers: a column of raw cells in, arrays out."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Encoded:
    """One encoded column.

    Args:
        numbers: float32 (rows, channels), always finite.
        codes: int32 (rows, 0 or 1).
        missing: bool (rows,), True where the cell gave no value (empty, infinite or unreadable).
        counts: how many cells were `"missing"`, `"unseen"`, `"infinite"` or `"unreadable"`; only those above 0.
    """

    numbers: np.ndarray
    codes: np.ndarray
    missing: np.ndarray
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AbstractFeature(ABC):
    """A column type fitted on training rows: frozen, JSON-serialisable, the same answer for the same cell always.

    Args:
        name: the column.
        reason: why the column has this type, for a user.
    """

    kind: ClassVar[str]
    name: str
    reason: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the float channels."""
        return ()

    @property
    def cardinality(self) -> int | None:
        """How many codes the integer channel has, or None without one."""
        return None

    @abstractmethod
    def encode(self, column: pl.Series) -> Encoded:
        """Encode raw cells."""

    def to_json(self) -> dict[str, Any]:
        """The type and its fitted values as plain values."""
        return {"kind": self.kind, **asdict(self)}


def encoded(rows: int, *, numbers: list[np.ndarray] | None = None, codes: np.ndarray | None = None,
            missing: np.ndarray | None = None, counts: dict[str, int] | None = None) -> Encoded:
    """Put channels together, with the right dtypes and empty arrays where there are none."""
    floats = np.stack(numbers, axis=1).astype(np.float32) if numbers else np.zeros((rows, 0), np.float32)
    integers = np.zeros((rows, 0), np.int32) if codes is None else codes.astype(np.int32)[:, None]
    present = {name: int(count) for name, count in (counts or {}).items() if count}
    return Encoded(floats, integers, np.zeros(rows, bool) if missing is None else missing, present)
