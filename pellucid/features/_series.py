"""Series out of cells: lists, numbers with something between them, and files of one or more channels."""
from __future__ import annotations

import io
import json
import os
import re
from dataclasses import dataclass

import numpy as np

from pellucid.features.values import MISSING, MISSING_AMONG_NUMBERS

NUMPY = b"\x93NUMPY"
TABLES = (".csv", ".tsv", ".txt", ".dat")
FILES = (*TABLES, ".npy")
LARGEST = 1 << 27
"""Bytes; a larger file is not read."""
TIME_NAMES = ("", "t", "time", "index", "step", "timestamp", "date", "datetime", "seconds", "unnamed: 0")
_GAPS = {*MISSING, *MISSING_AMONG_NUMBERS}
_PLAIN = re.compile(r"[\s\d.,;:|+\-eE]*")


class Unreadable(Exception):
    """Why a cell holds no series, in words for a user."""


@dataclass(frozen=True)
class Steps:
    """One series as it was read.

    Args:
        values: float64 (steps, channels), NaN for gaps; the other way round where `turned` is possible.
        sure: whether steps are known to come first.
    """

    values: np.ndarray
    sure: bool


def read_series(cell: str | bytes) -> Steps:
    """The series in a cell.

    Args:
        cell: a list such as `"[1, 2.5, null]"`, or a list of lists; numbers between blanks, semicolons, commas or bars,
            channels between colons; the path of a table of numbers, one line for each step, or of a NumPy file; or the
            bytes of such a file.

    Raises:
        Unreadable: it holds none.

    Example:
        >>> read_series("1;2,5;;4").values[:, 0].tolist()
        [1.0, 2.5, nan, 4.0]
    """
    if isinstance(cell, bytes):
        return _array(cell) if cell.startswith(NUMPY) else _whole(Steps(_table(cell), True))
    text = cell.strip()
    if is_path(text):
        return _file(text)
    if text[:1] in "[({":
        return _whole(_list(text))
    channels = [_numbers(part) for part in text.split(":")]
    if len({len(one) for one in channels}) > 1:
        raise Unreadable(f"its channels have different lengths, {_sizes(channels)}")
    return _whole(Steps(np.stack(channels, axis=1), True))


def is_path(text: str) -> bool:
    """Whether a cell names a file instead of holding numbers."""
    return text.lower().endswith(FILES) or text.startswith(os.sep)


def looks_like_numbers(text: str, fewest: int) -> bool:
    """A cheap first look: whether a cell is a list, or holds so many digits and hardly anything else."""
    text = text.strip()
    if text[:1] in ("[", "("):
        return text[-1] in "])" and any(sign.isdigit() for sign in text[:200])
    return len(text) >= 2 * fewest - 1 and bool(_PLAIN.match(text[:400]).end() >= min(len(text), 400) * 0.7)


def _sizes(parts: list) -> str:
    return ", ".join(str(len(one)) for one in parts[:4]) + (", …" if len(parts) > 4 else "")


def _whole(found: Steps) -> Steps:
    values = np.where(np.isfinite(found.values), found.values, np.nan)
    if not values.size:
        raise Unreadable("it is empty")
    if np.isnan(values).all():
        raise Unreadable("it holds no number")
    return Steps(values, found.sure)


def _list(text: str) -> Steps:
    """A list of JSON or Python; an array as NumPy prints it."""
    try:
        found = json.loads(re.sub(r"\bnan\b", "NaN", text.replace("None", "null").replace("(", "[").replace(")", "]")))
    except ValueError:
        if "..." in text:
            raise Unreadable("its middle was left out when it was written") from None
        rows = [part for part in re.split(r"[\[\](){}]+", text) if part.strip(" \n\t,")]
        channels = [_numbers(part.strip(" ,\n\t")) for part in rows]
        return _joined(channels if len(rows) > 1 or text[1:2] in "[(" else channels[:1], len(rows) == 1)
    if not isinstance(found, list):
        raise Unreadable("it is no list of numbers")
    if found and all(isinstance(one, list) for one in found):
        return _joined([_floats(one) for one in found], False)
    return _joined([_floats(found)], True)


