"""Series: many numbers in one cell, of any length, one or more at each step."""
from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.features._decoded import decoded
from pellucid.features._series import Steps, Unreadable, is_path, looks_like_numbers, read_series
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded, with_raw
from pellucid.features.between import between, step_groups
from pellucid.features.typical import Typical, made_up, typical_of
from pellucid.features.values import strip_cells
from pellucid.features.views import resampled

LOOKED_AT = 30
FEWEST, FEWEST_LISTED = 8, 3
"""So many numbers make a cell a series; in brackets fewer are enough."""
READABLE = 0.8
LONGEST = 1024
"""Steps; of longer series neighbouring steps are averaged."""
MOST_NUMBERS = 1 << 28
"""Of all rows together: a gigabyte."""
FULL_LENGTH, SPREAD = 0.98, 1.5
"""This part of the series is seen from beginning to end; all are if the longest are not much longer."""
NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Series(AbstractFeature):
    """Series of numbers, scaled by the mean and the spread of each channel in the training rows.

    Args:
        channels: numbers at each step.
        length: steps of a row; shorter series are padded, of longer ones the beginning is seen.
        centers, scales: mean and standard deviation of each channel.
        block: so many neighbouring steps are averaged to one.
        turned: whether lists of lists hold one list for each channel instead of one for each step.
        has_gaps: whether training rows had gaps; another channel for each then says where they are.
        typical: what is usual at places evenly spread from the first to the last step; empty where places mean nothing.
    """

    kind: ClassVar[str] = "series"
    channels: int
    length: int
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    block: int = 1
    turned: bool = False
    has_gaps: bool = False
    typical: Typical = ()

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """Cells that are lists of numbers, many numbers with something between them, or files of such."""
        if cells.dtype != pl.String:
            return None
        present = cells.drop_nulls()
        sample = present.gather_every(max(len(present) // LOOKED_AT, 1)).head(LOOKED_AT).to_list()
        likely = [is_path(cell) or looks_like_numbers(cell, FEWEST) for cell in sample]
        if not sample or sum(likely) < READABLE * len(sample):
            return None
        found = [one for one in map(_read_one, sample) if isinstance(one, Steps)]
        long = [one for one, cell in zip(found, sample, strict=False) if one.values.size >= FEWEST or
                cell.lstrip()[:1] in "[(" and one.values.size >= FEWEST_LISTED]
        if len(long) < READABLE * len(sample):
            return None
        turned, channels = _layout(found)
        steps = [len(one.values.T if turned and not one.sure else one.values) for one in found]
        low, high = min(steps), max(steps)
        files = "files of " if all(map(is_path, sample)) else ""
        size = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        reason = f"{files}series of {size} steps" + (f", {channels} numbers each" if channels > 1 else "")
        missing = cells.null_count()
        return Recognition("series", reason, present.n_unique(), missing)

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Series:
        """Length, channels and their scales by the training rows."""
        found = [one for one in _read(column) if isinstance(one, Steps)]
        turned, channels = _layout(found)
        series = [one for one in (_upright(one, turned) for one in found) if one.shape[1] == channels]
        lengths = [len(one) for one in series] or [1]
        usual = float(np.quantile(lengths, FULL_LENGTH))
        usual = max(lengths) if max(lengths) < SPREAD * usual else usual
        most = min(LONGEST, max(MOST_NUMBERS // (channels * max(len(column), 1)), 1))
        block = int(np.ceil(usual / most))
        values = np.concatenate(series) if series else np.zeros((1, channels))
        with np.errstate(all="ignore"):
            centers, scales = _moments(values, normalise)
        return cls(name=name, reason=reason, channels=channels, length=int(np.ceil(usual / block)), centers=centers,
                   scales=scales, block=block, turned=turned, has_gaps=bool(np.isnan(values).any()))

    @property
    def is_raw(self) -> bool:
        """A network reads the steps."""
        return True

    @property
    def width(self) -> int:
        """Numbers at each step that a network gets: the channels, and whether each is a gap."""
        return self.channels * (1 + self.has_gaps)

    def encode(self, column: pl.Series) -> Encoded:
        """`"values"` float32 (rows, length, width), zeros behind the end; `"lengths"` int32 (rows,), at least 1.

        Gaps are bridged in straight lines.
        """
        cells = _cells(column)
        values = np.zeros((len(cells), self.length, self.width), np.float32)
        lengths, missing = np.ones(len(cells), np.int32), np.ones(len(cells), bool)
        trouble: dict[int, str] = {}
        counts: Counter[str] = Counter()
        named: dict[str, list[str]] = {"cut": [], "gaps": []}
        for row, (cell, one) in enumerate(zip(cells, _read(column), strict=True)):
            series = self._checked(one)
            if not isinstance(series, np.ndarray):
                counts["missing" if series is None else "unreadable"] += 1
                if series is not None and len(trouble) < NAMED:
                    trouble[row] = f"{_named(cell, row)}: {series}"
                continue
            remarks = [name for name, said in (("gaps", np.isnan(series).any()),
                                               ("cut", len(series) > self.length)) if said]
            for remark in remarks:
                counts[remark] += 1
                named[remark] += [_named(cell, row)] if len(named[remark]) < NAMED else []
            steps = self._scaled(series[:self.length])
            values[row, :len(steps)], lengths[row], missing[row] = steps, len(steps), False
        return encoded(len(cells), missing=missing, counts=dict(counts), trouble=trouble,
                       raw={"values": values, "lengths": lengths},
                       named={remark: tuple(rows) for remark, rows in named.items() if rows})

    def _checked(self, one: Steps | str | None) -> np.ndarray | str | None:
        """(steps, channels), averaged over blocks; or why there is none."""
        if not isinstance(one, Steps):
            return one
        series = _upright(one, self.turned)
        if series.shape[1] != self.channels:
            return f"it has {series.shape[1]} numbers at each step instead of {self.channels}"
        return series if self.block == 1 else _averaged(series, self.block)

    def _scaled(self, series: np.ndarray) -> np.ndarray:
        gaps = np.isnan(series)
        if gaps.any():
            series = np.stack([_bridged(channel, center) for channel, center in
                               zip(series.T, self.centers, strict=True)], axis=1)
        scaled = np.clip((series - np.array(self.centers)) / np.array(self.scales), -1e6, 1e6)
        return np.concatenate([scaled, gaps], axis=1) if self.has_gaps else scaled

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up series."""
        lengths = generator.integers(1, self.length + 1, rows).astype(np.int32)
        values = generator.standard_normal((rows, self.length, self.width)).astype(np.float32)
        return {"values": values * (np.arange(self.length) < lengths[:, None])[..., None], "lengths": lengths}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """Up to 24 groups of neighbouring steps, counted from 1 in their names and from 0 in their places."""
        if row.missing[0]:
            return super().parts(cell, row)
        groups = step_groups(int(row.raw["lengths"][0]))
        found = []
        for group in range(groups.max() + 1):
            own = np.flatnonzero(groups == group)
            start, stop = int(own[0]) * self.block, int(own[-1] + 1) * self.block
            name = f"step {stop}" if stop - start == 1 else f"steps {start + 1} to {stop}"
            found.append(Part(self.name, name, place=(start, stop)))
        return tuple(found)

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """Steps that are not kept lie on the straight line between their neighbours."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        length = int(row.raw["lengths"][0])
        values = np.repeat(row.raw["values"], len(keep), axis=0)
        values[:, :length] = between(values[0, :length], keep[:, step_groups(length)])
        return with_raw(row, {"values": values})

    def aligned(self, seen: np.ndarray | None) -> Series:
        """This series, knowing what is usual at each place."""
        return replace(self, typical=() if seen is None else typical_of(seen))

    def background(self, rows: int, generator: np.random.Generator) -> Encoded | None:
        """Series of full length, neighbouring steps at the same quantile; `None` where places mean nothing."""
        if not self.typical:
            return None
        points = len(self.typical[0]) // self.width
        nearest = np.round(np.linspace(0, self.length - 1, points)).astype(int)
        groups = step_groups(self.length)[nearest][:, None] * self.width + np.arange(self.width)
        _, groups = np.unique(groups.ravel(), return_inverse=True)
        made = made_up(self.typical, groups, rows, generator).reshape(rows, points, self.width)
        return encoded(rows, raw={"values": _stretched(made, self.length).astype(np.float32),
                                  "lengths": np.full(rows, self.length, np.int32)})

    def exchange(self, cell: Any, row: Encoded, keep: np.ndarray, made: Encoded) -> Encoded:
        """Steps that are not kept come from made-up series, at the same share of the way."""
        if row.missing[0]:
            return super().exchange(cell, row, keep, made)
        length = int(row.raw["lengths"][0])
        values = np.repeat(row.raw["values"], len(keep), axis=0)
        known = keep[:, step_groups(length)][..., None]
        values[:, :length] = np.where(known, values[:, :length], _stretched(made.raw["values"], length))
        return with_raw(row, {"values": values})


def _stretched(values: np.ndarray, length: int) -> np.ndarray:
    """(rows, time, channels) at so many places evenly spread over their time."""
    if values.shape[1] == length:
        return values
    return np.stack(resampled(values, np.full(len(values), values.shape[1]), length), axis=1)


def _cells(column: pl.Series) -> list[str | bytes | None]:
    cells = column if column.dtype in (pl.Binary, pl.String) else column.cast(pl.String)
    return strip_cells(cells).to_list()


def _read(column: pl.Series) -> list[Steps | str | None]:
    """Each series, or the words that say why there is none, or `None` for no value."""
    def read(cell: str | bytes) -> tuple[Steps | str, int]:
        found = _read_one(cell)
        return found, 200 + (found.values.nbytes if isinstance(found, Steps) else 0)

    cells = _cells(column)
    files = [cell if isinstance(cell, str) and is_path(cell) else None for cell in cells]
    kept = decoded(files, read, "series") if any(files) else files
    return [None if cell is None else file if file is not None else _read_one(cell)
            for cell, file in zip(cells, kept, strict=True)]


def _read_one(cell: str | bytes) -> Steps | str:
    try:
        return read_series(cell)
    except Unreadable as error:
        return str(error)


def _layout(found: Sequence[Steps]) -> tuple[bool, int]:
    """Whether the channels of unsure series come first, and how many channels there are."""
    shapes = [one.values.shape for one in found if not one.sure]
    turned = False
    if shapes:
        first, second = ({shape[axis] for shape in shapes} for axis in (0, 1))
        if (len(first) == 1) != (len(second) == 1):
            turned = len(first) == 1
        else:
            turned = float(np.median([shape[0] for shape in shapes])) < float(np.median([shape[1] for shape in shapes]))
    counts = Counter(_upright(one, turned).shape[1] for one in found)
    return turned, counts.most_common(1)[0][0] if counts else 1


def _upright(one: Steps, turned: bool) -> np.ndarray:
    """(steps, channels)."""
    return one.values.T if turned and not one.sure else one.values


def _moments(values: np.ndarray, normalise: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, over what is no gap."""
    if normalise == "none":
        return (0.0,) * values.shape[1], (1.0,) * values.shape[1]
    centers, scales = [], []
    for channel in values.T:
        there = channel[np.isfinite(channel)]
        center = float(there.mean()) if there.size else 0.0
        scale = float(there.std()) if there.size else 1.0
        sane = np.isfinite(center) and np.isfinite(scale)
        centers.append(center if sane else 0.0)
        scales.append(scale if sane and scale > 1e-12 * max(abs(center), 1e-300) else 1.0)
    return tuple(centers), tuple(scales)


def _averaged(series: np.ndarray, block: int) -> np.ndarray:
    """Means of neighbouring steps, over what is no gap."""
    room = np.full((-len(series) % block, series.shape[1]), np.nan)
    parts = np.concatenate([series, room]).reshape(-1, block, series.shape[1])
    there = np.isfinite(parts)
    count = there.sum(axis=1)
    return np.where(count, np.where(there, parts, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _bridged(channel: np.ndarray, center: float) -> np.ndarray:
    """Gaps filled in straight lines; a channel without any value gets the mean of the training rows."""
    there = np.flatnonzero(np.isfinite(channel))
    return np.interp(np.arange(len(channel)), there, channel[there]) if there.size else np.full(len(channel), center)


def _named(cell: str | bytes | None, row: int) -> str:
    """A series' name for people: the last two parts of its path, or its row."""
    if isinstance(cell, str) and is_path(cell):
        return os.sep.join(cell.split(os.sep)[-2:])
    return f"row {row + 1}"
