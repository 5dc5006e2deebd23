"""Whether rows are like those of the training: their columns, and for pictures and the like what a network sees."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import cardinalities, raw_features
from pellucid.model.members import Members, tile_of
from pellucid.training.layout import Layout
from pellucid.uncertainty.scores import evenly
from pellucid.uncertainty.unlikeness import Ranks, Usual, left_out_distances

FEWEST_ROWS = 30
MOST_ROWS = 5000
MOST_LEARNED = 128
INNER_FOLDS = 5
PREFIX = "unlikeness."


@dataclass(frozen=True, eq=False)
class Unlikeness:
    """What is usual in training rows, and how far rows were from it that it was not taken from.

    Args:
        cardinalities: of the columns of codes.
        columns: what is usual in numbers and codes; `None` without such columns.
        learned: what is usual in the last hidden layer of the first member; `None` without raw columns.
        ranks: how far left-out rows were.
    """

    cardinalities: tuple[int, ...]
    columns: Usual | None
    learned: Usual | None
    ranks: Ranks

    def __call__(self, inputs: Mapping[str, Any], members: Members) -> tuple[np.ndarray, np.ndarray]:
        """How many times as far from the usual as the middle of left-out rows, and the p-value; float64 (rows,)."""
        found = []
        if self.columns is not None:
            found.append(self.columns.distances(inputs["numbers"], np.asarray(inputs["codes"])))
        if self.learned is not None:
            seen = learned(members, inputs)
            found.append(self.learned.distances(seen, np.zeros((len(seen), 0), int)))
        return self.ranks(np.column_stack(found))

    def to_json(self) -> dict[str, Any]:
        """All but the arrays."""
        return {"cardinalities": list(self.cardinalities), "ranks": self.ranks.to_json()}

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        parts = {"columns": self.columns, "learned": self.learned}
        return {f"{PREFIX}{name}.{field}": array for name, usual in parts.items() if usual is not None
                for field, array in (("quantiles", usual.quantiles), ("center", usual.center),
                                     ("precision", usual.precision),
                                     ("shares", np.concatenate([np.zeros(0), *usual.shares])))}

    @classmethod
    def from_record(cls, value: Mapping[str, Any] | None, tensors: Mapping[str, np.ndarray]) -> Unlikeness | None:
        """What `to_json` and `tensors` gave; `None` for files that hold none."""
        if value is None:
            return None
        counts = tuple(int(count) for count in value["cardinalities"])
        return cls(counts, _usual(tensors, "columns", counts), _usual(tensors, "learned", ()),
                   Ranks.from_json(value["ranks"]))


def _usual(tensors: Mapping[str, np.ndarray], name: str, counts: Sequence[int]) -> Usual | None:
    if f"{PREFIX}{name}.center" not in tensors:
        return None
    quantiles, center, precision, shares = (np.asarray(tensors[f"{PREFIX}{name}.{field}"], np.float64)
                                            for field in ("quantiles", "center", "precision", "shares"))
    if len(shares) != sum(counts) or len(center) != len(quantiles) + len(shares):
        raise ValueError("what is usual in the training rows does not fit the columns")
    return Usual(quantiles, tuple(np.split(shares, np.cumsum(counts)[:-1])) if counts else (), center, precision)


def fit_unlikeness(features: Sequence[AbstractFeature], inputs: Mapping[str, Any], members: Members,
                   folds: Sequence[int], row_folds: np.ndarray, counted: np.ndarray) -> Unlikeness | None:
    """Learn what is usual from encoded training rows; `None` where they are too few to tell.

    Args:
        features: of the columns.
        inputs: encoded rows.
        members: the networks; the first one looks at raw columns.
        folds: the fold that each member left out.
        row_folds: (rows,) the fold of each row.
        counted: the numbers of the rows that count, each as often as it does.
    """
    chosen = counted[evenly(len(counted), MOST_ROWS)]
    counts, own = cardinalities(features), row_folds[chosen]
    rows = jax.tree.map(lambda leaf: leaf[chosen], dict(inputs))
    raw = bool(raw_features(features)) and hasattr(members.layout.static, "layer_outputs")
    has_columns = bool(rows["numbers"].shape[1] or counts)
    out = own == folds[0]
    if len(chosen) < FEWEST_ROWS or not (raw or has_columns) or (raw and min(out.sum(), (~out).sum()) < FEWEST_ROWS):
        return None
    numbers, codes = rows["numbers"], np.asarray(rows["codes"])
    if not raw:
        several = own if len(np.unique(own)) > 1 else np.arange(len(own))
        ranks = Ranks.fit(left_out_distances(numbers, codes, counts, several % INNER_FOLDS))
        return Unlikeness(counts, Usual.fit(numbers, codes, counts), None, ranks)
    seen, none = learned(members, rows), np.zeros((len(chosen), 0), int)
    inside = Usual.fit(seen[~out], none[~out], ())
    columns = Usual.fit(numbers[~out], codes[~out], counts) if has_columns else None
    found = [inside.distances(seen[out], none[out])]
    found = [columns.distances(numbers[out], codes[out]), *found] if columns is not None else found
    return Unlikeness(counts, columns, inside, Ranks.fit(np.column_stack(found)))


def learned(members: Members, inputs: Mapping[str, Any]) -> np.ndarray:
    """float32 (rows, features): what the first member's last hidden layer gives, at length 1, and its outputs."""
    inputs = members.prepared(inputs)
    rows, size = len(jax.tree.leaves(inputs)[0]), tile_of(inputs)
    first = members.only([0])

    def tile(start: int, stop: int) -> np.ndarray:
        places = np.minimum(np.arange(start, start + size), max(stop - 1, 0))
        own = jax.tree.map(lambda leaf: leaf[places] if rows else np.zeros((size, *leaf.shape[1:]), leaf.dtype), inputs)
        with jax.enable_x64(first.weights.dtype == np.float64):
            return np.asarray(_learned(first.layout, first.weights, first.buffers, first.network_state,
                                       own))[:stop - start]
    pieces = [tile(start, min(start + size, rows)) for start in range(0, rows, size)]
    return np.concatenate(pieces) if pieces else tile(0, 0)


@partial(jax.jit, static_argnums=0)
def _learned(layout: Layout, weights: Array, buffers: PyTree[Array], network_state: PyTree[Array],
             inputs: PyTree[Array]) -> Array:
    one = lambda tree: jax.tree.map(lambda leaf: leaf[0], tree)  # noqa: E731
    layers = list(layout.assemble(weights[0], one(buffers)).layer_outputs(inputs, state=one(network_state)).values())
    output = layers[-1].reshape(len(layers[-1]), -1)
    hidden = layers[-2] if len(layers) > 1 else output
    hidden = hidden.reshape(len(hidden), -1, hidden.shape[-1]).mean(axis=1)
    hidden = hidden[:, np.unique(np.linspace(0, hidden.shape[1] - 1, min(hidden.shape[1], MOST_LEARNED)).astype(int))]
    length = jnp.maximum(jnp.linalg.norm(hidden, axis=1, keepdims=True), 1e-6)
    return jnp.concatenate([hidden / length, output], axis=1)
