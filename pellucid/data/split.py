"""Which rows train, test and validate: stratified, by group, or by time; always the same for a seed.

Rows are dealt like cards. Groups of rows that must stay together go first, the largest foremost, each to the part that
lacks most of its kind; single rows then fill every part up to its share.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pellucid.core.note import Note
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError

BINS = 10  # quantile bins by which a numeric target is stratified
FEWEST_DISTINCT = 10  # with fewer different rows, keeping equal rows together would leave nothing to deal


@dataclass(frozen=True)
class Split:
    """Rows for training and rows never used for it.

    Args:
        train, test: int64 row numbers, rising (in the order of time for a split by time).
        notes: what the user should know about the split.
    """

    train: np.ndarray
    test: np.ndarray
    notes: tuple[Note, ...] = ()


def duplicate_groups(table: Table, names: Sequence[str]) -> np.ndarray:
    """A number for each row, int64; rows whose cells in `names` are all equal, files by their content, share it."""
    if not names:
        return np.arange(len(table), dtype=np.int64)
    hashes = table.contents(names).hash_rows(seed=0).to_numpy()  # two rows in 10¹⁹ meet by chance: harmless
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


def join_groups(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Groups in which rows stay together that share a group in either of the two; int64 (rows,)."""
    one, two = (np.unique(groups, return_inverse=True)[1] for groups in (first, second))
    size = int(one.max(initial=-1)) + 1
    nodes = size + int(two.max(initial=-1)) + 1
    links = coo_array((np.ones(len(one)), (one, two + size)), shape=(nodes, nodes))
    return connected_components(links, directed=False)[1][one].astype(np.int64)


def split_rows(rows: int, *, seed: int, test: float = 0.2, target: np.ndarray | None = None,
               groups: np.ndarray | None = None, duplicates: np.ndarray | None = None,
               times: np.ndarray | None = None) -> Split:
    """Divide rows into training and test.

    Args:
        rows: how many there are, at least 2.
        seed: decides the draw.
        test: the share of test rows, in (0, 1).
        target: integers (classes) or floats (stratified by quantile bins), (rows,).
        groups: rows with the same value never straddle, (rows,); see `join_groups`.
        duplicates: see `duplicate_groups`; kept together as long as there are at least 10 different rows.
        times: float64 (rows,); the last part becomes the test, rows without a time count as earliest.

    Raises:
        DataError: fewer than 2 rows or groups.
        SettingsError: `test` out of range, or both `groups` and `times`.
    """
    if not 0 < test < 1:
        raise SettingsError(f"`test` must lie between 0 and 1, got {test}.", "0.2 keeps a fifth of the rows")
    if rows < 2:
        raise DataError(f"{rows} row cannot be divided.", "give at least 10 rows")
    if times is not None:
        return _split_by_time(np.asarray(times, np.float64), test, groups)
    groups, notes = _together(rows, groups, duplicates)
    strata, more = _strata(target, rows)
    parts = _deal(strata, groups, np.array([1 - test, test]), np.random.default_rng(seed))
    return Split(np.flatnonzero(parts == 0), np.flatnonzero(parts == 1), (*notes, *more))


def fold_rows(rows: int, *, folds: int, seed: int, target: np.ndarray | None = None, groups: np.ndarray | None = None,
              duplicates: np.ndarray | None = None, times: np.ndarray | None = None) -> np.ndarray:
    """Deal training rows to `folds` folds; the arguments are those of `split_rows`, of the training rows only.

    Returns:
        int64 (rows,): the fold of each row, 0 to `folds` - 1. By time, folds are blocks in the order of time.

    Raises:
        SettingsError: fewer than 2 folds, or both `groups` and `times`.
        DataError: more folds than rows or groups.
    """
    if folds < 2:
        raise SettingsError(f"`folds` must be at least 2, got {folds}.", "5 is usual")
    if rows < folds:
        raise DataError(f"{rows} rows cannot be dealt to {folds} folds.", "ask for fewer folds or give more rows")
    if times is not None:
        return _blocks(np.asarray(times, np.float64), folds, groups)
    groups, _ = _together(rows, groups, duplicates)
    return _deal(_strata(target, rows)[0], groups, np.full(folds, 1 / folds), np.random.default_rng(seed))


def _together(rows: int, groups: np.ndarray | None, duplicates: np.ndarray | None) -> tuple[np.ndarray, list[Note]]:
    """The groups to deal, and a note if equal rows cannot be kept together."""
    notes = []
    if duplicates is not None:
        distinct = len(np.unique(duplicates))
        if distinct < min(FEWEST_DISTINCT, rows):
            duplicates = None
            message = f"There are only {distinct} different rows of inputs: equal rows occur in training and in test."
            notes = [Note("duplicates_straddle", message, count=distinct, severity="warning")]
    given = [one for one in (groups, duplicates) if one is not None]
    joined = np.arange(rows) if not given else given[0] if len(given) == 1 else join_groups(*given)
    return np.asarray(joined), notes


