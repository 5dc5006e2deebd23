"""Pictures: files or arrays of any size and mode, as 8-bit pixels of one shape."""
from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.features._decoded import decoded, in_threads
from pellucid.features._pictures import Form, Look, Source, Unreadable, box_of, look, pixels, value_range
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded, with_raw
from pellucid.features.media import PICTURES, is_media
from pellucid.features.regions import emptied, grid, hide, labels
from pellucid.features.typical import Typical, made_up, typical_of
from pellucid.features.views import block_side

SMALL = 48
"""Pictures of one size up to this side are kept as they are."""
FEWEST, MOST = 32, 128
"""The range of the longer side that larger pictures are shrunk to."""
STEP = 8
LOOKED_AT, DECODED_TO_FIT = 1000, 64
NAMED = 20
OVERHEAD = 200
"""Bytes that a kept picture takes besides its pixels."""
COLOUR = 8
"""Channels that differ by more than this in a hundredth of the pixels make a picture coloured."""


@dataclass(frozen=True, kw_only=True)
class Image(AbstractFeature):
    """Pictures, as uint8 pixels of one size.

    Small pictures of one size stay as they are. Others are scaled to fit the size that was chosen, whole; what is left
    at two sides takes the colour of the picture's border. Pictures are turned upright as their camera noted, of a film
    the first picture counts, transparent parts become white, and more than 8 bits a channel are scaled by the range of
    the training pictures.

    Args:
        height, width: in pixels.
        channels: 1 if the training pictures are grey, 3 if coloured.
        low, high: the range of training pictures with more than 8 bits a channel.
        original: height and width in the middle of the training pictures.
        typical: how bright square blocks usually are, in shares of white; empty where places mean nothing.
    """

    kind: ClassVar[str] = "image"
    continuous: ClassVar[tuple[str, float]] = ("pixels", 255.0)
    height: int
    width: int
    channels: int
    low: float = 0.0
    high: float = 255.0
    original: tuple[int, int] = (0, 0)
    typical: Typical = ()

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """Paths of files, most of which are pictures by their content; or the bytes of pictures."""
        if not is_media(cells, "image", PICTURES):
            return None
        missing = cells.null_count()
        what = "pictures in memory" if cells.dtype == pl.Binary else "paths of pictures"
        return Recognition("image", what, cells.n_unique() - (missing > 0), missing)

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Image:
        """Choose size and colours by the training rows."""
        sources = _sources(column)
        some = [source for source in _spread(sources, LOOKED_AT) if source is not None]
        seen = dict(zip(some, in_threads(look, some), strict=True))
        good = [source for source in some if seen[source] is not None]
        looks = [seen[source] for source in good]
        height, width = choose_size(looks, len(sources))
        low, high = _range([source for source in good if seen[source].deep])
        sample = _spread(good, DECODED_TO_FIT)
        coloured = in_threads(lambda source: _is_coloured(source, low, high), sample)
        middle = [int(np.median(sizes)) for sizes in ([one.height for one in looks], [one.width for one in looks])] \
            if looks else (0, 0)
        return cls(name=name, reason=reason or _formats(looks), height=height, width=width,
                   channels=3 if any(coloured) else 1, low=low, high=high, original=(middle[0], middle[1]))

    @property
    def is_raw(self) -> bool:
        """A network looks at the pixels."""
        return True

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def form(self) -> Form:
        """What every picture becomes."""
        return Form(self.height, self.width, self.channels, self.low, self.high)

    def encode(self, column: pl.Series) -> Encoded:
        """`"pixels"` uint8 (rows, height, width, channels); black where there is no picture."""
        sources, form = _sources(column), self.form
        answers = decoded(sources, partial(_read, form=form), form)
        found, absent = np.zeros((len(sources), *self.shape), np.uint8), np.ones(len(sources), bool)
        bad = []
        for row, answer in enumerate(answers):
            if isinstance(answer, np.ndarray):
                found[row], absent[row] = answer, False
            elif answer is not None:
                bad.append(row)
        trouble = {row: f"{shown(sources[row], row)}: {answers[row]}" for row in bad[:NAMED]}
        return encoded(len(sources), missing=absent, raw={"pixels": found}, trouble=trouble,
                       counts={"missing": sources.count(None), "unreadable": len(bad)})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up pixels."""
        return {"pixels": generator.integers(0, 256, (rows, *self.shape)).astype(np.uint8)}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """Regions, about seven by seven of them, in pixels of the file; plain background is none of them."""
        if row.missing[0]:
            return super().parts(cell, row)
        rows, columns = (np.round(edges * full / edges[-1]).astype(int).tolist() for edges, full in
                         zip(grid(*self._box(cell)[2:]), self._size(cell), strict=True))
        boxes = [(top, left, bottom, right) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]
        names = [f"region {place // (len(columns) - 1) + 1},{place % (len(columns) - 1) + 1}"
                 for place in range(len(boxes))]
        return tuple(Part(self.name, names[place], place=boxes[place]) for place in self._shown(cell, row))

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """Regions that are not kept show the plain background, or the picture so blurred that no shape is left."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        known = self._known(cell, row, keep)
        return with_raw(row, {"pixels": hide(row.raw["pixels"][0], known)})

    def aligned(self, seen: np.ndarray | None) -> Image:
        """This picture, knowing how bright each block usually is."""
        return replace(self, typical=() if seen is None else typical_of(seen))

    def background(self, rows: int, generator: np.random.Generator) -> Encoded | None:
        """Pictures whose blocks have the same quantile all over a region; `None` where places mean nothing."""
        if not self.typical:
            return None
        side = block_side(self.shape, len(self.typical[0]))
        places = labels(self.height, self.width, (0, 0, self.height, self.width))[::side, ::side]
        groups = places[..., None] * self.channels + np.arange(self.channels)
        _, groups = np.unique(groups.ravel(), return_inverse=True)
        made = made_up(self.typical, groups, rows, generator).reshape(rows, *places.shape, self.channels)
        pixels = made.repeat(side, axis=1).repeat(side, axis=2)[:, :self.height, :self.width]
        return encoded(rows, raw={"pixels": np.round(255 * pixels).astype(np.uint8)})

    def exchange(self, cell: Any, row: Encoded, keep: np.ndarray, made: Encoded) -> Encoded:
        """Regions that are not kept come from made-up pictures."""
        if row.missing[0]:
            return super().exchange(cell, row, keep, made)
        known = self._known(cell, row, keep)[..., None]
        return with_raw(row, {"pixels": np.where(known, row.raw["pixels"], made.raw["pixels"])})

    def places(self, cell: Source, row: Encoded) -> np.ndarray:
        """int (height, width): the part that each pixel belongs to, -1 for none."""
        regions, shown = self._labels(cell), self._shown(cell, row)
        numbers = np.full(regions.max() + 1, -1)
        numbers[shown] = np.arange(len(shown))
        return numbers[regions]

    def _size(self, cell: Source) -> tuple[int, int]:
        found = look(cell)
        return (self.height, self.width) if found is None else (found.height, found.width)

    def _box(self, cell: Source) -> tuple[int, int, int, int]:
        return box_of(*self._size(cell), self.form)

    def _labels(self, cell: Source) -> np.ndarray:
        return labels(self.height, self.width, self._box(cell))

    def _known(self, cell: Source, row: Encoded, keep: np.ndarray) -> np.ndarray:
        """bool (coalitions, height, width): the pixels of regions that are kept, and of those that are none of the
        parts."""
        places, shown = self._labels(cell), self._shown(cell, row)
        full = np.ones((len(keep), places.max() + 1), bool)
        full[:, shown] = keep
        return full[:, places]

    def _shown(self, cell: Source, row: Encoded) -> np.ndarray:
        """The regions that would look different if they were not known; the first one if none would."""
        pixels, places = row.raw["pixels"], self._labels(cell)
        made = self.background(len(self.typical), np.random.default_rng(0))
        others = emptied(pixels[0])[None] if made is None else made.raw["pixels"]
        differs = np.unique(places[(pixels != others).any(axis=(0, 3))])
        return differs if len(differs) else np.zeros(1, int)


