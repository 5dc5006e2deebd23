"""Which type a column has, with a reason that a user can read and override."""
from __future__ import annotations

import re

import numpy as np
import polars as pl

from pellucid.features.base import AbstractFeature, Recognition
from pellucid.features.dates import LOOKS_LIKE_DATE, find_date_format
from pellucid.features.text import Text
from pellucid.features.types import Ignore, feature_types, raw_types
from pellucid.features.values import TRUE_WORDS, Numbers, as_text, drop_ambiguous, read_numbers, strip_cells

READABLE = 0.9  # a column is numbers if at least this share of its cells reads as numbers
UNIQUE = 0.95  # words that are different in this share of rows name the rows
FEWEST_FOR_IDENTIFIER = 10
IDENTIFIER_NAME = re.compile(r"(^|[_\s.\-])(id|ids|uid|uuid|guid|key|index|idx|rowid|row_?(id|number|names?|nr)|nr)$"
                             r"|^(no|number|nummer|row|unnamed.*|column_0)$|(?-i:[a-z](ID|Id)$)|^id[_\s.\-]",
                             re.IGNORECASE)


def recognise(name: str, column: pl.Series) -> Recognition:
    """Recognise the type of a raw column.

    Args:
        name: the column's name; names such as "id" count for integers that are all different.
        column: raw cells of any type.

    Example:
        >>> recognise("age", pl.Series(["1.5", "4.5", "?", "2.8"])).reason
        '3 distinct values, all numeric'
    """
    cells = strip_cells(column)
    missing = cells.null_count()
    present = len(cells) - missing
    if present == 0:
        return Recognition("ignore", "no cell has a value", missing=missing)
    distinct = cells.n_unique() - (missing > 0)
    if isinstance(column.dtype, pl.Enum):
        return Recognition("category", f"{distinct:,} different names of a fixed list", distinct, missing)
    if cells.dtype == pl.Boolean:
        return _constant(cells, distinct, missing) or Recognition("boolean", "true or false", distinct, missing)
    if cells.dtype in (pl.Date, pl.Datetime):
        return _constant(cells, distinct, missing) or Recognition("date", "stored as dates", distinct, missing)
    if cells.dtype.is_numeric():
        return _recognise_numbers(name, cells, distinct)
    for kind in raw_types:
        found = kind.recognise(name, cells)
        if found is not None:
            return found
    if cells.dtype == pl.Binary:
        return Recognition("ignore", "bytes that are neither pictures nor recordings", distinct, missing)
    return _recognise_text(name, as_text(cells), distinct)


def _constant(cells: pl.Series, distinct: int, missing: int) -> Recognition | None:
    if distinct == 1 and missing == 0:
        return Recognition("ignore", f"constant, always {_shown(cells[0])}", distinct, missing)
    return None


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text if len(text) <= 30 else text[:29] + "…"}"' if isinstance(value, str) else text


def _recognise_numbers(name: str, cells: pl.Series, distinct: int, read: Numbers | None = None) -> Recognition:
    """A column of a numeric dtype, or of texts already read as numbers."""
    read = read or read_numbers(cells)
    values = read.values[~np.isnan(read.values)]
    counts = {"distinct": distinct, "missing": int(read.missing.sum()), "infinite": read.infinite,
              "unreadable": int(read.unreadable.sum())}
    if values.size == 0:
        return Recognition("ignore", "no cell has a finite number", **counts)
    low, high = float(values.min()), float(values.max())
    if low == high and values.size == len(cells):
        return Recognition("ignore", f"constant, always {low:g}", **counts)
    whole = bool((values == np.floor(values)).all())
    if whole and low == 0 and high == 1:
        return Recognition("boolean", "whole numbers, only 0 and 1", **counts)
    if whole and _names_rows(name, values):
        return Recognition("identifier", "whole numbers, all different, under a name like an identifier", **counts)
    if whole and _is_compact_date(cells, low, high, values.size):
        return Recognition("date", "whole numbers that read as YYYYMMDD", **counts)
    return Recognition("number", _number_reason(distinct, whole, counts, read), **counts)


def _number_reason(distinct: int, whole: bool, counts: dict[str, int], read: Numbers) -> str:
    values = "1 distinct value" if distinct == 1 else f"{distinct:,} distinct values"
    if counts["unreadable"]:
        good = int((~np.isnan(read.values)).sum())
        share = 100 * good / (good + counts["unreadable"])
        return f"{values}, {share:.0f} % of them numeric; the others count as missing"
    if whole and distinct <= 20:
        return f"whole numbers, {values}; kept as numbers because their order may matter"
    return f"{values}, all numeric" + (", decimal comma" if read.decimal == "," else "")


def _names_rows(name: str, values: np.ndarray) -> bool:
    if values.size < FEWEST_FOR_IDENTIFIER or not IDENTIFIER_NAME.search(name):
        return False
    return len(np.unique(values)) == values.size


def _is_compact_date(cells: pl.Series, low: float, high: float, count: int) -> bool:
    if low < 18000101 or high > 22001231 or count < FEWEST_FOR_IDENTIFIER:
        return False
    if cells.dtype.is_float():
        cells = cells.cast(pl.Int64, strict=False)
    found = find_date_format(cells.cast(pl.String))
    return found is not None and found.format == "%Y%m%d" and found.share == 1.0


