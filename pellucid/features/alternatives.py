"""What a cell could have held instead: values within what training rows held, written as a user would type them."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pellucid.features.base import AbstractFeature
from pellucid.features.dates import read_moments
from pellucid.features.types import DAY, Boolean, Category, Date, Number
from pellucid.features.values import TRUE_WORDS, as_text, read_numbers, read_truths

FEW = 12
"""A column with no more different quantiles takes these values only, and no columns are begun with at more places."""
MOST_FINE = 400
MOST_LEVELS = 40
RARITY = 0.1
"""How much more a change to a level costs that hardly ever occurs: of two levels that do, the usual one is taken."""
MOMENTS = (1.0, 60.0, 3600.0, DAY)


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The cell of one row, and what could stand in its place.

    Args:
        cells: (count,), of the column's own type where that can hold them; the first is the cell as it is.
        costs: float64 (count,), the size of each change: numbers and dates by the spread of their column, 1 for another
            category (a little more for a rare one) or truth value; 0 for the first.
        sides: int (count,), -1 below the own value, 1 above; 0 where there is no order.
        coarse: int, those among `1 … count - 1` that a search begins with.
    """

    cells: pl.Series
    costs: np.ndarray
    sides: np.ndarray
    coarse: np.ndarray


def alternatives(feature: AbstractFeature, cell: pl.Series) -> Alternatives | None:
    """What a cell could have held instead; `None` for columns that are not changed: raw ones and unused ones.

    Args:
        feature: as fitted on training rows: numbers and dates stay between their outer quantiles, whole numbers whole,
            categories and truth values among the known ones. Nothing is changed to "no value".
        cell: the column of the table, one row.

    Example:
        >>> age = Number.fit("age", pl.Series("age", list(range(20, 70))))
        >>> found = alternatives(age, pl.Series("age", ["30"]))
        >>> found.cells[:4].to_list(), found.costs[:2].round(2).tolist()
        (['30', '20', '21', '22'], [0.0, 0.58])
    """
    make = _KINDS.get(feature.kind)
    found = None if make is None else make(feature, cell)
    if found is None or len(found.cells) < 2:
        return None
    encoded = feature.encode(found.cells)
    known = ~encoded.missing & (encoded.codes > 0).all(axis=1)
    known[0] = True
    kept, place = np.flatnonzero(known), np.cumsum(known) - 1
    return Alternatives(found.cells.gather(kept), found.costs[kept], found.sides[kept],
                        place[found.coarse[known[found.coarse]]])


def _numbers(feature: Number, cell: pl.Series) -> Alternatives:
    known = np.array(feature.quantiles or (feature.low, feature.high))
    spread = _spread(known, feature.scale)
    step = 10.0 ** np.floor(np.log10(spread / 10))
    step = max(step, 1.0) if (known == np.round(known)).all() else step
    values, digits = _grid(known, step), max(0, -int(np.floor(np.log10(step))))
    if len(np.unique(known)) <= FEW < len(known):
        values = np.unique(known)
        digits = next((some for some in range(10) if (values == np.round(values, some)).all()), 10)
    values = np.round(values, digits)
    typed = pl.Series(cell.name, values)
    if cell.dtype == pl.String:
        typed = pl.Series(cell.name, [f"{value:.{digits}f}".replace(".", feature.decimal) for value in values],
                          dtype=pl.String)
    own = read_numbers(cell, feature.decimal).values[0]
    return _ordered(cell, typed, values, own=own, middle=feature.center, spread=spread, known=known)


def _dates(feature: Date, cell: pl.Series) -> Alternatives | None:
    known = np.array(feature.quantiles)
    if not len(known):
        return None
    spread = _spread(known, DAY)
    days = cell.dtype == pl.Date or (not isinstance(cell.dtype, pl.Datetime) and "%H" not in feature.date_format
                                     and "%I" not in feature.date_format)
    step = max([unit for unit in MOMENTS if unit <= spread / 10] or [1.0])
    values = _grid(known, max(step, DAY) if days else step)
    typed = _moments(values, feature, cell)
    values = read_moments(typed, feature.date_format)[0]
    own = read_moments(cell, feature.date_format)[0][0]
    return _ordered(cell, typed, values, own=own, middle=feature.center, spread=spread, known=known)


