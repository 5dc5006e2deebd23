"""Data that are in memory already: data frames of any library, arrays, mappings, records."""
from __future__ import annotations

import datetime
import decimal
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from pellucid.errors import DataError
from pellucid.features.media import array_bytes, as_bytes
from pellucid.features.sound import sound_bytes

_SCALAR = (str, bytes, bool, int, float, np.generic, type(None), datetime.date, decimal.Decimal)
UNKNOWN_RATE, FEWEST_SAMPLES = 16_000, 400
"""An array of at least so many numbers in a cell is a recording, of so many samples a second unless it is told."""
_SECONDS = {pl.Duration: 1e6, pl.Time: 1e9}


def read_frame(source: Any) -> pl.DataFrame | None:
    """A data frame of polars, pandas, pyarrow or another library that narwhals knows, else None.

    Raises:
        DataError: duplicate column names.
    """
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.Series):
        source = source.to_frame()
    if not isinstance(source, pl.DataFrame):
        names = getattr(source, "columns", None)
        if names is None and not hasattr(source, "__dataframe__") and not hasattr(source, "column_names"):
            return None
        if names is not None and hasattr(source, "iloc"):  # pandas: names may repeat or be no strings
            require_different([str(name) for name in names], "data frame")
        frame = nw.from_native(source, pass_through=True)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        if not isinstance(frame, nw.DataFrame):
            return None
        source = pl.DataFrame([_from_narwhals(str(name), frame[:, position])
                               for position, name in enumerate(frame.columns)])
    return tidy(source)


def tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """Only numbers, truth values, dates, text and the bytes of pictures and recordings: categories and anything odd
    become text, durations seconds."""
    return pl.DataFrame([_tidy_column(column) for column in frame.get_columns()])


def _tidy_column(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind.is_decimal():
        return column.cast(pl.Float64)
    if kind in (pl.Categorical, pl.Enum, pl.Null):
        return column.cast(pl.String)
    for timed, unit in _SECONDS.items():
        if kind == timed:
            column = column.cast(pl.Duration("us")) if timed == pl.Duration else column
            return column.to_physical().cast(pl.Float64) / unit
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if kind in (pl.String, pl.Boolean, pl.Date, pl.Binary) or kind.is_numeric() or isinstance(kind, pl.Datetime):
        return column
    return from_values(column.name, column.to_list())


def _from_narwhals(name: str, series: nw.Series) -> pl.Series:
    native = series.to_native()
    if isinstance(native, pl.Series):
        return native.alias(name)
    kind = series.dtype
    if kind.is_numeric() and series.null_count() == 0 and not kind.is_decimal():
        array = series.to_numpy()
        if array.dtype.kind in "fiu":
            return _from_array(name, array)
    if isinstance(kind, nw.Datetime):
        if kind.time_zone:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return pl.Series(name, series.to_numpy().astype("datetime64[us]"))
    if isinstance(kind, nw.Duration):
        return _tidy_column(pl.Series(name, series.to_numpy().astype("timedelta64[us]")))
    return from_values(name, series.to_list())  # categories too: those of numbers stay numbers


def _from_array(name: str, array: np.ndarray) -> pl.Series:
    if array.dtype == np.float16 or array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return pl.Series(name, np.ascontiguousarray(array), nan_to_null=False)


def _is_nothing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, decimal.Decimal):  # comparing a signalling NaN raises
        return value.is_nan()
    return isinstance(value, (float, np.floating, np.datetime64)) and value != value


