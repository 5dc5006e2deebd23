"""The training rows that a model keeps, in its learned space: the nearest ones, and those that taught it an answer."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Array, PyTree
from scipy.special import softmax

from pellucid.data.table import Table
from pellucid.errors import SettingsError
from pellucid.explain.similar import Case, Similar, distances, influences, usual_distance
from pellucid.features.inputs import Inputs, encode_inputs
from pellucid.model.calibration import two_columns
from pellucid.model.members import Members, tile_of
from pellucid.model.row_games import places_of
from pellucid.training.layout import Layout

if TYPE_CHECKING:
    from pellucid.model.model import Model

Seen = tuple[np.ndarray, np.ndarray]
"""The last hidden layer (networks, rows, width), and the outputs (networks, rows, outputs)."""
AT_ONCE = 1 << 22
"""Pairs of a row and a kept row that are compared at a time."""
HOW = "train it with keep_examples (`pellucid train … --keep-examples`): then its file holds the training rows"


class Neighbours:
    """What the networks of a model make of the rows that it keeps; worked out once.

    Raises:
        SettingsError: the model keeps no training rows, or its networks do not show their layers.
    """

    def __init__(self, model: Model) -> None:
        if model.examples is None:
            raise SettingsError("Similar cases cannot be shown: the model keeps no training rows.", HOW)
        if not hasattr(model.members.layout.static, "layer_outputs"):
            raise SettingsError(f"The network `{model.members.spec.get('network')}` does not show its hidden layers.",
                                "ask a model with another network")
        self.model, self.examples = model, model.examples

    @cached_property
    def inputs(self) -> Inputs:
        """The kept rows, encoded."""
        return encode_inputs(self.model.features, self.examples.table)

    @cached_property
    def seen(self) -> Seen:
        """What the networks make of the kept rows."""
        return look(self.model.members, self.inputs.arrays)

    @cached_property
    def usual(self) -> float:
        """The middle distance between two of them."""
        return usual_distance(self.seen)

    def similar(self, table: Table, inputs: Inputs, count: int) -> list[Similar]:
        """The training rows to show for each row."""
        hidden, outputs = look(self.model.members, inputs.arrays)
        answers = self.model.predict(table).prediction.tolist()
        names, found = [one.feature.name for one in places_of(self.model.features)], []
        size = max(AT_ONCE // max(len(self.examples), 1), 1)
        for row, answer in enumerate(answers):
            if row % size == 0:
                away, influence = self._compared(hidden[:, row:row + size], outputs[:, row:row + size])
            far, shares = away[row % size], influence[row % size]
            nearest = np.argsort(far, kind="stable")[:count]
            strongest = np.argsort(-np.abs(shares), kind="stable")[:count]
            cases = {place: self._case(place, table, inputs, row, (float(far[place]), float(shares[place])))
                     for place in (*nearest.tolist(), *strongest.tolist())}
            found.append(Similar(self.model.target.name, row, answer, self.model.task == "classify",
                                 cells_of(table, row, names), tuple(cases[place] for place in nearest.tolist()),
                                 tuple(cases[place] for place in strongest.tolist()), len(self.examples),
                                 self.examples.total))
        return found

    def _compared(self, hidden: np.ndarray, outputs: np.ndarray) -> Seen:
        """Distances and shares of influence of some rows, float64 (rows, examples)."""
        away = distances((hidden, outputs), self.seen) / self.usual
        influence = influences(hidden, self._wishes(outputs), self.seen[0], self._errors(self.seen[1]),
                               self.examples.learned_from)
        return away, influence / np.maximum(np.abs(influence).sum(axis=1, keepdims=True), 1e-300)

    def _case(self, place: int, table: Table, inputs: Inputs, row: int, shares: tuple[float, float]) -> Case:
        """A kept row beside a row that is asked about, with its distance and its influence."""
        kept, names = self.examples.table, [one.feature.name for one in places_of(self.model.features)]
        own, other, apart = self.inputs.arrays, inputs.arrays, {}
        for one in places_of(self.model.features):
            numbers = np.abs(own["numbers"][place, one.numbers] - other["numbers"][row, one.numbers])
            codes = own["codes"][place, one.codes] != other["codes"][row, one.codes]
            raw = one.raw is not None and str(kept.column(one.feature.name)[place]) != str(
                table.column(one.feature.name)[row])
            apart[one.feature.name] = max(float(numbers.max(initial=0)), float(codes.any()), float(raw))
        differs = sorted((name for name, size in apart.items() if size > 0), key=lambda name: -apart[name])
        answer = kept.column(self.model.target.name)[place]
        return Case(int(self.examples.rows[place]), answer, *shares, cells_of(kept, place, names), tuple(differs))

    def _errors(self, outputs: np.ndarray) -> np.ndarray:
        """(networks, examples, outputs): how much too high each output is for the known answer."""
        truth = self.model.target.encode(self.examples.table.column(self.model.target.name))
        if self.model.task == "regress":
            return outputs[..., :1] - truth[:, None]
        probabilities = softmax(two_columns(outputs.astype(np.float64)), axis=-1)
        return probabilities - np.eye(probabilities.shape[-1])[truth]

    def _wishes(self, outputs: np.ndarray) -> np.ndarray:
        """The same of rows without a known answer: as if the predicted class were true; of numbers, what would make
        them larger."""
        if self.model.task == "regress":
            return np.full((*outputs.shape[:2], 1), -1.0)
        logits = two_columns(outputs.astype(np.float64))
        predicted = self.model.decide(self.model.answer_of(outputs.astype(np.float64)).mean(axis=0))
        return softmax(logits, axis=-1) - np.eye(logits.shape[-1])[predicted]


def cells_of(table: Table, row: int, names: list[str]) -> dict[str, Any]:
    """Some cells of a row, by column."""
    return {name: table.column(name)[row] for name in names}


def look(members: Members, inputs: Mapping[str, Any]) -> Seen:
    """What every network's last hidden layer and output give, in tiles of rows."""
    inputs = members.prepared(inputs)
    rows, size = len(jax.tree.leaves(inputs)[0]), tile_of(inputs)
    pieces = []
    for start in range(0, max(rows, 1), size):
        places = np.minimum(np.arange(start, start + size), max(rows - 1, 0))
        tile = jax.tree.map(lambda leaf, places=places: leaf[places] if rows else np.zeros(
            (size, *leaf.shape[1:]), leaf.dtype), inputs)
        with jax.enable_x64(members.weights.dtype == np.float64):
            seen = _look(members.layout, members.weights, members.buffers, members.network_state, tile)
        pieces.append([np.asarray(one)[:, :rows - start] for one in seen])
    return np.concatenate([one for one, _ in pieces], axis=1), np.concatenate([one for _, one in pieces], axis=1)


@partial(jax.jit, static_argnums=0)
def _look(layout: Layout, weights: Array, buffers: PyTree[Array], network_state: PyTree[Array],
          inputs: PyTree[Array]) -> tuple[Array, Array]:
    def one(own: Array, own_buffers: PyTree[Array], own_state: PyTree[Array]) -> tuple[Array, Array]:
        layers = list(layout.assemble(own, own_buffers).layer_outputs(inputs, state=own_state).values())
        output = layers[-1].reshape(len(layers[-1]), -1)
        hidden = layers[-2] if len(layers) > 1 else output
        return hidden.reshape(len(hidden), -1, hidden.shape[-1]).mean(axis=1), output
    return jax.vmap(one)(weights, buffers, network_state)
