"""A first look at the table before anything heavy is loaded, so that a wrong path or target is told at once."""
from __future__ import annotations

from pathlib import Path

from pellucid.data.read import read_table
from pellucid.data.schema import infer_schema
from pellucid.data.table import Table

QUICK = 8 * 2**20
"""Larger files, in bytes, are read once only, by the command itself; so are folders."""


def look(data: str, target: str | None) -> str | Table:
    """The path as it was given, or the table itself where it can be read only once.

    Raises:
        DataError: the data cannot be read, or lack the target.
    """
    once = data == "-"
    if not once and (Path(data).is_dir() or Path(data).is_file() and Path(data).stat().st_size > QUICK):
        return data
    table = read_table(data)
    if target is not None and target not in table.names:
        infer_schema(table.take([0]), target)
    return table if once else data
