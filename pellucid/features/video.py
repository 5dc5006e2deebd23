"""Films: folders or lists of frames, animated pictures and arrays, as 8-bit pixels of one shape over time."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.features._decoded import decoded, in_threads
from pellucid.features._films import film, film_look, film_range, is_film
from pellucid.features._pictures import Form, Look, Source, Unreadable
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded, with_raw
from pellucid.features.between import between
from pellucid.features.image import COLOUR, FEWEST, OVERHEAD, choose_size, shown
from pellucid.features.media import PICTURES, listed

MOST_FRAMES = 16
"""Of longer films so many frames are seen, evenly spread."""
LARGEST_SIDE = 64
LOOKED_AT, DECODED_TO_FIT, SAMPLE = 300, 24, 30
NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Video(AbstractFeature):
    """Films, as uint8 pixels of one size for each of up to 16 frames.

    Frames are brought to one size as pictures are. Shorter films are padded; of longer ones frames are seen that are
    evenly spread from the first to the last.

    Args:
        height, width: of a frame, in pixels.
        channels: 1 if the training films are grey, 3 if coloured.
        frames: how many of them a row has.
        low, high: the range of arrays that are not of 8 bits.
        original: frames, height and width in the middle of the training films.
    """

    kind: ClassVar[str] = "video"
    height: int
    width: int
    channels: int
    frames: int
    low: float = 0.0
    high: float = 255.0
    original: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """Folders or lists of frames, animated pictures or arrays of frames, by at least half of the cells."""
        if cells.dtype not in (pl.String, pl.Binary):
            return None
        present = cells.drop_nulls()
        sample = present.gather_every(max(len(present) // SAMPLE, 1)).head(SAMPLE).to_list()
        if cells.dtype == pl.String and 2 * sum(map(_may_be_film, sample)) < len(sample):
            return None
        if 2 * sum(map(is_film, sample)) < max(len(sample), 1):
            return None
        missing = cells.null_count()
        what = ("films in memory" if cells.dtype == pl.Binary else
                "folders of frames" if all(map(os.path.isdir, sample)) else
                "lists of frames" if all(listed(one) is not None for one in sample) else "films")
        return Recognition("video", what, present.n_unique(), missing)

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Video:
        """Choose the number of frames, their size and colours by the training rows."""
        sources = [source for source in _sources(column) if source is not None]
        some = sources[::max(len(sources) // LOOKED_AT, 1)][:LOOKED_AT]
        seen = [(source, one) for source, one in zip(some, in_threads(film_look, some), strict=True) if one is not None]
        counts, looks = [count for _, (count, _) in seen], [look for _, (_, look) in seen]
        frames = int(min(np.quantile(counts, 0.98, method="higher"), MOST_FRAMES)) if counts else 1
        height, width = _size(looks, len(column) * frames)
        good = [source for source, _ in seen]
        sample = good[::max(len(good) // DECODED_TO_FIT, 1)][:DECODED_TO_FIT]
        low, high = _range([source for source, (_, look) in seen if look.deep][:DECODED_TO_FIT])
        coloured = in_threads(partial(_is_coloured, low=low, high=high), sample)
        middle = [int(np.median(sizes)) for sizes in (counts, [one.height for one in looks],
                                                      [one.width for one in looks])] if looks else [0, 0, 0]
        return cls(name=name, reason=reason, height=height, width=width, channels=3 if any(coloured) else 1,
                   frames=frames, low=low, high=high, original=(middle[0], middle[1], middle[2]))

    @property
    def is_raw(self) -> bool:
        """A network watches the frames."""
        return True

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(frames, height, width, channels)."""
        return self.frames, self.height, self.width, self.channels

    def encode(self, column: pl.Series) -> Encoded:
        """`"values"` uint8 (rows, frames, height, width, channels), black behind the end; `"lengths"` int32 (rows,)."""
        sources, form = _sources(column), Form(self.height, self.width, self.channels, self.low, self.high)
        answers = decoded(sources, partial(_read, form=form, most=self.frames), (form, self.frames, "film"))
        values = np.zeros((len(sources), *self.shape), np.uint8)
        lengths, absent, bad = np.ones(len(sources), np.int32), np.ones(len(sources), bool), []
        for row, answer in enumerate(answers):
            if isinstance(answer, np.ndarray):
                values[row, :len(answer)], lengths[row], absent[row] = answer, len(answer), False
            elif answer is not None:
                bad.append(row)
        trouble = {row: f"{_name(sources[row], row)}: {answers[row]}" for row in bad[:NAMED]}
        return encoded(len(sources), missing=absent, raw={"values": values, "lengths": lengths}, trouble=trouble,
                       counts={"missing": sources.count(None), "unreadable": len(bad)})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up films."""
        lengths = generator.integers(1, self.frames + 1, rows).astype(np.int32)
        values = generator.integers(0, 256, (rows, *self.shape)).astype(np.uint8)
        there = np.arange(self.frames) < lengths[:, None]
        return {"values": values * there[:, :, None, None, None], "lengths": lengths}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """The frames that are seen, counted from 1 in their names."""
        if row.missing[0]:
            return super().parts(cell, row)
        return tuple(Part(self.name, f"frame {number + 1}", place=(number,))
                     for number in range(int(row.raw["lengths"][0])))

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """A frame that is not kept is blended from its neighbours."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        length = int(row.raw["lengths"][0])
        values = np.repeat(row.raw["values"], len(keep), axis=0)
        for place, own in enumerate(keep):  # one after another: films are large
            values[place, :length] = np.rint(between(values[place, :length].astype(np.float32), own[None])[0])
        return with_raw(row, {"values": values})


def _may_be_film(cell: str) -> bool:
    """Whether a cell is worth a look at the disk."""
    return cell.startswith(os.sep) or cell.lower().endswith(PICTURES) or cell.startswith("[")


def _size(looks: Sequence[Look], pictures: int) -> tuple[int, int]:
    height, width = choose_size(looks, pictures)
    scale = min(LARGEST_SIDE / max(height, width), 1.0)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _range(deep: Sequence[Source]) -> tuple[float, float]:
    """Of arrays with other numbers than 8-bit ones; 0 to 255 if there are none."""
    found = [one for one in map(film_range, deep) if one is not None]
    low, high = (min(one[0] for one in found), max(one[1] for one in found)) if found else (0.0, 255.0)
    return (low, high) if high > low else (low, low + 1.0)


def _is_coloured(source: Source, low: float, high: float) -> bool:
    try:
        found = film(source, Form(FEWEST, FEWEST, 3, low, high), 1).astype(np.int16)
    except Unreadable:
        return False
    return bool((np.ptp(found, axis=-1) > COLOUR).mean() > 0.01)


def _sources(column: pl.Series) -> list[Source | None]:
    """Paths, lists of paths or bytes; `None` where a cell holds nothing."""
    cells = column if column.dtype == pl.Binary else column.cast(pl.String)
    return [cell if cell and (isinstance(cell, bytes) or cell.strip()) else None for cell in cells.to_list()]


def _read(source: Source, form: Form, most: int) -> tuple[Any, int]:
    """The frames, or why there are none; and the memory that they take."""
    try:
        found = film(source, form, most)
        return found, found.nbytes + OVERHEAD
    except Unreadable as error:
        return str(error), OVERHEAD


def _name(source: Source, row: int) -> str:
    """A film by its file or folder, a list by its first frame."""
    names = None if isinstance(source, bytes) or os.path.isdir(source) else listed(source)
    return shown(names[0] if names else source, row)
