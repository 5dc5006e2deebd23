"""Rows that are the same although they are written in different ways, such as a molecule by two SMILES."""
from __future__ import annotations

import numpy as np

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
    """A number for each row, int64; rows that may not straddle a split share it: equal inputs, or the same molecule."""
    used = [column for column in schema.features if column.used]
    table = alike(table, schema)
    groups = duplicate_groups(table, [column.name for column in used])
    for column in used:
        if feature_types[column.kind].rewritten:
            groups = join_groups(groups, _things(table, column))
    return groups


def _things(table: Table, column: Column) -> np.ndarray:
    """A number for each thing that a column names; one for each row where there are few things or none is named."""
    cells, rows = table.column(column.name), np.arange(len(table))
    if cells.n_unique() < FEWEST_DISTINCT * len(table):
        return rows
    numbers = np.unique(cells.fill_null("").to_numpy(), return_inverse=True)[1]
    return np.where(cells.is_null().to_numpy(), len(table) + rows, numbers)
