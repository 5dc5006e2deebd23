"""What would change an answer: few columns of a row with other values, and what the model says then."""
from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import polars as pl

from pellucid.core.part import shown

UNUSUAL = 0.05
"""From this p-value down, a changed row is called unlike the training rows."""
NEVER_LOCKED = ("Columns that nobody can change, such as an age, are changed too unless they are locked: "
                "--lock COLUMN.")


def answered(prediction: Any, probability: float | None) -> str:
    """An answer with its probability; more exactly where that is close to a half.

    Example:
        >>> answered("good", 0.62), answered("good", 0.504), answered(1234.5678, None)
        ('“good” (62 %)', '“good” (50.4 %)', '1235')
    """
    if probability is None:
        return shown(float(f"{prediction:.4g}"))
    digits = 1 if round(100 * probability) == 50 else 0
    return f"“{prediction}” ({100 * probability:.{digits}f} %)"


@dataclass(frozen=True)
class Change:
    """One column with another value.

    Args:
        column: its name.
        own: the cell as it is.
        instead: the cell as it would have to be, of the column's own type.
        size: how large the change is: numbers and dates by the spread of their column, 1 for another category.
    """

    column: str
    own: Any
    instead: Any
    size: float

    def __str__(self) -> str:
        return f"`{self.column}` been {shown(self.instead)} instead of {shown(self.own)}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = lambda cell: cell if cell is None or isinstance(cell, (bool, int, float, str)) else str(cell)  # noqa: E731
        return {"column": self.column, "own": plain(self.own), "instead": plain(self.instead), "size": self.size}


@dataclass(frozen=True)
class Alternative:
    """Changes that together lead to the wanted answer; the model was asked about the changed row.

    Args:
        changes: the largest first.
        prediction: what the model says of the changed row.
        probability: of that class; `None` for numbers.
        p_value: the share of training rows at least as unlike the others as the changed row; `None` where unknown.
        unusual: whether the changes make the row unlike the training rows.
    """

    changes: tuple[Change, ...]
    prediction: Any
    probability: float | None = None
    p_value: float | None = None
    unusual: bool = False

    def __str__(self) -> str:
        *others, last = map(str, self.changes)
        had = f"{', '.join(others)} and {last}" if others else last
        unusual = f" Such a row would be unlike the training rows, though (p = {self.p_value:.2g})."
        return f"Had {had}, the answer would be {answered(self.prediction, self.probability)}." + (
            unusual if self.unusual else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"changes": [one.to_json() for one in self.changes], "prediction": self.prediction,
                "probability": self.probability, "p_value": self.p_value, "unusual": self.unusual,
                "sentence": str(self)}


@dataclass(frozen=True)
class Changes:
    """What would change the answer for one row.

    Args:
        target: what is predicted.
        row: the number of the row in the data, counted from 0.
        prediction: the answer as it is.
        probability: of that class; `None` for numbers.
        wanted: the answer that is looked for, in words: `“good”`, `at least 20`, `any other answer`.
        most: how many columns could be changed.
        locked: columns that were kept.
        fixed: columns of kinds that are not changed: pictures, texts and the like.
        alternatives: fewest changes first; each has a column that those before it leave as it is.
        already: whether the answer is the wanted one as it is.
    """

    target: str
    row: int
    prediction: Any
    probability: float | None
    wanted: str
    most: int
    locked: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    already: bool = False

    @property
    def question(self) -> str:
        """What is asked, as a question."""
        return f"The answer is {answered(self.prediction, self.probability)}. What would make it {self.wanted}?"

    def sentences(self) -> tuple[str, ...]:
        """The alternatives in plain words, and what they hold for."""
        if self.already:
            return ("Nothing has to change: that is the answer already.",)
        few = "one column" if self.most == 1 else f"up to {self.most} columns"
        lines = tuple(map(str, self.alternatives)) or (
            f"No change of {few} within what the training rows held was found that does.",)
        kept = () if not self.locked else ("Kept as they are: " + ", ".join(f"`{one}`" for one in self.locked) + ".",)
        fixed = () if not self.fixed else (
            "Not tried: " + ", ".join(f"`{one}`" for one in self.fixed) + " (not a number, category, truth value or "
            "date).",)
        return (*lines, *kept, *fixed)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"target": self.target, "row": self.row, "prediction": self.prediction, "probability": self.probability,
                "wanted": self.wanted, "already": self.already, "most": self.most, "locked": list(self.locked),
                "fixed": list(self.fixed), "alternatives": [one.to_json() for one in self.alternatives]}

    def to_frame(self) -> pl.DataFrame:
        """One row for each change: `row`, `alternative`, `column`, `own`, `instead`, `size`, `prediction`."""
        rows = [{"row": self.row, "alternative": place, "column": change.column, "own": shown(change.own),
                 "instead": shown(change.instead), "size": change.size, "prediction": str(one.prediction)}
                for place, one in enumerate(self.alternatives) for change in one.changes]
        return pl.DataFrame(rows, schema={"row": pl.Int64, "alternative": pl.Int64, "column": pl.String,
                                          "own": pl.String, "instead": pl.String, "size": pl.Float64,
                                          "prediction": pl.String})

    def __repr__(self) -> str:
        return f"Changes(row {self.row}: {self.question} {' '.join(self.sentences())})"

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self.sentences())
        return f"<p><b>{html.escape(self.question)}</b></p><ul>{lines}</ul>"
