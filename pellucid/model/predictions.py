"""What a model says about rows: one frozen value that turns into a data frame, JSON or CSV."""
from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.note import Note

UNSURE = "unsure"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for rows; what does not apply to the task is `None`.

    Args:
        task: "classify" or "regress".
        target: the predicted column.
        prediction: (rows,) class labels in their own type, or numbers in the target's units, float64.
        coverage: the share of rows whose set or interval is promised to hold the truth.
        classes: the labels, in the order of `probabilities`.
        probabilities: float64 (rows, classes), each row sums to 1.
        sets: bool (rows, classes): which classes cannot be ruled out at `coverage`.
        lower, upper: float64 (rows,): the interval at `coverage`.
        answered: bool (rows,): whether a row is answered at the risk that was asked for; else the answer is `unsure`.
        unlikeness: float64 (rows,): how many times as far from what is usual as the middle of left-out training rows.
        p_value: float64 (rows,): the share of left-out training rows that are at least as unlike the others.
        groups: (rows,) the group of each row, -1 for none, where groups have a coverage of their own.
        uncalibrated: float64 (rows, classes): probabilities before calibration.
        notes: what was noticed about the rows: unseen categories, missing or infinite values, extra columns.
        first_row: the number of the first row, where a large file is predicted in pieces.
        files: where each row comes from, where a folder is predicted; they stand in place of the row numbers.
    """

    task: str
    target: str
    prediction: np.ndarray
    coverage: float
    classes: tuple[Any, ...] = ()
    probabilities: np.ndarray | None = None
    sets: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    answered: np.ndarray | None = None
    unlikeness: np.ndarray | None = None
    p_value: np.ndarray | None = None
    groups: np.ndarray | None = None
    uncalibrated: np.ndarray | None = None
    notes: tuple[Note, ...] = ()
    first_row: int = 0
    files: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.prediction)

    @property
    def confidence(self) -> np.ndarray | None:
        """float64 (rows,): the probability of the predicted class; `None` for numbers."""
        if self.probabilities is None:
            return None
        position = {label: index for index, label in enumerate(self.classes)}
        chosen = np.array([position[label] for label in self.prediction.tolist()], dtype=int)
        return self.probabilities[np.arange(len(self)), chosen]

    def prediction_sets(self) -> list[list[Any]]:
        """The classes of each row's prediction set, the most probable first."""
        if self.sets is None or self.probabilities is None:
            return []
        order = np.argsort(-self.probabilities, axis=1, kind="stable")
        return [[self.classes[index] for index in row if held[index]]
                for row, held in zip(order, self.sets, strict=True)]

    def to_frame(self) -> pl.DataFrame:
        """A data frame, one row a prediction: `row` (or `file`), `prediction`, then `confidence`, one
        `probability_<class>` each and `prediction_set` (a JSON list) for classes; `lower` and `upper` for numbers;
        `unlikeness` and its `p_value`. With a risk, `answer` follows the prediction: the same, or `unsure`."""
        columns: dict[str, Any] = {"row": np.arange(self.first_row, self.first_row + len(self))} if self.files is None \
            else {"file": self.files}
        columns["prediction"] = self.prediction.tolist()
        if self.answered is not None:
            columns["answer"] = [str(label) if sure else UNSURE for label, sure in zip(
                self.prediction.tolist(), self.answered, strict=True)]
        if self.probabilities is not None:
            columns["confidence"] = self.confidence
            columns |= {f"probability_{label}": self.probabilities[:, index]
                        for index, label in enumerate(self.classes)}
            columns["prediction_set"] = [json.dumps(one, ensure_ascii=False) for one in self.prediction_sets()]
        if self.lower is not None:
            columns |= {"lower": self.lower, "upper": self.upper}
        if self.unlikeness is not None:
            columns |= {"unlikeness": self.unlikeness, "p_value": self.p_value}
        return pl.DataFrame(columns, strict=False)

    def to_json(self) -> list[dict[str, Any]]:
        """One object a row, of plain values; an interval without end is `null`."""
        rows = []
        for record in self.to_frame().iter_rows(named=True):
            if "prediction_set" in record:
                record["prediction_set"] = json.loads(record["prediction_set"])
            rows.append({name: None if isinstance(value, float) and not np.isfinite(value) else value
                         for name, value in record.items()})
        return rows

    def to_csv(self, header: bool = True) -> str:
        """Comma-separated text."""
        out = io.BytesIO()
        self.to_frame().write_csv(out, include_header=header)
        return out.getvalue().decode("utf-8")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_json())

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()
