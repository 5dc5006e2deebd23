"""Reading a table from wherever it is."""
from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.delimited import parse_body, read_delimited, scan_lines
from pellucid.data.dialect import SAMPLE_BYTES, find_dialect
from pellucid.data.encoding import gunzip, to_utf8
from pellucid.data.folder import read_folder
from pellucid.data.frames import read_array, read_frame, read_mapping, read_records, tidy
from pellucid.data.media import with_files
from pellucid.data.sdf import are_molecules, molecule_table
from pellucid.data.table import Table
from pellucid.data.trees import are_trees, tree_table
from pellucid.errors import DataError, MissingExtraError, nearest

TEXT_ENDINGS = {".csv": None, ".tsv": "\t", ".tab": "\t", ".txt": None, ".dat": None, ".data": None, "": None}
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
STREAMED = 1 << 26  # larger text files are read in blocks by `read_chunks`
FORMATS_HINT = "give a CSV, TSV, Parquet, JSON Lines or Excel file, a data frame, or a 2-D array"


def as_table(source: Any, *, series: bool = False) -> Table:
    """A table as it is; anything else is read. A folder of tables holds series where `series` are asked for."""
    if series and isinstance(source, (str, os.PathLike)) and Path(source).expanduser().is_dir():
        return read_folder(Path(source).expanduser(), series=True)
    return source if isinstance(source, Table) else read_table(source)


def read_table(source: Any, *, sheet: str | None = None) -> Table:
    """Read a table.

    Args:
        source: the path of a CSV, TSV or text file (also `.gz`), Parquet, JSON Lines, JSON or Excel file, whose columns
            may hold the paths of pictures or recordings, relative to it; an SDF file of molecules; a text with a tree
            in brackets on each line; a folder with one sub-folder of pictures,
            recordings or texts for each class; `"-"` for standard input; a data frame of any library; a 2-D array; an
            array of pictures (rows, height, width[, colours]); a mapping of columns; a list of row mappings.
        sheet: the name of an Excel sheet; the first one when None.

    Raises:
        DataError: no such file, empty, binary, duplicate column names, not a table.
        MissingExtraError: an Excel file without the extra `excel`.

    Example:
        >>> read_table({"age": [31, 45], "lend": ["yes", "no"]}).names
        ('age', 'lend')
    """
    if isinstance(source, (str, os.PathLike)):
        if str(source) == "-":
            return _from_bytes(sys.stdin.buffer.read(), "standard input", "", sheet)
        return _from_path(Path(source), sheet)
    if isinstance(source, np.ndarray):
        return _named(read_array(source), "array")
    if hasattr(source, "toarray") and hasattr(source, "nnz"):
        raise DataError("Sparse matrices are not supported.", "pass `matrix.toarray()`")
    frame = read_frame(source)
    if frame is not None:
        return _named(frame, "data frame")
    if isinstance(source, Mapping):
        return _named(read_mapping(source), "mapping")
    if isinstance(source, (list, tuple)):
        return _named(read_records(source), "list")
    raise DataError(f"Cannot read a table from {type(source).__name__}.", FORMATS_HINT)


def _named(frame: pl.DataFrame, source: str) -> Table:
    if frame.width == 0:
        raise DataError(f"The {source} has no columns.", FORMATS_HINT)
    return Table(frame, source)


def _from_path(path: Path, sheet: str | None) -> Table:
    path = path.expanduser()
    if path.is_dir():
        return read_folder(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _no_such_file(path) from None
    except (PermissionError, OSError, ValueError) as error:
        raise DataError(f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}.",
                        "check the path and its rights") from error
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    ending = endings[-1] if endings else ""
    if ending == ".gz":
        ending = endings[0] if len(endings) > 1 else ""
    return with_files(_from_bytes(data, path.name, ending, sheet), path.absolute().parent)


def _no_such_file(path: Path) -> DataError:
    try:
        there = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else None
    except OSError:
        there = []
    if there is None:
        return DataError(f"There is no folder `{path.parent}`.", "check the path")
    close = nearest(path.name, there)
    hint = "did you mean " + " or ".join(f"`{path.parent / name}`" for name in close) + "?" if close else \
        "check the path, or use `pellucid demo` to try the bundled table"
    return DataError(f"There is no file `{path}`.", hint)


def _from_bytes(data: bytes, source: str, ending: str, sheet: str | None) -> Table:
    """The content decides what a file is; its ending only where the content does not tell."""
    if data.startswith(b"\x1f\x8b"):
        data = gunzip(data, source)
    if not data.strip():
        raise DataError(f"`{source}` is empty.", "give a file with a header line and at least 10 rows")
    notes: tuple[Note, ...] = ()
    if data.startswith(b"PAR1"):
        frame = _native(pl.read_parquet, data, source, "Parquet")
    elif data.startswith(b"ARROW1"):
        frame = _native(pl.read_ipc, data, source, "Arrow")
    elif data.startswith(b"PK\x03\x04") and b"xl/" in data:
        frame = _read_excel(data, source, sheet)
    else:
        text, notes = to_utf8(data, source)
        found = _read_structures(text, source, ending)
        if found is not None:
            frame, more = found
            notes += more
        elif ending in JSON_ENDINGS or ending not in TEXT_ENDINGS and text.lstrip()[:1] in (b"{", b"["):
            frame = _read_json(text, source)
        else:
            frame, more = read_delimited(text, source, prefer=TEXT_ENDINGS.get(ending))
            notes += more
    if frame.height == 0:
        raise DataError(f"`{source}` has column names but no rows.", "give at least 10 rows below the header")
    return Table(frame, source, notes)


