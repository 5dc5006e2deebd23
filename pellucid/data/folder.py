"""A folder of pictures, recordings or texts as a table: one sub-folder for each class."""
from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pellucid.core.note import Note
from pellucid.data.encoding import to_utf8
from pellucid.data.films import are_animated, films_of, grouped
from pellucid.data.media import ENDINGS, Look, digests_of, look_at, named, noun
from pellucid.data.table import Table
from pellucid.errors import DataError
from pellucid.features.media import NOUNS, PICTURES, RECORDINGS, SERIES

LABEL = "label"
PARTS = ("train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval")
NO_TEXT = (*ENDINGS, ".csv", ".tsv", ".tab", ".dat", ".data", ".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml",
           ".toml", ".ini", ".py", ".ipynb", ".sh", ".log", ".svg")
TABLES = (".csv", ".tsv", ".tab", ".gz", ".parquet", ".jsonl", ".ndjson", ".xlsx")
LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r")
OWN_ENDINGS = {"image": PICTURES, "video": PICTURES, "audio": RECORDINGS, "series": (*SERIES, ".npy")}
HINT = "make one sub-folder for each class, with its pictures, recordings or texts inside"


@dataclass
class _Tree:
    """The files below a folder, as paths relative to it, and what could not be entered or followed."""

    files: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)


def read_folder(path: Path, *, series: bool = False) -> Table:
    """The pictures, recordings or texts of a folder.

    Args:
        path: a folder with one sub-folder for each class, or with files only, whose class is not known.
        series: whether tables are series even where no classes tell so.

    Returns:
        A table with the column `image`, `video`, `audio` or `series` (full paths) or `text` (contents); and, where
        there are sub-folders, `label`: their names, without a value for files beside them. `files` are the paths
        relative to the folder; of films that are folders of frames, those folders.

    Raises:
        DataError: no such files; or the folder holds parts such as `train` and `test` instead of classes.
    """
    top, tree, notes = _classes_in(path)
    full = [os.path.join(top, name) for name in tree.files]
    looks = look_at(full)
    kinds = [_kind(name, look) for name, look in zip(tree.files, looks, strict=True)]
    kinds = _with_series(tree, kinds, series)
    kind = _most_frequent(path, tree.files, kinds)
    kept = [row for row, own in enumerate(kinds) if own == kind]
    notes += [*_tree_notes(tree), *_left_out(tree.files, looks, kinds, kind)]
    columns: dict[str, pl.Series] = {}
    digests = None
    names = [tree.files[row] for row in kept]
    films = films_of(top, names) if kind == "image" else None
    if films is not None:
        return _film_table(path, top, films, (*notes, *_frames_notes(films, names)))
    if kind == "image" and are_animated([full[row] for row in kept]):
        kind = "video"
    if kind == "text":
        kept, texts, more = _texts([full[row] for row in kept], kept, tree.files)
        columns["text"], notes = pl.Series(texts, dtype=pl.String), notes + more
        if not kept:
            raise DataError(f"The {len(texts) or len(kinds):,} texts in `{path}` are empty.", HINT)
    else:
        columns[kind] = pl.Series([full[row] for row in kept], dtype=pl.String)
        digests = pl.DataFrame({kind: digests_of([full[row] for row in kept], [looks[row] for row in kept])})
    files = [tree.files[row] for row in kept]
    if tree.folders:
        columns[LABEL], more = _labels(files, kind)
        notes += more
    return Table(pl.DataFrame(columns), path.absolute().name or str(path), tuple(notes),
                 pl.Series("file", files, dtype=pl.String), digests)


def _film_table(path: Path, top: str, films: dict[str, list[str]], notes: tuple[Note, ...]) -> Table:
    """A row for each folder of frames; the folder above is its class."""
    folders = sorted(films)
    columns = {"video": pl.Series([os.path.join(top, folder) for folder in folders], dtype=pl.String)}
    labels = [folder.split(os.sep)[0] for folder in folders]
    columns[LABEL] = pl.Series(labels, dtype=pl.Enum(sorted(set(labels))))
    return Table(pl.DataFrame(columns), path.absolute().name or str(path), notes,
                 pl.Series("file", folders, dtype=pl.String))


