"""Training rows like a row in the learned space, and those that its answer comes from. Plain NumPy."""
from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.part import shown

PAIRS = 200
"""Examples between which the usual distance is measured."""
SHOWN = 4


def scaled(hidden: np.ndarray, outputs: np.ndarray) -> tuple[float, float]:
    """The root mean square distance of one network's hidden neurons (rows, width) and outputs (rows, outputs) from
    their means; 1 where they do not vary."""
    spread = [float(np.sqrt(np.square(one - one.mean(axis=0)).sum(axis=1).mean())) for one in (hidden, outputs)]
    return spread[0] or 1.0, spread[1] or 1.0


def distances(one: tuple[np.ndarray, np.ndarray], others: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """How far rows are from examples in the last hidden layer and in the output, on average over the networks.

    Args:
        one: hidden (networks, rows, width) and outputs (networks, rows, outputs) of the rows.
        others: the same of the examples; each network's are scaled to the same spread.

    Returns:
        float64 (rows, examples).
    """
    total = np.zeros((one[0].shape[1], others[0].shape[1]))
    for hidden, outputs, all_hidden, all_outputs in zip(*one, *others, strict=True):
        by_hidden, by_output = scaled(all_hidden, all_outputs)
        square = _squares(hidden / by_hidden, all_hidden / by_hidden)
        total += np.sqrt(square + _squares(outputs / by_output, all_outputs / by_output))
    return total / len(one[0])


def _squares(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    square = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1) - 2 * left @ right.T
    return np.maximum(square, 0)


def usual_distance(examples: tuple[np.ndarray, np.ndarray]) -> float:
    """The middle distance between two examples; 1 where there is only one."""
    chosen = np.unique(np.linspace(0, examples[0].shape[1] - 1, PAIRS).astype(int))
    few = tuple(array[:, chosen] for array in examples)
    between = distances(few, few)[np.triu_indices(len(chosen), 1)]
    return float(np.median(between)) or 1.0 if len(between) else 1.0


def influences(hidden: np.ndarray, errors: np.ndarray, all_hidden: np.ndarray, all_errors: np.ndarray,
               learned_from: np.ndarray) -> np.ndarray:
    """How much learning from each example spoke for the answer of each row, through the last layer.

    For one network, the inner product of two gradients of the error by the weights and biases of the last layer:
    (e(z) · e(x)) (h(z) · h(x) + 1), where e is how much the output is too high for an example z, or what would raise
    the answer of the row x; the mean over the networks, 0 for one that did not learn from z.

    Args:
        hidden: (networks, rows, width), the last hidden layer of the rows.
        errors: (networks, rows, outputs), gradients of their error by the outputs.
        all_hidden, all_errors: the same of the examples.
        learned_from: bool (networks, examples).

    Returns:
        float64 (rows, examples): above 0 where the example speaks for the answer.

    Source: Pruthi et al. (2020), Estimating training data influence by tracing gradient descent (TracIn, last layer);
    Yeh et al. (2018), Representer point selection, whose weights are these errors.
    """
    total = np.zeros((hidden.shape[1], all_hidden.shape[1]))
    for own, own_error, every, every_error, learned in zip(hidden, errors, all_hidden, all_errors, learned_from,
                                                           strict=True):
        alike = np.asarray(own, np.float64) @ np.asarray(every, np.float64).T + 1
        total += np.where(learned, (own_error @ every_error.T) * alike, 0)
    return total / len(hidden)


@dataclass(frozen=True)
class Case:
    """A training row beside the row that is asked about.

    Args:
        row: its number in the data that were trained on, counted from 0.
        answer: its known answer.
        distance: in the learned space, as a share of the middle distance between two training rows.
        influence: its share of all influence on the answer: above 0 it speaks for it (of a number: raises it), below 0
            against it.
        cells: its columns.
        differs: the columns in which it differs, most different first.
    """

    row: int
    answer: Any
    distance: float
    influence: float
    cells: dict[str, Any]
    differs: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = lambda cell: cell if cell is None or isinstance(cell, (bool, int, float, str)) else shown(cell)  # noqa: E731
        return {"row": self.row, "answer": plain(self.answer), "distance": self.distance, "influence": self.influence,
                "cells": {name: plain(cell) for name, cell in self.cells.items()}, "differs": list(self.differs)}


@dataclass(frozen=True)
class Similar:
    """The training rows that are most like a row, and those that its answer comes from.

    Args:
        target: what is predicted.
        row: the number of the row in the data, counted from 0.
        prediction: the answer.
        is_class: whether that is a class.
        cells: the columns of the row.
        nearest: by rising distance.
        influential: by falling size of their influence.
        kept, total: how many training rows the model keeps, and of how many.
    """

    target: str
    row: int
    prediction: Any
    is_class: bool
    cells: dict[str, Any]
    nearest: tuple[Case, ...]
    influential: tuple[Case, ...]
    kept: int
    total: int

    def differences(self, case: Case) -> str:
        """In what a training row differs, in words."""
        if not case.differs:
            return "the same in all columns"
        named = ", ".join(f"{name} {shown(case.cells[name])} (here {shown(self.cells[name])})"
                          for name in case.differs[:SHOWN])
        more = len(case.differs) - SHOWN
        return f"{named}, and {more} more" if more > 0 else named

    def speaks(self, case: Case) -> str:
        """What an influence means, in words."""
        if self.is_class:
            return "for it" if case.influence > 0 else "against it"
        return "raises it" if case.influence > 0 else "lowers it"

    def sentences(self) -> tuple[str, ...]:
        """What the nearest rows say, in plain words."""
        answers = [case.answer for case in self.nearest]
        if self.is_class:
            same = sum(str(one) == str(self.prediction) for one in answers)
            first = f"Of the {len(answers)} training rows most like it, {same} had the answer “{self.prediction}”."
        else:
            first = f"The {len(answers)} training rows most like it had {', '.join(map(shown, answers))}."
        equal = tuple(f"Training row {case.row} is the same in all columns." for case in self.nearest[:1]
                      if not case.differs)
        return (first, *equal,
                "A distance of 1 is as far as two training rows usually are apart in what the networks see. Influence "
                "is what a row taught the last layer about this answer, as a share of that of all "
                f"{self.kept:,} rows that the model keeps" + (f" (of {self.total:,})" if self.total > self.kept else "")
                + f"; if all taught alike, each would have {100 / max(self.kept, 1):.2g} %.")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"target": self.target, "row": self.row, "prediction": self.prediction, "kept": self.kept,
                "total": self.total, "nearest": [case.to_json() for case in self.nearest],
                "influential": [case.to_json() for case in self.influential]}

    def to_frame(self) -> pl.DataFrame:
        """One row for each training row: `row`, `kind`, `training_row`, `answer`, `distance`, `influence`."""
        kinds = [("nearest", case) for case in self.nearest] + [("influential", case) for case in self.influential]
        return pl.DataFrame({"row": [self.row] * len(kinds), "kind": [kind for kind, _ in kinds],
                             "training_row": [case.row for _, case in kinds],
                             "answer": [shown(case.answer) for _, case in kinds],
                             "distance": [case.distance for _, case in kinds],
                             "influence": [case.influence for _, case in kinds]})

    def __repr__(self) -> str:
        near = ", ".join(f"{case.row} ({shown(case.answer)})" for case in self.nearest)
        return f"Similar(row {self.row}: {shown(self.prediction)}; most like training rows {near})"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(' '.join(self.sentences()))}</p>" + self.to_frame()._repr_html_()
