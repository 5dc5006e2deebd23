"""What is to be predicted: a class or a number."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.names import TASKS
from pellucid.errors import DataError, SettingsError, did_you_mean
from pellucid.features.normalise import moments
from pellucid.features.values import as_text, read_numbers, strip_cells

MAX_INTEGER_CLASSES = 10
READABLE = 0.9
Label = str | int | float | bool


@dataclass(frozen=True)
class ClassTarget:
    """A class out of a fixed list.

    Args:
        name: the target column.
        classes: the labels in their Python type (text of a file stays text), sorted.
        positive: of two classes, the one that scores speak of; None for more than two.
    """

    kind: ClassVar[str] = "class"
    name: str
    classes: tuple[Label, ...]
    positive: Label | None = None

    @property
    def positive_code(self) -> int | None:
        """The code of the positive class."""
        return None if self.positive is None else self.classes.index(self.positive)

    def encode(self, column: pl.Series) -> np.ndarray:
        """int32 codes (rows,); -1 where a label is missing or not among the classes."""
        words = [_word(label) for label in self.classes]
        text = as_text(column)
        if any(isinstance(label, bool) for label in self.classes):
            text = text.str.to_lowercase()
        codes = text.replace_strict(words, list(range(len(words))), default=-1, return_dtype=pl.Int32)
        return codes.fill_null(-1).to_numpy().astype(np.int32)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Labels (rows,) in their original type, as a NumPy array of that type (object where types are mixed)."""
        types = {type(label) for label in self.classes}
        labels = np.array(self.classes, dtype=None if len(types) == 1 else object)
        return labels[np.asarray(codes)]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": self.kind, **asdict(self), "classes": list(self.classes)}


@dataclass(frozen=True)
class NumberTarget:
    """A number, standardised for training.

    Args:
        name: the target column.
        center, scale: mean and standard deviation of the training targets.
        low, high: their range.
        decimal: the decimal mark of text cells.
    """

    kind: ClassVar[str] = "number"
    name: str
    center: float
    scale: float
    low: float
    high: float
    decimal: str = "."

    def read(self, column: pl.Series) -> np.ndarray:
        """Raw values, float64 (rows,), NaN where there is none."""
        return read_numbers(column, self.decimal).values

    def encode(self, column: pl.Series) -> np.ndarray:
        """Standardised values, float32 (rows,), NaN where there is none."""
        with np.errstate(over="ignore"):
            scaled = (self.read(column) / 2 - self.center / 2) / (self.scale / 2)
        return np.clip(scaled, -1e12, 1e12).astype(np.float32)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Raw values, float64 of the same shape."""
        return np.asarray(values, np.float64) * self.scale + self.center

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": self.kind, **asdict(self)}


def target_from_json(record: dict[str, Any]) -> ClassTarget | NumberTarget:
    """Rebuild a target from `to_json`."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if key != "kind"}
    return ClassTarget(**fields) if record["kind"] == ClassTarget.kind else NumberTarget(**fields)


def _word(label: Label) -> str:
    if isinstance(label, bool):
        return str(label).lower()
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _sorted_labels(column: pl.Series) -> list[Label]:
    cells = strip_cells(column).drop_nulls()
    if cells.dtype in (pl.Date, pl.Datetime):
        cells = as_text(cells)
    labels = cells.unique().to_list()
    if cells.dtype == pl.String and labels and all(label.isdecimal() for label in labels):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def recognise_target(name: str, column: pl.Series, task: str | None = None) -> tuple[str, str]:
    """Which task a target asks for, and why.

    Args:
        name: the target column, for messages.
        column: raw cells.
        task: the user's choice, which is kept if the column allows it.

    Returns:
        `("classify" | "regress", reason)`.

    Raises:
        SettingsError: unknown task.
        DataError: the target has no values, or cannot be read as numbers while the task is to regress.
    """
    if task is not None and task not in TASKS:
        raise SettingsError(f"Unknown task `{task}`.", did_you_mean(task, TASKS))
    fixed, cells = isinstance(column.dtype, pl.Enum), strip_cells(column).drop_nulls()
    if cells.len() == 0:
        raise DataError(f"The target `{name}` has no value in any row.", "choose another column as the target")
    read = None if cells.dtype == pl.Boolean else read_numbers(cells)
    readable = 0 if read is None else int(np.isfinite(read.values).sum())
    if task == "regress" and (readable < READABLE * cells.len()):
        raise DataError(f"The target `{name}` cannot be predicted as a number: only {readable:,} of {cells.len():,} "
                        f"cells are numbers.", "leave the task out, or pass task `classify`")
    if task is not None:
        return task, "as asked for"
    distinct = cells.n_unique()
    if fixed:
        return "classify", f"`{name}` holds {distinct:,} names of folders"
    if readable < READABLE * cells.len():
        return "classify", f"`{name}` holds {distinct:,} different words"
    values = read.values[np.isfinite(read.values)]
    different = len(np.unique(values))
    if different == 2:
        return "classify", f"`{name}` holds only two different numbers"
    if different <= MAX_INTEGER_CLASSES and (values == np.floor(values)).all():
        return "classify", (f"`{name}` holds only {different} different whole numbers; "
                            "pass task `regress` to predict it as a number")
    return "regress", f"`{name}` holds {different:,} different numbers"


def fit_class_target(name: str, column: pl.Series, *, positive: Label | None = None) -> ClassTarget:
    """The classes of a target column.

    Args:
        name: the target column.
        column: raw cells of all rows that have a target.
        positive: the positive one of two classes, as a label or its text; the rarer one when None.

    Raises:
        DataError: `positive` is none of the classes, or there are more than two classes.
    """
    labels = _sorted_labels(column)
    words = [_word(label) for label in labels]
    if positive is not None:
        wanted = _word(positive).strip()
        by_word = {word.lower(): label for word, label in zip(words, labels, strict=True)}
        by_word.update(zip(words, labels, strict=True))
        chosen = by_word.get(wanted, by_word.get(wanted.lower()))
        if chosen is None:
            raise DataError(f"The positive class `{positive}` is not among the classes of `{name}`.",
                            did_you_mean(wanted, words))
        if len(labels) > 2:
            raise DataError(f"`{name}` has {len(labels)} classes; a positive class is for two.", "leave `positive` out")
        return ClassTarget(name, tuple(labels), chosen)
    if len(labels) != 2:
        return ClassTarget(name, tuple(labels))
    codes = ClassTarget(name, tuple(labels)).encode(column)
    counts = np.bincount(codes[codes >= 0], minlength=2)
    return ClassTarget(name, tuple(labels), labels[0] if counts[0] < counts[1] else labels[1])


def fit_number_target(name: str, column: pl.Series) -> NumberTarget:
    """Center, scale and range of the training targets."""
    read = read_numbers(column)
    present = read.values[~np.isnan(read.values)]
    present = present if present.size else np.zeros(1)
    center, scale = moments(present)
    return NumberTarget(name, center, scale, float(present.min()), float(present.max()), read.decimal)