def _joined(parts: list[np.ndarray], single: bool) -> Steps:
    if not parts:
        raise Unreadable("it is empty")
    if len({len(one) for one in parts}) > 1:
        raise Unreadable(f"its lists have different lengths, {_sizes(parts)}")
    return Steps(np.stack(parts, axis=1), True) if single else Steps(np.stack(parts), False)


def _floats(values: list) -> np.ndarray:
    try:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    except (TypeError, ValueError):
        return np.array([_one(value) for value in values])


def _one(value: object) -> float:
    if value is None:
        return np.nan
    if isinstance(value, str):
        return float(_numbers(value)[0]) if value.strip() else np.nan
    if isinstance(value, (int, float)):
        return float(value)
    raise Unreadable("it is no list of numbers")


def _numbers(text: str) -> np.ndarray:
    """Numbers with semicolons, bars, tabs, blanks or commas between them; commas may be decimal ones."""
    text = text.strip()
    separator = next((sign for sign in (";", "|", "\t") if sign in text), None)
    if separator is None:
        blanks = re.search(r"[^,\s]\s+[^,\s]", text)
        separator = None if blanks else ","
    words = text.split(separator)
    words = words[:-1] if separator and len(words) > 1 and not words[-1].strip() else words
    try:
        return np.array(words, np.float64)
    except ValueError:
        decimal = separator != "," and "." not in text
        return np.array([_number(word, decimal) for word in words], np.float64)


def _number(word: str, decimal: bool) -> float:
    word = word.strip().strip(",").strip() if not decimal else word.strip()
    if word.lower() in _GAPS:
        return np.nan
    try:
        return float(word.replace(",", ".") if decimal else word)
    except ValueError:
        raise Unreadable(f"\"{word[:20]}\" is no number") from None


def _file(path: str) -> Steps:
    try:
        if os.path.getsize(path) > LARGEST:
            raise Unreadable("the file is too large")
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except (OSError, ValueError) as error:
        raise Unreadable((getattr(error, "strerror", None) or "it cannot be opened").lower()) from None
    return _array(data) if data.startswith(NUMPY) else _whole(Steps(_table(data), True))


def _array(data: bytes) -> Steps:
    """The numbers of a NumPy file."""
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise Unreadable("a damaged NumPy file") from None
    if values.dtype.kind not in "buif" or values.ndim not in (1, 2):
        raise Unreadable(f"an array of shape {values.shape} is no series")
    values = values.astype(np.float64)
    return _whole(Steps(values[:, None], True) if values.ndim == 1 else Steps(values, False))


def _table(data: bytes) -> np.ndarray:
    """A table of numbers, with or without a line of names; a first column of times is left out."""
    if b"\0" in data[:4096]:
        raise Unreadable("neither text nor a NumPy file")
    lines = [line for line in data.decode("utf-8-sig", "replace").splitlines() if line.strip()]
    if not lines:
        raise Unreadable("the file is empty")
    separator = next((sign for sign in ("\t", ";", ",") if any(sign in line for line in lines[:3])), None)
    rows = [line.split(separator) for line in lines]
    names = [] if all(_reads(word) for word in rows[0]) else [word.strip().strip('"').lower() for word in rows[0]]
    rows = rows[bool(names):]
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        raise Unreadable("its lines hold different numbers of values" if rows else "it holds no numbers")
    timed = widths.pop() > 1 and (names[:1] and names[0] in TIME_NAMES or not any(_reads(row[0]) for row in rows))
    decimal = separator == ";" and not any("." in line for line in lines[:50])
    return np.array([[_number(word.strip('"'), decimal) for word in row[timed:]] for row in rows])


def _reads(word: str) -> bool:
    word = word.strip().strip('"')
    try:
        float(word.replace(",", "."))
    except ValueError:
        return word.lower() in _GAPS
    return True
