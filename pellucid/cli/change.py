"""`pellucid change`: what would change the answers."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from pellucid.cli.device import require_device
from pellucid.cli.output import print_json, print_pretty, say_notes
from pellucid.cli.rows import chosen_rows, say_left_out
from pellucid.cli.trouble import say
from pellucid.explain.changes import NEVER_LOCKED, Changes
from pellucid.model.load import load


def run(model: str, data: str, every_row: bool, as_json: bool, quiet: bool, settings: Mapping[str, Any]) -> None:
    """Print what would change the answers, as sentences or as JSON."""
    require_device(settings.get("device"))
    trained = load(model)
    table = trained.table(data)
    rows = chosen_rows(settings.get("row"), every_row, len(table), data)
    wishes = {name: value for name, value in settings.items() if name not in ("row", "device")}
    found = [replace(one, row=row) for one, row in zip(trained.changes(table.take(rows), **wishes), rows, strict=True)]
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        print_pretty(*(part for one in found for part in _shown(one)))
    if not quiet:
        say_notes(table.notes)
        if not as_json and not wishes.get("locked") and any(one.alternatives for one in found):
            say("note", NEVER_LOCKED, "cyan")
        say_left_out(settings.get("row"), rows, len(table))


def _shown(found: Changes) -> Sequence[RenderableType]:
    """The question, and a paragraph for each way."""
    return (Text(f"Row {found.row}: {found.question}", style="bold"),
            *map(Text, found.sentences()), Text(""))
