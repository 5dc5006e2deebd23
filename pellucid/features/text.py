"""Free text: words by their number in a vocabulary."""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from pellucid.core.sizes import bucket
from pellucid.features.base import AbstractFeature, Encoded, encoded
from pellucid.features.values import as_text

WORD = re.compile(r"\w+|[^\w\s]")
MOST_WORDS = 20_000
LONGEST = 512
FIRST = 2
"""Codes 0 and 1 are "nothing" and "unknown word"."""


@dataclass(frozen=True, kw_only=True)
class Text(AbstractFeature):
    """Free text as a sequence of words.

    Args:
        vocabulary: the words by falling count; each occurs at least twice in the training rows.
        length: how many words of a text are read, from its beginning.
    """

    kind: ClassVar[str] = "text"
    vocabulary: tuple[str, ...]
    length: int

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Text:
        """Count the words of the training rows."""
        texts = [words_of(cell) for cell in as_text(column).drop_nulls().to_list()]
        counts = Counter(word for words in texts for word in words)
        kept = sorted((word for word, count in counts.items() if count > 1), key=lambda word: (-counts[word], word))
        longest = float(np.quantile([len(words) for words in texts] or [1], 0.99))
        return cls(name=name, reason=reason, vocabulary=tuple(kept[:MOST_WORDS]),
                   length=min(bucket(int(np.ceil(longest))), LONGEST))

    @property
    def is_raw(self) -> bool:
        """A network reads the words."""
        return True

    @property
    def vocabulary_size(self) -> int:
        """How many codes there are."""
        return len(self.vocabulary) + FIRST

    def encode(self, column: pl.Series) -> Encoded:
        """`"codes"` int32 (rows, length) and `"lengths"` int32 (rows,), at least 1."""
        known = {word: code for code, word in enumerate(self.vocabulary, FIRST)}
        cells = as_text(column)
        codes, lengths = np.zeros((len(cells), self.length), np.int32), np.ones(len(cells), np.int32)
        for row, cell in enumerate(cells.to_list()):
            words = words_of(cell or "")[:self.length]
            codes[row, :len(words)] = [known.get(word, 1) for word in words]
            lengths[row] = max(len(words), 1)
        missing = cells.is_null().to_numpy()
        return encoded(len(cells), missing=missing, counts={"missing": missing.sum()},
                       raw={"codes": codes, "lengths": lengths})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up words."""
        codes = generator.integers(0, self.vocabulary_size, (rows, self.length)).astype(np.int32)
        return {"codes": codes, "lengths": generator.integers(1, self.length + 1, rows).astype(np.int32)}


def words_of(text: str) -> list[str]:
    """The words and marks of a text, in lower case."""
    return WORD.findall(text.lower())
