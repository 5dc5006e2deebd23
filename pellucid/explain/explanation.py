"""An explanation: one prediction, its parts, and how much each of them speaks for it."""
from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.explain.faithfulness import Faithfulness
from pellucid.explain.game import Cell

SHOWN = 8


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why one prediction is what it is.

    Args:
        task, target: of the model.
        row: the number of the row in the data, counted from 0.
        prediction: the answer, a label or a number.
        asked: the class that is explained; `None` for numbers.
        instead_of: the class that it is compared with; `None` for "any other".
        unit: what `whole`, `empty` and contributions are measured in.
        whole: the answer with all parts known; empty: with none known, the starting point.
        parts: what was pointed at.
        contributions: float64 (parts,); above 0 speaks for the answer, below 0 against it.
        errors: float64 (parts,), their standard errors; 0 where they are exact.
        method: of `core.names.EXPLAIN_METHODS`.
        reason: why this method, in words.
        faithfulness: whether it can be relied on; `None` where that was not asked.
        percent: whether values are shares, shown in percentage points.
        notes: further sentences.
        cells: the cells of text, pictures and the like, by column, for drawing.
    """

    task: str
    target: str
    row: int
    prediction: Any
    unit: str
    whole: float
    empty: float
    parts: tuple[Part, ...]
    contributions: np.ndarray
    errors: np.ndarray
    method: str
    reason: str
    asked: Any = None
    instead_of: Any = None
    faithfulness: Faithfulness | None = None
    percent: bool = False
    notes: tuple[str, ...] = ()
    cells: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def difference(self) -> float:
        """What is explained: the answer less the starting point."""
        return self.whole - self.empty

    @property
    def completeness(self) -> float:
        """The gap between the sum of the contributions and the difference that they explain; ideally 0."""
        return float(self.contributions.sum() - self.difference)

    @property
    def order(self) -> np.ndarray:
        """The parts by falling size of their contributions."""
        return np.argsort(-np.abs(self.contributions), kind="stable")

    def amount(self, value: float, *, signed: bool = False) -> str:
        """A value in the unit of the answer, as people write it."""
        sign = "+" if signed else ""
        if self.percent:
            return f"{100 * value:{sign}.1f}".replace("-", "−") + (" points" if signed else " %")
        digits = max(2, 2 - int(np.floor(np.log10(max(abs(self.whole), abs(self.empty), 1e-9)))))
        return f"{value:{sign},.{min(digits, 6)}f}".replace("-", "−") if abs(self.whole) < 1000 else (
            f"{value:{sign},.0f}".replace("-", "−"))

    @property
    def question(self) -> str:
        """What is explained, as a question."""
        if self.asked is None:
            return f"Why {self.amount(float(self.prediction))}?" if _is_number(self.prediction) else (
                f"Why {self.prediction}?")
        rather = "" if self.instead_of is None else f" rather than “{self.instead_of}”"
        return f"Why “{self.asked}”{rather}?"

    def sentences(self) -> tuple[str, ...]:
        """The explanation in plain words."""
        lines = [f"The {self.unit} is {self.amount(self.whole)}; it would be {self.amount(self.empty)} if nothing were "
                 f"known of this row. The parts below make up the difference of "
                 f"{self.amount(self.difference, signed=True)}."]
        for sign, side in ((1, "for"), (-1, "against")):
            strongest = [place for place in self.order if sign * self.contributions[place] > 0][:3]
            if strongest:
                named = ", ".join(f"{self.parts[place]} ({self.amount(self.contributions[place], signed=True)})"
                                  for place in strongest)
                lines.append(f"Most speaks {side} it: {named}.")
        lines.append(f"All {len(self.parts)} parts sum to {self.amount(self.contributions.sum(), signed=True)} "
                     f"({self._gap()}).")
        if self.faithfulness is not None:
            lines.append(self.faithfulness.verdict)
        return (*lines, *self.notes)

    def _gap(self) -> str:
        gap = self.amount(self.completeness, signed=True)
        return f"the difference but for {gap}" if any(digit in "123456789" for digit in gap) else (
            "the difference, to the digits shown")

    def to_json(self) -> dict[str, Any]:
        """Plain values, the strongest part first."""
        parts = [{**self.parts[place].to_json(), "contribution": float(self.contributions[place]),
                  "error": float(self.errors[place])} for place in self.order]
        return {"task": self.task, "target": self.target, "row": self.row, "prediction": self.prediction,
                "asked": self.asked, "instead_of": self.instead_of, "unit": self.unit, "whole": self.whole,
                "empty": self.empty, "parts": parts, "sum_of_parts": float(self.contributions.sum()),
                "completeness": self.completeness, "method": self.method, "reason": self.reason,
                "faithfulness": None if self.faithfulness is None else self.faithfulness.to_json(),
                "notes": list(self.notes)}

    def to_frame(self) -> pl.DataFrame:
        """One row for each part, the strongest first."""
        chosen = [self.parts[place] for place in self.order]
        return pl.DataFrame({
            "row": [self.row] * len(chosen), "column": [part.column for part in chosen],
            "part": [part.name for part in chosen], "value": [part.value for part in chosen],
            "contribution": self.contributions[self.order], "error": self.errors[self.order]},
            schema_overrides={"column": pl.String, "part": pl.String, "value": pl.String, "row": pl.Int64})

    def __repr__(self) -> str:
        strongest = ", ".join(f"{self.parts[place]} {self.amount(self.contributions[place], signed=True)}"
                              for place in self.order[:3])
        return f"Explanation(row {self.row}: {self.question} {strongest}, …)"

    def _repr_html_(self) -> str:
        head = html.escape(self.question)
        body = "".join(f"<li>{html.escape(str(self.parts[place]))}: "
                       f"{html.escape(self.amount(self.contributions[place], signed=True))}</li>"
                       for place in self.order[:SHOWN])
        words = "".join(f"<p>{html.escape(line)}</p>" for line in self.sentences())
        return f"<p><b>{head}</b></p><ol>{body}</ol>{words}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
