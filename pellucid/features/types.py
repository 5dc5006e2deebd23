"""The feature types of tables: number, category, boolean, date, and those that encode to nothing."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.names import FEATURE_TYPE_ALIASES
from pellucid.core.registry import Registry
from pellucid.features.audio import Audio
from pellucid.features.background import codes_at, even_shares, numbers_at, quantiles_of
from pellucid.features.base import AbstractFeature, Encoded, encoded
from pellucid.features.dates import find_date_format, read_moments
from pellucid.features.image import Image
from pellucid.features.molecule import Molecule
from pellucid.features.molecule_3d import Molecule3D
from pellucid.features.normalise import (
    AbstractNormalisation,
    fit_normalisation,
    moments,
    normalisation_from_json,
)
from pellucid.features.series import Series
from pellucid.features.text import Text
from pellucid.features.tree import TreeFeature
from pellucid.features.values import as_text, drop_ambiguous, read_numbers, read_truths
from pellucid.features.video import Video

MAX_LEVELS = 1000
ALWAYS_KEPT = 20  # a vocabulary up to this size keeps levels seen once, too
DAY = 86_400.0
YEAR = 365.2425 * DAY


@dataclass(frozen=True, kw_only=True)
class Number(AbstractFeature):
    """A scaled number, and a second channel "is missing" if training rows lacked values.

    Args:
        normalisation: the fitted scaling.
        center: the middle of the training values, which stands in for a missing one: what the scaling is centred on
            (the median for `robust`), else the mean.
        scale: their standard deviation.
        low, high: their range.
        has_missing: whether training rows lacked values.
        decimal: the decimal mark of text cells.
        quantiles: of the training values, for made-up cells; empty in older files.
        missing: the share of training cells without a value.
    """

    kind: ClassVar[str] = "number"
    normalisation: AbstractNormalisation
    center: float
    scale: float
    low: float
    high: float
    has_missing: bool
    decimal: str = "."
    quantiles: tuple[float, ...] = ()
    missing: float = 0.0

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Number:
        """Fit on training rows."""
        read = read_numbers(column)
        absent = np.isnan(read.values)
        present = read.values[~absent] if not absent.all() else np.zeros(1)
        mean, scale = moments(present)
        normalisation = fit_normalisation(normalise, present)
        return cls(name=name, reason=reason, normalisation=normalisation,
                   center=getattr(normalisation, "center", mean), scale=scale, low=float(present.min()),
                   high=float(present.max()), has_missing=bool(absent.any()), decimal=read.decimal,
                   quantiles=quantiles_of(present), missing=float(absent.mean()) if len(absent) else 0.0)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The scaled number, and whether it is missing."""
        return (self.name, f"{self.name} is missing") if self.has_missing else (self.name,)

    def encode(self, column: pl.Series) -> Encoded:
        """Scale; a cell without a finite number gets the middle of the training values."""
        read = read_numbers(column, self.decimal)
        absent = np.isnan(read.values)
        scaled = self.normalisation.apply(np.where(absent, self.center, read.values) if absent.any() else read.values)
        channels = [scaled, absent.astype(np.float64)] if self.has_missing else [scaled]
        return encoded(len(column), numbers=channels, missing=absent, counts={
            "missing": read.missing.sum(), "infinite": read.infinite, "unreadable": read.unreadable.sum()})

    def background(self, rows: int, generator: np.random.Generator) -> Encoded:
        """Numbers from the quantiles."""
        return self.encode(pl.Series(self.name, numbers_at(
            even_shares(rows, generator), self.quantiles, center=self.center, scale=self.scale, missing=self.missing)))

    def to_json(self) -> dict[str, Any]:
        """The type and its fitted values as plain values."""
        return {**super().to_json(), "normalisation": self.normalisation.to_json()}


