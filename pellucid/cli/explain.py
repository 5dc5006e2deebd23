"""`pellucid explain`: why each prediction is what it is."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pellucid.cli.device import require_device
from pellucid.cli.output import print_json, print_pretty, say_notes, writing
from pellucid.cli.trouble import say
from pellucid.errors import DataError
from pellucid.explain.explanation import Explanation
from pellucid.model.load import load
from pellucid.report.reasons import Bar, bars, render

ROWS = 10
WIDTH = 16
"""Letters of the longest bar."""
LABEL = 56


def run(model: str, data: str, every_row: bool, html: str | None, as_json: bool, quiet: bool,
        settings: Mapping[str, Any]) -> None:
    """Print the reasons, as words and bars or as JSON, and write them as a page if asked to."""
    require_device(settings.get("device"))
    trained = load(model)
    table = trained.table(data)
    row, given = settings.get("row"), {name: settings.get(name) for name in ("asked", "instead_of", "method")}
    total, noun = trained.num_questions(table), "rows" if trained.questions_of == "row" else trained.questions_of
    if row is not None and row >= total:
        raise DataError(f"`--row` was {row}, but `{data}` has {total:,} {noun}.",
                        f"{noun} are counted from 0: name one from 0 to {total - 1:,}")
    first = row or 0
    count = 1 if row is not None else total if every_row else min(ROWS, total)
    found = trained.explain(table, rows=range(first, first + count), **given)
    if html is not None:
        with writing(html) as file:
            file.write(render(found, f"{Path(data).name}: why each prediction is what it is"))
    if as_json:
        print_json([one.to_json() for one in found])
    elif html is None:
        print_pretty(*(part for one in found for part in _shown(one)))
    if not quiet:
        say_notes(table.notes)
        if html is not None:
            say("done", f"{count:,} explained {trained.questions_of if count == 1 else noun} in `{html}`", "green")
        if row is None and count < total:
            say("note", f"The first {count} of {total:,} {noun} are explained; --row N explains one, --every-row "
                        "all.", "cyan")


def _shown(explanation: Explanation) -> Sequence[RenderableType]:
    """Question, bars, words."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(max_width=LABEL, overflow="ellipsis", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    for bar in bars(explanation):
        grid.add_row(Text(bar.label), Text(_drawn(bar), style="blue" if bar.speaks == "for" else "yellow"),
                     Text(bar.amount), Text(bar.error))
    grid.add_row(Text("sum"), Text(""), Text(explanation.amount(float(explanation.contributions.sum()), signed=True)),
                 Text(""))
    first, *others = explanation.sentences()
    tested = explanation.faithfulness
    warning = "" if tested is None or tested.reliable else tested.verdict
    return (Text(f"Row {explanation.row}: {explanation.question}", style="bold"),
            *([Text(warning, style="bold red")] if warning else []), Text(first), Text(""), grid, Text(""),
            *(Text(line) for line in others if line != warning),
            Text(f"Method: {explanation.method}: {explanation.reason}."), Text(""))


def _drawn(bar: Bar) -> str:
    """A bar of letters that every terminal can show."""
    return ("+" if bar.speaks == "for" else "-") * max(round(WIDTH * bar.share), 1)
