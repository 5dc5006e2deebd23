"""The trained model of a forecast: a table with the past in, the steps to come out, each with an interval."""
from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.panel import Clock, Roles, Series, clock_from_json, read_panel
from pellucid.data.read import as_table
from pellucid.data.windows import Frame, Windows, cut
from pellucid.errors import DataError, SettingsError
from pellucid.explain.game import Question
from pellucid.model.base import AbstractModel
from pellucid.model.forecast_questions import questions
from pellucid.model.members import Members
from pellucid.uncertainty.conformal import check_coverage

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles that a network gives for each step."""
MIDDLE = LEVELS.index(0.5)
KEPT_SCORES = 400


@dataclass(frozen=True, eq=False)
class Spread:
    """How far the truth lay from the forecast on held-out windows, in parts of the network's own spread.

    Args:
        scores: float64 (horizon, up to 400), rising: |truth - median| / (half the distance of the outer quantiles).
        count: (horizon,) how many held-out windows there were.

    Source: Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018, locally weighted conformal inference.
    """

    scores: np.ndarray
    count: np.ndarray

    @classmethod
    def fit(cls, scores: np.ndarray) -> Spread:
        """Learn from scores (windows, horizon) with NaN where the truth is not known."""
        count = np.isfinite(scores).sum(axis=0)
        shares = (np.arange(KEPT_SCORES) + 1) / KEPT_SCORES
        kept = [np.quantile(own[np.isfinite(own)], shares, method="higher") if np.isfinite(own).any()
                else np.full(KEPT_SCORES, np.inf) for own in scores.T]
        return cls(np.array(kept), count)

    def factor(self, coverage: float) -> np.ndarray:
        """(horizon,): half the width of the interval in parts of the network's own spread; inf for want of windows."""
        share = np.ceil(coverage * (self.count + 1)) / np.maximum(self.count, 1)
        place = np.ceil(np.minimum(share, 1.0) * KEPT_SCORES).astype(int) - 1
        found = self.scores[np.arange(len(self.scores)), np.clip(place, 0, KEPT_SCORES - 1)]
        return np.where(share > 1, np.inf, found)


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is to come, step by step.

    Args:
        value: the column that is forecast.
        series: (rows,) the series of each row; empty for a single one.
        times: (rows,) dates as text, or numbers.
        steps: (rows,) how many steps ahead, from 1.
        prediction, lower, upper: float64 (rows,), the median and the interval at `coverage`.
        coverage: the share of intervals that are promised to hold the truth.
        notes: what was noticed about the data.
    """

    value: str
    series: tuple[str, ...]
    times: tuple[str | float | int, ...]
    steps: np.ndarray
    prediction: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coverage: float
    notes: tuple[Note, ...] = ()
    first_row: int = 0

    def __len__(self) -> int:
        return len(self.prediction)

    def to_frame(self) -> pl.DataFrame:
        """A data frame: `series` where there are several, `time`, `step`, `prediction`, `lower`, `upper`."""
        own = {"series": list(self.series)} if self.series else {}
        return pl.DataFrame({**own, "time": list(self.times), "step": self.steps, "prediction": self.prediction,
                             "lower": self.lower, "upper": self.upper})

    def to_json(self) -> list[dict[str, Any]]:
        """One object a step, of plain values; an interval without end is `null`."""
        return [{name: None if isinstance(value, float) and not np.isfinite(value) else value
                 for name, value in row.items()} for row in self.to_frame().iter_rows(named=True)]

    def to_csv(self, header: bool = True) -> str:
        """Comma-separated text."""
        out = io.BytesIO()
        self.to_frame().write_csv(out, include_header=header)
        return out.getvalue().decode("utf-8")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_json())

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()


@dataclass(frozen=True, eq=False)
class Forecaster(AbstractModel):
    """Networks that look at the last steps of a series and give the next ones.

    Args:
        roles: the columns of time, value and series.
        clock: how steps follow one another.
        frame: how windows are cut.
        season: steps of a cycle, 1 for none.
        scale: the mean error of repeating the last season on the training data: what errors are measured by.
        spread: how wide intervals have to be.
        members: the networks.
        coverage: promised unless another is asked for.

    Example:
        >>> model = pellucid.load("model.pellucid")  # doctest: +SKIP
        >>> model.predict("sunspots until today.csv").to_frame()  # doctest: +SKIP
    """

    tasks: ClassVar[tuple[str, ...]] = ("forecast",)
    questions_of: ClassVar[str] = "series"

    roles: Roles
    clock: Clock
    frame: Frame
    season: int
    scale: float
    spread: Spread
    members: Members
    coverage: float = 0.9
    features: tuple = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """`"forecast"`."""
        return "forecast"

    def quantiles(self, windows: Windows) -> np.ndarray:
        """float64 (members, windows, horizon, quantiles) on the network's scale."""
        outputs = self.members.outputs(network_inputs(windows)).astype(np.float64)
        return outputs.reshape(len(self.members), len(windows), self.frame.horizon, len(LEVELS))

    def answer(self, windows: Windows, coverage: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Median, lower and upper end of each window's steps, (windows, horizon), in raw units."""
        middle, half = middle_and_half(self.quantiles(windows).mean(axis=0))
        half = half * self.spread.factor(self.coverage if coverage is None else check_coverage(coverage))
        return tuple(windows.raw(values, self.frame) for values in (middle, middle - half, middle + half))

    def read(self, data: Any) -> tuple[tuple[Series, ...], list[Note]]:
        """The series of a table, as in training.

        Raises:
            DataError: a column is lacking, or every series is shorter than the window.
        """
        table = as_table(data)
        panel, _, notes = read_panel(table, self.roles, self.clock)
        if self.frame.logarithm and any((series.values <= 0).any() for series in panel):
            raise DataError(f"`{self.roles.value}` holds values of 0 or less; in training all were above 0.",
                            "train a new model on data with such values")
        short = [series for series in panel if len(series) < self.frame.length]
        if short and len(short) == len(panel):
            raise DataError(f"The series has {max(map(len, panel))} steps; the model looks at the last "
                            f"{self.frame.length}.", "give it the past as well as the latest rows")
        if short:
            notes.append(Note("short_series", f"{len(short)} series have fewer than {self.frame.length} steps and are "
                              f"not forecast, such as `{short[0].name}`.", count=len(short), severity="warning"))
        return tuple(series for series in panel if len(series) >= self.frame.length), [*table.notes, *notes]

    def predict(self, data: Any, *, coverage: float | None = None) -> Forecast:
        """The steps after the last one of each series in `data`, which holds the past.

        Args:
            data: a file or a table with the columns of training; at least as many steps as the model looks at.
            coverage: of the intervals; as in training when `None`.
        """
        panel, notes = self.read(data)
        last = [len(series) - 1 for series in panel]
        windows = cut(panel, self.clock, self.frame, first=last, last=last, known=False)
        middle, lower, upper = self.answer(windows, coverage)
        times = [self.clock.words(self.clock.after(series.times[-1], self.frame.horizon)) for series in panel]
        names = [series.name for series in panel for _ in range(self.frame.horizon)] if self.roles.series else []
        return Forecast(self.roles.value, tuple(names), tuple(time for own in times for time in own),
                        np.tile(np.arange(1, self.frame.horizon + 1), len(panel)), middle.reshape(-1),
                        lower.reshape(-1), upper.reshape(-1), self.coverage if coverage is None else coverage,
                        tuple(notes))

    def num_questions(self, data: Any) -> int:
        """How many series can be forecast."""
        return len(self.read(data)[0])

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each series: the forecast of the step `asked`, 1 for the next; see `explain`."""
        if instead_of is not None:
            raise SettingsError(f"`instead_of` was {instead_of!r}, but a forecast is a number.",
                                "leave instead_of out, and name a step with asked")
        return questions(self, data, asked)

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The quality of forecasts from every step of `data` that has enough past and future."""
        panel, _ = self.read(data)
        windows = cut(panel, self.clock, self.frame)
        if not len(windows):
            raise DataError(f"No series has {self.frame.length} + {self.frame.horizon} steps to judge a forecast by.",
                            "give longer series")
        middle, lower, upper = self.answer(windows)
        held = (lower <= windows.future) & (windows.future <= upper)
        known = np.isfinite(windows.future)
        return {"task": "forecast", "target": self.roles.value, "rows": len(windows), "left_out": 0,
                "metrics": errors_of(windows.future, middle, self.scale),
                "promise": {"coverage_promised": self.coverage, "coverage_measured": float(held[known].mean()),
                            "mean_interval_width": float(np.mean((upper - lower)[known]))}}

    def probe_inputs(self) -> dict[str, Any]:
        """Made-up windows."""
        generator = np.random.default_rng(0)
        width = self.frame.length + 2 * len(self.frame.calendar)
        return {"numbers": generator.standard_normal((16, width)).astype(np.float32),
                "codes": np.zeros((16, 0), np.int32)}

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """The scores behind the intervals."""
        return {"scores": self.spread.scores, "count": self.spread.count.astype(np.int64)}

    def to_record(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values."""
        return {**self.common_record(), "roles": asdict(self.roles), "clock": self.clock.to_json(),
                "frame": json.loads(json.dumps(asdict(self.frame))), "season": self.season, "scale": self.scale,
                "coverage": self.coverage}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Forecaster:
        """The model that a file holds."""
        frame = dict(record["frame"]) | {"calendar": tuple(record["frame"]["calendar"])}
        return cls(Roles(**record["roles"]), clock_from_json(record["clock"]), Frame(**frame), int(record["season"]),
                   float(record["scale"]), Spread(extra["scores"], extra["count"]), members,
                   float(record["coverage"]), (), record["settings"], record["metrics"], record["about"])

    def about_lines(self) -> Sequence[str]:
        """What is forecast."""
        return (f"Forecasts `{self.roles.value}` {self.frame.horizon} steps ahead (a step is a {self.clock.label}) "
                f"from the last {self.frame.length} steps.",)

    def __repr__(self) -> str:
        return (f"Forecaster(`{self.roles.value}`, {self.frame.horizon} steps ahead from the last "
                f"{self.frame.length}, {len(self.members)} networks)")


def network_inputs(windows: Windows) -> dict[str, np.ndarray]:
    """What the networks take."""
    return {"numbers": windows.numbers, "codes": np.zeros((len(windows), 0), np.int32)}


def middle_and_half(quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and half the distance of the outer quantiles, of (…, quantiles); never a width of 0."""
    ordered = np.sort(quantiles, axis=-1)
    return ordered[..., MIDDLE], np.maximum((ordered[..., -1] - ordered[..., 0]) / 2, 1e-6)


def errors_of(truth: np.ndarray, predicted: np.ndarray, scale: float) -> dict[str, float | None]:
    """The metrics of forecasts (windows, horizon) where the truth is known."""
    known = np.isfinite(truth)
    if not known.any():
        return {"mase": None, "mae": None, "rmse": None}
    error = (predicted - truth)[known]
    return {"mase": float(np.abs(error).mean() / scale), "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt(np.mean(error**2)))}
