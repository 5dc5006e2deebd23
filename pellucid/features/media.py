"""What a file or a cell of bytes holds: a picture, a recording or text, told by its content and not by its name."""
from __future__ import annotations

import io
import json
import os
import re
from typing import Any

import numpy as np
import polars as pl

NUMPY = b"\x93NUMPY"
MOST_CHANNELS = 16
"""An array with more numbers at each step is a picture and no series."""
HEAD = 4096
"""So many bytes tell what a file is."""
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".pgm", ".ppm", ".pbm", ".pnm", ".tif", ".tiff",
            ".webp", ".ico", ".jp2", ".avif", ".npy")
RECORDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au")
SERIES = (".csv", ".tsv", ".dat")
"""Tables of numbers, each of which may be a series."""
NOUNS = {"image": "picture", "audio": "recording", "text": "text", "video": "film", "series": "series"}
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image"), (b"\xff\xd8\xff", "image"), (b"GIF87a", "image"), (b"GIF89a", "image"),
    (b"II*\0", "image"), (b"MM\0*", "image"), (b"II+\0", "image"),
    (b"\0\0\1\0", "image"), (b"\0\0\0\x0cjP  ", "image"), (b"fLaC", "audio"), (b"OggS", "audio"), (b"ID3", "audio"),
    (b".snd", "audio"), (b"\xff\xfb", "audio"), (b"\xff\xf3", "audio"), (b"\xff\xf2", "audio"), (b"\xff\xfa", "audio"),
)
_CONTAINERS = {b"WEBP": "image", b"WAVE": "audio", b"AIFF": "audio", b"AIFC": "audio"}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def sniff(head: bytes) -> str:
    """What the first bytes of a file say it is: `"image"`, `"audio"`, `"text"`, `"empty"` or `"unknown"`.

    Example:
        >>> sniff(b"GIF89a..."), sniff(b"Dear reader,"), sniff(b"")
        ('image', 'text', 'empty')
    """
    if not head:
        return "empty"
    if head.startswith(NUMPY):
        return _array_kind(array_shape(head))
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] in (b"RIFF", b"FORM", b"RIFX", b"RF64"):
        return _CONTAINERS.get(head[8:12], "unknown")
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "image"
    if head[4:8] == b"ftyp":
        return "image" if head[8:12] in (b"avif", b"avis", b"heic", b"mif1") else "unknown"
    if re.match(rb"P[1-6]\s+[#\d]", head):
        return "image"
    return "text" if _is_text(head) else "unknown"


def array_shape(head: bytes) -> tuple[int, ...]:
    """The shape that the first bytes of a NumPy file tell; empty where they tell none."""
    found = re.search(rb"'shape': \(([\d, L]*)\)", head[:512])
    return tuple(int(size) for size in re.findall(rb"\d+", found[1])) if found else ()


def is_film_shape(shape: tuple[int, ...]) -> bool:
    """Whether an array is a film: (frames, height, width), or that with a last axis of up to four colours."""
    return len(shape) == 4 and shape[3] <= 4 or len(shape) == 3 and shape[2] > 4


def _array_kind(shape: tuple[int, ...]) -> str:
    """A film has frames; a series is much longer than it has channels; other arrays are pictures."""
    if is_film_shape(shape):
        return "video"
    if len(shape) == 2:
        few, many = sorted(shape)
        return "series" if few <= MOST_CHANNELS and many >= 4 * few else "image"
    return "series" if len(shape) == 1 else "image"


def listed(cell: str) -> list[str] | None:
    """The names in a cell that lists several: in JSON, or between semicolons or bars; `None` for a single one."""
    text = cell.strip()
    if text.startswith("["):
        try:
            names = json.loads(text)
        except ValueError:
            names = [part.strip().strip("'\"") for part in text.strip("[]").split(",")]
        return [name.strip() for name in names] if all(isinstance(name, str) for name in names) else None
    separator = next((sign for sign in ";|" if sign in text), None)
    return [name.strip() for name in text.split(separator) if name.strip()] if separator else None


def _is_text(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16
        return True
    return len(head.translate(None, _CONTROL)) == len(head)


def sniff_file(path: str) -> str:
    """What a file holds; `"absent"` where there is none or it cannot be opened."""
    try:
        with open(path, "rb") as file:
            return sniff(file.read(HEAD))
    except (OSError, ValueError):
        return "absent"


def is_media(cells: pl.Series, kind: str, endings: tuple[str, ...], most: int = 30) -> int:
    """How many of up to `most` cells from all over a column hold media of a kind; 0 unless that is at least half.

    Args:
        cells: paths, of which at least one must exist, or bytes; null where there is no value.
        kind: `"image"` or `"audio"`.
        endings: of names that are worth a look at the disk; absolute paths always are.
    """
    present = cells.drop_nulls()
    sample = present.gather_every(max(len(present) // most, 1)).head(most).to_list()
    if cells.dtype == pl.Binary:
        found = [sniff(cell[:HEAD]) for cell in sample]
    elif cells.dtype == pl.String:
        named = [cell.lower().endswith(endings) for cell in sample]
        if 2 * sum(one or cell.startswith(os.sep) for one, cell in zip(named, sample, strict=True)) < len(sample):
            return 0
        found = [sniff_file(cell) if one or cell.startswith(os.sep) else "unknown"
                 for one, cell in zip(named, sample, strict=True)]
    else:
        return 0
    good = found.count(kind)
    there = len(found) - found.count("absent")
    return good if good and 2 * good >= there else 0


def as_bytes(value: Any) -> bytes | None:
    """A picture in memory as the bytes of a file that holds the very same values; `None` for anything else.

    Args:
        value: a Pillow image, an array (height, width[, colours]), or bytes of a picture or recording.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value)
        return value if sniff(value[:HEAD]) in ("image", "audio") else None
    if isinstance(value, np.ndarray):
        return array_bytes(value[None])[0] if value.ndim in (2, 3) and value.dtype.kind in "buif" else None
    if type(value).__module__.startswith("PIL."):
        out = io.BytesIO()
        value.save(out, "TIFF" if value.mode in ("CMYK", "F", "LAB", "YCbCr", "HSV") else "PNG")
        return out.getvalue()
    return None


def array_bytes(rows: np.ndarray) -> list[bytes]:
    """Each row of an array as the bytes of a NumPy file (`.npy`)."""
    rows = np.ascontiguousarray(rows if rows.dtype.kind != "b" else rows.astype(np.uint8))
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, np.lib.format.header_data_from_array_1_0(rows[0] if len(rows) else rows))
    head = out.getvalue()
    return [head + row.tobytes() for row in rows]
