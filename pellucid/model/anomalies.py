"""Which rows are known to be anomalies, how good a ranking of rows is, and the answers of a detector."""
from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score, roc_auc_score

from pellucid.core.note import Note
from pellucid.errors import DataError, did_you_mean
from pellucid.features.targets import ClassTarget, fit_class_target

NORMAL_WORDS = ("normal", "ok", "good", "benign", "inlier", "regular", "healthy", "genuine", "legitimate", "no",
                "false", "0", "n")
ANOMALY_WORDS = ("anomaly", "anomalous", "abnormal", "outlier", "fraud", "attack", "intrusion", "fault", "faulty",
                 "defect", "defective", "bad", "malignant", "yes", "true", "1", "y")
MOST_CLASSES = 50
PREDICTIONS = ("normal", "anomaly")


@dataclass(frozen=True)
class AnomalyLabels:
    """The column that says which rows are anomalies, and which of its values do.

    Args:
        classes: how its values are read.
        anomalies: those that mean an anomaly, as text.
    """

    classes: ClassTarget
    anomalies: tuple[str, ...]

    @property
    def name(self) -> str:
        """The column."""
        return self.classes.name

    def read(self, column: pl.Series) -> np.ndarray:
        """float64 (rows,): 1 for an anomaly, 0 for a normal row, NaN where nothing is known."""
        codes = self.classes.encode(column)
        means = np.array([str(label) in self.anomalies for label in self.classes.classes], np.float64)
        return np.where(codes < 0, np.nan, means[np.maximum(codes, 0)])

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"classes": self.classes.to_json(), "anomalies": list(self.anomalies)}


def fit_labels(name: str, column: pl.Series, positive: str | None = None) -> AnomalyLabels:
    """Read which values of a column mean an anomaly: the one that is named; else by its words; else the rarer ones.

    Args:
        name: the column.
        column: its cells, null where nothing is known.
        positive: the value that means an anomaly, where the user names it.

    Raises:
        DataError: the column holds no value, too many different ones, or not the one that was named.

    Example:
        >>> fit_labels("state", pl.Series(["ok", "ok", "broken", "worn", None])).anomalies
        ('broken', 'worn')
    """
    classes = fit_class_target(name, column)
    words = [str(label) for label in classes.classes]
    if not words:
        raise DataError(f"The target `{name}` has no value in any row.", "leave the target out, or name another column")
    if len(words) > MOST_CLASSES:
        raise DataError(f"The target `{name}` holds {len(words):,} different values; to judge or to learn, it has to "
                        "say which rows are anomalies.", "name a column such as one of `normal` and `anomaly`")
    small = {word.lower(): word for word in words}
    if positive is not None:
        chosen = positive if positive in words else small.get(str(positive).strip().lower())
        if chosen is None:
            raise DataError(f"The positive class `{positive}` is not among the values of `{name}`.",
                            did_you_mean(str(positive), words))
        return AnomalyLabels(classes, (chosen,))
    telling = tuple(word for word in words if word.lower() in ANOMALY_WORDS)
    normal = [word for word in words if word.lower() in NORMAL_WORDS]
    if telling and (len(telling) < len(words) or len(words) == 1):
        return AnomalyLabels(classes, telling)
    if normal or len(words) == 1:
        return AnomalyLabels(classes, tuple(word for word in words if word not in normal) if len(words) > 1 else ())
    codes = classes.encode(column)
    most = int(np.bincount(codes[codes >= 0], minlength=len(words)).argmax())
    return AnomalyLabels(classes, tuple(word for place, word in enumerate(words) if place != most))


