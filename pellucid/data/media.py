"""Files that rows name: where they are, what they hold, and which of them are equal."""
from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.films import holds_pictures
from pellucid.data.table import Table
from pellucid.features.media import HEAD, NOUNS, PICTURES, RECORDINGS, SERIES, listed, sniff, sniff_file

WHOLE = 1 << 16
"""Files up to so many bytes are read once, for their kind and their digest; of larger ones the digest is needed only
where another has the same size."""
AT_ONCE = 256
SAMPLE, FEW, LONGEST_NAME = 50, 10, 400
ENDINGS = PICTURES + RECORDINGS
NAMED_IN_TABLES = ENDINGS + SERIES
NAMED = 5


@dataclass(frozen=True)
class Look:
    """What a file is.

    Args:
        kind: see `features.media.sniff`, or `"absent"`.
        size: in bytes.
        digest: of its content; 0 where a large file was not read.
    """

    kind: str
    size: int = 0
    digest: int = 0


def look_at(paths: Sequence[str]) -> list[Look]:
    """What each file is, in threads: most of the time goes into waiting for the disk."""
    pieces = [paths[start:start + AT_ONCE] for start in range(0, len(paths), AT_ONCE)]
    with ThreadPoolExecutor(min(8, max(len(pieces), 1))) as pool:
        return [look for piece in pool.map(lambda piece: [_look(path) for path in piece], pieces) for look in piece]


def _look(path: str) -> Look:
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(WHOLE if size <= WHOLE else HEAD)
    except (OSError, ValueError):
        return Look("absent")
    return Look(sniff(head[:HEAD]), size, _digest(head) if size <= WHOLE else 0)


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def digests_of(paths: Sequence[str], looks: Sequence[Look]) -> np.ndarray:
    """uint64 (files,): a number for the content of each; equal files have equal ones, absent ones one of their own."""
    sizes = Counter(look.size for look in looks)
    found = np.zeros(len(paths), np.uint64)
    for row, (path, look) in enumerate(zip(paths, looks, strict=True)):
        if look.digest:
            found[row] = look.digest
        elif look.kind == "absent" or sizes[look.size] == 1:
            found[row] = _digest(os.fsencode(path))
        else:
            found[row] = _file_digest(path)
    return found


def _file_digest(path: str) -> int:
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8))
            return int.from_bytes(digest.digest(), "little")
    except OSError:
        return _digest(os.fsencode(path))


def named(words: Sequence[str]) -> str:
    """Up to five of them, for a note."""
    return ", ".join(f"`{word}`" for word in words[:NAMED]) + (", …" if len(words) > NAMED else "")


def with_files(table: Table, folder: Path) -> Table:
    """A table whose columns of file names hold full paths, and the digests of these files.

    Args:
        table: as read.
        folder: where relative paths start: that of the table's file.
    """
    digests = {}
    for name in table.names:
        cells = table.column(name)
        if not names_files(cells):
            if names_films(cells, folder):
                table = replace(table, frame=table.frame.with_columns(resolve_paths(cells, folder)))
            continue
        root = next((place for place in (folder, Path.cwd()) if _some_exist(cells, place)), None)
        if root is None:
            words = named(cells.drop_nulls().head(1).to_list())
            note = Note("no_files", f"`{name}` looks like names of files, such as {words}, but none of them was found "
                        f"in `{folder}`.", name, severity="warning")
            table = replace(table, notes=(*table.notes, note))
            continue
        cells = resolve_paths(cells, root)
        paths = cells.fill_null("").to_list()
        digests[name] = pl.Series(digests_of(paths, look_at(paths)))
        table = replace(table, frame=table.frame.with_columns(cells))
    return replace(table, digests=pl.DataFrame(digests)) if digests else table


def names_files(cells: pl.Series) -> bool:
    """Whether the cells are names of pictures, recordings or tables of numbers, or lists of them, by their endings."""
    if cells.dtype != pl.String:
        return False
    sample = _sample(cells)
    named = [cell.strip(" ]\"'").lower().endswith(NAMED_IN_TABLES) for cell in sample]
    return bool(sample) and 2 * sum(named) > len(sample)


def names_films(cells: pl.Series, folder: Path) -> bool:
    """Whether the cells are names of folders of pictures, mostly different ones."""
    if cells.dtype != pl.String or not len(cells):
        return False
    sample = [cell for cell in _sample(cells) if cell.strip()][:FEW]
    if not sample or 2 * cells.n_unique() < len(cells) or any(len(cell) > LONGEST_NAME for cell in sample):
        return False
    return all(holds_pictures(os.path.join(folder, cell.strip())) for cell in sample)


def resolve_paths(cells: pl.Series, folder: Path) -> pl.Series:
    """Relative paths as absolute ones, relative to `folder`; cells without a value stay so."""
    root = folder.absolute()
    words = [None if cell is None or not cell.strip() else _resolved(cell.strip(), root) for cell in cells.to_list()]
    return pl.Series(cells.name, words, dtype=pl.String)


def _resolved(cell: str, root: Path) -> str:
    names = listed(cell)
    if names is not None and len(names) > 1:
        return json.dumps([_resolved(name, root) for name in names])
    return os.path.normpath(root / cell.replace("\\", os.sep))


def _some_exist(cells: pl.Series, folder: Path) -> bool:
    return any(sniff_file((listed(path) or [path])[0]) != "absent"
               for path in resolve_paths(pl.Series(_sample(cells)), folder))


def _sample(cells: pl.Series) -> list[str]:
    present = cells.drop_nulls()
    return present.gather_every(max(len(present) // SAMPLE, 1)).head(SAMPLE).to_list()


def noun(kind: str, count: int) -> str:
    """`"1 picture"`, `"3 recordings"`."""
    return f"{count:,} {NOUNS[kind]}{'' if count == 1 or kind == 'series' else 's'}"