def _recognise_text(name: str, text: pl.Series, distinct: int) -> Recognition:
    sure = drop_ambiguous(text)
    present = len(sure) - sure.null_count()
    boolean = _recognise_truth_words(text, sure, distinct)
    if boolean:
        return boolean
    if present and _may_be_numbers(sure):
        read = read_numbers(text)
        good = int((~np.isnan(read.values)).sum()) + read.infinite
        if good and good >= READABLE * present and not _has_leading_zeros(sure):
            among = sure.n_unique() - (sure.null_count() > 0)
            return _recognise_numbers(name, sure, among, read)
    if present and sure.head(1000).str.contains(LOOKS_LIKE_DATE).mean():
        found = find_date_format(sure)
        if found:
            return _recognise_dates(text, sure, found.format, found.ambiguous)
    return _recognise_words(name, text, distinct)


def _may_be_numbers(sure: pl.Series) -> bool:
    """A cheap first look at up to 2,000 cells from all over the column; the exact answer comes from reading them."""
    cells = sure.drop_nulls()
    sample = cells.gather_every(max(cells.len() // 2000, 1))
    return bool(sample.str.contains(r"\d|(?i)^[+-]?inf").mean() >= 0.7)


def _has_leading_zeros(sure: pl.Series) -> bool:
    """Codes such as 01234: at least one in a hundred cells begins with 0 before other digits, and all are digits."""
    return bool(sure.str.contains(r"^0\d+$").mean() >= 0.01 and sure.str.contains(r"^\d+$").all())


def _recognise_truth_words(text: pl.Series, sure: pl.Series, distinct: int) -> Recognition | None:
    if distinct > 6:
        return None
    words = set(sure.drop_nulls().str.to_lowercase().unique().to_list())
    if len(words) == 2 and any(words == {yes, no} for yes, no in TRUE_WORDS.items()):
        return Recognition("boolean", " or ".join(sorted(words, reverse=True)), 2, sure.null_count())
    return None


def _recognise_dates(text: pl.Series, sure: pl.Series, date_format: str, ambiguous: bool) -> Recognition:
    distinct = sure.n_unique() - (sure.null_count() > 0)
    reason = f"read as {_format_in_words(date_format)}"
    if ambiguous:
        reason += "; day and month could be the other way round"
    return _constant(sure, distinct, sure.null_count()) or Recognition("date", reason, distinct, sure.null_count())


def _format_in_words(date_format: str) -> str:
    words = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "month", "%B": "month", "%H": "hh", "%I": "hh",
             "%M": "mm", "%S": "ss", "%.f": "", "%#z": " zone", "%p": "AM/PM"}
    for code, word in words.items():
        date_format = date_format.replace(code, word)
    return date_format


def _recognise_words(name: str, text: pl.Series, distinct: int) -> Recognition:
    missing = text.null_count()
    present = len(text) - missing
    constant = _constant(text, distinct, missing)
    if constant:
        return constant
    nearly_unique = distinct >= UNIQUE * present and present >= FEWEST_FOR_IDENTIFIER
    prose = Text.recognise(name, text)
    if prose is not None:
        return prose
    if nearly_unique:
        share = f"{distinct:,} different words in {present:,} rows"
        return Recognition("identifier", share, distinct, missing)
    reason = f"{distinct:,} distinct words" if distinct > 1 else "1 word or nothing"
    if _has_leading_zeros(text):
        reason = f"{distinct:,} distinct codes with leading zeros"
    elif _may_be_numbers(text):
        numeric = float(np.mean(~np.isnan(read_numbers(text.drop_nulls().head(2000)).values)))
        if numeric > 0.5:
            reason += f"; {100 * numeric:.0f} % look like numbers, too few to read it as numbers"
    return Recognition("category", reason, distinct, missing)


def fit_feature(name: str, column: pl.Series, *, kind: str, reason: str = "",
                normalise: str = "standard") -> AbstractFeature:
    """Fit the feature type `kind` on training rows.

    A column that is constant on the training rows becomes `Ignore`, whatever its kind.

    Args:
        name: the column.
        column: raw cells of the training rows only.
        kind: one of `core.names.FEATURE_TYPES`.
        reason: kept for the user.
        normalise: how numbers are scaled, one of `core.names.NORMALISATIONS`.

    Raises:
        SettingsError: unknown kind or normalisation.

    Example:
        >>> fit_feature("age", pl.Series([20, 40, None]), kind="number").numbers
        ('age', 'age is missing')
    """
    kind = feature_types.canonical(kind)
    if kind in ("number", "boolean", "category", "date"):
        cells = as_text(column) if kind == "category" else strip_cells(column)
        if len(cells) and cells.n_unique() == 1:
            shown = "without a value" if cells[0] is None else f"always {_shown(cells[0])}"
            return Ignore(name=name, reason=f"constant on the training rows, {shown}")
    return feature_types[kind].fit(name, column, reason=reason, normalise=normalise)
