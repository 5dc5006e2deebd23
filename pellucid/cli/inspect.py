"""`pellucid inspect`: look at a table without training."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.cli.options import parse_types
from pellucid.cli.output import print_json, print_pretty
from pellucid.data.inspect import inspect_table
from pellucid.data.table import Table


def run(data: str | Table, target: str | None, types: Sequence[str] | None, as_json: bool,
        settings: Mapping[str, Any]) -> None:
    """Print the columns, their types and why, and warnings."""
    inspection = inspect_table(data, target=target or (), overrides=parse_types(types or ()),
                               task=settings.get("task"))
    if as_json:
        print_json(inspection.to_json())
    else:
        print_pretty(inspection)