def from_values(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of Python values: one type where they agree, otherwise text."""
    values = [None if _is_nothing(value) else value.item() if isinstance(value, np.generic) else value
              for value in values]
    types = {type(value) for value in values if value is not None}
    media = _media(name, values) if any(_may_be_media(kind) for kind in types) else None
    if media is not None:
        return media
    if not types or types <= {str}:
        return pl.Series(name, values, dtype=pl.String)
    if types <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if types <= {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if types <= {int, float, decimal.Decimal}:
        return pl.Series(name, [None if value is None else _as_float(value) for value in values], dtype=pl.Float64)
    if all(issubclass(kind, datetime.datetime) for kind in types):
        moments = [value if value is None or value.tzinfo is None else
                   value.astimezone(datetime.UTC).replace(tzinfo=None) for value in values]
        return pl.Series(name, moments, dtype=pl.Datetime("us"))
    if types <= {datetime.date}:
        return pl.Series(name, values, dtype=pl.Date)
    return pl.Series(name, [None if value is None else _as_words(value) for value in values], dtype=pl.String)


def _may_be_media(kind: type) -> bool:
    return kind in (bytes, bytearray, dict, tuple) or issubclass(kind, np.ndarray) or kind.__module__.startswith("PIL.")


def _media(name: str, values: Sequence[Any]) -> pl.Series | None:
    """Pictures and recordings in memory as the bytes of files; `None` where a cell is anything else."""
    cells = [_encoded(value) for value in values]
    if any(cell is None and value is not None for cell, value in zip(cells, values, strict=True)):
        return None
    return pl.Series(name, cells, dtype=pl.Binary)


def _encoded(value: Any) -> bytes | None:
    """Data sets of Hugging Face hold pictures as `{"bytes": …, "path": …}` and recordings as `{"array": …,
    "sampling_rate": …}`; SciPy gives recordings as (rate, samples)."""
    if isinstance(value, dict) and "sampling_rate" in value:
        value = value["sampling_rate"], value.get("array")
    if isinstance(value, tuple):
        rate, samples = value if len(value) == 2 else (None, None)
        whole = isinstance(rate, (int, np.integer)) and not isinstance(rate, bool) and rate > 0
        return sound_bytes(samples, rate) if whole and _is_sound(samples) else None
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return sound_bytes(value, UNKNOWN_RATE) if _is_sound(value) and len(value) >= FEWEST_SAMPLES else None
    return as_bytes(value.get("bytes") if isinstance(value, dict) else value)


def _is_sound(samples: Any) -> bool:
    return isinstance(samples, np.ndarray) and samples.ndim in (1, 2) and samples.dtype.kind in "iuf"


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _as_words(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return str(value).encode(errors="replace").decode()  # lone surrogates are no UTF-8


def read_array(array: np.ndarray) -> pl.DataFrame:
    """The columns of a 2-D array, called x0, x1, …; fields of a structured array keep their names; an array of pictures
    becomes the column `image`.

    Raises:
        DataError: neither two-dimensional nor pictures (rows, height, width[, colours]), or complex numbers.
    """
    if array.ndim in (3, 4) and array.dtype.kind in "buif" and array.size and (array.ndim == 3 or array.shape[3] <= 4):
        return pl.DataFrame([pl.Series("image", array_bytes(array), dtype=pl.Binary)])
    if array.dtype.names:
        return pl.DataFrame([_column_of(name, array[name]) for name in array.dtype.names])
    if array.ndim != 2:
        raise DataError(f"Expected an array of shape (rows, columns), got shape {array.shape}.",
                        "reshape it: `array.reshape(-1, 1)` for one column, `array.reshape(1, -1)` for one row"
                        if array.ndim < 2 else "flatten every row: `array.reshape(len(array), -1)`")
    columns = np.asfortranarray(array)  # one copy instead of one for each column
    return pl.DataFrame([_column_of(f"x{position}", columns[:, position]) for position in range(array.shape[1])])


def _column_of(name: str, column: np.ndarray) -> pl.Series:
    kind = column.dtype.kind
    if kind in "fiu":
        return _from_array(name, column)
    if kind == "b":
        return pl.Series(name, np.ascontiguousarray(column))
    if kind == "M":
        return pl.Series(name, column.astype("datetime64[us]"))
    if kind == "c":
        raise DataError("Complex numbers are not supported.", "pass the real and the imaginary part as two columns")
    return from_values(name, column.tolist())


def read_mapping(source: Mapping[Any, Any]) -> pl.DataFrame:
    """A mapping from column names to columns; one of names to single cells is one row.

    Raises:
        DataError: columns of different lengths.
    """
    if source and all(isinstance(value, _SCALAR) for value in source.values()):
        source = {name: [value] for name, value in source.items()}
    columns = [_any_column(str(name), values) for name, values in source.items()]
    require_different([column.name for column in columns], "mapping")
    lengths = {column.name: len(column) for column in columns}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The columns have different lengths: {lengths}.", "give every column one cell per row")
    return pl.DataFrame(columns)


def _any_column(name: str, values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return _tidy_column(values.alias(name))
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return _column_of(name, values)
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
        raise DataError(f"The column `{name}` is a single value while others are lists.", "give every column a list")
    return from_values(name, list(values))


def read_records(source: Sequence[Any]) -> pl.DataFrame:
    """A list of mappings, one for each row (cells that a row lacks are missing), or a list of lists.

    Raises:
        DataError: anything else.
    """
    rows = list(source)
    if rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        named = [{str(name): value for name, value in row.items()} for row in rows]
        return pl.DataFrame([from_values(name, [row.get(name) for row in named]) for name in names])
    if rows and all(isinstance(row, (Sequence, np.ndarray)) and not isinstance(row, (str, bytes)) for row in rows):
        widths = Counter(len(row) for row in rows)
        if len(widths) > 1:
            raise DataError(f"The rows have different lengths: {sorted(widths)}.", "give every row the same cells")
        return pl.DataFrame([from_values(f"x{position}", [row[position] for row in rows])
                             for position in range(len(rows[0]))])
    raise DataError(f"Cannot read a table from a list of {type(rows[0]).__name__ if rows else 'nothing'}.",
                    "pass a list of mappings, a mapping of columns, a data frame or a 2-D array")


def require_different(names: Sequence[str], source: str) -> None:
    """Refuse duplicate column names.

    Raises:
        DataError: names occur more than once.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(f"`{name}`" for name in repeated[:5])
        raise DataError(f"The {source} has more than one column named {shown}.", "give every column its own name")
