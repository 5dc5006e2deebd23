"""The encoding of columns as part of an ONNX graph: what `features.types` does, without Python."""
from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pellucid.errors import UserError
from pellucid.features.base import AbstractFeature
from pellucid.features.types import Boolean, Category, Number
from pellucid.features.values import MISSING, TRUE_WORDS
from pellucid.model.export.onnx_graph import STRING, Graph, Wire

MOST_SPELLINGS = 64
ML = "ai.onnx.ml"


@dataclass(frozen=True)
class Column:
    """One input of the graph.

    Args:
        name: of the input.
        feature: the column of the table that it takes.
        kind: "number": double, NaN for missing; "text": string, "" for missing.
    """

    name: str
    feature: AbstractFeature
    kind: str


def columns_of(features: Sequence[AbstractFeature], taken: Collection[str]) -> list[Column]:
    """The inputs of the graph: those columns that the network uses.

    Args:
        features: of the model.
        taken: the names of the outputs; a column of such a name, or of none, gets another one.

    Raises:
        UserError: a date is among them.
    """
    used = [feature for feature in features if feature.numbers or feature.cardinality]
    for feature in used:
        if not isinstance(feature, (Number, Category, Boolean)):
            raise UserError(f"The column `{feature.name}` is a {feature.kind}, and ONNX cannot read a {feature.kind}.",
                            f"train without it (`--type {feature.name}=ignore`), or give it as a number, such as days "
                            "since a fixed day")
    names = {feature.name for feature in used}
    columns = []
    for feature in used:
        name = feature.name
        while not name or name in taken or (name != feature.name and name in names):
            name = f"column {name}".strip()
        columns.append(Column(name, feature, "number" if isinstance(feature, Number) else "text"))
    return columns


def encode(graph: Graph, columns: Sequence[Column]) -> tuple[Wire | None, list[Wire]]:
    """Float channels (rows, channels) in float32, `None` where there are none; and codes (rows, 1) by category."""
    numbers, codes = [], []
    for column in columns:
        wire = graph.input(column.name, np.float64 if column.kind == "number" else STRING)
        if isinstance(column.feature, Category):
            codes.append(_category(graph, column.feature, wire))
        else:
            numbers += _CHANNELS[type(column.feature)](graph, column.feature, wire)
    joined = np.concatenate([channel.astype(np.float32) for channel in numbers], axis=1) if numbers else None
    return joined, codes


def _number(_graph: Graph, feature: Number, x: Wire) -> list[Wire]:
    absent = np.isnan(x) | np.isinf(x)
    scaled = feature.normalisation.apply(np.where(absent, feature.center, x))
    return [scaled, absent] if feature.has_missing else [scaled]


def _boolean(graph: Graph, feature: Boolean, x: Wire) -> list[Wire]:
    pairs = [*((no, yes) for yes, no in TRUE_WORDS.items()), ("0", "1"), ("0.0", "1.0"),
             *([feature.words] if feature.words else [])]
    words = {spelling: float(side) for pair in pairs for side, word in enumerate(pair) for spelling in spellings(word)}
    truth = graph.node("LabelEncoder", [x], np.float32, domain=ML, keys_strings=list(words),
                       values_floats=list(words.values()), default_float=-1.0).astype(np.float64)
    absent = truth < 0
    filled = np.where(absent, feature.share, truth)
    return [filled, absent] if feature.has_missing else [filled]


def _category(graph: Graph, feature: Category, x: Wire) -> Wire:
    codes = {word: code for code, word in enumerate(feature.vocabulary, 1) if word is not None}
    if None in feature.vocabulary:
        missing = feature.vocabulary.index(None) + 1
        codes |= {spelling: missing for word in MISSING for spelling in spellings(word)}
    codes = codes or {"": 0}
    return graph.node("LabelEncoder", [x], np.int64, domain=ML, keys_strings=list(codes),
                      values_int64s=list(codes.values()), default_int64=0)


_CHANNELS: dict[type, Callable[..., list[Wire]]] = {Number: _number, Boolean: _boolean}


def spellings(word: str) -> list[str]:
    """The word in small and capital letters: each mixture of a short word, the usual ones of a long word."""
    letters = [sorted({letter.lower(), letter.upper()}) for letter in word]
    count = np.prod([len(pair) for pair in letters]) if letters else 1
    mixtures = ["".join(one) for one in product(*letters)] if count <= MOST_SPELLINGS else []
    return sorted({word, word.lower(), word.upper(), word.capitalize(), word.title(), *mixtures})
