"""What a run found, as one plain record: numbers, arrays and words, nothing to call."""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.explain.overall import Influence
from pellucid.model.compare import Difference
from pellucid.model.decision import DecisionReport
from pellucid.model.metrics import higher_is_better


@dataclass(frozen=True)
class Contender:
    """The network or a plain method, judged on the same rows.

    Attributes:
        name: "network", "logistic_regression", ...
        label: for people.
        metrics: by name; None where not defined.
        seconds: of fitting.
    """

    name: str
    label: str
    metrics: Mapping[str, float | None]
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """The result in words.

    Attributes:
        outcome: "beats", "on par", "worse", or "alone" where there is nothing to compare with.
        sentences: the first one says how the network compares with the best plain method.
        best: name of the best plain method.
        difference: network against the best plain method; None where not defined.
    """

    outcome: str
    sentences: tuple[str, ...]
    best: str | None = None
    difference: Difference | None = None

    @property
    def headline(self) -> str:
        """The first sentence."""
        return self.sentences[0]


@dataclass(frozen=True)
class Promise:
    """Whether sets or intervals kept their coverage on the test rows.

    Attributes:
        kind: "sets" or "intervals".
        promised: the coverage asked for.
        measured: share of test rows whose set or interval held the truth.
        low, high: 95 % interval of `measured`.
        rows: test rows.
        size: mean number of classes in a set, or mean width of the finite intervals.
        single: share of sets with one class only; None for intervals.
        infinite: share of intervals that are infinite, for want of rows; None for sets.
    """

    kind: str
    promised: float
    measured: float
    low: float
    high: float
    rows: int
    size: float
    single: float | None = None
    infinite: float | None = None


@dataclass(frozen=True)
class Honesty:
    """How far confidence and frequency lie apart, before or after calibration.

    Attributes:
        confidence, frequency, low, high, count: the reliability bins.
        calibration_error: expected calibration error.
        debiased_error: root mean squared calibration error without the bias of few rows.
        brier: Brier score.
    """

    confidence: np.ndarray
    frequency: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    calibration_error: float
    debiased_error: float
    brier: float


@dataclass(frozen=True)
class Curve:
    """The error by epoch.

    Attributes:
        epochs: -1 is the untrained network.
        training, validation: errors; nan where there is none.
        error: name of the loss.
        best: epochs whose weights were kept, one per member.
    """

    epochs: np.ndarray
    training: np.ndarray
    validation: np.ndarray
    error: str
    best: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ranking:
    """Which columns matter, the most influential first.

    Attributes:
        mean, low, high: (columns,) how much the metric worsens when the column is shuffled, and 95 % of the shuffles.
        metric: its name; repeats: shuffles of each column; rows: that were shuffled.
        influence: how far each column moves the answers; `None` where only shuffles are known.
    """

    columns: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    metric: str
    repeats: int
    rows: int
    influence: Influence | None = None


@dataclass(frozen=True)
class Roc:
    """The ROC curve of one class against the rest."""

    label: str
    false_alarms: np.ndarray
    hits: np.ndarray
    area: float


@dataclass(frozen=True)
class ClassEvidence:
    """What the figures of a classification are drawn from.

    Attributes:
        classes: names.
        confusion: (actual, predicted) number of test rows.
        rocs: one curve for two classes, else one for each of the most frequent.
        confidence, frequency, low, high, count: the reliability bins.
        calibration_error: expected calibration error.
        temperature: what the logits were divided by; None where they were not.
        before, after: calibration; None where it was not measured.
        method: of calibration, in words.
    """

    classes: tuple[str, ...]
    confusion: np.ndarray
    rocs: tuple[Roc, ...]
    confidence: np.ndarray
    frequency: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    calibration_error: float
    temperature: float | None = None
    before: Honesty | None = None
    after: Honesty | None = None
    method: str = ""


@dataclass(frozen=True)
class NumberEvidence:
    """What the figures of a regression are drawn from: at most 2,000 test rows, evenly drawn."""

    actual: np.ndarray
    predicted: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None


