"""Recordings: files of sound, read, brought to one channel of one rate, and cut or padded to one length."""
from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.features._decoded import decoded
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded, with_raw
from pellucid.features.media import RECORDINGS, is_media
from pellucid.features.moments import middle_pitch, moments, silenced
from pellucid.features.sound import Sound, UnreadableError, loudest_part, read_sound
from pellucid.features.values import strip_cells

FITTED = 1000
"""Recordings that are looked at for rate and length."""
HIGHEST_RATE, LOWEST_RATE = 16_000, 2_000
MOST_SECONDS = 10.0
MOST_SAMPLES = 1 << 29
"""Of all rows together: a gigabyte."""
FULL_LENGTH, SPREAD = 0.98, 1.5
"""This part of the recordings is heard from beginning to end; all are if the longest are not much longer."""
FEWEST_SAMPLES = 64
TOLD = 20
PORTION = 256
"""Recordings that are in memory whole at once."""
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Audio(AbstractFeature):
    """A recording as samples of one channel.

    Args:
        rate: samples a second.
        length: samples of a row; shorter recordings are padded with silence, of longer ones the loudest part is heard.
    """

    kind: ClassVar[str] = "audio"
    continuous: ClassVar[tuple[str, float]] = ("samples", 32768.0)
    rate: int
    length: int

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """Paths, or bytes, of which most are recordings by their content."""
        if not is_media(cells, "audio", RECORDINGS):
            return None
        what = "recordings" if cells.dtype == pl.Binary else "files of recordings"
        present = len(cells) - cells.null_count()
        return Recognition("audio", f"{present:,} {what}", cells.drop_nulls().n_unique(), cells.null_count())

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Audio:
        """The rate that nine in ten recordings reach, and a length that nearly all do not exceed; both have limits."""
        cells = strip_cells(column).drop_nulls()
        step = max(len(cells) // FITTED, 1)
        some = cells.gather_every(step).to_list()
        sounds = [sound for sound in _sounds(some, None) if isinstance(sound, Sound)]
        rates = [sound.rate for sound in sounds] or [HIGHEST_RATE]
        seconds = [len(sound.samples) / sound.rate for sound in sounds] or [1.0]
        rate = int(np.clip(np.quantile(rates, 0.1, method="lower"), LOWEST_RATE, HIGHEST_RATE))
        usual = float(np.quantile(seconds, FULL_LENGTH))
        usual = max(seconds) if max(seconds) < SPREAD * usual else usual
        longest = min(usual, MOST_SECONDS, MOST_SAMPLES / (rate * len(column)))
        return cls(name=name, reason=reason, rate=rate, length=max(int(np.ceil(longest * rate)), FEWEST_SAMPLES))

    @property
    def is_raw(self) -> bool:
        """A network hears the samples."""
        return True

    @property
    def seconds(self) -> float:
        """How long a row is."""
        return self.length / self.rate

    def encode(self, column: pl.Series) -> Encoded:
        """`"samples"` int16 (rows, length) and `"lengths"` int32 (rows,), at least 1."""
        cells = strip_cells(column).to_list()
        samples, lengths = np.zeros((len(cells), self.length), np.int16), np.ones(len(cells), np.int32)
        missing, trouble, told = np.zeros(len(cells), bool), {}, {}
        counts: Counter[str] = Counter()
        for row, (cell, sound) in enumerate(zip(cells, _sounds(cells, self.rate), strict=True)):
            if isinstance(sound, Sound):
                heard = loudest_part(sound.samples, self.length)
                samples[row, :len(heard)], lengths[row] = heard, len(heard)
                remarks = {*sound.remarks, *(("longer",) if len(heard) < len(sound.samples) else ())}
            else:
                missing[row], remarks = True, {"missing" if sound is None else "unreadable"}
                if sound is not None and len(trouble) < TOLD:
                    trouble[row] = f"{_named(cell, row)} {sound}"
            counts.update(remarks)
            for remark in remarks - {"missing", "unreadable"}:
                told.setdefault(remark, [])
                if len(told[remark]) < NAMED:
                    told[remark].append(_named(cell, row))
        return encoded(len(cells), missing=missing, counts=dict(counts), trouble=trouble,
                       raw={"samples": samples, "lengths": lengths},
                       named={remark: tuple(names) for remark, names in told.items()})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up sound."""
        lengths = generator.integers(1, self.length + 1, rows).astype(np.int32)
        samples = generator.integers(-20_000, 20_000, (rows, self.length)).astype(np.int16)
        return {"samples": samples * (np.arange(self.length) < lengths[:, None]), "lengths": lengths}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """Moments of about a twentieth of a second, each below and above the middle pitch; seconds from where the sound
        begins, as silence before it is not heard."""
        if row.missing[0]:
            return super().parts(cell, row)
        edges, middle = moments(int(row.raw["lengths"][0]), self.rate) / self.rate, middle_pitch(self.rate)
        bands = ((0.0, middle, f"below {middle:,.0f} Hz"), (middle, self.rate / 2, f"above {middle:,.0f} Hz"))
        return tuple(Part(self.name, f"{start:.2f}–{stop:.2f} s, {words}", place=(start, stop, low, high))
                     for start, stop in pairwise(edges.tolist()) for low, high, words in bands)

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """Moments that are not kept are silent."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        return with_raw(row, {"samples": silenced(row.raw["samples"][0], int(row.raw["lengths"][0]), self.rate, keep)})


def _sounds(cells: list[str | bytes | None], rate: int | None) -> Iterator[Sound | str | None]:
    """Each recording, or the words that say why it cannot be read, or `None` for no value."""
    def read(source: str | bytes) -> tuple[Sound | str, int]:
        try:
            sound = read_sound(source, rate)
        except UnreadableError as error:
            return str(error), 200
        return sound, sound.samples.nbytes + 200

    for start in range(0, len(cells), PORTION):
        yield from decoded(cells[start:start + PORTION], read, ("sound", rate))


def _named(cell: str | bytes, row: int) -> str:
    """A recording's name for people: the last two parts of its path."""
    return f"row {row + 1}" if isinstance(cell, bytes) else os.sep.join(cell.split(os.sep)[-2:])
