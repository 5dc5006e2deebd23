"""Files of molecules with their properties: SDF, a mol block and its fields for each."""
from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from pellucid.core.note import Note

BLOCK, TITLE = "molecule", "name"
END, BETWEEN = "M  END", "$$$$"
NAMED = 5
_FIELD = re.compile(r"^>.*?<([^>]+)>")


ENDINGS = (".sdf", ".sd", ".mol", ".mdl")


def are_molecules(text: str, ending: str = "") -> bool:
    """Whether a text is an SDF file, or a single mol block: its fourth line says so, or its ending does."""
    lines = text[:1 << 16].split("\n", 4)
    told = ending in ENDINGS or (len(lines) > 3 and ("V2000" in lines[3] or "V3000" in lines[3]))
    return told and END in text


def molecule_table(text: str, source: str) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """A molecule a row: its mol block as `molecule`, its title as `name` where there are titles, and each property.

    Every cell is text. A property of several lines keeps them. Records without a mol block have an empty cell; a note
    counts and names them.
    """
    records = [_record(lines) for lines in _records(text)]
    names = list(dict.fromkeys(name for _, _, fields in records for name in fields))
    columns: dict[str, list[str | None]] = {BLOCK: [block for block, _, _ in records]}
    if any(title for _, title, _ in records):
        columns[TITLE if TITLE not in names else "title"] = [title or None for _, title, _ in records]
    for name in names:
        column = name if name not in columns else f"{name} (property)"
        columns[column] = [fields.get(name) for _, _, fields in records]
    bad = [f"record {number}" + (f" ({title})" if title else "") for number, (block, title, _) in enumerate(records, 1)
           if block is None]
    frame = pl.DataFrame(columns, schema={name: pl.String for name in columns})
    if not bad:
        return frame, ()
    named = ", ".join(bad[:NAMED]) + (", …" if len(bad) > NAMED else "")
    message = f"{len(bad):,} of {len(records):,} records of `{source}` hold no whole mol block: {named}."
    return frame, (Note("broken_molecules", message, BLOCK, len(bad), "warning"),)


def _records(text: str) -> list[list[str]]:
    """The lines of each record, without those that hold nothing."""
    records: list[list[str]] = [[]]
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if line.startswith(BETWEEN):
            records.append([])
        else:
            records[-1].append(line)
    return [lines for lines in records if any(line.strip() for line in lines)]


def _record(lines: Sequence[str]) -> tuple[str | None, str, dict[str, str]]:
    """The mol block (`None` where it has no end), the title, and the properties of a record."""
    end = next((place for place, line in enumerate(lines) if line.rstrip() == END), None)
    title = "" if lines[0].startswith(">") else lines[0].strip()
    fields: dict[str, str] = {}
    name, values = None, []
    for line in [*lines[0 if end is None else end + 1:], ""]:
        found = _FIELD.match(line)
        if found or (name and not line.strip()):
            if name:
                fields[name] = "\n".join(values)
            name, values = (found.group(1).strip() if found else None), []
        elif name:
            values.append(line.rstrip())
    return None if end is None else "\n".join(lines[:end + 1]), title, fields
