"""The model that learned without answers: a table in, codes out, with groups, neighbours and rows that stand alone."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Array, PyTree
from sklearn.neighbors import NearestNeighbors

from pellucid.data.check import check_columns
from pellucid.data.table import Table
from pellucid.explain.game import Question
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import Inputs, encode_inputs
from pellucid.features.types import feature_from_json
from pellucid.features.values import as_text, read_numbers
from pellucid.model.base import AbstractModel
from pellucid.model.codes import Codes
from pellucid.model.embed_questions import questions
from pellucid.model.members import TILE, Members
from pellucid.model.view import View
from pellucid.training.layout import Layout

NEIGHBOURS, ASKED = 5, 10
"""Neighbours that are named, and that are asked what they know."""
SAME, TINY = 1e-5, 1e-6
"""Codes that are nearer are those of the row itself."""
FAR = 4.0
"""Rows whose logarithm lies so many quartile distances above the upper quartile are far out."""


@dataclass(frozen=True, eq=False)
class Embedding(AbstractModel):
    """A network that gives each row a code, and the codes of the training rows.

    Args:
        features: how each column is encoded.
        members: one autoencoder.
        view: how encoded columns become the rows that it takes.
        middle, turn: what brings codes to their main directions: float32 (size,) and (size, size).
        known: float32 (training rows, size), their codes.
        numbers: int64 (training rows,), their places in the table.
        usual: (2, 2) of the log distance to neighbours, and of the log of what is not given back: the upper quartile,
            and the quartile distance.
        centres: float32 (groups, size).
        groups: what sets each group apart: `{"name": …, "rows": …, "sentences": […]}`.
        target: the column that judges, which is never learned from.
        settings, metrics, about: see `AbstractModel`.
    """

    tasks: ClassVar[tuple[str, ...]] = ("embed",)

    features: tuple[AbstractFeature, ...]
    members: Members
    view: View
    middle: np.ndarray
    turn: np.ndarray
    known: np.ndarray
    numbers: np.ndarray
    usual: np.ndarray
    centres: np.ndarray
    groups: tuple[Mapping[str, Any], ...] = ()
    target: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """`"embed"`."""
        return "embed"

    def encode(self, data: Any) -> tuple[Table, Inputs]:
        """The table behind `data` and its encoded inputs; `DataError` names the columns that are lacking."""
        table = self.table(data)
        return table, encode_inputs(self.features, table)

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """float32 (rows, size): the codes of rows as `View.rows` gives them."""
        return (raw_codes(self.members, rows) - self.middle) @ self.turn

    def codes_of(self, arrays: Mapping[str, Any]) -> np.ndarray:
        """float32 (rows, size): the codes of encoded columns."""
        return self.codes(self.view.rows(self.features, arrays))

    def predict(self, data: Any, *, coverage: float | None = None) -> Codes:
        """A code, a group, neighbours among the training rows, and whether it stands alone, for every row of `data`.

        A row that is among the training rows is not its own neighbour.

        Args:
            data: a file, a folder, a data frame, a list of rows as mappings.
            coverage: not used.

        Raises:
            DataError: a column is lacking; it is named.
        """
        table, inputs = self.encode(data)
        rows = self.view.rows(self.features, inputs.arrays)
        codes = self.codes(rows)
        columns = [feature.name for feature in self.features]
        expected = () if self.target is None else (self.target,)
        notes = (*table.notes, *check_columns(table, columns, expected), *inputs.notes)
        distance, places = _others(codes, self.known)
        return Codes(codes, self.group_of(codes), tuple(str(one["name"]) for one in self.groups), distance,
                     self.p_values(distance), self.is_far(distance, lost(self.members, rows)), self.numbers[places],
                     notes, files=table.files)

    def group_of(self, codes: np.ndarray) -> np.ndarray:
        """The nearest group of each code; -1 where there are none."""
        return self.distances(codes).argmin(axis=1) if len(self.centres) else np.full(len(codes), -1)

    def distances(self, codes: np.ndarray) -> np.ndarray:
        """float64 (rows, groups): from the centre of each group."""
        return np.sqrt(np.square(codes[:, None] - self.centres, dtype=np.float64).sum(axis=2))

    def apart(self, codes: np.ndarray) -> np.ndarray:
        """float64 (rows,): the mean distance to the nearest training rows, a row itself left out."""
        return _others(codes, self.known)[0]

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each row: how much nearer it is to its group than to the next one, or with no two
        groups how far it lies from the rows most like it; see `explain`."""
        table, inputs = self.encode(data)
        return questions(self, table, inputs, asked=asked, instead_of=instead_of, seed=seed)

    @cached_property
    def known_distances(self) -> np.ndarray:
        """float64 (training rows,), rising: the mean distance of each to those nearest to it."""
        return np.sort(nearest(self.known, self.known, NEIGHBOURS, own=True)[0])

    def p_values(self, distance: np.ndarray) -> np.ndarray:
        """float64 (rows,): the share of training rows that lie at least as far from those nearest to them.

        Source: Bates, Candès, Lei, Romano & Sesia 2023, "Testing for outliers with conformal p-values"; the training
        rows themselves stand in for rows kept apart.
        """
        nearer = np.searchsorted(self.known_distances, distance, side="left")
        return (1 + len(self.known) - nearer) / (1 + len(self.known))

    def is_far(self, distance: np.ndarray, amiss: np.ndarray) -> np.ndarray:
        """Whether rows stand alone: far from their neighbours, or put together as no others are.

        Args:
            distance: to the neighbours.
            amiss: how much of each row is not given back from its code; see `lost`.
        """
        both = np.log(np.stack([distance, amiss]) + TINY)
        return (both > (self.usual[:, 0] + FAR * self.usual[:, 1])[:, None]).any(axis=0)

    def evaluate(self, data: Any) -> dict[str, Any]:
        """How much of the rows the network gives back from their codes: 1 for all, 0 for what the mean gives."""
        table, inputs = self.encode(data)
        rows = self.view.rows(self.features, inputs.arrays)
        noisy = np.square(rows - self.members.outputs({"rows": rows})[0]).sum()
        explained = 1 - float(noisy / max(np.square(rows).sum(), 1e-12))
        return {"task": "embed", "target": self.target or "", "rows": len(table), "left_out": 0,
                "metrics": {"explained": explained}, "promise": {}}

    def nearest(self, data: Any, count: int = NEIGHBOURS) -> np.ndarray:
        """int64 (rows, count): the numbers of the training rows that are most like each row of `data`."""
        _, inputs = self.encode(data)
        codes = self.codes_of(inputs.arrays)
        return self.numbers[nearest(codes, self.known, count)[1]]

    @property
    def inside(self) -> str:
        """What of the training data the file holds."""
        return ("Weights, the scaling and vocabularies of the columns, and the code of each training row, by which "
                "neighbours are found; no training row itself is inside, but a code tells much of it.")

    def probe_inputs(self) -> dict[str, Any]:
        """Made-up rows."""
        return {"rows": np.random.default_rng(0).standard_normal((16, len(self.view.middle))).astype(np.float32)}

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """The scaling of the columns, and what is known of the training rows."""
        return {"view.middle": self.view.middle, "view.scale": self.view.scale, "view.sources": self.view.sources,
                "middle": self.middle, "turn": self.turn, "known": self.known, "numbers": self.numbers,
                "usual": self.usual, "centres": self.centres}

    def to_record(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values."""
        return {**self.common_record(), "target": self.target, "groups": [dict(one) for one in self.groups]}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Embedding:
        """The model that a file holds."""
        view = View(*(extra[f"view.{name}"] for name in ("middle", "scale", "sources")))
        rest = {name: extra[name] for name in ("middle", "turn", "known", "numbers", "usual", "centres")}
        return cls(tuple(feature_from_json(one) for one in record["features"]), members, view, **rest,
                   groups=tuple(record["groups"]), target=record["target"], settings=record["settings"],
                   metrics=record["metrics"], about=record["about"])

    def with_groups(self, centres: np.ndarray, groups: Sequence[Mapping[str, Any]]) -> Embedding:
        """The same model with other groups."""
        return replace(self, centres=centres, groups=tuple(groups))

    def about_lines(self) -> tuple[str, ...]:
        """The groups."""
        return tuple(f"Group “{one['name']}”: {one['rows']:,} rows." for one in self.groups)

    def __repr__(self) -> str:
        return f"Embedding({self.known.shape[1]} numbers from {len(self.features)} columns, {len(self.groups)} groups)"


def raw_codes(members: Members, rows: np.ndarray) -> np.ndarray:
    """float32 (rows, size): what the encoder gives, in tiles of one shape."""
    pieces = [np.zeros((0, members.spec["code"]), np.float32)]
    for start in range(0, len(rows), TILE):
        places = np.minimum(np.arange(start, start + TILE), len(rows) - 1)
        pieces.append(np.asarray(_encoded(members.layout, members.weights[0], jax.tree.map(
            lambda leaf: leaf[0], members.buffers), rows[places]))[:len(rows) - start])
    return np.concatenate(pieces)


@partial(jax.jit, static_argnums=0)
def _encoded(layout: Layout, weights: Array, buffers: PyTree[Array], rows: Array) -> Array:
    return layout.assemble(weights, buffers).encode(rows)


def lost(members: Members, rows: np.ndarray) -> np.ndarray:
    """float64 (rows,): the root mean square of what is not given back."""
    if not len(rows):
        return np.zeros(0)
    return np.sqrt(np.square(rows - members.outputs({"rows": rows})[0], dtype=np.float64).mean(axis=1))


def usual_of(values: np.ndarray) -> tuple[float, float]:
    """The upper quartile of logarithms, and the quartile distance."""
    low, high = np.quantile(np.log(values + TINY), [0.25, 0.75])
    return float(high), float(max(high - low, 1e-3))


def nearest(codes: np.ndarray, known: np.ndarray, count: int, own: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The mean distance (rows,) to the nearest known codes, and their places (rows, count).

    Args:
        codes: asked about.
        known: the others.
        count: how many; fewer where there are fewer.
        own: whether `codes` are `known` themselves, so that each is passed over as its own neighbour.
    """
    count = max(min(count, len(known) - own), 1)
    if not len(codes):
        return np.zeros(0), np.zeros((0, count), np.int64)
    finder = NearestNeighbors(n_neighbors=count).fit(known)
    distance, places = finder.kneighbors(None if own else codes)
    return distance.mean(axis=1), places


def _others(codes: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same as `nearest`, but without a known code that is the row's own."""
    if len(known) < 2 or not len(codes):
        return nearest(codes, known, NEIGHBOURS)
    count = min(NEIGHBOURS, len(known) - 1)
    distance, places = NearestNeighbors(n_neighbors=count + 1).fit(known).kneighbors(codes)
    own = (distance[:, :1] < SAME) & (np.arange(count) >= 0)
    distance, places = (np.where(own, array[:, 1:], array[:, :-1]) for array in (distance, places))
    return distance.mean(axis=1), places


def cells_of(table: Table, feature: AbstractFeature) -> tuple[str, np.ndarray]:
    """What a column says to people: `"numbers"` with NaN for gaps, or `"words"` with "" for gaps."""
    column = table.column(feature.name)
    if feature.kind == "number":
        return "numbers", read_numbers(column).values
    return "words", as_text(column).fill_null("").to_numpy().astype(str)