def judge_ranking(truth: np.ndarray, scores: np.ndarray, rate: float) -> dict[str, float | None]:
    """How well scores put anomalies before normal rows.

    Args:
        truth: (rows,) 1 for anomalies, 0 for normal rows.
        scores: (rows,) the higher, the stranger.
        rate: the share of normal rows that may be flagged, for the recall.

    Returns:
        `roc_auc`, `average_precision`, `recall_at_rate`; `None` unless there are both kinds of rows.
    """
    if len(np.unique(truth)) < 2:
        return {"roc_auc": None, "average_precision": None, "recall_at_rate": None}
    bar = np.quantile(scores[truth == 0], 1 - rate, method="higher")
    return {"roc_auc": float(roc_auc_score(truth, scores)),
            "average_precision": float(average_precision_score(truth, scores)),
            "recall_at_rate": float(np.mean(scores[truth == 1] > bar))}


def judge_flags(truth: np.ndarray, flagged: np.ndarray) -> dict[str, float | None]:
    """`recall`: the share of anomalies that are flagged; `false_alarm_rate`: that of normal rows."""
    share = lambda rows: float(np.mean(flagged[rows])) if rows.any() else None  # noqa: E731
    return {"recall": share(truth == 1), "false_alarm_rate": share(truth == 0)}


@dataclass(frozen=True)
class Reason:
    """A column that speaks for an anomaly.

    Args:
        column: its name.
        value: the row's cell, as text; empty where there is none.
        share: of what all columns say for an anomaly.
    """

    column: str
    value: str
    share: float

    def __str__(self) -> str:
        return f"{self.column} = {_short(self.value) or '(missing)'} ({self.share:.0%})"


def _short(value: str) -> str:
    """A cell for people: numbers with six digits, texts of at most 40 letters."""
    try:
        return f"{float(value):.6g}" if len(value) > 8 else value
    except ValueError:
        return value if len(value) <= 40 else value[:39] + "…"


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector says about rows.

    Args:
        score: float64 (rows,): how strange a row is; 0 is the middle of the training rows, 1 a quartile distance more.
        p_value: float64 (rows,): the share of left-out training rows that are at least as strange.
        false_alarms: rows whose p-value is no larger are called anomalies.
        reasons: the columns that speak most for an anomaly, the strongest first.
        notes: what was noticed about the rows.
    """

    score: np.ndarray
    p_value: np.ndarray
    false_alarms: float
    reasons: tuple[tuple[Reason, ...], ...]
    notes: tuple[Note, ...] = ()
    first_row: int = 0
    files: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.score)

    @property
    def flagged(self) -> np.ndarray:
        """bool (rows,): whether a row is called an anomaly."""
        return self.p_value <= self.false_alarms

    @property
    def prediction(self) -> np.ndarray:
        """(rows,) `"normal"` or `"anomaly"`."""
        return np.array(PREDICTIONS)[self.flagged.astype(int)]

    def to_frame(self) -> pl.DataFrame:
        """A data frame: `row` (or `file`), `prediction`, `score`, `p_value`, `reasons` in words."""
        where = {"row": np.arange(self.first_row, self.first_row + len(self))} if self.files is None else {
            "file": self.files}
        return pl.DataFrame({**where, "prediction": self.prediction.tolist(), "score": self.score,
                             "p_value": self.p_value,
                             "reasons": ["; ".join(map(str, own)) for own in self.reasons]})

    def to_json(self) -> list[dict[str, Any]]:
        """One object a row; `reasons` is a list of `column`, `value`, `share`."""
        rows = self.to_frame().iter_rows(named=True)
        return [row | {"reasons": [asdict(one) for one in own]} for row, own in zip(rows, self.reasons, strict=True)]

    def to_csv(self, header: bool = True) -> str:
        """Comma-separated text."""
        out = io.BytesIO()
        self.to_frame().write_csv(out, include_header=header)
        return out.getvalue().decode("utf-8")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_json())

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()


def labels_from_json(record: Mapping[str, Any]) -> AnomalyLabels:
    """Rebuild labels from `to_json`."""
    fields = {name: value for name, value in record["classes"].items() if name != "kind"}
    return AnomalyLabels(ClassTarget(**fields | {"classes": tuple(fields["classes"])}), tuple(record["anomalies"]))
