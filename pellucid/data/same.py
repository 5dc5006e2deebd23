"""Rows that are the same although they are written in different ways, such as a molecule by two SMILES."""
from __future__ import annotations

import numpy as np

from pellucid.core.names import MEDIA_TYPES
from pellucid.data.schema import Column, Schema
from pellucid.data.split import duplicate_groups, join_groups
from pellucid.data.table import Table
from pellucid.features.types import feature_types

FEWEST_DISTINCT = 0.5
"""Rows of one molecule stay together where so many of the rows have one of their own: else it is a solvent, say."""


def alike(table: Table, schema: Schema) -> Table:
    """The table with one text for all cells of a raw column that mean the same."""
    columns = [feature_types[column.kind].same(table.column(column.name)) for column in schema.features
               if column.used and feature_types[column.kind].rewritten]
    return table.with_columns(columns) if columns else table


def equal_rows(table: Table, schema: Schema) -> np.ndarray:
    """A number for each row, int64; rows that may not straddle a split share it: equal inputs, or the same molecule,
    picture or recording."""
    used = [column for column in schema.features if column.used]
    table = alike(table, schema)
    groups = duplicate_groups(table, [column.name for column in used])
    for column in used:
        if feature_types[column.kind].rewritten or column.kind in MEDIA_TYPES:
            groups = join_groups(groups, _things(table, column))
    return groups


def _things(table: Table, column: Column) -> np.ndarray:
    """A number for each thing that a column names; one for each row where there are few things or none is named."""
    numbers, rows = duplicate_groups(table, [column.name]), np.arange(len(table))
    if len(np.unique(numbers)) < FEWEST_DISTINCT * len(table):
        return rows
    return np.where(table.column(column.name).is_null().to_numpy(), len(table) + rows, numbers)