def _moments(seconds: np.ndarray, feature: Date, cell: pl.Series) -> pl.Series:
    """Moments as the column writes them."""
    moments = pl.Series(cell.name, np.round(seconds * 1e6).astype(np.int64)).cast(pl.Datetime("us"))
    if cell.dtype == pl.Date:
        return moments.dt.date()
    if isinstance(cell.dtype, pl.Datetime):
        zoned = moments.dt.replace_time_zone("UTC") if cell.dtype.time_zone else moments
        return zoned.dt.convert_time_zone(cell.dtype.time_zone) if cell.dtype.time_zone else zoned
    return moments.dt.strftime(feature.date_format.replace("%#z", "+00:00"))


def _ordered(cell: pl.Series, typed: pl.Series, values: np.ndarray, *, own: float, middle: float, spread: float,
             known: np.ndarray) -> Alternatives:
    """Rising values beside the own one; a cell without a value lies at the middle, one spread further away."""
    other = (values != own) & (values >= known.min()) & (values <= known.max())
    values, typed = values[other], typed.filter(pl.Series(other))
    away = values - (middle if np.isnan(own) else own)
    costs = np.abs(away) / spread + np.isnan(own)
    marks = np.quantile(known, np.linspace(0, 1, FEW))
    nearest = np.abs(values[:, None] - marks).argmin(axis=0) if len(values) else np.zeros(0, int)
    return Alternatives(_joined(cell, typed), np.concatenate([[0.0], costs]),
                        np.concatenate([[0], np.sign(away)]).astype(int), np.unique(nearest) + 1)


def _grid(known: np.ndarray, step: float) -> np.ndarray:
    """Multiples of `step` within the quantiles; where they are too many, those near to evenly spaced quantiles."""
    first, last = np.ceil(known.min() / step), np.floor(known.max() / step)
    if last - first >= MOST_FINE:
        shares = np.linspace(0, 1, MOST_FINE)
        places = np.round(np.quantile(known, shares) / step)
        return np.unique(np.clip(places, first, last)) * step
    return np.arange(first, last + 1) * step


def _spread(known: np.ndarray, otherwise: float) -> float:
    """Half of what the middle two thirds of the values span."""
    low, high = np.quantile(known, [0.16, 0.84])
    return float((high - low) / 2) or otherwise or 1.0


def _levels(feature: Category, cell: pl.Series) -> Alternatives:
    own, total = as_text(cell)[0], max(sum(feature.counts) + feature.rare, 1)
    shares = [count / total for count in feature.counts] or [1 / rank for rank in range(1, len(feature.vocabulary) + 1)]
    found = [(word, share) for word, share in zip(feature.vocabulary, shares, strict=True)
             if word is not None and word != own][:MOST_LEVELS]
    costs = [1 + RARITY * (1 - share) for _, share in found]
    return _unordered(cell, pl.Series(cell.name, [word for word, _ in found], dtype=pl.String), costs)


def _truths(feature: Boolean, cell: pl.Series) -> Alternatives:
    own, text = read_truths(cell, feature.words)[0][0], as_text(cell)[0] or ""
    pairs = [*((no, yes) for yes, no in TRUE_WORDS.items()), ("0", "1"), ("0.0", "1.0")]
    words = next((pair for pair in ([feature.words] if feature.words else []) + pairs if text.lower() in pair),
                 feature.words or ("no", "yes"))
    written = str.upper if text.isupper() else str.capitalize if text[:1].isupper() else str
    other = [place for place in (0, 1) if place != own]
    typed = pl.Series(cell.name, [bool(place) for place in other])
    if cell.dtype != pl.Boolean and not cell.dtype.is_numeric():
        typed = pl.Series(cell.name, [written(words[place]) for place in other], dtype=pl.String)
    return _unordered(cell, typed, [1.0] * len(other))


def _unordered(cell: pl.Series, typed: pl.Series, costs: list[float]) -> Alternatives:
    count = len(typed) + 1
    return Alternatives(_joined(cell, typed), np.array([0.0, *costs]), np.zeros(count, int), np.arange(1, count))


def _joined(cell: pl.Series, typed: pl.Series) -> pl.Series:
    """The own cell before the others: all of the column's own type, or text for lists of fixed words."""
    if cell.dtype.is_numeric() and typed.dtype == pl.String:
        typed = typed.cast(pl.Float64, strict=False)
    if isinstance(cell.dtype, (pl.Enum, pl.Categorical)) or cell.dtype == pl.Null:
        cell = cell.cast(typed.dtype)
    return pl.concat([cell, typed.cast(cell.dtype, strict=False)])


_KINDS: Mapping[str, Callable[..., Alternatives | None]] = {
    "number": _numbers, "date": _dates, "category": _levels, "boolean": _truths}
