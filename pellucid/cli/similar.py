"""`pellucid similar`: training rows like a row, and those that its answer comes from."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pellucid.cli.device import require_device
from pellucid.cli.output import print_json, print_pretty, say_notes
from pellucid.cli.rows import chosen_rows, say_left_out
from pellucid.core.declared import SIMILAR
from pellucid.core.part import shown
from pellucid.explain.similar import Similar
from pellucid.model.load import load


def run(model: str, data: str, every_row: bool, as_json: bool, quiet: bool, settings: Mapping[str, Any]) -> None:
    """Print the training rows as tables or as JSON."""
    require_device(settings.get("device"))
    trained = load(model)
    table = trained.table(data)
    rows = chosen_rows(settings.get("row"), every_row, len(table), data)
    count = settings.get("count", SIMILAR["count"].default)
    found = [replace(one, row=row) for one, row in zip(trained.similar(table.take(rows), count=count), rows,
                                                       strict=True)]
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        print_pretty(*(part for one in found for part in _drawn(one)))
    if not quiet:
        say_notes(table.notes)
        say_left_out(settings.get("row"), rows, len(table))


def _drawn(found: Similar) -> Sequence[RenderableType]:
    """The answer, a table of the nearest rows, and one of the most influential."""
    near, strong = (Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title=title) for title in (
        "Most like it", "Most of this answer comes from"))
    answer = f"“{found.prediction}”" if found.is_class else shown(float(f"{found.prediction:.4g}"))
    for table, heading in ((near, "distance"), (strong, "influence")):
        table.add_column("training row", justify="right")
        table.add_column(found.target)
        table.add_column(heading, justify="right")
        table.add_column("what differs")
    for case in found.nearest:
        near.add_row(str(case.row), shown(case.answer), f"{case.distance:.2f}", found.differences(case))
    for case in found.influential:
        strong.add_row(str(case.row), shown(case.answer), f"{100 * abs(case.influence):.1f} % {found.speaks(case)}",
                       found.differences(case))
    return (Text(f"Row {found.row}: {answer}", style="bold"), *map(Text, found.sentences()), Text(""), near, Text(""),
            strong, Text(""))
