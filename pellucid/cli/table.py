"""Reading the table before anything heavy is loaded, so that a wrong path or target is told at once."""
from __future__ import annotations

from pellucid.data.read import read_table
from pellucid.data.schema import infer_schema
from pellucid.data.table import Table


def read(data: str, target: str | None) -> Table:
    """The table, with the target column in it.

    Raises:
        DataError: the data cannot be read, or lack the target.
    """
    table = read_table(data)
    if target is not None and target not in table.names:
        infer_schema(table.take([0]), target)
    return table
