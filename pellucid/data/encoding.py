"""Bytes of a text file to UTF-8."""
from __future__ import annotations

import codecs
import gzip
import zlib

from pellucid.core.note import Note
from pellucid.errors import DataError

SAMPLE = 1 << 16
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b"))
_KNOWN_BINARY = {b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture",
                 b"%PDF": "a PDF document", b"\x7fELF": "a program", b"\x1f\x8b": "a gzip file",
                 b"SQLite format 3": "an SQLite database", b"BZh": "a bzip2 file", b"\xfd7zXZ": "an xz file",
                 b"\x28\xb5\x2f\xfd": "a Zstandard file", b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
                 b"PK\x03\x04": "a zip file", b"\x93NUMPY": "a NumPy array", b"\x89HDF": "an HDF5 file",
                 b"\x80\x04\x95": "a pickle"}
NOT_TEXT_HINT = "give a table: CSV, TSV, Parquet, JSON Lines or Excel"


def gunzip(data: bytes, source: str) -> bytes:
    """Unpack gzip.

    Raises:
        DataError: the file is cut short or damaged.
    """
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"`{source}` is a damaged gzip file ({error}).", "copy or download it again") from error


def to_utf8(data: bytes, source: str) -> tuple[bytes, tuple[Note, ...]]:
    """The same text in UTF-8 without a byte order mark, with Unix line ends, and a note if it was in another encoding.

    Raises:
        DataError: the bytes are no text.
    """
    data, notes = _decoded(data, source)
    _require_text(data[:SAMPLE], source)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in data:
        count = data.count(b"\0")
        data = data.replace(b"\0", b"")
        notes += (Note("nul_bytes", f"{count:,} NUL characters were left out.", count=count, severity="warning"),)
    return data, notes


def _decoded(data: bytes, source: str) -> tuple[bytes, tuple[Note, ...]]:
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
    encoding = _UTF_16.get(data[:2]) or _utf_16_without_mark(data[:SAMPLE])
    if encoding:
        text = data.decode(encoding, errors="replace").lstrip("\ufeff")
        return text.encode(), (Note("encoding", f"The file is in {encoding.upper()[:6]}."),)
    try:
        codecs.utf_8_decode(data, "strict", True)
        return data, ()
    except UnicodeDecodeError as error:
        _require_text(data[:SAMPLE], source)
        text = data.decode("cp1252", errors="replace")
        note = Note("encoding", f"The file is not UTF-8 (byte {error.start:,}); it was read as Windows-1252, so look "
                                "at letters with accents.", severity="warning")
        return text.encode(), (note,)


def _utf_16_without_mark(sample: bytes) -> str | None:
    if len(sample) < 8:
        return None
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if odd > 0.7 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.1 else None


def _require_text(sample: bytes, source: str) -> None:
    for magic, what in _KNOWN_BINARY.items():
        if sample.startswith(magic):
            raise DataError(f"`{source}` is {what}, not a table of text.", NOT_TEXT_HINT)
    strange = len(sample) - len(sample.translate(None, _CONTROL))
    if sample.count(0) > 0.001 * len(sample) + 2 or strange > 0.02 * len(sample) + 2:
        raise DataError(f"`{source}` is binary, not a table of text.", NOT_TEXT_HINT)
