"""Delimited text to columns of text; polars does the work, odd files are repaired first."""
from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.dialect import Dialect, find_dialect

BLOCK = 1 << 25
NEWLINE = 10


@dataclass(frozen=True)
class Lines:
    """The shape of the rows of a delimited text.

    Args:
        ends: int64, the position of the line end of each row (a line end inside quotes does not count).
        fields: int64, how many fields each row has.
        regular: whether every quote opens at the start of a field and is closed.
    """

    ends: np.ndarray
    fields: np.ndarray
    regular: bool

    @property
    def blank(self) -> np.ndarray:
        """Which rows are empty lines."""
        return np.diff(self.ends, prepend=-1) == 1


def scan_lines(data: bytes, delimiter: str, quote: str, *, block_size: int = BLOCK) -> Lines:
    """Count the fields of every row, block by block; `data` ends with a line end."""
    whole, separator, mark = np.frombuffer(data, np.uint8), ord(delimiter), ord(quote)
    ends, totals = [], []
    inside, before, regular, previous = 0, 0, True, NEWLINE
    for start in range(0, len(whole), block_size):
        block = whole[start:start + block_size]
        is_end, is_separator = block == NEWLINE, block == separator
        here, positions, marks = (np.flatnonzero(found) for found in (is_end, is_separator, block == mark))
        if inside or len(marks):
            opening = marks[inside::2]  # with `inside` = 1 the first mark closes
            earlier = np.where(opening > 0, block[opening - 1], previous)
            allowed = (earlier == NEWLINE) | (earlier == separator) | (earlier == mark)
            regular = regular and bool(allowed.all())
            here = here[(np.searchsorted(marks, here) + inside) % 2 == 0]
            positions = positions[(np.searchsorted(marks, positions) + inside) % 2 == 0]
            inside = (inside + len(marks)) % 2
        ends.append(here + start)
        totals.append(np.searchsorted(positions, here) + before)
        before, previous = before + len(positions), int(block[-1])
    ends, totals = np.concatenate(ends), np.concatenate(totals)
    return Lines(ends, np.diff(totals, prepend=0) + 1, regular and inside == 0)


def read_delimited(data: bytes, source: str, *, prefer: str | None = None) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Columns of text from UTF-8 bytes with Unix line ends.

    Args:
        data: the whole file, see `encoding.to_utf8`.
        source: its name, for messages.
        prefer: the delimiter that the name of the file suggests.

    Raises:
        DataError: empty, or duplicate column names.
    """
    dialect = find_dialect(data, source, prefer=prefer)
    frame, notes = parse_body(data[dialect.skip:], dialect)
    return frame, (*dialect.notes, *notes)


def parse_body(data: bytes, dialect: Dialect) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The rows after the header as columns of text; short rows are padded, long ones cut, both counted."""
    if dialect.delimiter == " ":
        data = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", data)
        data = re.sub(rb"[ \t]+", b" ", data)
    if not data.strip():
        return _frame([], dialect), ()
    if not data.endswith(b"\n"):
        data += b"\n"
    lines = scan_lines(data, dialect.delimiter, dialect.quote)
    if not lines.regular:
        return _parse_odd(data, dialect)
    fields = lines.fields
    if lines.blank.any():
        data, fields = _without(data, lines, lines.blank), fields[~lines.blank]
    try:
        frame = pl.read_csv(io.BytesIO(data), has_header=False, separator=dialect.delimiter, quote_char=dialect.quote,
                            schema={name: pl.String for name in dialect.names}, infer_schema=False,
                            truncate_ragged_lines=bool((fields > len(dialect.names)).any()))
    except pl.exceptions.PolarsError:
        return _parse_odd(data, dialect)
    if frame.height != len(fields):
        return _parse_odd(data, dialect)
    return frame, _ragged_notes(fields, len(dialect.names))


def _without(data: bytes, lines: Lines, unwanted: np.ndarray) -> bytes:
    """`data` without the lines marked in `unwanted`, which are only line ends."""
    keep = np.ones(len(data), bool)
    keep[lines.ends[unwanted]] = False
    return np.frombuffer(data, np.uint8)[keep].tobytes()


def _ragged_notes(fields: np.ndarray, width: int) -> tuple[Note, ...]:
    short, long = int((fields < width).sum()), int((fields > width).sum())
    if not short + long:
        return ()
    parts = [f"{short:,} too short (filled with missing values)"] * (short > 0) \
        + [f"{long:,} too long (cut)"] * (long > 0)
    message = f"{short + long:,} of {len(fields):,} rows do not have {width} cells: {', '.join(parts)}."
    return (Note("ragged_rows", message, count=short + long, severity="warning"),)


def _frame(rows: list[list[str]], dialect: Dialect) -> pl.DataFrame:
    width = len(dialect.names)
    padded = [(row + [None] * (width - len(row)))[:width] for row in rows]
    columns = zip(*padded, strict=True) if padded else [()] * width
    return pl.DataFrame([pl.Series(name, list(cells), dtype=pl.String)
                         for name, cells in zip(dialect.names, columns, strict=True)])


def _parse_odd(data: bytes, dialect: Dialect) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Files with blanks or backslashes before quotes; or with stray quotes: the better of reading them leniently, line
    by line, and as plain characters."""
    lines = data.decode(errors="replace").split("\n")
    width = len(dialect.names)
    if re.search(rf"{re.escape(dialect.delimiter)} +{dialect.quote}|\\{dialect.quote}".encode(), data):
        for escape in (None, "\\"):
            rows = _lenient(lines, dialect, False, csv.QUOTE_MINIMAL, strict=True, escapechar=escape)
            if rows and all(len(row) == width for row in rows):
                return _frame(rows, dialect), ()
    best, best_fit = [], -1
    for lines_alone, quoting in ((False, csv.QUOTE_MINIMAL), (True, csv.QUOTE_MINIMAL), (True, csv.QUOTE_NONE)):
        rows = _lenient(lines, dialect, lines_alone, quoting)
        fit = sum(len(row) == width for row in rows)
        if fit > best_fit:
            best, best_fit = rows, fit
    note = Note("quotes", "Some quotes in the file are not closed or stand inside a cell; they were read as well as "
                          "possible, so look at the affected rows.", severity="warning")
    fields = np.array([len(row) for row in best], np.int64)
    return _frame(best, dialect), (note, *_ragged_notes(fields, width))


def _lenient(lines: list[str], dialect: Dialect, lines_alone: bool, quoting: int, **more: Any) -> list[list[str]]:
    """The rows, as Python's `csv` reads them with `more` settings; none where it cannot."""
    settings = {"delimiter": dialect.delimiter, "quotechar": dialect.quote, "quoting": quoting,
                "skipinitialspace": True, **more}
    limit = csv.field_size_limit(1 << 30)
    try:
        if lines_alone:
            return [next(csv.reader([line], **settings)) for line in lines if line]
        return [row for row in csv.reader((line + "\n" for line in lines), **settings) if row]
    except csv.Error:
        return []
    finally:
        csv.field_size_limit(limit)
