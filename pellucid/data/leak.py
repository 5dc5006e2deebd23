"""Columns that give the target away: one column from which the target can be read off almost without error."""
from __future__ import annotations

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.schema import Column, Schema
from pellucid.data.table import Table
from pellucid.features.dates import time_values
from pellucid.features.values import as_text, read_numbers, read_truths

FEWEST_ROWS = 50
FEWEST_OF_CLASS = 10
MOST_ROWS = 50_000
MIN_AREA = 0.995
MIN_CORRELATION = 0.999
MIN_PURITY = 0.995
ROWS_PER_LEVEL = 5


def find_leaks(table: Table, schema: Schema, target: str, codes: np.ndarray | None,
               numbers: np.ndarray | None) -> list[Note]:
    """A warning for every column that gives `target` away.

    Args:
        codes: int32 (rows,), the class of each row, -1 where there is none; None for a numeric target.
        numbers: float64 (rows,), the numeric target, NaN where there is none; None for classes.
    """
    known = np.flatnonzero(codes >= 0 if codes is not None else ~np.isnan(numbers))
    if len(known) < FEWEST_ROWS:
        return []
    if len(known) > MOST_ROWS:
        known = np.random.default_rng(0).choice(known, MOST_ROWS, replace=False)
    part = table.take(known)
    found = []
    for column in schema.features:
        cells = part.column(column.name)
        if column.kind == "ignore":
            continue
        why = _class_leak(column, cells, codes[known]) if codes is not None else \
            _number_leak(column, cells, numbers[known])
        if why:
            message = (f"`{column.name}` gives the target `{target}` away ({why}): was it known before the target was? "
                       "If not, leave it out.")
            found.append(Note("leak", message, column.name, severity="warning"))
    return found


def _as_numbers(column: Column, cells: pl.Series) -> np.ndarray | None:
    """float64 (rows,), NaN where there is none; None for a column of words."""
    if column.kind == "number":
        return read_numbers(cells).values
    if column.kind == "boolean":
        return read_truths(cells)[0]
    return time_values(cells) if column.kind == "date" else None


def _class_leak(column: Column, cells: pl.Series, codes: np.ndarray) -> str | None:
    """Why a column gives classes away, or None."""
    _, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if len(counts) < 2 or np.sort(counts)[-2] < FEWEST_OF_CLASS:
        return None
    missing = as_text(cells).is_null().to_numpy()
    if _purity(missing.astype(np.int64), codes) >= _needed(counts):
        return "a cell is missing exactly where the target is one class"
    values = _as_numbers(column, cells)
    if values is None:
        levels = as_text(cells).fill_null("").cast(pl.Categorical).to_physical().to_numpy()
        levels = np.unique(levels, return_inverse=True)[1]
        if levels.max() + 1 <= len(codes) / ROWS_PER_LEVEL and _purity(levels, codes) >= _needed(counts):
            return "each of its values goes with one class"
        return None
    present = ~np.isnan(values)
    if present.sum() < FEWEST_ROWS or (~present).mean() > 0.05:
        return None
    if len(counts) == 2:
        area = _area(values[present], codes[present])
        return f"it alone ranks the classes with an AUC of {max(area, 1 - area):.3f}" \
            if max(area, 1 - area) >= MIN_AREA else None
    levels = np.unique(values[present], return_inverse=True)[1]
    if _purity(levels, codes[present]) >= _needed(counts) and _changes(levels, codes[present]) <= \
            len(counts) - 1 + 0.005 * present.sum():
        return "sorted by it, the classes fall apart into blocks"
    return None


def _needed(counts: np.ndarray) -> float:
    """The share of rows to be told right: nearly all, also of what the commonest class leaves over."""
    majority = counts.max() / counts.sum()
    return max(MIN_PURITY, 1 - 0.05 * (1 - majority))


def _purity(levels: np.ndarray, codes: np.ndarray) -> float:
    """The share of rows that are right when every level says its commonest class."""
    classes = int(codes.max()) + 1
    pairs, counts = np.unique(levels * classes + codes, return_counts=True)
    best = np.zeros(int(levels.max()) + 1, np.int64)
    np.maximum.at(best, pairs // classes, counts)
    return float(best.sum() / len(codes))


def _changes(levels: np.ndarray, codes: np.ndarray) -> int:
    """How often the class changes from one level to the next, each level speaking with one of its rows."""
    first = np.unique(levels, return_index=True)[1]
    return int(np.count_nonzero(np.diff(codes[first])))


def _area(values: np.ndarray, codes: np.ndarray) -> float:
    """The area under the ROC curve of one column, ties counting half (Mann-Whitney)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = int((codes == 1).sum())
    negative = len(codes) - positive
    if not positive or not negative:
        return 0.5
    return float((ranks[codes == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _number_leak(column: Column, cells: pl.Series, target: np.ndarray) -> str | None:
    """Why a column gives a numeric target away, or None."""
    values = _as_numbers(column, cells)
    if values is None:
        return None
    present = ~np.isnan(values)
    if present.sum() < FEWEST_ROWS or (~present).mean() > 0.05:
        return None
    for name, one, two in (("correlation", values[present], target[present]),
                           ("rank correlation", _ranks(values[present]), _ranks(target[present]))):
        correlation = _correlation(one, two)
        if abs(correlation) >= MIN_CORRELATION:
            return f"{name} {correlation:.4f}"
    return None


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Pearson's, of values first brought to a size that cannot overflow; 0 for a constant."""
    centred = []
    for values in (one, two):
        largest = np.max(np.abs(values))
        values = values / largest if largest > 0 else values
        values = values - values.mean()
        length = np.sqrt(np.sum(values**2))
        if length < 1e-12:
            return 0.0
        centred.append(values / length)
    return float(centred[0] @ centred[1])
