"""What every feature type offers: a column of raw cells in, arrays out."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from pellucid.core.part import Part, shown


@dataclass(frozen=True)
class Encoded:
    """One encoded column.

    Args:
        numbers: float32 (rows, channels), always finite.
        codes: int32 (rows, 0 or 1).
        missing: bool (rows,), True where the cell gave no value (empty, infinite or unreadable).
        counts: how many cells were `"missing"`, `"unseen"`, `"infinite"`, `"unreadable"` or `"cut"` (longer or larger
            than what a network takes in); only those above 0.
        raw: arrays with a leading row axis for an encoder network of the column's own: pixels, words, graphs. Rows
            without a value hold something valid that means nothing, such as a black picture.
        trouble: why cells were unreadable, as text by row number; at most the first twenty.
        named: the first cells behind other entries of `counts`, by their names for people.
    """

    numbers: np.ndarray
    codes: np.ndarray
    missing: np.ndarray
    counts: dict[str, int] = field(default_factory=dict)
    raw: Mapping[str, np.ndarray] = field(default_factory=dict)
    trouble: Mapping[int, str] = field(default_factory=dict)
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def only(self, rows: np.ndarray) -> Encoded:
        """These rows, without what is counted."""
        return Encoded(self.numbers[rows], self.codes[rows], self.missing[rows],
                       raw={name: array[rows] for name, array in self.raw.items()})


@dataclass(frozen=True)
class Recognition:
    """What a column was taken for.

    Args:
        kind: one of `core.names.FEATURE_TYPES`.
        reason: why, in words; complete after "number: ", "category: " and so on.
        distinct: how many different values it has.
        missing: how many cells hold no value.
        infinite, unreadable: how many cells of a number or date column are infinite or cannot be read.
    """

    kind: str
    reason: str
    distinct: int = 0
    missing: int = 0
    infinite: int = 0
    unreadable: int = 0


@dataclass(frozen=True, kw_only=True)
class AbstractFeature(ABC):
    """A column type fitted on training rows: frozen, JSON-serialisable, the same answer for the same cell always.

    Args:
        name: the column.
        reason: why the column has this type, for a user.
    """

    kind: ClassVar[str]
    continuous: ClassVar[tuple[str, float] | None] = None
    """The raw array that may hold any numbers, so that slopes lead through it, and what its integers are divided by to
    be what a network sees; `None` where there is none."""
    rewritten: ClassVar[bool] = False
    """Whether one thing can be written in several ways, which `same` makes one."""
    name: str
    reason: str = ""

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """What a column is taken for if it is of this type by the look of it, else `None`; asked of raw types only.

        Args:
            name: the column.
            cells: without surrounding blanks, null where there is no value; at least one value.
        """
        return None

    @classmethod
    def same(cls, cells: pl.Series) -> pl.Series:
        """Cells that mean the same, such as two ways to write a molecule, by the same text: they never straddle a
        split. Asked of types that are `rewritten`."""
        return cells

    @classmethod
    def families(cls, cells: pl.Series) -> pl.Series | None:
        """Rows that are too alike to be on both sides of a split, by the same text, for a user who names the column as
        the group column; `None` where a value is a group of its own."""
        return None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the float channels."""
        return ()

    @property
    def cardinality(self) -> int | None:
        """How many codes the integer channel has, or None without one."""
        return None

    @property
    def is_raw(self) -> bool:
        """Whether the column goes through an encoder network of its own."""
        return False

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up `Encoded.raw` of as many rows, of the shapes and dtypes that `encode` gives; for raw columns."""
        return {}

    @abstractmethod
    def encode(self, column: pl.Series) -> Encoded:
        """Encode raw cells."""

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """What of a cell can be pointed at when an answer is explained; by default the cell as a whole.

        Args:
            cell: as it stands in the table.
            row: the same cell encoded, one row.
        """
        used = bool(self.numbers or self.cardinality or self.is_raw)
        return (Part(self.name, self.name, "" if self.is_raw else shown(cell)),) if used else ()

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """The cell again and again, each time with only some of its parts.

        Asked of columns without a `background`. A part that is not kept is blanked: a word left out, a region of a
        picture blurred, a moment of a sound silent. By default a cell that is not kept holds no value.

        Args:
            cell: as it stands in the table.
            row: the same cell encoded, one row.
            keep: bool (coalitions, parts), in the order of `parts`.
            generator: for blanks that are drawn.

        Returns:
            As many encoded rows as `keep` has; of the shapes and dtypes of `row` but for the leading axis.
        """
        nothing = self.encode(pl.Series(self.name, [None], dtype=pl.String))
        return pick(row, nothing, keep.all(axis=1))

    def background(self, rows: int, generator: np.random.Generator) -> Encoded | None:
        """Made-up cells as frequent as those of the training rows, which stand in for a cell that is not known.

        They come from fitted values (quantiles, counts), never from stored rows. `None` for columns whose parts are
        blanked instead: see `mask`.
        """
        return None

    def exchange(self, cell: Any, row: Encoded, keep: np.ndarray, made: Encoded) -> Encoded:
        """The cell again and again, each time with parts of made-up cells; asked of columns with a `background`.

        Args:
            cell: as it stands in the table.
            row: the same cell encoded, one row.
            keep: bool (coalitions, parts), in the order of `parts`.
            made: made-up cells, as many as `keep` has rows.
        """
        return pick(row, made, keep.all(axis=1))

    def aligned(self, seen: np.ndarray | None) -> Self:
        """This type, knowing what is usual at each place of the training rows: parts that are not known are made up
        from that instead of being blanked. For raw columns that a network sees by places.

        Args:
            seen: (rows, numbers), what the network sees of the places; `None` to forget it.
        """
        return self

    def to_json(self) -> dict[str, Any]:
        """The type and its fitted values as plain values."""
        return {"kind": self.kind, **asdict(self)}


def pick(row: Encoded, other: Encoded, kept: np.ndarray) -> Encoded:
    """As many rows as `kept` has: the row `row` where it is True, else `other`, of one row or as many as `kept`."""
    def choose(one: np.ndarray, instead: np.ndarray) -> np.ndarray:
        return np.where(kept.reshape(-1, *[1] * (one.ndim - 1)), one, instead)
    return Encoded(choose(row.numbers, other.numbers), choose(row.codes, other.codes),
                   choose(row.missing, other.missing),
                   raw={name: choose(array, other.raw[name]) for name, array in row.raw.items()})


def with_raw(row: Encoded, raw: Mapping[str, np.ndarray]) -> Encoded:
    """As many rows as `raw` has: `row`, one row, again and again, with those of its raw arrays exchanged."""
    count = len(next(iter(raw.values())))
    again = lambda array: np.broadcast_to(array[0], (count, *array.shape[1:]))  # noqa: E731
    return Encoded(again(row.numbers), again(row.codes), again(row.missing),
                   raw={name: raw[name] if name in raw else again(array) for name, array in row.raw.items()})


def encoded(rows: int, *, numbers: list[np.ndarray] | None = None, codes: np.ndarray | None = None,
            missing: np.ndarray | None = None, counts: dict[str, int] | None = None,
            raw: Mapping[str, np.ndarray] | None = None, trouble: Mapping[int, str] | None = None,
            named: Mapping[str, tuple[str, ...]] | None = None) -> Encoded:
    """Put channels together, with the right dtypes and empty arrays where there are none."""
    floats = np.stack(numbers, axis=1).astype(np.float32) if numbers else np.zeros((rows, 0), np.float32)
    integers = np.zeros((rows, 0), np.int32) if codes is None else codes.astype(np.int32)[:, None]
    present = {name: int(count) for name, count in (counts or {}).items() if count}
    return Encoded(floats, integers, np.zeros(rows, bool) if missing is None else missing, present, raw or {},
                   trouble or {}, named or {})
