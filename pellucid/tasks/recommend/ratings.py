"""From a table to ratings to learn from: one for each pair of user and item, within the scale; all else is counted."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError
from pellucid.features.dates import time_values
from pellucid.features.values import read_numbers
from pellucid.tasks.recommend.columns import Columns, find_columns, identifiers

FEWEST = 10
"""Ratings below which nothing can be learned."""
RARE = 0.001
"""A rating that fewer of the rows have, and that lies off the steps of the others, is outside the scale."""
MOST_STEPS = 40
"""With more different ratings there are no steps to lie off: far ones are those beyond ten times the middle half."""
TOPS = (5, 7, 10, 20, 100)
"""Where scales usually end."""
MOST_ITEMS = 20_000
"""Of more items the most popular are learned; the others are answered like items never seen."""
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Ratings:
    """Who rated what, one row for each pair of user and item.

    Args:
        columns: where they were read.
        users, items: the names; items by falling number of ratings.
        user, item: int64 (rows,) numbers of them.
        value: float64 (rows,) ratings; all 1 where there are only clicks.
        moment: float64 (rows,) when, as numbers that rise; the order of the table where there is no time.
        explicit: whether `value` says how much a user liked an item.
        low, high: the scale.
        notes: what was left out, by name and count.
    """

    columns: Columns
    users: np.ndarray
    items: np.ndarray
    user: np.ndarray
    item: np.ndarray
    value: np.ndarray
    moment: np.ndarray
    explicit: bool
    low: float
    high: float
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: np.ndarray) -> Ratings:
        """Some of the ratings; names and numbers stay."""
        return replace(self, user=self.user[rows], item=self.item[rows], value=self.value[rows],
                       moment=self.moment[rows])


def read_ratings(table: Table, target: str | None, settings: Mapping[str, Any]) -> Ratings:
    """The ratings of a table.

    Raises:
        DataError: a column is lacking, or fewer than 10 ratings, 2 users or 2 items are left.
    """
    columns = find_columns(table, target, settings)
    user, item = (identifiers(table, name) for name in (columns.user, columns.item))
    moment, timed = _moments(table, columns.time)
    value, explicit, notes = _values(table, columns)
    nameless = np.array([one is None or two is None for one, two in zip(user, item, strict=True)], bool)
    for name, cells in ((columns.user, user), (columns.item, item)):
        lacking = sum(cell is None for cell in cells)
        if lacking:
            notes.append(Note("missing_ids", f"`{name}` is empty in {lacking:,} of {len(cells):,} rows, which are left "
                              "out.", name, lacking, "warning"))
    low, high, outside = _scale(value[~nameless & np.isfinite(value)]) if explicit else (1.0, 1.0, np.zeros(0))
    out = np.isin(value, outside)
    if out.any():
        shown = ", ".join(f"{one:g}" for one in outside[:SHOWN]) + (", …" if len(outside) > SHOWN else "")
        notes.append(Note("outside_scale", f"{int(out.sum()):,} ratings lie outside the scale from {low:g} to {high:g} "
                          f"and are left out: {shown}.", columns.rating, int(out.sum()), "warning"))
    kept = np.flatnonzero(~nameless & np.isfinite(value) & ~out)
    if not len(kept):
        raise DataError(f"No row of {table.source} holds a user, an item and a rating.",
                        "check the columns named by --user-column, --item-column and --target")
    kept, more = _last_of_each(user[kept], item[kept], value[kept], moment[kept], kept, timed)
    found = _numbered(columns, user[kept], item[kept], value[kept], moment[kept], explicit, (low, high))
    _require_enough(found, table)
    return replace(found, notes=(*table.notes, *notes, *more, *_sizes(found)))


def _moments(table: Table, name: str | None) -> tuple[np.ndarray, bool]:
    if name is None:
        return np.arange(len(table), dtype=np.float64), False
    times = time_values(table.column(name))
    if np.isnan(times).mean() > 0.5:
        raise SettingsError(f"`time_column` was `{name}`, which holds few dates or numbers.",
                            "name a column of dates, times or numbers")
    return np.where(np.isnan(times), -np.inf, times), True


def _values(table: Table, columns: Columns) -> tuple[np.ndarray, bool, list[Note]]:
    """The ratings, NaN where there is none; whether they differ; and what was noticed."""
    if columns.rating is None:
        return np.ones(len(table)), False, [Note(
            "clicks", "No column holds ratings; every row counts as a sign of liking: a click, a purchase, a visit.")]
    read, name, notes = read_numbers(table.column(columns.rating)), columns.rating, []
    for word, count in (("hold no value", int(read.missing.sum())), ("are infinite", read.infinite),
                        ("are no number", int(read.unreadable.sum()))):
        if count:
            notes.append(Note("rating_missing", f"{count:,} of {len(table):,} cells of `{name}` {word}; these rows are "
                              "left out.", name, count, "warning"))
    known = read.values[np.isfinite(read.values)]
    if not len(known):
        raise DataError(f"`{name}` holds no numbers, so that it cannot be a column of ratings.",
                        "name the column of ratings with --target, or leave that column out for clicks and purchases")
    if np.ptp(known) == 0:
        notes.append(Note("clicks", f"`{name}` is {known[0]:g} in every row, so every row counts as a sign of liking, "
                          "like a click or a purchase.", name))
        return np.where(np.isfinite(read.values), 1.0, np.nan), False, notes
    return read.values, True, notes


def _scale(values: np.ndarray) -> tuple[float, float, np.ndarray]:
    """The least and the largest rating of the scale, and the ratings that lie outside of it."""
    steps, counts = np.unique(values, return_counts=True)
    if len(steps) < 2:
        return (*((float(steps[0]),) * 2 if len(steps) else (1.0, 1.0)), steps[:0])
    if len(steps) > MOST_STEPS:
        quarter, middle, most = np.quantile(values, (0.25, 0.5, 0.75))
        reach = 10 * max(most - quarter, 1e-9)
        inside = steps[np.abs(steps - middle) <= reach]
    else:
        usual = steps[counts > max(1, RARE * len(values))]
        usual = usual if len(usual) > 1 else steps
        gap = 1.001 * float(np.diff(usual).max())
        # a rare end of the scale may be one step beyond the others; what is farther was no choice that users had
        low, high = usual[0] - gap, usual[-1] + (0 if usual[-1] in TOPS else gap)
        inside = steps[(steps >= low) & (steps <= high) & ((steps > 0) | (usual[0] <= 0))]
    return float(inside[0]), float(inside[-1]), steps[(steps < inside[0]) | (steps > inside[-1])]


def _last_of_each(user: np.ndarray, item: np.ndarray, value: np.ndarray, moment: np.ndarray, rows: np.ndarray,
                  timed: bool) -> tuple[np.ndarray, list[Note]]:
    """The newest row of each pair of user and item."""
    pair = np.unique(np.stack([np.unique(cells.astype(str), return_inverse=True)[1] for cells in (user, item)]), axis=1,
                     return_inverse=True)[1].reshape(-1)
    order = np.lexsort((np.arange(len(pair)), moment, pair))
    last = np.append(np.diff(pair[order]) != 0, True)
    chosen = np.sort(order[last])
    repeated = len(pair) - len(chosen)
    if not repeated:
        return rows, []
    newest = np.zeros(int(pair.max()) + 1)
    newest[pair[chosen]] = value[chosen]
    differing = int((value != newest[pair]).sum())
    which = "the newest" if timed else "the last in the table"
    tail = f" {differing:,} of the others say another rating." if differing else ""
    return rows[chosen], [Note("repeated_pairs", f"{repeated:,} rows name a user and an item that another row names "
                               f"too; of each pair {which} is kept.{tail}", count=repeated, severity="warning")]


def _numbered(columns: Columns, user: np.ndarray, item: np.ndarray, value: np.ndarray, moment: np.ndarray,
              explicit: bool, scale: tuple[float, float]) -> Ratings:
    users, user_number = np.unique(user.astype(str), return_inverse=True)
    items, item_number = np.unique(item.astype(str), return_inverse=True)
    order = np.argsort(-np.bincount(item_number, minlength=len(items)), kind="stable")
    rank = np.empty(len(items), np.int64)
    rank[order] = np.arange(len(items))
    return Ratings(columns, users, items[order], user_number.astype(np.int64), rank[item_number], value, moment,
                   explicit, *scale)


def _require_enough(found: Ratings, table: Table) -> None:
    if len(found.users) < 2 or len(found.items) < 2:
        few = "user" if len(found.users) < 2 else "item"
        raise DataError(f"{table.source} holds only one {few}.",
                        "several users have to rate some of the same items; are these the right columns?")
    if len(found) < FEWEST:
        raise DataError(f"Only {len(found)} ratings can be used; at least {FEWEST} are needed.",
                        "add ratings: some thousands give a useful result")
    if len(found) == len(found.users) or len(found) == len(found.items):
        which = "user" if len(found) == len(found.users) else "item"
        raise DataError(f"Every {which} stands in one row only, so that nothing joins users and items.",
                        f"check that `{getattr(found.columns, which)}` is the column of {which}s")


def _sizes(found: Ratings) -> list[Note]:
    """Users and items that say little, because they have one rating."""
    notes = []
    for word, numbers, names in (("users", found.user, found.users), ("items", found.item, found.items)):
        single = int((np.bincount(numbers, minlength=len(names)) == 1).sum())
        if single:
            notes.append(Note("single_ratings", f"{single:,} of {len(names):,} {word} have one rating; little is known "
                              "of them.", getattr(found.columns, word[:-1]), single))
    if len(found.items) > MOST_ITEMS:
        rest = len(found.items) - MOST_ITEMS
        notes.append(Note("many_items", f"The {MOST_ITEMS:,} items with most ratings are learned; the other {rest:,} "
                          "are answered like items never seen.", found.columns.item, rest, "warning"))
    return notes
