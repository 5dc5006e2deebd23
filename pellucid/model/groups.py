"""Groups of rows that are promised a coverage of their own: the values of a column, or ranges of a number."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.errors import SettingsError

MOST_VALUES = 12
"""Numbers with more different values make ranges; of more different words the rarer ones make no group."""
RANGES = 4


@dataclass(frozen=True)
class Grouping:
    """How a column divides rows into groups.

    Args:
        column: its name.
        labels: the values that make a group each; empty for ranges.
        edges: the inner ends of the ranges, rising: a value on an edge belongs to the lower range.

    Example:
        >>> grouping = fit_grouping("sex", pl.Series(["f", "m", "m", None]))
        >>> grouping.names, grouping.read(pl.Series(["m", "f", "x"])).tolist()
        (('f', 'm'), [1, 0, -1])
    """

    column: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The groups in words."""
        if not self.edges:
            return self.labels
        ends = [f"{edge:g}" for edge in self.edges]
        between = [f"{low} to {high}" for low, high in zip(ends[:-1], ends[1:], strict=True)]
        return (f"up to {ends[0]}", *between, f"above {ends[-1]}")

    def read(self, cells: pl.Series) -> np.ndarray:
        """int64 (rows,): the number of each row's group; -1 for none: no value, or one that makes no group."""
        if self.edges:
            values = _numbers(cells)
            return np.where(np.isnan(values), -1, np.searchsorted(self.edges, values, side="left"))
        known = {label: place for place, label in enumerate(self.labels)}
        return np.array([known.get(text, -1) for text in _texts(cells)], np.int64)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Grouping:
        """What `to_json` wrote."""
        return cls(value["column"], tuple(value["labels"]), tuple(value["edges"]))


def fit_grouping(name: str, cells: pl.Series) -> Grouping:
    """The groups of a column: its values, at most the twelve most frequent; quartiles of many different numbers.

    Raises:
        SettingsError: the column holds fewer than two values that could make a group.
    """
    values = _numbers(cells)
    known = values[~np.isnan(values)]
    if len(np.unique(known)) > MOST_VALUES and len(known) >= 0.9 * (len(cells) - cells.null_count()):
        edges = np.unique(np.quantile(known, np.arange(1, RANGES) / RANGES, method="lower"))
        return Grouping(name, (), tuple(edges.tolist()))
    texts, counts = np.unique([text for text in _texts(cells) if text], return_counts=True)
    often = texts[counts > 1][np.argsort(-counts[counts > 1], kind="stable")][:MOST_VALUES]
    if len(often) < 2:
        raise SettingsError(f"`coverage_group` was `{name}`, which has no two values that occur twice each.",
                            "name a column that divides the rows into groups")
    return Grouping(name, tuple(sorted(often.tolist())))


def _numbers(cells: pl.Series) -> np.ndarray:
    found = cells.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _texts(cells: pl.Series) -> list[str]:
    return [text.strip() for text in cells.cast(pl.String, strict=False).fill_null("").to_list()]
