"""What the columns of a table are: type, reason, and what is to be predicted."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from pellucid.core.names import MEDIA_TYPES, UNUSED_TYPES
from pellucid.data.table import Table
from pellucid.errors import DataError, did_you_mean
from pellucid.features.base import AbstractFeature
from pellucid.features.recognise import fit_feature, recognise
from pellucid.features.types import feature_types
from pellucid.features.values import as_text

NUM_EXAMPLES = 3
LONG_EXAMPLE = 40


@dataclass(frozen=True)
class Column:
    """One column of a schema.

    Args:
        name: the column.
        kind: one of `core.names.FEATURE_TYPES`.
        reason: why it has this type.
        missing: how many cells hold no value.
        distinct: how many different values it has.
        infinite, unreadable: how many cells are infinite, or cannot be read as the type.
        examples: a few different values as text.
        overridden: whether the user chose the type.
    """

    name: str
    kind: str
    reason: str
    missing: int = 0
    distinct: int = 0
    infinite: int = 0
    unreadable: int = 0
    examples: tuple[str, ...] = ()
    overridden: bool = False

    @property
    def used(self) -> bool:
        """Whether a network gets to see it."""
        return self.kind not in UNUSED_TYPES


@dataclass(frozen=True)
class Schema:
    """The columns of a table in order, and the names of those to be predicted."""

    columns: tuple[Column, ...]
    targets: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[Column, ...]:
        """All columns but the targets."""
        return tuple(column for column in self.columns if column.name not in self.targets)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """One column.

        Raises:
            DataError: there is no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(f"There is no column `{name}`.", did_you_mean(name, self.names))

    def leave_out(self, reasons: Mapping[str, str]) -> Schema:
        """The same schema with some columns ignored, such as a time or group column, each with its reason."""
        for name in reasons:
            self.column(name)
        return replace(self, columns=tuple(
            replace(column, kind="ignore", reason=reasons[column.name]) if column.name in reasons else column
            for column in self.columns))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"columns": [{**asdict(column), "examples": list(column.examples)} for column in self.columns],
                "targets": list(self.targets)}


def infer_schema(table: Table, targets: str | Sequence[str] = (),
                 overrides: Mapping[str, str] | None = None) -> Schema:
    """Recognise every column.

    Args:
        table: the raw table.
        targets: the column or columns to be predicted.
        overrides: types chosen by the user, by column name.

    Raises:
        DataError: a target or an overridden column is not there.
        SettingsError: unknown type.

    Example:
        >>> table = Table(pl.DataFrame({"age": ["31", "45", "28"], "lend": ["yes", "no", "yes"]}), "example")
        >>> [column.kind for column in infer_schema(table, "lend").columns]
        ['number', 'boolean']
    """
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    overrides = {str(name): feature_types.canonical(kind) for name, kind in (overrides or {}).items()}
    for target in targets:
        if target not in table.names:
            raise DataError(f"There is no target column `{target}` in {table.source}.",
                            did_you_mean(target, table.names))
    for name in overrides:
        table.column(name)
    return Schema(tuple(_column(name, table.column(name), overrides.get(name)) for name in table.names), targets)


def _column(name: str, cells: pl.Series, kind: str | None) -> Column:
    found = recognise(name, cells)
    sample = as_text(cells.gather_every(max(len(cells) // 1000, 1)))
    examples = sample.drop_nulls().unique(maintain_order=True).head(NUM_EXAMPLES).to_list()
    if (kind or found.kind) in MEDIA_TYPES:
        examples = [os.sep.join(example.split(os.sep)[-2:]) for example in examples]
    examples = [example if len(example) <= LONG_EXAMPLE else example[:LONG_EXAMPLE - 1] + "…"
                if (kind or found.kind) == "series" else example for example in examples]
    examples = [" ".join(example.split()) if "\n" in example else example for example in examples]
    reason = found.reason if kind is None else f"as asked for ({found.kind} by itself: {found.reason})"
    return Column(name, kind or found.kind, reason, found.missing, found.distinct, found.infinite, found.unreadable,
                  tuple(examples), kind is not None)


def fit_features(schema: Schema, table: Table, *, normalise: str = "standard") -> tuple[AbstractFeature, ...]:
    """Fit a feature for every column that is no target, in the order of the schema.

    Args:
        schema: see `infer_schema`.
        table: the training rows only.
        normalise: how numbers are scaled.
    """
    return tuple(fit_feature(column.name, table.column(column.name), kind=column.kind, reason=column.reason,
                             normalise=normalise) for column in schema.features)