@dataclass(frozen=True, kw_only=True)
class Category(AbstractFeature):
    """A word out of a vocabulary, as a code: 0 for a missing, rare or unseen one, 1 for the most frequent, and so on.

    Args:
        vocabulary: the levels by falling count; None stands for "missing" where training rows lacked values.
        rare: how many training rows hold a level that was too rare for the vocabulary.
        counts: how many training rows hold each level of the vocabulary; empty in older files.
    """

    kind: ClassVar[str] = "category"
    vocabulary: tuple[str | None, ...]
    rare: int = 0
    counts: tuple[int, ...] = ()

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Category:
        """Keep all levels up to 20, else those seen at least twice, at most the 1,000 most frequent."""
        counts = as_text(column).rename("level").value_counts().sort(["count", "level"], descending=[True, False])
        total = int(counts["count"].sum())
        if counts.height > ALWAYS_KEPT:
            counts = counts.filter((pl.col("count") > 1) | pl.col("level").is_null()).head(MAX_LEVELS)
        rare = total - int(counts["count"].sum())
        return cls(name=name, reason=reason, vocabulary=tuple(counts["level"].to_list()), rare=rare,
                   counts=tuple(counts["count"].to_list()))

    @property
    def cardinality(self) -> int:
        """The vocabulary and code 0."""
        return len(self.vocabulary) + 1

    def encode(self, column: pl.Series) -> Encoded:
        """Look up codes."""
        text = as_text(column)
        missing = text.is_null().to_numpy()
        words = [word for word in self.vocabulary if word is not None]
        numbers = [code for code, word in enumerate(self.vocabulary, 1) if word is not None]
        codes = np.zeros(len(text), np.int32)
        if words:
            known = text.replace_strict(words, numbers, default=0, return_dtype=pl.Int32)
            codes = known.fill_null(0).to_numpy().copy()
        unseen = (codes == 0) & ~missing
        if None in self.vocabulary:
            codes[missing] = self.vocabulary.index(None) + 1
        return encoded(len(text), codes=codes, missing=missing,
                       counts={"missing": missing.sum(), "unseen": unseen.sum()})

    def background(self, rows: int, generator: np.random.Generator) -> Encoded:
        """Levels as often as they were counted."""
        counts = (self.rare, *self.counts) if sum(self.counts) else ()
        return encoded(rows, codes=codes_at(even_shares(rows, generator), counts, len(self.vocabulary)))


@dataclass(frozen=True, kw_only=True)
class Boolean(AbstractFeature):
    """Yes or no, as 1 or 0, and a second channel "is missing" if training rows lacked values.

    Args:
        share: the share of yes among the training values; stands in for a missing one.
        has_missing: whether training rows lacked values.
        words: the (no, yes) pair in lower case, where a column given as boolean uses other words.
        missing: the share of training cells without a value.
    """

    kind: ClassVar[str] = "boolean"
    share: float
    has_missing: bool
    words: tuple[str, str] | None = None
    missing: float = 0.0

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Boolean:
        """Fit on training rows."""
        values, other = read_truths(column)
        words = None
        if other.any():  # asked for by the user: any two words, in alphabetical order
            levels = drop_ambiguous(as_text(column)).str.to_lowercase().drop_nulls().unique().sort().to_list()
            if len(levels) == 2:
                words = (levels[0], levels[1])
                values, other = read_truths(column, words)
        absent = np.isnan(values)
        share = float(values[~absent].mean()) if not absent.all() else 0.5
        return cls(name=name, reason=reason, share=share, has_missing=bool(absent.any()), words=words,
                   missing=float(absent.mean()) if len(absent) else 0.0)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The truth value, and whether it is missing."""
        return (self.name, f"{self.name} is missing") if self.has_missing else (self.name,)

    def encode(self, column: pl.Series) -> Encoded:
        """0 and 1; a cell that is neither gets the share of yes."""
        values, other = read_truths(column, self.words)
        return self._encoded(values, {"missing": (np.isnan(values) & ~other).sum(), "unseen": other.sum()})

    def _encoded(self, values: np.ndarray, counts: dict[str, int]) -> Encoded:
        absent = np.isnan(values)
        filled = np.where(absent, self.share, values)
        channels = [filled, absent.astype(np.float64)] if self.has_missing else [filled]
        return encoded(len(values), numbers=channels, missing=absent, counts=counts)

    def background(self, rows: int, generator: np.random.Generator) -> Encoded:
        """Yes as often as it was counted."""
        inside = (even_shares(rows, generator) - self.missing) / max(1 - self.missing, 1e-12)
        return self._encoded(np.where(inside < 0, np.nan, (inside >= 1 - self.share).astype(np.float64)), {})


@dataclass(frozen=True, kw_only=True)
class Date(AbstractFeature):
    """A moment as several channels: scaled time, and its place on the circles of the year, the week and the day.

    Circles that do not vary in the training rows are left out. Time itself is scaled in float64 seconds.

    Args:
        normalisation: the scaling of seconds since 1970.
        center: the mean of the training moments; stands in for a missing one.
        circles: of `"year"`, `"week"`, `"day"`.
        has_missing: whether training rows lacked values.
        date_format: how text cells are read.
        quantiles: of the training moments, for made-up cells; empty in older files.
        missing: the share of training cells without a value.
    """

    kind: ClassVar[str] = "date"
    normalisation: AbstractNormalisation
    center: float
    circles: tuple[str, ...]
    has_missing: bool
    date_format: str = "%Y-%m-%d"
    quantiles: tuple[float, ...] = ()
    missing: float = 0.0

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Date:
        """Fit on training rows."""
        date_format = _date_format(column)
        seconds, _ = read_moments(column, date_format)
        absent = np.isnan(seconds)
        present = seconds[~absent] if not absent.all() else np.zeros(1)
        circles = tuple(circle for circle in _PERIODS if np.ptp(_phase(present, circle)) > 1e-9)
        return cls(name=name, reason=reason, normalisation=fit_normalisation(normalise, present),
                   center=moments(present)[0], circles=circles, has_missing=bool(absent.any()),
                   date_format=date_format, quantiles=quantiles_of(present),
                   missing=float(absent.mean()) if len(absent) else 0.0)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Time, two channels for each circle, and whether it is missing."""
        circles = [f"{self.name} {_CIRCLE_NAMES[circle]} ({wave})" for circle in self.circles
                   for wave in ("sine", "cosine")]
        return (self.name, *circles, *([f"{self.name} is missing"] if self.has_missing else []))

    def encode(self, column: pl.Series) -> Encoded:
        """Scaled time and circles; a cell without a moment gets the mean training time and the middle of circles."""
        seconds, unreadable = read_moments(column, self.date_format)
        return self._encoded(seconds, {"missing": (np.isnan(seconds) & ~unreadable).sum(),
                                       "unreadable": unreadable.sum()})

    def _encoded(self, seconds: np.ndarray, counts: dict[str, int]) -> Encoded:
        absent = np.isnan(seconds)
        filled = np.where(absent, self.center, seconds)
        channels = [self.normalisation.apply(filled)]
        for circle in self.circles:
            angle = 2 * np.pi * _phase(filled, circle)
            channels += [np.where(absent, 0.0, np.sin(angle)), np.where(absent, 0.0, np.cos(angle))]
        if self.has_missing:
            channels.append(absent.astype(np.float64))
        return encoded(len(seconds), numbers=channels, missing=absent, counts=counts)

    def background(self, rows: int, generator: np.random.Generator) -> Encoded:
        """Moments from the quantiles."""
        return self._encoded(numbers_at(even_shares(rows, generator), self.quantiles, center=self.center,
                                        missing=self.missing), {})

    def to_json(self) -> dict[str, Any]:
        """The type and its fitted values as plain values."""
        return {**super().to_json(), "normalisation": self.normalisation.to_json()}