def _frames_notes(films: dict[str, list[str]], files: list[str]) -> Iterator[Note]:
    """What is taken for a film, and what is left out of it."""
    frames = sum(map(len, films.values()))
    yield Note("frames", f"{frames:,} numbered pictures in {len(films):,} folders are taken as the frames of as many "
               "films, because neighbours are alike; to learn single pictures, put them into the folder of their "
               "class.", count=len(films))
    loose = sorted(set(files) - {name for names in films.values() for name in names})
    if loose:
        yield Note("loose_files", f"{noun('image', len(loose))} outside of such folders "
                   f"{'was' if len(loose) == 1 else 'were'} left out: {named(loose)}.", count=len(loose),
                   severity="warning")


def as_films(table: Table) -> Table:
    """A folder of pictures that was not taken for films, such as one without classes, as a film for each folder.

    Args:
        table: from `read_folder`, with the column `image`.
    """
    if table.files is None or "image" not in table.names:
        return table
    paths = dict(zip(table.files.to_list(), table.column("image").to_list(), strict=True))
    films = grouped(list(paths))
    cells = [os.path.dirname(paths[names[0]]) for names in films.values()]
    return Table(pl.DataFrame({"video": pl.Series(cells, dtype=pl.String)}), table.source, table.notes,
                 pl.Series("file", [folder or table.source for folder in films], dtype=pl.String))


def _classes_in(path: Path) -> tuple[str, _Tree, list[Note]]:
    """The folder that holds the classes (`path`, or its only sub-folder), what is below it, and notes."""
    top, notes = path.absolute(), []
    while True:
        tree = _walk(str(top))
        direct = [name for name in tree.files if os.sep not in name]
        inner = {name.split(os.sep)[1] for name in tree.files if name.count(os.sep) > 1}
        parts = sorted(name for name in tree.folders if name.lower() in PARTS)
        if parts and len(parts) == len(tree.folders) and inner:
            raise DataError(f"`{path}` holds parts of a data set ({named(parts)}) instead of classes.",
                            f"learn from one, such as `{path / parts[-1]}`, and evaluate the model on another")
        if len(tree.folders) != 1 or len(inner) < 2 or direct or any(name.count(os.sep) == 1 for name in tree.files):
            return str(top), tree, notes
        top = top / next(iter(tree.folders))
        notes = [Note("wrapped_folder", f"The classes are the sub-folders of `{top.name}`, the only folder in "
                      f"`{path}`.")]


def _walk(top: str) -> _Tree:
    """All files below `top`, sorted; hidden ones and what systems leave behind are passed over, links followed once."""
    tree, seen = _Tree(), set()

    def enter(folder: str, prefix: str) -> None:
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:  # a link to a folder above
                return
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            tree.closed.append(prefix.rstrip(os.sep) or folder)
            return
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in LEFT_BY_SYSTEMS:
                continue
            if entry.is_dir():
                enter(entry.path, f"{prefix}{entry.name}{os.sep}")
            elif entry.is_file():
                tree.files.append(prefix + entry.name)
            elif entry.is_symlink():
                tree.broken.append(prefix + entry.name)

    enter(top, "")
    tree.folders = {name.split(os.sep)[0] for name in tree.files if os.sep in name}
    return tree


def _kind(name: str, look: Look) -> str:
    """What a file counts as: by its content; by its ending only where the content does not tell."""
    ending = os.path.splitext(name)[1].lower()
    if look.kind == "unknown" and ending in ENDINGS:
        return "image" if ending in PICTURES else "audio"
    return "other" if look.kind == "text" and ending in NO_TEXT else look.kind


def _with_series(tree: _Tree, kinds: list[str], asked: bool) -> list[str]:
    """Tables in at least two folders beside each other, where there is nothing else, are taken as series; where they
    are asked for, all are."""
    tables = [name.lower().endswith(SERIES) for name in tree.files]
    if asked:
        return ["series" if one else kind for one, kind in zip(tables, kinds, strict=True)]
    inside = sum(one and os.sep in name for one, name in zip(tables, tree.files, strict=True))
    if len(tree.folders) < 2 or 2 * inside <= len(kinds) or any(kind in NOUNS for kind in kinds):
        return kinds
    return ["series" if one else kind for one, kind in zip(tables, kinds, strict=True)]