@dataclass(frozen=True)
class Cost:
    """Time and memory, predicted before and measured after; None where unknown.

    Attributes:
        predicted_seconds, seconds: of training.
        predicted_memory_mb, peak_memory_mb: memory.
        stages: seconds of each stage of the run, in order.
        iterations, batch_size: what the time was spent on.
    """

    predicted_seconds: float | None = None
    seconds: float | None = None
    predicted_memory_mb: float | None = None
    peak_memory_mb: float | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    iterations: int | None = None
    batch_size: int | None = None


@dataclass(frozen=True)
class NetworkPicture:
    """The network in words and pictures.

    Attributes:
        header, rows: a table, a row per layer.
        summary: one line, such as "20 inputs, 2 hidden layers of 64, 2 outputs; 5,570 weights; 8 members".
        drawing: an SVG document, or "".
        weights: (inputs, neurons) of the first layer; None where there are none.
        inputs: a name for each row of `weights`.
    """

    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    summary: str = ""
    drawing: str = ""
    weights: np.ndarray | None = None
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class SchemaRow:
    """One column of the data: what it was taken for, and why.

    Attributes:
        role: "feature", "target" or "unused".
        missing: number of missing values; distinct: of different ones.
    """

    name: str
    kind: str
    reason: str
    missing: int = 0
    distinct: int | None = None
    examples: tuple[str, ...] = ()
    role: str = "feature"


@dataclass(frozen=True)
class Chart:
    """A drawing with its title, what it shows for those who cannot see it, and how to read it.

    Attributes:
        svg: an SVG document, in which all text from the data is escaped; `report.canvas` and Matplotlib make such.
        wide: whether it takes the whole width of the page.
    """

    title: str
    svg: str
    alt: str
    reading: str
    wide: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of words and numbers; `numeric` columns are set to the right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Attributes:
        png: a PNG file as base64 text; `report.thumbnails` makes such.
        words: what stands below it.
        name: of its file, for those who look for it.
    """

    png: str
    words: str
    name: str = ""


@dataclass(frozen=True)
class Gallery:
    """Small pictures in a row."""

    title: str
    pictures: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class Section:
    """A part of the report that only some tasks have: sentences, drawings, pictures, tables; all may be empty."""

    title: str
    sentences: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    galleries: tuple[Gallery, ...] = ()


@dataclass(frozen=True)
class Result:
    """Everything that a report shows about one run.

    Attributes:
        title: such as "german_credit.csv → creditworthy".
        task: one of `core.names.TASKS`.
        metric: name of the metric that decides.
        rows: {"train": n, "validation": n, "test": n}.
        tested: how the test rows came about, as one sentence.
        network: the network's scores; baselines: those of the plain methods.
        notes: remarks about the data and the run.
        diagnosis: sentences about the training.
        command: how to repeat the run.
        versions: {"pellucid": "0.1.0", ...}.
        positive: the class that scores such as ROC AUC are about; None unless there are two.
        sections: what only this task has to show, in order.
    """

    title: str
    task: str
    target: str
    verdict: Verdict
    metric: str
    rows: Mapping[str, int]
    network: Contender
    baselines: tuple[Contender, ...] = ()
    tested: str = ""
    promise: Promise | None = None
    curve: Curve | None = None
    ranking: Ranking | None = None
    evidence: ClassEvidence | NumberEvidence | None = None
    decision: DecisionReport | None = None
    picture: NetworkPicture | None = None
    schema: tuple[SchemaRow, ...] = ()
    notes: tuple[Note, ...] = ()
    diagnosis: tuple[str, ...] = ()
    cost: Cost | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    positive: str | None = None
    created: str = ""
    sections: tuple[Section, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values: arrays become lists, numbers that are not finite become None."""
        return plain(self)

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """The network and the plain methods, the best by the deciding metric first."""
        sign = -1.0 if higher_is_better(self.metric) else 1.0

        def place(contender: Contender) -> float:
            value = contender.metrics.get(self.metric)
            return math.inf if value is None or math.isnan(value) else sign * value
        return tuple(sorted((self.network, *self.baselines), key=place))


def plain(value: Any) -> Any:
    """`value` as JSON values; a dataclass becomes a mapping of its fields.

    Example:
        >>> plain({"a": np.array([1.0, np.nan])})
        {'a': [1.0, None]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)
