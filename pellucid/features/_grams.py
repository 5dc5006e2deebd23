"""Words, pairs of words, pieces of characters and pieces of shapes of texts, as numbers; whole columns at once.

A text's lower-case characters with every digit read as 0 give its words; the characters themselves give pieces of 2 to
5; and its *shape*, in which a capital is `A`, another letter `a` and a digit `0`, gives pieces of 1 to 6. How
long a text is, in characters and in words, are two more. Each of these "grams" becomes a number below `BUCKETS`.

Source: fastText's hashed n-grams (Joulin and others 2016, section 2.1); Weinberger and others 2009.
"""
from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BUCKETS = 1 << 22
"""Different grams rarely share a number: fewer than one in ten even among 400,000."""
BLOCKS = ("words", "pieces", "shapes", "lengths")
PIECES = (2, 3, 4, 5)
SHAPES = (1, 2, 3, 4, 5, 6)
LENGTHS = (4, 3)
"""Lengths in characters and in words that are told apart between one length and its double."""
LONGEST = 50_000
"""Characters of a text that are read, from its beginning."""
PORTION = 1 << 20
"""Characters that are worked on together."""
ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese, for a class of a regular expression: scripts without blanks between
words. Each of their characters is a word."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_IS_ALONE = re.compile(f"[{ALONE}]")
_BLANK, _MARK, _LETTER, _SINGLE = 0, 1, 2, 3


@dataclass(frozen=True)
class Grams:
    """Which grams the texts hold: sorted by text and number, each once.

    Args:
        rows: int64 (found,), the text of each.
        numbers: int64 (found,), from 0 up to, but without, `BUCKETS`.
        counts: int64 (found,), how often it occurs in its text.
    """

    rows: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray


def readable(text: str) -> str:
    """A text with HTML entities resolved, compatible forms of characters made one, and any blanks a single one."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text[:LONGEST].split())


def grams_of(texts: Sequence[str], block: str) -> Grams:
    """The grams of one kind.

    Args:
        texts: as they are.
        block: one of `BLOCKS`.

    Example:
        >>> found = grams_of(["so so", "no"], "words")
        >>> found.rows.tolist(), found.counts.tolist()
        ([0, 0, 1], [1, 2, 1])
    """
    pieces = [_portion(portion, start, block) for start, portion in _portions(texts)]
    rows, numbers, counts = (np.concatenate(part) for part in zip(*pieces, strict=True)) if pieces else np.zeros(
        (3, 0), np.int64)
    return Grams(rows, numbers, counts)


def _portions(texts: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Some texts at a time, and the number of the first of them."""
    start, size, portion = 0, 0, []
    for place, text in enumerate(texts):
        portion.append(f" {found} " if (found := readable(text)) else "")
        size += len(portion[-1])
        if size >= PORTION:
            yield start, portion
            start, size, portion = place + 1, 0, []
    if portion:
        yield start, portion


def _portion(texts: list[str], start: int, block: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    found = {"words": _words, "pieces": _pieces, "shapes": _shapes, "lengths": _lengths}[block](codes, owners)
    rows = np.concatenate([rows for rows, _ in found])
    hashed = np.concatenate([_mixed(values, place) for place, (_, values) in enumerate(found)])
    keys, counts = np.unique(rows * BUCKETS + hashed, return_counts=True)
    return keys // BUCKETS + start, keys % BUCKETS, counts


def _words(codes: np.ndarray, owners: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Words and marks, then pairs of neighbours."""
    kinds = _translated(codes, _kind)
    begins = (kinds != _BLANK) & (_before(kinds) != kinds) | (kinds == _MARK) | (kinds == _SINGLE)
    starts = np.flatnonzero(begins)
    if not len(starts):
        return [(owners[:0], codes[:0].astype(np.uint64))] * 2
    number = np.cumsum(begins) - 1
    inside = np.flatnonzero(kinds != _BLANK)
    places = inside - starts[number[inside]]
    powers = np.cumprod(np.full(int(places.max()) + 1, _FACTOR))
    values = _translated(codes, _plain)[inside].astype(np.uint64) * powers[places]
    firsts = np.searchsorted(inside, starts)
    words, rows = np.add.reduceat(values, firsts), owners[starts]
    same = rows[1:] == rows[:-1]
    return [(rows, words), (rows[1:][same], (words[:-1] * _FACTOR * _MIX + words[1:])[same])]


def _before(kinds: np.ndarray) -> np.ndarray:
    return np.concatenate([np.full(1, _BLANK, kinds.dtype), kinds[:-1]])


def _pieces(codes: np.ndarray, owners: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return _runs(_translated(codes, _lower), owners, PIECES)


def _shapes(codes: np.ndarray, owners: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return _runs(_translated(codes, _shape), owners, SHAPES)


def _lengths(codes: np.ndarray, owners: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """How many characters and how many words, in steps that grow with the length."""
    rows, characters = np.unique(owners, return_counts=True)
    words = np.bincount(owners, codes == ord(" "))[rows]
    return [(rows, np.round(step * np.log2(count)).astype(np.uint64))
            for step, count in zip(LENGTHS, (characters, words), strict=True)]


def _runs(codes: np.ndarray, owners: np.ndarray, lengths: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """All stretches of so many characters within a text."""
    letters = codes.astype(np.uint64) + np.uint64(1)
    values, found = letters, []
    for length in range(1, max(lengths) + 1):
        if length > 1:
            values = values[:-1] * _FACTOR + letters[length - 1:]
        if length in lengths:
            whole = owners[:len(values)] == owners[length - 1:]
            found.append((owners[:len(values)][whole], values[whole]))
    return found


def _mixed(values: np.ndarray, salt: int) -> np.ndarray:
    """Well-spread numbers below `BUCKETS`; the finishing step of splitmix64 (Steele and others 2014)."""
    values = values + _FACTOR * np.full(1, salt + 1, np.uint64)
    values = (values ^ (values >> np.uint64(30))) * _MIX
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((values ^ (values >> np.uint64(31))) >> np.uint64(42)).astype(np.int64)


def _translated(codes: np.ndarray, rule: Callable[[str], int]) -> np.ndarray:
    """`rule` of each character, asked once for each that occurs."""
    distinct, places = np.unique(codes, return_inverse=True)
    return np.array([rule(chr(code)) for code in distinct], np.uint32)[places]


def _kind(character: str) -> int:
    if character.isspace():
        return _BLANK
    if character.isalnum() or character == "_" or unicodedata.category(character).startswith("M"):
        return _SINGLE if _IS_ALONE.match(character) else _LETTER
    return _MARK


def _lower(character: str) -> int:
    return ord(character.lower()[0])


def _plain(character: str) -> int:
    """In lower case, digits as 0."""
    return ord("0") if character.isdigit() else _lower(character)


def _shape(character: str) -> int:
    if character.isdigit():
        return ord("0")
    if character.isalpha():
        return ord("A") if character.isupper() else ord("a")
    return ord(character)