_PERIODS = {"year": YEAR, "week": 7 * DAY, "day": DAY}
_CIRCLE_NAMES = {"year": "time of year", "week": "day of week", "day": "time of day"}


def _phase(seconds: np.ndarray, circle: str) -> np.ndarray:
    """The place on the circle in [0, 1); the week counts whole days, so that it has seven places."""
    if circle == "week":
        return np.floor(seconds / DAY) % 7 / 7
    return seconds / _PERIODS[circle] % 1


def _date_format(column: pl.Series) -> str:
    if column.dtype == pl.String:
        found = find_date_format(column, at_least=1e-9)
        return found.format if found else "%Y-%m-%d"
    return "%Y%m%d" if column.dtype.is_integer() else "%Y-%m-%d"


@dataclass(frozen=True, kw_only=True)
class _Unused(AbstractFeature):
    """A column that encodes to nothing."""

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard"):
        """Nothing to fit."""
        return cls(name=name, reason=reason)

    def encode(self, column: pl.Series) -> Encoded:
        """No channels."""
        return encoded(len(column), missing=column.is_null().to_numpy())


@dataclass(frozen=True, kw_only=True)
class Identifier(_Unused):
    """A column that names rows; a network would learn it by heart, so it is left out."""

    kind: ClassVar[str] = "identifier"


@dataclass(frozen=True, kw_only=True)
class Ignore(_Unused):
    """A column left out: constant, empty, or by the user's wish."""

    kind: ClassVar[str] = "ignore"


feature_types: Registry[type[AbstractFeature]] = Registry("feature type", FEATURE_TYPE_ALIASES)
for _class in (Number, Category, Boolean, Date, Text, Image, Video, Audio, Series, Molecule, Molecule3D, TreeFeature,
               Identifier, Ignore):
    feature_types.add(_class.kind, _class)

raw_types: tuple[type[AbstractFeature], ...] = (Video, Image, Audio, Series, Molecule, TreeFeature)
"""Types that recognise themselves before a column of words is read as numbers, dates, categories or text; in order."""


def feature_from_json(record: dict[str, Any]) -> AbstractFeature:
    """Rebuild a feature from `to_json`."""
    fields = {key: _frozen(value) for key, value in record.items() if key != "kind"}
    if "normalisation" in fields:
        fields["normalisation"] = normalisation_from_json(fields["normalisation"])
    return feature_types[record["kind"]](**fields)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
