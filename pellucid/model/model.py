"""The trained model: table in, answers out."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.core.declared import SIMILAR
from pellucid.data.check import check_columns
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError, did_you_mean
from pellucid.explain.changes import Changes
from pellucid.explain.game import Question
from pellucid.explain.similar import Similar
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import Inputs, encode_inputs
from pellucid.features.targets import ClassTarget, NumberTarget, target_from_json
from pellucid.features.types import feature_from_json
from pellucid.model.base import AbstractModel
from pellucid.model.calibration import Calibration, two_columns
from pellucid.model.card import plain_values
from pellucid.model.changes import changes
from pellucid.model.decision import cost_matrix, decide
from pellucid.model.examples import Examples
from pellucid.model.members import Members
from pellucid.model.metrics import evaluate
from pellucid.model.neighbours import Neighbours
from pellucid.model.predictions import Predictions
from pellucid.model.promise import bar_of, measured_promise, predictions_of, promise_lines
from pellucid.model.questions import questions
from pellucid.model.unlikeness import Unlikeness


@dataclass(frozen=True, eq=False)
class Model(AbstractModel):
    """A trained ensemble of networks with everything that it needs to answer: scaling, vocabularies, calibration.

    Args:
        features: how each input column is encoded.
        target: what is predicted, and how it is decoded.
        members: the networks.
        calibration: how outputs become honest answers.
        decision: `positive`, `threshold` and `costs`, where they were given.
        settings: what the model was trained with.
        metrics: its quality on rows that were not used for anything else.
        about: versions, data fingerprint, date: information only.
        unlikeness: what is usual in training rows; `None` where they were too few to tell, and in older files.
        examples: the training rows, where the model was asked to keep them.

    Example:
        >>> model = pellucid.load("model.pellucid")  # doctest: +SKIP
        >>> model.predict("new clients.csv").to_frame()  # doctest: +SKIP
    """

    tasks: ClassVar[tuple[str, ...]] = ("classify", "regress")

    features: tuple[AbstractFeature, ...]
    target: ClassTarget | NumberTarget
    members: Members
    calibration: Calibration
    decision: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    unlikeness: Unlikeness | None = None
    examples: Examples | None = None

    @property
    def task(self) -> str:
        """`"classify"` or `"regress"`."""
        return "classify" if isinstance(self.target, ClassTarget) else "regress"

    @property
    def classes(self) -> tuple[Any, ...]:
        """The labels of a classifier; empty for numbers."""
        return self.target.classes if isinstance(self.target, ClassTarget) else ()

    @property
    def positive(self) -> int:
        """The index of the positive class: the second one where none was named."""
        code = self.target.positive_code if isinstance(self.target, ClassTarget) else None
        return 1 if code is None else code

    def encode(self, data: Any) -> tuple[Table, Inputs]:
        """The table behind `data` and its encoded inputs; `DataError` names the columns that are lacking."""
        table = self.table(data)
        return table, encode_inputs(self.features, table)

    def answer(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """What each member says: probabilities (members, rows, classes), or numbers (members, rows)."""
        return self.answer_of(self.members.outputs(inputs).astype(np.float64))

    def answer_of(self, outputs: np.ndarray) -> np.ndarray:
        """The same from what the networks gave, float64 (members, rows, outputs)."""
        if isinstance(self.target, ClassTarget):
            return self.calibration.calibrator(two_columns(outputs))
        return np.clip(self.target.decode(outputs[..., 0]), self.target.low, self.target.high)

    def predict(self, data: Any, *, coverage: float | None = None) -> Predictions:
        """Predict every row of `data`.

        Args:
            data: a file, a data frame, a list of rows as mappings, or one row as a mapping.
            coverage: for prediction sets and intervals, above 0 and below 1; as in training when `None`.

        Raises:
            DataError: a column is lacking; it is named.
        """
        table, inputs = self.encode(_rows(data))
        columns = [feature.name for feature in self.features]
        notes = (*table.notes, *check_columns(table, columns, (self.target.name,)), *inputs.notes)
        found = predictions_of(self, table, inputs.arrays, coverage)
        return replace(found, notes=(*notes, *found.notes), files=table.files)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Class indices (rows,) by the rule that was given in training: a threshold, costs, or the likeliest class."""
        costs = self.decision.get("costs")
        matrix = None if costs is None else cost_matrix(costs, self.classes)
        return decide(probabilities, costs=matrix, threshold=self.decision.get("threshold"), positive=self.positive)

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The quality on rows with known answers: metrics by their scikit-learn names, rows used, coverage measured.

        Raises:
            DataError: the target column is lacking or holds no value that the model knows.
        """
        table = self.table(data)
        if self.target.name not in table.names:
            raise DataError(f"The data lack the target column `{self.target.name}`.",
                            did_you_mean(self.target.name, table.names))
        truth = self.truth(table)
        known = np.flatnonzero(truth >= 0 if self.task == "classify" else np.isfinite(truth))
        if not len(known):
            raise DataError(f"No row holds a value of `{self.target.name}` that the model knows.",
                            "check that the target column is the one that the model was trained on")
        predictions = self.predict(table.take(known))
        outputs = predictions.probabilities if self.task == "classify" else predictions.prediction
        metrics = evaluate(self.task, truth[known], outputs, positive=self.positive)
        return {"task": self.task, "target": self.target.name, "rows": len(known), "left_out": len(table) - len(known),
                "metrics": metrics, "promise": measured_promise(predictions, truth[known], self.calibration.grouping)}

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each row: the probability of its class, or its number; see `explain`."""
        table, inputs = self.encode(_rows(data))
        return questions(self, table, inputs, asked=asked, instead_of=instead_of, seed=seed)

    def changes(self, data: Any, *, to: Any = None, at_least: float | None = None, at_most: float | None = None,
                locked: Sequence[str] = (), most: int = 3, alternatives: int = 3) -> list[Changes]:
        """What would change the answer of each row: fewest columns first, then the smallest changes.

        Numbers, categories, truth values and dates may change, to what training rows held; the model is asked about
        every changed row.

        Args:
            data: a file, a data frame, a list of rows as mappings, or one row as a mapping.
            to: the class that the answer should be; any other than the predicted one when `None`.
            at_least, at_most: what a predicted number should reach or not exceed.
            locked: columns that stay as they are, such as an age.
            most: how many columns may be changed together.
            alternatives: how many ways to look for; each changes a column that those before it leave as it is.

        Raises:
            DataError: a column is lacking; it is named.
            SettingsError: a wish does not fit the model.

        Example:
            >>> print(*model.changes("refused.csv", to="good")[0].sentences(), sep="\n")  # doctest: +SKIP
        """
        table, inputs = self.encode(_rows(data))
        return changes(self, table, inputs, to=to, at_least=at_least, at_most=at_most, locked=locked, most=most,
                       count=alternatives)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The training rows that the model keeps, in its learned space; `SettingsError` where it keeps none."""
        return Neighbours(self)

    def similar(self, data: Any, *, count: int = 3) -> list[Similar]:
        """The training rows most like each row in the learned space, and those that most influenced its answer.

        Args:
            data: a file, a data frame, a list of rows as mappings, or one row as a mapping.
            count: how many training rows of each kind.

        Raises:
            SettingsError: the model keeps no training rows; the hint says how to enable it.

        Example:
            >>> model.similar("new clients.csv")[0].to_frame()  # doctest: +SKIP
        """
        return self.neighbours.similar(*self.encode(_rows(data)), SIMILAR["count"].check(count))

    def truth(self, table: Table) -> np.ndarray:
        """The known answers: class indices (-1 where unknown), or numbers in the target's units (NaN where unknown)."""
        column = table.column(self.target.name)
        return self.target.encode(column) if isinstance(self.target, ClassTarget) else self.target.read(column)

    def deciding(self, *, threshold: float | None = None, costs: Mapping | None = None) -> Model:
        """The same model with another rule of decision."""
        if self.task != "classify":
            raise SettingsError("A rule of decision was given to a model that predicts numbers.", "leave it out")
        return replace(self, decision=dict(self.decision) | {"threshold": threshold, "costs": costs})

    def answering(self, risk: float | None) -> Model:
        """The same model that answers `unsure` where more than this share of wrong answers would be risked.

        Raises:
            SettingsError: the risk is out of range, or the model cannot promise one; see `promise.bar_of`.
        """
        if risk is not None:
            bar_of(self, risk)
        return replace(self, decision=dict(self.decision) | {"risk": risk})

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """What is usual in training rows, and those that are kept."""
        return {name: array for kept in (self.unlikeness, self.examples) if kept is not None
                for name, array in kept.tensors().items()}

    @property
    def inside(self) -> str:
        """What of the training data the file holds, for its card."""
        if self.examples is None:
            return super().inside
        return ("Weights, the scaling and vocabularies of the columns, calibration, and "
                f"**{len(self.examples):,} of the {self.examples.total:,} training rows with their answers**, because "
                "keep_examples was asked for. Do not give this file to people who may not see these rows.")

    def to_record(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {**self.common_record(), "target": self.target.to_json(), "calibration": self.calibration.to_json(),
                "decision": plain_values(self.decision),
                **{name: kept.to_json() for name, kept in (("unlikeness", self.unlikeness), (
                    "examples", self.examples)) if kept is not None}}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Model:
        """The model that a file holds; `KeyError`, `TypeError` or `ValueError` where its parts do not fit."""
        return cls(tuple(feature_from_json(one) for one in record["features"]), target_from_json(record["target"]),
                   members, Calibration.from_json(record["calibration"]), record["decision"], record["settings"],
                   record["metrics"], record["about"], Unlikeness.from_record(record.get("unlikeness"), extra),
                   Examples.from_record(record.get("examples"), extra))

    def about_lines(self) -> tuple[str, ...]:
        """What is predicted, and what is promised."""
        return (f"Target: `{self.target.name}`.", *promise_lines(self))

    def __repr__(self) -> str:
        return (f"Model({self.task} `{self.target.name}` from {len(self.features)} columns, "
                f"{len(self.members)} networks)")


def _rows(data: Any) -> Any:
    """One row as a mapping of plain values becomes a list of one."""
    if isinstance(data, Mapping) and data and not any(isinstance(value, (list, tuple)) or (
            hasattr(value, "__array__") and np.ndim(value)) for value in data.values()):
        return [data]
    return data
