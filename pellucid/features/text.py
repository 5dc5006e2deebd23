"""Free text: words, pairs of words, and pieces of characters, weighted by how rare they are."""
from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.core.sizes import bucket
from pellucid.features._grams import ALONE, BLOCKS, BUCKETS, grams_of
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded
from pellucid.features.values import as_text

MOST = {"words": 120_000, "pieces": 120_000, "shapes": 20_000, "lengths": 1000}
"""Grams of each kind that are told apart, the most frequent ones."""
ENOUGH = 50_000
"""Texts that grams are counted in."""
MOST_CODES = 4096
LARGEST = 1 << 28
"""Codes of all training rows together: many texts are cut to fewer grams each."""

_LETTERS = rf"(?:(?![{ALONE}])[^\W\d_])+"
PART = re.compile(rf"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);|[{ALONE}]|{_LETTERS}(?:['’]{_LETTERS})+|"
                  rf"(?:(?![{ALONE}])\w)+|[^\w\s]+")
"""An HTML entity, a character that is a word, a word with an apostrophe, a word, or marks."""
NAME = re.compile(r"(^|[_\s.\-])(full)?(text|review|comment|message|msg|sms|tweet|sentence|description|body|headline|"
                  r"subject|"
                  r"question|post|feedback|summary|abstract|content|e?mail|document|utterance|query|remark|note)s?$",
                  re.IGNORECASE)
MANY_WORDS, SOME_WORDS = 5, 1.5
FEWEST = 5
MOST_PARTS = 160
"""Words and marks of a text that are pointed at one by one; those of a longer text in groups of neighbours."""