def _strata(target: np.ndarray | None, rows: int) -> tuple[np.ndarray, list[Note]]:
    """int64 stratum of each row: its class, or the quantile bin of its number."""
    if target is None:
        return np.zeros(rows, np.int64), []
    target = np.asarray(target)
    if target.dtype.kind == "f":
        present = target[np.isfinite(target)]
        if present.size == 0:
            return np.zeros(rows, np.int64), []
        edges = np.unique(np.quantile(present / 2, np.linspace(0, 1, min(BINS, max(rows // 5, 1)) + 1)[1:-1])) * 2
        bins = np.digitize(target, edges)
        return np.unique(np.where(np.isfinite(target), bins, -1), return_inverse=True)[1], []
    strata, counts = np.unique(target, return_inverse=True, return_counts=True)[1:]
    single = int((counts == 1).sum())
    if not single:
        return strata, []
    message = (f"{single} class{'es have' if single > 1 else ' has'} a single row, which stays in training and cannot "
               "be tested.")
    return strata, [Note("single_row_class", message, count=single, severity="warning")]


def _deal(strata: np.ndarray, groups: np.ndarray, shares: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The part of each row, int64: every part gets its share of every stratum as nearly as groups allow."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < len(shares):
        raise DataError(f"{len(sizes)} group cannot be dealt to {len(shares)} parts." if len(sizes) == 1 else
                        f"{len(sizes)} groups cannot be dealt to {len(shares)} parts.",
                        "ask for fewer folds, or give a column with more groups")
    totals = np.bincount(strata)
    lacking = shares[:, None] * totals  # (parts, strata)
    parts = np.full(len(strata), -1, np.int64)
    _deal_groups(parts, strata, group, sizes, lacking, generator)
    _deal_singles(parts, strata, lacking, generator)
    _fill_empty(parts, group, sizes, len(shares))
    return parts


def _deal_groups(parts: np.ndarray, strata: np.ndarray, group: np.ndarray, sizes: np.ndarray, lacking: np.ndarray,
                 generator: np.random.Generator) -> None:
    """Deal the groups of two and more rows, the largest first; `parts` and `lacking` are updated."""
    rows_by_group = np.argsort(group, kind="stable")
    starts = np.cumsum(sizes) - sizes
    shuffled = generator.permutation(len(sizes))
    for one in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        if sizes[one] == 1:
            break
        members = rows_by_group[starts[one]:starts[one] + sizes[one]]
        kinds, counts = np.unique(strata[members], return_counts=True)
        score = lacking[:, kinds] @ counts / sizes[one] + 1e-6 * lacking.sum(axis=1)
        part = int(np.argmax(score))
        parts[members] = part
        lacking[part, kinds] -= counts


def _deal_singles(parts: np.ndarray, strata: np.ndarray, lacking: np.ndarray, generator: np.random.Generator) -> None:
    """Fill every part up to its share with the rows that are free; `parts` and `lacking` are updated."""
    free = np.flatnonzero(parts < 0)
    free = generator.permutation(free)
    free = free[np.argsort(strata[free], kind="stable")]
    kinds, starts, counts = np.unique(strata[free], return_index=True, return_counts=True)
    for kind, start, count in zip(kinds, starts, counts, strict=True):
        wanted = np.maximum(lacking[:, kind], 0)
        wanted = wanted * count / wanted.sum() if wanted.sum() > 0 else np.full(len(wanted), count / len(wanted))
        whole = np.floor(wanted + 1e-9).astype(np.int64)
        # rows left over go where the largest fraction is left, then where most rows lack in all
        ranking = np.round(wanted - whole, 6) + 1e-7 * np.argsort(np.argsort(lacking.sum(axis=1)))
        whole[np.argsort(-ranking, kind="stable")[:count - whole.sum()]] += 1
        parts[free[start:start + count]] = np.repeat(np.arange(len(whole)), whole)
        lacking[:, kind] -= whole


def _fill_empty(parts: np.ndarray, group: np.ndarray, sizes: np.ndarray, count: int) -> None:
    """Give every empty part the smallest group of the fullest part; `parts` is updated."""
    part_of_group = np.empty(len(sizes), np.int64)
    part_of_group[group] = parts
    for empty in np.setdiff1d(np.arange(count), part_of_group):
        num_groups = np.bincount(part_of_group, minlength=count)
        fullest = np.argmax(np.where(num_groups > 1, np.bincount(parts, minlength=count), -1))
        candidates = np.flatnonzero(part_of_group == fullest)
        moved = candidates[np.argmin(sizes[candidates])]
        part_of_group[moved] = empty
        parts[group == moved] = empty


def _in_time(times: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The order of time, and for each place in it the first place with the same time."""
    if groups is not None:
        raise SettingsError("Rows cannot be divided by time and by group at once.", "pass one of the two")
    filled = np.where(np.isnan(times), -np.inf, times)
    order = np.argsort(filled, kind="stable")
    ranked = filled[order]
    return order, np.searchsorted(ranked, ranked, side="left")


def _split_by_time(times: np.ndarray, test: float, groups: np.ndarray | None) -> Split:
    order, first = _in_time(times, groups)
    rows = len(order)
    cut = min(max(rows - round(rows * test), 1), rows - 1)
    notes = []
    later = np.flatnonzero(first > cut)
    if first[cut] > 0:
        cut = int(first[cut])  # rows of one moment stay together
    elif len(later):
        cut = int(first[later[0]])
    else:
        notes.append(Note("one_moment", "All rows have the same time; the split is by their order in the table.",
                          severity="warning"))
    without = int(np.isnan(times).sum())
    if without:
        notes.append(Note("no_time", f"Rows without a time ({without:,}) count as the earliest.", count=without,
                          severity="warning"))
    return Split(order[:cut], order[cut:], tuple(notes))


def _blocks(times: np.ndarray, folds: int, groups: np.ndarray | None) -> np.ndarray:
    order, first = _in_time(times, groups)
    rows = len(order)
    block = first * folds // rows
    if len(np.unique(block)) < folds:  # too many rows of one moment
        block = np.arange(rows) * folds // rows
    result = np.empty(rows, np.int64)
    result[order] = block
    return result
