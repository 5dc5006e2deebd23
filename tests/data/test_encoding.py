"""Bytes to UTF-8."""
from __future__ import annotations

import gzip
import os

import pytest

from pellucid.data.encoding import gunzip, to_utf8
from pellucid.errors import DataError

TEXT = "größe;ort\n1,5;Zürich\n2,5;Köln\n" * 5


@pytest.mark.parametrize(("encoding", "kinds"), [
    ("utf-8", []), ("utf-8-sig", []), ("utf-16", ["encoding"]), ("utf-16-le", ["encoding"]),
    ("utf-16-be", ["encoding"]), ("cp1252", ["encoding"]),
])
def test_encodings(encoding, kinds):
    text, notes = to_utf8(TEXT.encode(encoding), "x")
    assert text.decode() == TEXT and [note.kind for note in notes] == kinds


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends(end):
    assert to_utf8(TEXT.replace("\n", end).encode(), "x")[0].decode() == TEXT


@pytest.mark.parametrize("junk", [
    b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", bytes(range(256)) * 4, b"\0" * 100, b"PK\x03\x04 zip", os.urandom(3000),
])
def test_binary_is_refused(junk):
    with pytest.raises(DataError, match="not a table of text"):
        to_utf8(junk, "x")


def test_a_few_nul_characters_are_left_out():
    text, notes = to_utf8(b"a,b\n1,\x002\n" + b"1,2\n" * 500, "x")
    assert b"\0" not in text and notes[0].kind == "nul_bytes"


def test_gzip():
    assert gunzip(gzip.compress(b"a,b"), "x") == b"a,b"
    with pytest.raises(DataError, match="damaged gzip"):
        gunzip(gzip.compress(b"a,b" * 1000)[:20], "x")