def _sources(column: pl.Series) -> list[Source | None]:
    """Paths or bytes; `None` where a cell holds nothing."""
    cells = column if column.dtype == pl.Binary else column.cast(pl.String)
    return [cell if cell and (isinstance(cell, bytes) or cell.strip()) else None for cell in cells.to_list()]


def _read(source: Source, form: Form) -> tuple[np.ndarray | str, int]:
    """The pixels, or why there are none; and the memory that they take."""
    try:
        found = pixels(source, form)
        return found, found.nbytes + OVERHEAD
    except Unreadable as error:
        return str(error), OVERHEAD


def shown(source: Source, row: int) -> str:
    """A file by its name and folder; bytes by the row."""
    return f"row {row}" if isinstance(source, bytes) else "/".join(source.split(os.sep)[-2:])


def choose_size(looks: Sequence[Look], rows: int) -> tuple[int, int]:
    """Height and width for pictures of these sizes, of which there are `rows`.

    The more pictures there are, the smaller they are made, so that training takes minutes; see docs/jobs/images.md.

    Example:
        >>> choose_size([Look(28, 28, False, "PNG")] * 3, 60_000)
        (28, 28)
        >>> choose_size([Look(3000, 4000, False, "JPEG")] * 3, 1000)
        (56, 80)
    """
    if not looks:
        return FEWEST, FEWEST
    heights, widths = (np.array(sizes, np.float64) for sizes in
                       ([one.height for one in looks], [one.width for one in looks]))
    longest = float(np.median(np.maximum(heights, widths)))
    one_size = np.ptp(heights) == np.ptp(widths) == 0
    if one_size and longest <= SMALL:
        return int(heights[0]), int(widths[0])
    most = float(np.clip(96 * (400 / max(rows, 1)) ** 0.25, FEWEST, MOST))
    if one_size and longest <= 1.34 * most:
        return int(heights[0]), int(widths[0])
    aspect = float(np.clip(np.exp(np.median(np.log(widths / heights))), 1 / 3, 3))
    side = min(longest, most)
    height, width = (side / aspect, side) if aspect > 1 else (side, side * aspect)
    return tuple(max(STEP * math.floor(length / STEP + 0.5), STEP) for length in (height, width))


def _range(deep: Sequence[Source]) -> tuple[float, float]:
    """Of pictures with more than 8 bits a channel; 0 to 255 if there are none."""
    found = [one for one in in_threads(value_range, _spread(deep, DECODED_TO_FIT)) if one is not None]
    if not found:
        return 0.0, 255.0
    low, high = min(one[0] for one in found), max(one[1] for one in found)
    return (low, high) if high > low else (low, low + 1.0)


def _is_coloured(source: Source, low: float, high: float) -> bool:
    try:
        found = pixels(source, Form(FEWEST, FEWEST, 3, low, high)).astype(np.int16)
    except Unreadable:
        return False
    return bool((np.ptp(found, axis=2) > COLOUR).mean() > 0.01)


def _formats(looks: Sequence[Look]) -> str:
    return "pictures: " + ", ".join(name for name, _ in Counter(one.format for one in looks).most_common(3))


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """Up to `most` items from all over."""
    return list(items[::max(math.ceil(len(items) / most), 1)])
