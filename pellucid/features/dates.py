"""Dates and times of day in text: which format a column uses, and moments as microseconds."""
from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from pellucid.features.values import drop_ambiguous, strip_cells

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y",
         "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y")
_CLOCKS = (" %H:%M:%S%.f", " %H:%M:%S", " %H:%M", "T%H:%M:%S%.f%#z", "T%H:%M:%S%.f", "T%H:%M", " %I:%M:%S %p",
           " %I:%M %p", " %H:%M:%S%.f%#z")
_SHORT = ("%Y-%m", "%Y/%m", "%Y%m%d", "%Y-%m-%d%#z")
DATE_FORMATS = (*_DAYS, *(day + clock for day, clock in product(_DAYS, _CLOCKS)), *_SHORT)
ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M",
       "%Y-%m-%dT%H:%M")
SWAPPED = {"%d/%m/": "%m/%d/", "%m/%d/": "%d/%m/", "%d-%m-": "%m-%d-", "%m-%d-": "%d-%m-", "%d.%m.": "%m.%d."}
LOOKS_LIKE_DATE = r"^\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?$" \
                  r"|^\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}([T ].*)?$|^[A-Za-z]{3,9} \d{1,2}, \d{4}([T ].*)?$|^\d{8}$"
SAMPLE = 1000


@dataclass(frozen=True)
class DateFormat:
    """The format of a text column, and whether day and month could be the other way round."""

    format: str
    ambiguous: bool
    share: float


def parse_dates(text: pl.Series, date_format: str) -> pl.Series:
    """Moments (Datetime in microseconds, UTC where the text names a zone); null where a cell does not fit."""
    if date_format in ("%Y-%m", "%Y/%m"):
        text, date_format = text + date_format[2] + "01", date_format + date_format[2] + "%d"
    moments = text.str.to_datetime(date_format, strict=False, time_unit="us")
    if moments.dtype == pl.Datetime("us", "UTC"):
        moments = moments.dt.replace_time_zone(None)
    return moments


def find_date_format(column: pl.Series, *, at_least: float = 0.9) -> DateFormat | None:
    """The format that reads most cells of a text column, or None if no format reads the share `at_least`.

    Where both orders of day and month read all cells, day first is taken with dots and hyphens, month first with
    slashes, and the answer says that it is ambiguous.
    """
    text = drop_ambiguous(strip_cells(column)).drop_nulls()
    distinct = text.unique(maintain_order=True).head(SAMPLE)
    if distinct.len() == 0 or distinct.str.contains(LOOKS_LIKE_DATE).mean() < at_least:
        return None
    best, share = None, 0.0
    for date_format in DATE_FORMATS:
        fits = parse_dates(distinct, date_format)
        plausible = fits.dt.year().is_between(1600, 2200).fill_null(False)
        if plausible.mean() > share:
            best, share = date_format, float(plausible.mean())
        if share == 1.0:
            break
    if best is None or share < at_least:
        return None
    other = next((best.replace(one, two) for one, two in SWAPPED.items() if best.startswith(one)), None)
    ambiguous = other is not None and parse_dates(distinct, other).null_count() <= (1 - share) * distinct.len()
    return DateFormat(best, ambiguous, share)


def read_moments(column: pl.Series, date_format: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Moments as float64 seconds since 1970 (NaN where none), and which cells hold something unreadable.

    Float64 keeps whole microseconds for more than 250 years around 1970.
    """
    if column.dtype.is_temporal() and column.dtype in (pl.Date, pl.Datetime):
        moments, missing = column.cast(pl.Datetime("us")), column.is_null()
    elif column.dtype == pl.String and date_format is not None:
        text = drop_ambiguous(strip_cells(column))
        distinct = text.unique()
        known = parse_dates(distinct, date_format)
        for iso in ISO:  # cells in the international format are read besides, each on its own
            if not (known.is_null() & distinct.is_not_null()).any():
                break
            known = known.zip_with(known.is_not_null(), parse_dates(distinct, iso))
        moments = text.replace_strict(distinct, known, default=None, return_dtype=pl.Datetime("us"))
        missing = text.is_null()
    elif column.dtype.is_integer() and date_format == "%Y%m%d":
        return read_moments(column.cast(pl.String), date_format)
    else:
        return np.full(len(column), np.nan), column.is_not_null().to_numpy()
    seconds = moments.to_physical().cast(pl.Float64).to_numpy() / 1e6
    return seconds, np.isnan(seconds) & ~missing.to_numpy()


def time_values(column: pl.Series) -> np.ndarray:
    """A column of dates or numbers as one float64 per row that rises with time; NaN where there is none.

    Example:
        >>> time_values(pl.Series(["2024-01-02", "2024-01-01"])).argsort().tolist()
        [1, 0]
    """
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).to_numpy().astype(np.float64)
    found = find_date_format(column) if column.dtype == pl.String else None
    seconds, unreadable = read_moments(column, found.format if found else None)
    if column.dtype == pl.String and found is None:
        return column.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    return seconds
