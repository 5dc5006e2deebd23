"""What `pellucid inspect` shows: the columns, their types and why, and warnings."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table as Grid

from pellucid.core.note import Note
from pellucid.data.check import check_table
from pellucid.data.read import as_table, read_table
from pellucid.data.schema import Schema, infer_schema
from pellucid.errors import DataError
from pellucid.features.targets import recognise_target


@dataclass(frozen=True)
class Inspection:
    """A looked-at table.

    Args:
        source: what it was read from.
        rows: how many rows it has.
        schema: its columns.
        notes: everything noticeable, warnings first.
        tasks: for each target its task and why.
    """

    source: str
    rows: int
    schema: Schema
    notes: tuple[Note, ...]
    tasks: tuple[tuple[str, str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        columns = []
        for column in self.schema.columns:
            record = {**asdict(column), "examples": list(column.examples), "used": column.used}
            columns.append({**record, "target": column.name in self.schema.targets})
        return {"source": self.source, "rows": self.rows, "columns": columns,
                "targets": [{"name": name, "task": task, "reason": reason} for name, task, reason in self.tasks],
                "notes": [note.to_json() for note in self.notes]}

    def __rich__(self) -> RenderableType:
        return Group(*_parts(self))


def inspect_table(source: Any, *, target: str | Sequence[str] = (), overrides: Mapping[str, str] | None = None,
                  task: str | None = None, sheet: str | None = None) -> Inspection:
    """Look at a table without training.

    Args:
        source: anything that `read_table` reads, or a `Table`.
        target: the column or columns to be predicted, if known.
        overrides: types chosen by the user, by column name.
        task: the user's choice of task.
        sheet: the name of an Excel sheet.

    Raises:
        DataError: the source cannot be read, or a named column is not there.

    Example:
        >>> inspect_table({"age": [31, 45], "lend": ["yes", "no"]}, target="lend").rows
        2
    """
    table = as_table(source) if sheet is None else read_table(source, sheet=sheet)
    schema = infer_schema(table, target or (), overrides)
    tasks = []
    for name in schema.targets:
        try:
            tasks.append((name, *recognise_target(name, table.column(name), task)))
        except DataError:  # said by a note
            continue
    return Inspection(table.source, len(table), schema, check_table(table, schema, task=task), tuple(tasks))


def render_inspection(inspection: Inspection, console: Console) -> None:
    """Print an inspection to a rich console; readable without colour and at any width."""
    console.print(inspection)


def _parts(inspection: Inspection) -> list[RenderableType]:
    columns = inspection.schema.columns
    used = sum(column.used for column in inspection.schema.features)
    head = f"[bold]{escape(inspection.source)}[/]: {inspection.rows:,} rows, {len(columns):,} columns, " \
           f"{used:,} usable as input"
    parts: list[RenderableType] = [head]
    parts += [f"target {escape(name)}: {task} ({escape(reason)})" for name, task, reason in inspection.tasks]
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for title in ("column", "type", "why", "missing", "examples"):
        grid.add_column(title, justify="right" if title == "missing" else "left",
                        overflow="fold" if title == "column" else "ellipsis", no_wrap=title in ("type", "missing"))
    for column in columns:
        kind = f"{column.kind} (target)" if column.name in inspection.schema.targets else column.kind
        missing = f"{column.missing:,}" if column.missing else "-"
        grid.add_row(escape(column.name), kind, escape(column.reason), missing, escape(_examples(column.examples)))
    parts += ["", grid]
    warnings = [note for note in inspection.notes if note.severity == "warning"]
    others = [note for note in inspection.notes if note.severity != "warning"]
    for title, notes in (("Warnings", warnings), ("Notes", others)):
        if notes:
            bullets = Grid.grid(padding=(0, 1))
            for note in notes:
                bullets.add_row(" -", escape(note.message))
            parts += ["", f"[bold]{title}[/]", bullets]
    return parts


def _examples(examples: Sequence[str]) -> str:
    return ", ".join(example if len(example) <= 20 else example[:19] + "…" for example in examples)