def _read_structures(text: bytes, source: str, ending: str) -> tuple[pl.DataFrame, tuple[Note, ...]] | None:
    """A file of molecules or of trees as a table; `None` for anything else."""
    head = text[:SAMPLE_BYTES].decode("utf-8", "replace")
    if are_molecules(head, ending):
        return molecule_table(text.decode("utf-8", "replace"), source)
    return tree_table(text.decode("utf-8", "replace"), source) if are_trees(head) else None


def _native(read: Callable[..., pl.DataFrame], data: bytes, source: str, what: str) -> pl.DataFrame:
    try:
        return tidy(read(io.BytesIO(data)))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else "it cannot be read"
        raise DataError(f"`{source}` is a damaged {what} file: {reason}.", "copy or write it again") from error


def _read_excel(data: bytes, source: str, sheet: str | None) -> pl.DataFrame:
    try:
        import fastexcel
    except ImportError:
        raise MissingExtraError.of("fastexcel", "excel", "Reading Excel files") from None
    try:
        book = fastexcel.read_excel(data)
        if sheet is not None and sheet not in book.sheet_names:
            raise DataError(f"`{source}` has no sheet `{sheet}`.", f"its sheets: {', '.join(book.sheet_names)}")
        frame = pl.read_excel(io.BytesIO(data), sheet_name=sheet or book.sheet_names[0], infer_schema_length=None,
                              raise_if_empty=False)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise DataError(f"`{source}` cannot be read as an Excel file: {str(error).splitlines()[0]}.",
                        "save it again, or export it as CSV") from error
    return tidy(frame)


def _read_json(text: bytes, source: str) -> pl.DataFrame:
    """A JSON object per line, or one list of objects; polars first, Python for what it cannot read."""
    if text.lstrip()[:1] == b"{" and b"\n" in text.strip():
        try:
            return tidy(pl.read_ndjson(io.BytesIO(text), infer_schema_length=None))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            pass
    try:
        records = json.loads(text) if text.lstrip()[:1] == b"[" else \
            [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise DataError(f"`{source}` is not valid JSON: {error}.", "write one JSON object per line") from error
    if isinstance(records, list) and len(records) == 1 and isinstance(records[0], dict) \
            and records[0] and all(isinstance(value, list) for value in records[0].values()):
        return read_mapping(records[0])
    if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
        raise DataError(f"`{source}` is JSON, but not a list of rows.", "write one JSON object per line")
    if not records:
        raise DataError(f"`{source}` has no rows.", "write one JSON object per line")
    return read_records(records)


def read_chunks(source: Any, rows: int, read: Callable[[Any], Table] = as_table) -> Iterator[Table]:
    """A table in pieces of at most `rows` rows, in order; large plain text files are never whole in memory, everything
    else is read by `read`.

    Raises:
        DataError: as `read_table`.
    """
    path = Path(source).expanduser() if isinstance(source, (str, os.PathLike)) and str(source) != "-" else None
    if path is not None and path.is_file() and path.stat().st_size > STREAMED and _is_plain_text(path):
        pieces = _stream(path)
    else:
        pieces = iter([read(source)])
    for piece in pieces:
        for start in range(0, len(piece), rows):
            yield piece.piece(start, rows)


def _is_plain_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if path.suffix.lower() not in TEXT_ENDINGS or head[:2] in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"PK"):
        return False
    if head.startswith((b"PAR1", b"ARROW1")) or b"\0" in head:
        return False
    words = head.decode("utf-8", "replace")
    return not are_trees(words) and not are_molecules(words)


def _stream(path: Path) -> Iterator[Table]:
    """Blocks of whole rows, all read in the dialect of the first."""
    dialect, rest = None, b""
    with path.open("rb") as file:
        while True:
            block = file.read(STREAMED // 2)
            text, notes = to_utf8(rest + block, path.name) if rest or block else (b"", ())
            if dialect is None:
                dialect = find_dialect(text, path.name, prefer=TEXT_ENDINGS.get(path.suffix.lower()))
                text, notes = text[dialect.skip:], (*notes, *dialect.notes)
            end = len(text)
            if block:
                lines = scan_lines(text, dialect.delimiter, dialect.quote)
                end = int(lines.ends[-1]) + 1 if len(lines.ends) else 0
            rest, text = text[end:], text[:end]
            if text.strip():
                frame, more = parse_body(text, dialect)
                yield with_files(Table(frame, path.name, (*notes, *more)), path.absolute().parent)
            if not block:
                return