def _most_frequent(path: Path, files: list[str], kinds: list[str]) -> str:
    counts = Counter(kind for kind in kinds if kind in NOUNS)
    if counts:
        return max(NOUNS, key=lambda kind: counts[kind])
    tables = [name for name in files if name.lower().endswith(TABLES)]
    if tables:
        raise DataError(f"`{path}` is a folder, not a table.", f"give one file, for example `{path / tables[0]}`")
    if not files:
        raise DataError(f"The folder `{path}` is empty.", HINT)
    raise DataError(f"None of the {len(files):,} files in `{path}` is a picture, a recording or a text, for example "
                    f"`{files[0]}`.", HINT)


def _tree_notes(tree: _Tree) -> Iterator[Note]:
    for names, kind, words in ((tree.broken, "broken_links", "are links to nowhere"),
                               (tree.closed, "closed_folders", "are folders that may not be opened")):
        if names:
            yield Note(kind, f"Left out, because they {words}: {named(names)}.", count=len(names), severity="warning")


def _left_out(files: list[str], looks: list[Look], kinds: list[str], kind: str) -> Iterator[Note]:
    """What was found besides the kind that most files are of."""
    empty, other, mislabelled = [], [], []
    for name, look, own in zip(files, looks, kinds, strict=True):
        if own == kind:
            continue
        ending = os.path.splitext(name)[1].lower()
        if look.kind in ("empty", "absent"):
            empty.append(name)
        elif ending in OWN_ENDINGS.get(kind, ()):
            mislabelled.append(name)
        else:
            other.append(name)
    what = NOUNS[kind]
    for names, note, words in ((empty, "empty_files", "empty or may not be read"),
                               (mislabelled, "mislabelled_files", f"named like a {what}, but hold{{}} something else"),
                               (other, "other_files", f"no {what}")):
        if names:
            one = len(names) == 1
            said = words.format("s" if one else "")
            yield Note(note, f"{len(names):,} {'file was' if one else 'files were'} left out, because "
                       f"{'it is' if one else 'they are'} {said}: {named(names)}.", count=len(names),
                       severity="warning")


def _texts(paths: list[str], rows: list[int], files: list[str]) -> tuple[list[int], list[str], list[Note]]:
    """The contents of texts; blank ones and those that are no text after all are left out."""
    kept, texts, blank, foreign = [], [], [], []
    for path, row in zip(paths, rows, strict=True):
        try:
            data, notes = to_utf8(Path(path).read_bytes(), files[row])
        except (DataError, OSError):
            data, notes = b"", ()
        text = data.decode("utf-8").strip()
        if text:
            kept.append(row)
            texts.append(text)
        else:
            blank.append(files[row])
        if any(note.severity == "warning" for note in notes):
            foreign.append(files[row])
    found = []
    if blank:
        found.append(Note("blank_texts", f"{len(blank):,} without any text were left out: {named(blank)}.",
                          count=len(blank), severity="warning"))
    if foreign:
        found.append(Note("encoding", f"{len(foreign):,} texts are not UTF-8 and were read as Windows-1252, so look at "
                          f"letters with accents: {named(foreign)}.", count=len(foreign), severity="warning"))
    return kept, texts, found


def _labels(files: list[str], kind: str) -> tuple[pl.Series, list[Note]]:
    """The name of the sub-folder that each file is in, and what should be known about it."""
    labels = [name.split(os.sep)[0] if os.sep in name else None for name in files]
    loose = [name for name in files if os.sep not in name]
    deep = sum(name.count(os.sep) > 1 for name in files)
    notes = []
    if loose:
        notes.append(Note("loose_files", f"{noun(kind, len(loose))} outside of the sub-folders "
                          f"{'has' if len(loose) == 1 else 'have'} no label: {named(loose)}.", count=len(loose)))
    if deep:
        notes.append(Note("nested_folders", f"{noun(kind, deep)} in deeper sub-folders count{'s' * (deep == 1)} as of "
                          "the class at the top.", count=deep))
    classes = sorted(set(labels) - {None})
    return pl.Series(labels, dtype=pl.Enum(classes)), notes
