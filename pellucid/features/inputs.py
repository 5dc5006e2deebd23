"""Joining encoded columns to the arrays that a network takes."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.errors import DataError, nearest
from pellucid.features.base import AbstractFeature, Encoded
from pellucid.features.media import NOUNS


class Columns(Protocol):
    """Anything with named columns; `data.table.Table` is one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The column names."""

    def column(self, name: str) -> pl.Series:
        """One column."""

    def __len__(self) -> int:
        """How many rows."""


@dataclass(frozen=True)
class Inputs:
    """Encoded rows.

    Args:
        arrays: `"numbers"` float32 (rows, number channels) and `"codes"` int32 (rows, code channels); where there are
            raw columns, `"columns"` too: a tuple with the arrays of each by name, in the order of `raw_features`.
        missing: bool (rows, features), True where a cell gave no value.
        notes: what was missing, unseen, infinite or unreadable, counted by column.
    """

    arrays: Mapping[str, Any]
    missing: np.ndarray
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.missing)


NAMED_TROUBLES = 5
_COUNTED = {
    "missing": ("info", "{count:,} of {rows:,} cells of `{column}` hold no value."),
    "unseen": ("warning", "{count:,} of {rows:,} cells of `{column}` hold a value that is too rare or was not in the "
                          "training rows; they count as \"other\"."),
    "infinite": ("warning", "{count:,} of {rows:,} cells of `{column}` are infinite; they count as missing."),
    "unreadable": ("warning", "{count:,} of {rows:,} cells of `{column}` cannot be read as a {kind}; they count as "
                              "missing."),
    "cut": ("warning", "{count:,} of {rows:,} cells of `{column}` hold a {kind} larger than the network takes in; the "
                       "rest of each was left out."),
    "longer": ("info", "{count:,} of {rows:,} cells of `{column}` hold a {kind} that is longer than most; only its "
                       "loudest part is heard."),
    "truncated": ("warning", "{count:,} of {rows:,} cells of `{column}` hold a {kind} that is cut off: it is shorter "
                             "than its header says. What is there was used."),
    "not_finite": ("warning", "{count:,} of {rows:,} cells of `{column}` hold a {kind} with values that are no "
                              "numbers; they count as 0."),
    "gaps": ("info", "{count:,} of {rows:,} cells of `{column}` hold a {kind} with gaps; they were bridged in straight "
                     "lines."),
    "clipped": ("info", "{count:,} of {rows:,} cells of `{column}` hold a {kind} that was recorded too loud: it is "
                        "clipped."),
    "silent_channel": ("info", "{count:,} of {rows:,} cells of `{column}` hold a {kind} with a silent channel, which "
                               "was left out."),
}


def encode_inputs(features: Sequence[AbstractFeature], table: Columns) -> Inputs:
    """Encode the columns of `table` in the order of `features`.

    Extra columns are left alone. Columns that encode to nothing may be absent.

    Raises:
        DataError: columns that the features need are not there; all of them are named.
    """
    _require_columns([feature for feature in features if is_used(feature)], table)
    rows = len(table)
    numbers, codes, columns, missing, notes = [], [], [], np.zeros((rows, len(features)), bool), []
    for position, feature in enumerate(features):
        if not is_used(feature):
            continue
        one = feature.encode(table.column(feature.name))
        numbers.append(one.numbers)
        codes.append(one.codes)
        if feature.is_raw:
            columns.append(dict(one.raw))
        missing[:, position] = one.missing
        notes += _notes(feature, one, rows)
    arrays = {
        "numbers": np.concatenate(numbers, axis=1) if numbers else np.zeros((rows, 0), np.float32),
        "codes": np.concatenate(codes, axis=1) if codes else np.zeros((rows, 0), np.int32),
    }
    return Inputs(arrays | ({"columns": tuple(columns)} if columns else {}), missing, tuple(notes))


def is_used(feature: AbstractFeature) -> bool:
    """Whether a network gets to see the column."""
    return bool(feature.numbers or feature.cardinality or feature.is_raw)


def raw_features(features: Sequence[AbstractFeature]) -> tuple[AbstractFeature, ...]:
    """The features behind `arrays["columns"]`, in order."""
    return tuple(feature for feature in features if feature.is_raw)


def encodes_alone(features: Sequence[AbstractFeature]) -> bool:
    """Whether a single raw column is all that a network gets to see."""
    return sum(map(is_used, features)) == 1 == len(raw_features(features))


def probe_inputs(features: Sequence[AbstractFeature], rows: int = 16) -> dict[str, Any]:
    """Made-up encoded rows, the same for every model of these columns: no training row is stored in a file."""
    generator = np.random.default_rng(0)
    codes = [generator.integers(0, count, rows) for count in cardinalities(features)]
    arrays = {"numbers": generator.standard_normal((rows, len(number_names(features)))).astype(np.float32),
              "codes": np.stack(codes, 1).astype(np.int32) if codes else np.zeros((rows, 0), np.int32)}
    columns = tuple(dict(feature.probe(rows, generator)) for feature in raw_features(features))
    return arrays | ({"columns": columns} if columns else {})


def _require_columns(features: Sequence[AbstractFeature], table: Columns) -> None:
    there = set(table.names)
    lacking = [feature.name for feature in features if feature.name not in there]
    if lacking:
        shown = ", ".join(f"`{name}`" for name in lacking[:10])
        more = f" and {len(lacking) - 10} more" if len(lacking) > 10 else ""
        close = nearest(lacking[0], table.names, 1)
        near = f"; the column most like `{lacking[0]}` is `{close[0]}`" if close else ""
        raise DataError(f"The data lack {'the column' if len(lacking) == 1 else 'columns'} {shown}{more}.",
                        f"the model was trained with {'it' if len(lacking) == 1 else 'them'}: "
                        f"add it under this very name{near}" if len(lacking) == 1 else
                        f"the model was trained with them: add them under these very names{near}")


def _notes(feature: AbstractFeature, one: Encoded, rows: int) -> list[Note]:
    notes = []
    for kind, count in one.counts.items():
        severity, sentence = _COUNTED[kind]
        message = sentence.format(count=count, rows=rows, column=feature.name,
                                  kind=NOUNS.get(feature.kind, feature.kind))
        named = list(one.trouble.values()) if kind == "unreadable" else one.named.get(kind, ())
        if named:
            shown = "; ".join(named[:NAMED_TROUBLES])
            message = f"{message[:-1]}: {shown}{'; …' if count > NAMED_TROUBLES else ''}."
        notes.append(Note(kind, message, feature.name, count, severity))
    return notes


def number_names(features: Sequence[AbstractFeature]) -> tuple[str, ...]:
    """The names of the columns of `arrays["numbers"]`, in order."""
    return tuple(name for feature in features for name in feature.numbers)


def cardinalities(features: Sequence[AbstractFeature]) -> tuple[int, ...]:
    """The number of codes of each column of `arrays["codes"]`, in order."""
    return tuple(feature.cardinality for feature in features if feature.cardinality is not None)


def code_names(features: Sequence[AbstractFeature]) -> tuple[str, ...]:
    """The column behind each column of `arrays["codes"]`, in order."""
    return tuple(feature.name for feature in features if feature.cardinality is not None)
