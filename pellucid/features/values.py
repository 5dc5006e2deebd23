"""What the cells of a raw column mean: missing, number, truth value. Works on whole columns with polars."""
from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import polars as pl

# Always "no value", whatever else the column holds (compared in lower case).
MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "<na>", "nat", "?")
# "No value" only among numbers, dates or truth values; among words they may be a real category.
MISSING_AMONG_NUMBERS = ("none", "nil", "-", "--", "---", ".", "..", "*", "x", "unknown", "missing", "not available",
                         "n.a.", "n.d.", "nd", "#value!", "#ref!", "#div/0!", "#num!", "(null)", "undefined")
TRUE_WORDS = {"yes": "no", "y": "n", "true": "false", "t": "f", "on": "off", "ja": "nein", "oui": "non"}

_CURRENCY = r"[€$£¥₹%‰]|\b(?:EUR|USD|GBP|CHF|JPY)\b"
_SPACES = "[\u0020\u00a0\u2007\u2009\u202f'’_]"  # between groups of three digits
_GROUPED_BY_COMMA = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_GROUPED_BY_DOT = r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$"
_COMMA_DECIMAL = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Args:
        values: float64 (rows,), NaN where there is no finite number.
        missing: bool (rows,), True where the cell was empty or says "no value".
        infinite: how many cells were infinite; they count as having no value.
        unreadable: bool (rows,), True where a cell holds something that is no number.
        decimal: the decimal mark found, `"."` or `","`.
    """

    values: np.ndarray
    missing: np.ndarray
    infinite: int
    unreadable: np.ndarray
    decimal: str = "."


def strip_cells(column: pl.Series) -> pl.Series:
    """Text cells without surrounding blanks, null where a cell says "no value"; other columns as they are.

    NaN becomes null in columns of floats; levels of a fixed list become text, whatever they say.
    """
    if isinstance(column.dtype, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.String:
        stripped = column.str.strip_chars()
        nothing = stripped.str.to_lowercase().is_in(MISSING)
        return stripped.set(nothing.fill_null(True), None)
    if column.dtype.is_float():
        return column.fill_nan(None)
    return column


def as_text(column: pl.Series) -> pl.Series:
    """Cells as text, the same for 3, 3.0 and "3"; null where there is no value; bytes by their number and a digest."""
    column = strip_cells(column)
    if column.dtype == pl.String:
        return column
    if column.dtype == pl.Binary:
        texts = [None if cell is None else f"{len(cell):,} bytes, {zlib.crc32(cell):08x}" for cell in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    if column.dtype.is_float():
        whole = column.is_finite() & (column == column.round(0)) & (column.abs() < 2**53)
        return pl.select(pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String))
                         .otherwise(column.cast(pl.String))).to_series().alias(column.name)
    return column.cast(pl.String)


def drop_ambiguous(text: pl.Series) -> pl.Series:
    """Null also where a text cell says "no value" in a way that only counts among numbers, dates or truth values."""
    nothing = text.str.to_lowercase().is_in(MISSING_AMONG_NUMBERS)
    return text.set(nothing.fill_null(False), None)


def find_decimal(text: pl.Series) -> str:
    """The decimal mark of a column of odd numbers: `","` where more cells can only be read that way."""
    cells = pl.col("cell")
    both = cells.str.contains(",") & cells.str.contains(r"\.")
    last_is_comma = cells.str.contains(r"\.[^.]*,[^.,]*$")

    def evidence(mark: str, other: str) -> pl.Expr:
        """One such mark that does not sit like a thousands mark, or the other one twice."""
        single = cells.str.contains(rf"^[^,.]*{mark}\d*$")
        thousands = cells.str.contains(rf"^[^,.]*[1-9]\d{{0,2}}{mark}\d{{3}}$")
        return (single & ~thousands) | cells.str.contains(rf"{other}\d{{3}}{other}\d{{3}}")

    counts = pl.DataFrame({"cell": text}).select(
        comma=((both & last_is_comma) | evidence(",", r"\.")).sum(),
        dot=((both & ~last_is_comma) | evidence(r"\.", ",")).sum())
    return "," if counts["comma"][0] > counts["dot"][0] else "."


def _parse_odd(text: pl.Series, decimal: str) -> pl.Series:
    """Numbers out of texts that a plain cast does not read, in the given decimal mark."""
    bare = text.str.replace_all("−", "-", literal=True).str.replace_all(_CURRENCY, "").str.strip_chars()
    bare = bare.str.replace(r"^\((.+)\)$", "-$1").str.replace(r"^([+-])\s+", "$1")
    # only blanks that separate groups of three digits go: "1 000" is a number, "1 2" is not
    grouped = bare.str.contains(rf"^[+-]?\d{{1,3}}({_SPACES}\d{{3}})+([.,]\d*)?$")
    bare = pl.select(pl.when(grouped).then(bare.str.replace_all(_SPACES, "")).otherwise(bare)).to_series()
    if decimal == ",":
        is_grouped, remove, is_comma = bare.str.contains(_GROUPED_BY_DOT), ".", bare.str.contains(_COMMA_DECIMAL)
    else:
        is_grouped, remove, is_comma = bare.str.contains(_GROUPED_BY_COMMA), ",", bare.str.contains(_COMMA_DECIMAL)
    plain = pl.select(pl.when(is_grouped).then(bare.str.replace_all(remove, "", literal=True)).otherwise(bare))
    plain = plain.to_series()
    if decimal == ",":
        plain = pl.select(pl.when(is_grouped | is_comma).then(plain.str.replace(",", ".", literal=True))
                          .otherwise(plain)).to_series()
    return plain.cast(pl.Float64, strict=False)


def _parse_text(text: pl.Series, decimal: str | None) -> tuple[pl.Series, str]:
    """Float64 series (null where unreadable) and the decimal mark used."""
    values = text.cast(pl.Float64, strict=False)
    odd = values.is_null() & text.is_not_null()
    if decimal != "," and not odd.any():
        return values, "."
    if decimal is None:
        decimal = find_decimal(text)
    if decimal == ",":  # "1.234" is grouped in such a column, so a plain cast must not have the first word
        odd = odd | text.str.contains(_GROUPED_BY_DOT).fill_null(False)
    distinct = text.filter(odd).unique()
    if distinct.len():
        parsed = _parse_odd(distinct, decimal)
        odd_values = text.replace_strict(distinct, parsed, default=None, return_dtype=pl.Float64)
        values = values.zip_with(~odd, odd_values)
    return values, decimal


def read_numbers(column: pl.Series, decimal: str | None = None) -> Numbers:
    """Read any column as numbers, with a count of what could not be read.

    Args:
        column: numbers, truth values, or text such as `"1,5"`, `"1 000"`, `"50%"`, `"€ 12.50"`, `"(3)"`.
        decimal: the decimal mark of texts; found out when None.

    Example:
        >>> read_numbers(pl.Series(["1,5", "1.000,25", "-"])).values.tolist()
        [1.5, 1000.25, nan]
    """
    mark = decimal or "."
    column = column.cast(pl.String) if isinstance(column.dtype, pl.Enum) else column
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).to_numpy().astype(np.float64)
        missing = np.isnan(values)
        unreadable = np.zeros(len(values), bool)
    elif column.dtype == pl.String:
        text = drop_ambiguous(strip_cells(column))
        parsed, mark = _parse_text(text, decimal)
        missing = text.is_null().to_numpy()
        values = parsed.to_numpy().astype(np.float64)
        unreadable = np.isnan(values) & ~missing
    else:
        missing = column.is_null().to_numpy()
        values, unreadable = np.full(len(column), np.nan), ~missing
    infinite = np.isinf(values)
    if infinite.any():
        values = np.where(infinite, np.nan, values)
    return Numbers(values, missing, int(infinite.sum()), unreadable, mark)


def read_truths(column: pl.Series, words: tuple[str, str] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Read a column as truth values: float64 0, 1 or NaN, and which cells hold something else.

    Args:
        column: truth values, numbers 0 and 1, or one of the known pairs of words.
        words: the pair (false, true) in lower case that the column uses besides the known ones.
    """
    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        numbers = read_numbers(column)
        other = ~np.isnan(numbers.values) & ~np.isin(numbers.values, (0.0, 1.0))
        return np.where(other, np.nan, numbers.values), other
    text = drop_ambiguous(as_text(column)).str.to_lowercase()
    pairs = [*((no, yes) for yes, no in TRUE_WORDS.items()), ("0", "1"), ("0.0", "1.0"), *([words] if words else [])]
    known = {word: float(side) for pair in pairs for side, word in enumerate(pair)}
    values = text.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Float64)
    array = values.to_numpy().astype(np.float64)
    return array, np.isnan(array) & text.is_not_null().to_numpy()