@dataclass(frozen=True, kw_only=True)
class Text(AbstractFeature):
    """Free text as a set of weighted grams: see `features._grams`.

    A gram's weight is (1 + log of its count in the text) · its rarity, 1 + log((1 + texts) / (1 + texts with it)); the
    weights of each kind of gram are scaled to length 1.

    Args:
        grams: the numbers of the grams, kind after kind, each by falling count; int32 in base64.
        rarity: of each gram; float32 in base64.
        sizes: how many grams there are of each kind in `BLOCKS`.
        length: how many different grams of a text are read; those of least weight are left out.
        words: how many of them are words and pairs of words in all but a hundredth of the texts.
    """

    kind: ClassVar[str] = "text"
    grams: str
    rarity: str
    sizes: tuple[int, ...]
    length: int
    words: int

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """Mostly different cells of many words; fewer are enough under a name such as "review"."""
        present = cells.drop_nulls()
        distinct = present.n_unique()
        if cells.dtype != pl.String or distinct < FEWEST or distinct <= 0.5 * len(present):
            return None
        words = _mean_words(present.head(2000))
        if words < (SOME_WORDS if NAME.search(name) else MANY_WORDS):
            return None
        under = f' under the name "{name}"' if words < MANY_WORDS else ""
        return Recognition("text", f"free text{under}, {words:.0f} words on average", distinct, cells.null_count())

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Text:
        """Count the grams of the training rows; those in a single text are left out."""
        texts = as_text(column).drop_nulls()
        step = max(-(-len(texts) // ENOUGH), 1)
        sample = texts.gather_every(step).to_list()
        kept, rarity, totals = [], [], {}
        for block in BLOCKS:
            found = grams_of(sample, block)
            count = np.bincount(found.numbers, minlength=BUCKETS)
            known = np.flatnonzero(count > 1)
            known = known[np.argsort(-count[known], kind="stable")][:MOST[block]]
            kept.append(known)
            rarity.append(1 + np.log((1 + len(sample)) / (1 + count[known])))
            is_known = np.zeros(BUCKETS, bool)
            is_known[known] = True
            totals[block] = np.bincount(found.rows[is_known[found.numbers]], minlength=max(len(sample), 1))
        most = int(min(MOST_CODES, max(LARGEST // max(len(texts), 1), 64)))
        length = min(bucket(_usual(sum(totals.values()))), most)
        return cls(name=name, reason=reason, grams=_packed(np.concatenate(kept), np.int32),
                   rarity=_packed(np.concatenate(rarity), np.float32), sizes=tuple(map(len, kept)), length=length,
                   words=min(bucket(_usual(totals["words"])), length))

    @property
    def is_raw(self) -> bool:
        """A network reads the grams."""
        return True

    @property
    def codes(self) -> int:
        """How many codes there are: 0 for nothing, then the grams."""
        return 1 + sum(self.sizes)

    def encode(self, column: pl.Series) -> Encoded:
        """`"codes"` int32 (rows, length), kind after kind, 0 for nothing at the end; `"weights"` float16 alike;
        `"words"` int32 (rows,), how many of them are words and pairs."""
        cells = as_text(column)
        texts, missing = [text or "" for text in cells.to_list()], cells.is_null().to_numpy()
        numbers, rarity = _unpacked(self.grams, np.int32), _unpacked(self.rarity, np.float32)
        parts, start = [], 0
        for block, size in zip(BLOCKS, self.sizes, strict=True):
            own = slice(start, start + size)
            parts.append(_weighted(texts, block, numbers[own], rarity[own], start + 1))
            start += size
        raw = _table(parts, len(texts), self.length)
        words = np.count_nonzero((raw["codes"] > 0) & (raw["codes"] <= self.sizes[0]), axis=1).astype(np.int32)
        return encoded(len(texts), missing=missing, counts={"missing": missing.sum()}, raw=raw | {"words": words})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up grams."""
        codes = np.sort(generator.integers(0, self.codes, (rows, self.length)).astype(np.int32))[:, ::-1].copy()
        weights = (codes > 0) * generator.uniform(0, 2 / np.sqrt(self.length), codes.shape)
        words = np.count_nonzero((codes > 0) & (codes <= self.sizes[0]), axis=1).astype(np.int32)
        return {"codes": codes, "weights": weights.astype(np.float16), "words": words}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """Words and marks, by where they stand; in a long text, neighbours together."""
        text = _text_of(cell)
        return tuple(Part(self.name, " ".join(text[start:stop].split()), place=(start, stop))
                     for start, stop in _places(text))

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """The text with some of its words left out; blanks between words stay."""
        text = _text_of(cell)
        places = _places(text)
        gaps = [text[stop:start] for (_, stop), (start, _) in zip([(0, 0), *places], [*places, (len(text),) * 2],
                                                                  strict=True)]
        words = [text[start:stop] for start, stop in places]
        texts = [gaps[0] + "".join([(word if kept else " ") + gap for word, gap, kept in zip(
            words, gaps[1:], row_keep, strict=True)]) for row_keep in keep.tolist()]
        found = self.encode(pl.Series(self.name, texts, dtype=pl.String))
        return Encoded(found.numbers, found.codes, np.zeros(len(texts), bool), raw=found.raw)

    @staticmethod
    def spans(text: str) -> list[tuple[int, int]]:
        """Where the words and marks of a text begin and end: what can be pointed at, or left out.

        Example:
            >>> [text[start:stop] for text in ["Don't &lt;b&gt; go!!"] for start, stop in Text.spans(text)]
            ["Don't", '&lt;', 'b', '&gt;', 'go', '!!']
        """
        return [match.span() for match in PART.finditer(text)]


def _text_of(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _places(text: str) -> list[tuple[int, int]]:
    """Where the parts of a text begin and end, at most `MOST_PARTS`."""
    spans = Text.spans(text)
    size = max(-(-len(spans) // MOST_PARTS), 1)
    return [(own[0][0], own[-1][1]) for own in (spans[start:start + size] for start in range(0, len(spans), size))]


def _mean_words(cells: pl.Series) -> float:
    """Words of a cell on average; in scripts without blanks, two characters are about a word."""
    return float((cells.str.count_matches(r"\S+") + 0.5 * cells.str.count_matches(f"[{ALONE}]")).mean())


def _usual(counts: np.ndarray) -> int:
    """What is enough for all but a hundredth of the texts."""
    return int(np.ceil(np.quantile(counts, 0.99)))


def _packed(values: np.ndarray, kind: type) -> str:
    return base64.b64encode(values.astype(np.dtype(kind).newbyteorder("<")).tobytes()).decode("ascii")


def _unpacked(text: str, kind: type) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.dtype(kind).newbyteorder("<"))


def _weighted(texts: Sequence[str], block: str, known: np.ndarray, rarity: np.ndarray,
              first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row, code and weight of each known gram of one kind."""
    order = np.argsort(known)
    found = grams_of(texts, block)
    places = np.searchsorted(known, found.numbers, sorter=order)
    places = order[np.minimum(places, len(order) - 1)] if len(order) else places
    hit = known[places] == found.numbers if len(order) else np.zeros(len(places), bool)
    rows, places = found.rows[hit], places[hit]
    weights = (1 + np.log(found.counts[hit])) * rarity[places]
    length = np.sqrt(np.bincount(rows, weights * weights, minlength=len(texts)))
    return rows, places + first, weights / length[rows]


def _table(parts: Sequence[tuple[np.ndarray, ...]], count: int, length: int) -> dict[str, np.ndarray]:
    """Codes and weights side by side in rows of one length, kind after kind."""
    codes, scales = np.zeros((count, length), np.int32), np.zeros((count, length), np.float16)
    filled = np.zeros(count, np.int64)
    for rows, own, weights in _lightest_left_out(parts, count, length):
        totals = np.bincount(rows, minlength=count)
        places = filled[rows] + _within(totals)
        codes[rows, places], scales[rows, places] = own, weights
        filled += totals
    return {"codes": codes, "weights": scales}


def _lightest_left_out(parts: Sequence[tuple[np.ndarray, ...]], count: int,
                       length: int) -> list[tuple[np.ndarray, ...]]:
    """The grams without those that do not fit into their row, which are the ones of least weight."""
    totals = sum(np.bincount(rows, minlength=count) for rows, _, _ in parts)
    if totals.max(initial=0) <= length:
        return list(parts)
    rows, weights = (np.concatenate([part[place] for part in parts]) for place in (0, 2))
    full = np.flatnonzero((totals > length)[rows])
    order = full[np.lexsort((-weights[full], rows[full]))]
    kept = np.ones(len(rows), bool)
    kept[order[_within(np.where(totals > length, totals, 0)) >= length]] = False
    cuts = np.split(kept, np.cumsum([len(part[0]) for part in parts])[:-1])
    return [tuple(values[own] for values in part) for part, own in zip(parts, cuts, strict=True)]


def _within(totals: np.ndarray) -> np.ndarray:
    """The place of each entry within its row, for rows of so many entries one after another."""
    return np.arange(totals.sum()) - np.repeat(np.cumsum(totals) - totals, totals)
