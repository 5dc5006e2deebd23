"""The trained detector: a table in, how strange each row is out, with the columns that say so."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from pellucid.core.note import Note
from pellucid.data.check import check_columns
from pellucid.data.read import as_table
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError
from pellucid.explain.game import Question
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import encode_inputs, is_used, probe_inputs, raw_features
from pellucid.features.types import feature_from_json
from pellucid.features.values import as_text
from pellucid.model.anomalies import (
    AnomalyLabels,
    Detections,
    Reason,
    judge_flags,
    judge_ranking,
    labels_from_json,
)
from pellucid.model.base import AbstractModel
from pellucid.model.detect_questions import questions
from pellucid.model.members import Members, tile_of
from pellucid.training.layout import Layout
from pellucid.uncertainty.conformal import check_coverage

RAW = "pixels"
"""The name of raw arrays that a detector takes in."""
MOST_REASONS, LEAST_SHARE = 3, 0.1
KEPT = 4096


@dataclass(frozen=True, eq=False)
class Ranks:
    """How strange the rows were that each member left out, so that a score becomes a share of rows.

    Args:
        scores: float64 (members, kept), falling; padded with -inf.
        above: int64 (members, kept, 2): how many left-out rows are stranger, and how many at least as strange.
        count: int64 (members,): left-out rows.

    Source: Vovk 2015, "Cross-conformal predictors"; Bates, Candès, Lei, Romano & Sesia 2023, "Testing for outliers with
    conformal p-values".
    """

    scores: np.ndarray
    above: np.ndarray
    count: np.ndarray

    @classmethod
    def fit(cls, left_out: list[np.ndarray]) -> Ranks:
        """From the scores of each member's left-out rows; of many, the strangest and evenly drawn others are kept."""
        scores, above = [], []
        for own in left_out:
            falling, places = np.sort(own)[::-1], np.arange(len(own))
            if len(own) > KEPT:
                places = np.unique(np.concatenate([places[:KEPT // 2], np.linspace(KEPT // 2, len(own) - 1, KEPT // 2)
                                                   .round().astype(int)]))
            more, kept = KEPT - len(places), falling[places]
            counts = np.stack([np.searchsorted(-falling, -kept, side) for side in ("left", "right")], axis=1)
            scores.append(np.pad(kept, (0, more), constant_values=-np.inf))
            above.append(np.pad(counts, ((0, more), (0, 0)), constant_values=len(own)))
        kept = max((min(len(own), KEPT) for own in left_out), default=0)
        return cls(np.array(scores)[:, :max(kept, 1)], np.array(above)[:, :max(kept, 1)],
                   np.array([len(own) for own in left_out]))

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """(rows,): the share of left-out rows that are at least as strange, from scores (members, rows)."""
        found = np.ones(scores.shape[1])
        for own, kept, above, count in zip(scores, self.scores, self.above, self.count, strict=True):
            place = np.searchsorted(-kept, -own, side="left")  # the first kept score that is no higher
            inside = np.minimum(place, len(kept) - 1)
            equal = (kept[inside] == own).astype(int)  # rows between two kept ones count as stranger
            found += np.where(place < len(kept), above[inside, equal], count)
        return found / (1 + self.count.sum())


@dataclass(frozen=True, eq=False)
class Detector(AbstractModel):
    """Networks that know where rows lie, and how rare a row as strange as this one is.

    Args:
        features: how each column is encoded.
        members: networks of the kind `mixture`.
        scale: float64 (members, widths, 2): middle and quartile distance of the surprise of normal rows.
        ranks: from scores to shares of rows.
        typical: float64 (widths, columns): what each column usually adds to the surprise.
        false_alarms: the share of rows like those of the training that may be called anomalies.
        labels: the column that says which rows are anomalies, if one was named.

    Example:
        >>> model = pellucid.load("model.pellucid")  # doctest: +SKIP
        >>> model.predict("new.csv").to_frame()  # doctest: +SKIP
    """

    tasks: ClassVar[tuple[str, ...]] = ("detect",)

    features: tuple[AbstractFeature, ...]
    members: Members
    scale: np.ndarray
    ranks: Ranks
    typical: np.ndarray
    false_alarms: float = 0.01
    labels: AnomalyLabels | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """`"detect"`."""
        return "detect"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a network gets to see."""
        return tuple(feature.name for feature in self.features if is_visible(feature))

    def encode(self, table: Table) -> tuple[dict[str, Any], tuple[Note, ...]]:
        """The network's inputs, and what was noticed."""
        inputs = encode_inputs(self.features, table)
        return visible(self.features, inputs.arrays), inputs.notes

    def scores(self, inputs: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Scores (members, rows), and the width (rows,) that they come from mostly."""
        surprise = self.members.outputs(inputs).astype(np.float64)
        return scores_of(surprise, self.scale)

    def predict(self, data: Any, *, coverage: float | None = None) -> Detections:
        """How strange each row of `data` is.

        Args:
            data: a file, a data frame, a list of rows as mappings, or one row as a mapping.
            coverage: the share of normal rows that must not be flagged, 1 - `false_alarms`; as in training when `None`.

        Raises:
            DataError: a column is lacking; it is named.
        """
        table = _as_rows(data)
        inputs, notes = self.encode(table)
        known = [*(feature.name for feature in self.features), *([] if self.labels is None else [self.labels.name])]
        scores, width = self.scores(inputs)
        rate = self.false_alarms if coverage is None else 1 - check_coverage(coverage)
        return Detections(scores.mean(axis=0), self.ranks.p_values(scores), rate, self._reasons(inputs, table, width),
                          (*table.notes, *check_columns(table, self.columns, known), *notes), files=table.files)

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each row: its score of strangeness; see `explain`."""
        for name, value in (("asked", asked), ("instead_of", instead_of)):
            if value is not None:
                raise SettingsError(f"`{name}` was {value!r}, but a detector has no classes.", f"leave {name} out")
        table = _as_rows(data)
        return questions(self, table, self.encode(table)[0], seed=seed)

    def _reasons(self, inputs: Mapping[str, Any], table: Table, width: np.ndarray) -> tuple[tuple[Reason, ...], ...]:
        """The columns that add most to each row's surprise, compared with what they usually add."""
        parts = column_surprise(self.members, inputs, column_matrix(self.features, self.members.spec)) - self.typical
        chosen = np.maximum(parts[np.arange(len(width)), width], 0)
        share = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1e-12)
        order = np.argsort(-share, axis=1, kind="stable")[:, :MOST_REASONS]
        cells = [as_text(table.column(name)).to_list() for name in self.columns]
        return tuple(tuple(Reason(self.columns[column], cells[column][row] or "", float(share[row, column]))
                           for column in own if share[row, column] >= LEAST_SHARE) for row, own in enumerate(order))

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The quality on rows of which it is known whether they are anomalies.

        Raises:
            DataError: there is no such column, or it holds no value.
        """
        table = as_table(data)
        if self.labels is None:
            raise DataError("The detector was trained without a column that says which rows are anomalies, so nothing "
                            "can be measured.", "train with --target COLUMN: it will only judge")
        truth = self.labels.read(table.column(self.labels.name))
        known = np.flatnonzero(np.isfinite(truth))
        if not len(known):
            raise DataError(f"No row holds a value of `{self.labels.name}` that the model knows.",
                            "check that the column is the one that the model was trained with")
        found = self.predict(table.take(known))
        metrics = judge_ranking(truth[known], found.score, self.false_alarms) | judge_flags(truth[known], found.flagged)
        return {"task": "detect", "target": self.labels.name, "rows": len(known), "left_out": len(table) - len(known),
                "metrics": metrics, "promise": {}}

    def of_members(self, chosen: Sequence[int]) -> Detector:
        """The same detector with some of its networks, and what belongs to them."""
        own = list(chosen)
        ranks = Ranks(self.ranks.scores[own], self.ranks.above[own], self.ranks.count[own])
        return replace(self, members=self.members.only(own), scale=self.scale[own], ranks=ranks)

    def probe_inputs(self) -> dict[str, Any]:
        """Made-up encoded rows, asked at saving and again at loading."""
        return visible(self.features, probe_inputs(self.features))

    def to_record(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values."""
        return {**self.common_record(), "false_alarms": self.false_alarms,
                "labels": None if self.labels is None else self.labels.to_json()}

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """What turns surprise into scores, shares and reasons."""
        return {"scale": self.scale, "typical": self.typical, "left_out_scores": self.ranks.scores,
                "left_out_above": self.ranks.above, "left_out_count": self.ranks.count}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Detector:
        """The model that a file holds; `KeyError`, `TypeError` or `ValueError` where its parts do not fit."""
        ranks = Ranks(extra["left_out_scores"], extra["left_out_above"], extra["left_out_count"])
        labels = None if record["labels"] is None else labels_from_json(record["labels"])
        return cls(tuple(feature_from_json(one) for one in record["features"]), members, extra["scale"], ranks,
                   extra["typical"], record["false_alarms"], labels, record["settings"], record["metrics"],
                   record["about"])

    def about_lines(self) -> tuple[str, ...]:
        """What is flagged."""
        return (f"Flags rows stranger than all but {self.false_alarms:.2%} of the training rows.",)

    def __repr__(self) -> str:
        return f"Detector({len(self.columns)} columns, {len(self.members)} networks)"


def _as_rows(data: Any) -> Table:
    """The table behind `data`; one row as a mapping is one, too."""
    return as_table([data] if isinstance(data, Mapping) and not any(
        hasattr(one, "__len__") and not isinstance(one, str) for one in data.values()) else data)


def is_visible(feature: AbstractFeature) -> bool:
    """Whether a detector gets to see a column: numbers, categories, pixels."""
    return is_used(feature) and (not feature.is_raw or RAW in feature.probe(1, np.random.default_rng(0)))


def visible(features: tuple[AbstractFeature, ...], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Encoded rows without the raw columns that a detector cannot take in."""
    kept = tuple(column for feature, column in zip(raw_features(features), arrays.get("columns", ()), strict=True)
                 if is_visible(feature))
    return {name: arrays[name] for name in ("numbers", "codes")} | ({"columns": kept} if kept else {})


def column_matrix(features: tuple[AbstractFeature, ...], spec: Mapping[str, Any]) -> np.ndarray:
    """float32 (features of a row, columns): 1 where a number of a row belongs to a visible column.

    Args:
        features: of the table, in order.
        spec: of the network, which says how many numbers stand for a column of pixels.
    """
    names = [feature.name for feature in features if is_visible(feature)]
    owners = [feature.name for feature in features for _ in feature.numbers]
    owners += [feature.name for feature in features if feature.cardinality for _ in range(feature.cardinality)]
    seen = [feature.name for feature in features if feature.is_raw and is_visible(feature)]
    owners += [name for name, count in zip(seen, spec["pixels"], strict=True)
               for _ in range(min(spec["directions"], count) + 1)]
    return np.array([[name == owner for name in names] for owner in owners], np.float32).reshape(-1, len(names))


def scores_of(surprise: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (members, rows) from surprise (members, rows, widths): at the width where a row is strangest; and which
    width (rows,) that is, on average over the members."""
    standard = (surprise - scale[:, None, :, 0]) / scale[:, None, :, 1]
    return standard.max(axis=2), standard.mean(axis=0).argmax(axis=1)


def column_surprise(members: Members, inputs: Mapping[str, Any], columns: np.ndarray) -> np.ndarray:
    """float64 (rows, widths, columns): what each column adds to the surprise, mean over the members."""
    rows, size = len(jax.tree.leaves(inputs)[0]), tile_of(inputs)
    found = []
    for start in range(0, rows, size):
        places = np.minimum(np.arange(start, start + size), rows - 1)  # every tile has the same shape
        tile = jax.tree.map(lambda array, places=places: array[places], dict(inputs))
        answer = _column_surprise(members.layout, members.weights, members.buffers, tile, columns)
        found.append(np.asarray(answer, np.float64)[:rows - start])
    outputs = len(members.spec["widths"]) * (1 + members.spec["turned"])
    return np.concatenate(found) if found else np.zeros((0, outputs, columns.shape[1]))


@partial(jax.jit, static_argnums=0)
def _column_surprise(layout: Layout, weights: Array, buffers: PyTree[Array], inputs: PyTree[Array],
                     columns: Array) -> Array:
    def one(own: tuple[Array, PyTree[Array]]) -> Array:
        return layout.assemble(*own).column_surprise(inputs, columns)
    return jnp.mean(jax.lax.map(one, (weights, buffers)), axis=0)
