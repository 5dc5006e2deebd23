"""What more data would bring, as a record, in words, and as one self-contained page."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pellucid.core.files import write_atomically
from pellucid.model.metrics import higher_is_better, metrics
from pellucid.report import views, words
from pellucid.report.canvas import BLUE, GREEN, INK, VERMILION, drawing, logarithmic
from pellucid.report.result import plain
from pellucid.uncertainty.learning_curve import LearningCurve

COVERAGE = 0.9
FACTORS = (2, 4, 10)
HARDLY, CLEARLY = 0.02, 0.03
"""Of the error: a gain below the first is hardly worth it, one surely above the second clearly is."""


@dataclass(frozen=True, eq=False)
class Growth:
    """How quality grows with the number of rows.

    Args:
        source: the data.
        task: "classify" or "regress".
        target: the column that is predicted.
        metric: what is measured.
        sizes: int (points,), training rows.
        scores: float64 (points, repeats), the metric on test rows.
        curve: of the error, that is 1 less the metric where more of it is better.
        noise: of the share of wrong answers (classes) or the typical error (numbers), whose floor bounds the noise.
        test_rows: of each repeat.
        seconds: what it took.
    """

    source: str
    task: str
    target: str
    metric: str
    sizes: np.ndarray
    scores: np.ndarray
    curve: LearningCurve
    noise: LearningCurve
    test_rows: int
    seconds: float

    @property
    def rows(self) -> int:
        """The most training rows that were measured."""
        return int(self.sizes[-1])

    def forecast(self, rows: float) -> dict[str, float]:
        """The score that is expected at so many training rows: `score`, and its 90 % interval `low`, `high`."""
        middle, low, high = self._as_scores(self.curve.interval(rows, COVERAGE))
        return {"rows": rows, "score": middle, "low": low, "high": high}

    def gain(self, rows: float) -> dict[str, float]:
        """How much better it would be than now, at least 0 where it is better: `gain`, `low`, `high`."""
        middle, low, high = self.curve.gain(rows, COVERAGE)
        return {"rows": rows, "gain": middle, "low": low, "high": high}

    def limit(self) -> dict[str, float]:
        """The score with endlessly many rows like these."""
        middle, low, high = self._as_scores(self.curve.floor_interval(COVERAGE))
        return {"score": middle, "low": low, "high": high}

    def label_noise(self) -> dict[str, float]:
        """What no rows can teach: the share of wrong answers, or the typical error, that would remain. The noise of the
        labels can be no larger than that; `most` is the upper end of its 90 % interval."""
        middle, low, high = self.noise.floor_interval(COVERAGE)
        return {"remaining": middle, "low": low, "most": high}

    def _as_scores(self, found: tuple[float, float, float]) -> tuple[float, float, float]:
        middle, low, high = found
        return (1 - middle, 1 - high, 1 - low) if higher_is_better(self.metric) else found

    @property
    def verdict(self) -> str:
        """Whether more data would help, in one sentence."""
        error, twice = float(self.curve.measured[-1]), self.gain(2 * self.rows)
        if twice["low"] > CLEARLY * error:
            return "More data would help."
        if twice["high"] < 2 * HARDLY * error or twice["gain"] < HARDLY * error:
            return "More rows like these would hardly help; better columns or cleaner labels would."
        return "More data would probably help a little; how much is uncertain."

    def sentences(self) -> tuple[str, ...]:
        """The result in plain words."""
        label = metrics[self.metric].label
        now, twice, gain = float(self.scores[-1].mean()), self.forecast(2 * self.rows), self.gain(2 * self.rows)
        fitted = self._as_scores((float(np.median(self.curve.curves(self.rows))),) * 3)[0]
        better = "higher" if higher_is_better(self.metric) else "lower"
        return (
            self.verdict,
            f"With {self.rows:,} training rows, {label} was {words.score(self.metric, now)} in the test, and is "
            f"{words.score(self.metric, fitted)} on the fitted curve. With twice as many it would be about "
            f"{words.score(self.metric, twice['score'])} (90 % interval "
            f"{words.score(self.metric, twice['low'])} to {words.score(self.metric, twice['high'])}): "
            f"{_signed(gain['gain'])} {better} ({_signed(gain['low'])} to {_signed(gain['high'])}).",
            self._limit_words(label), self._noise_words())

    def _limit_words(self, label: str) -> str:
        limit = self.limit()
        return (f"Endlessly many rows like these would bring it to about {words.score(self.metric, limit['score'])} "
                f"({words.score(self.metric, limit['low'])} to {words.score(self.metric, limit['high'])}): the further "
                "ahead, the less is known.")

    def _noise_words(self) -> str:
        found = self.label_noise()
        if self.task == "classify":
            shown, what = words.percent, "wrong labels"
            left = f"About {shown(found['remaining'])} of the answers would stay wrong however many rows there were"
        else:
            shown, what = words.number, "noise in the target"
            left = f"A typical error of about {shown(found['remaining'])} would stay however many rows there were"
        return (f"{left} ({shown(found['low'])} to {shown(found['most'])}). Part of that is what these columns do not "
                f"tell, the rest would be {what}, of which the curve allows up to {shown(found['most'])}.")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return plain({
            "data": self.source, "task": self.task, "target": self.target, "metric": self.metric,
            "verdict": list(self.sentences()), "points": [
                {"rows": int(size), "score": float(own.mean()), "scores": own.tolist()}
                for size, own in zip(self.sizes, self.scores, strict=True)],
            "forecasts": [self.forecast(factor * self.rows) | {f"gain_{name}".replace("gain_gain", "gain"): value
                          for name, value in self.gain(factor * self.rows).items() if name != "rows"}
                          for factor in FACTORS],
            "limit": self.limit(), "label_noise": self.label_noise(), "coverage": COVERAGE,
            "families": self.curve.families, "test_rows": self.test_rows, "seconds": self.seconds})

    def report(self, path: str | Path) -> Path:
        """Write the page, one self-contained HTML file."""
        write_atomically(path, render(self))
        return Path(path)

    def __str__(self) -> str:
        return "\n".join(self.sentences())

    def __repr__(self) -> str:
        return f"Growth({self.source} → {self.target}: {self.verdict})"

    def _repr_html_(self) -> str:
        return f"{drawn(self)}" + "".join(f"<p>{escape(line)}</p>" for line in self.sentences())


def _signed(value: float) -> str:
    return words.number(value if abs(value) >= 5e-5 else 0.0, 2)


def drawn(growth: Growth) -> str:
    """The measured scores, the curve through them and its 90 % interval on to four times the rows, as an SVG."""
    reach = np.geomspace(growth.sizes[0], 4 * growth.rows, 40)
    ends = np.array([[one["score"], one["low"], one["high"]] for one in map(growth.forecast, reach)])
    ahead = reach >= growth.rows
    with drawing("growth", 6.4, 3.6) as picture:
        axes = picture.axes
        axes.fill_between(reach, ends[:, 1], ends[:, 2], color=BLUE, alpha=0.13, linewidth=0, label="90 % interval")
        axes.plot(reach, ends[:, 0], color=BLUE, label="fitted curve")
        axes.plot(np.repeat(growth.sizes, growth.scores.shape[1]), growth.scores.ravel(), "o", color=INK,
                  markersize=2.5, alpha=0.35)
        axes.plot(growth.sizes, growth.scores.mean(axis=1), "o", color=INK, markersize=4.5, label="measured")
        axes.axvline(growth.rows, color=VERMILION, linewidth=1.0, linestyle=(0, (3, 3)))
        axes.axvline(2 * growth.rows, color=GREEN, linewidth=1.0, linestyle=(0, (3, 3)), label="twice the data")
        axes.plot(reach[ahead], ends[ahead, 0], color=BLUE, linewidth=2.6)
        logarithmic(axes, "x")
        axes.set_xticks(sorted({*growth.sizes[::2].tolist(), growth.rows, 4 * growth.rows}))
        axes.set(xlabel="training rows", ylabel=metrics[growth.metric].label)
        axes.legend(loc="lower right" if higher_is_better(growth.metric) else "upper right")
    return picture.svg


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("pellucid.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
                       undefined=StrictUndefined)


def render(growth: Growth) -> str:
    """One HTML page that needs nothing else: no script, no request."""
    css = files("pellucid.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    metric = growth.metric
    points = [(f"{size:,}", words.score(metric, float(own.mean())), words.score(metric, float(own.min())),
               words.score(metric, float(own.max()))) for size, own in zip(growth.sizes, growth.scores, strict=True)]
    ahead = [(f"{factor} × as many", words.score(metric, one["score"]), words.score(metric, one["low"]),
              words.score(metric, one["high"])) for factor, one in (
                  (factor, growth.forecast(factor * growth.rows)) for factor in FACTORS)]
    label = metrics[metric].label
    figure = views.figure(
        "Quality by the number of training rows", drawn(growth), f"Learning curve: {growth.sentences()[1]}",
        "Each small point is one training on that many rows, judged on test rows that no training saw; the large "
        "points are their means. The band holds 90 % of the curves that explain the points; to the right of the orange "
        "line it is a forecast.", "wide")
    return _environment().get_template("growth.html").render(
        title=f"{growth.source} → {growth.target}", css=Markup(css), sentences=growth.sentences(),  # noqa: S704 – ours
        figure=figure, gloss=f"{label}: {metrics[metric].gloss}.",
        points=views.Table(("training rows", label, "least", "most"), views.rows_of(points), (0, 1, 2, 3)),
        ahead=views.Table(("rows", f"{label}, about", "from", "to"), views.rows_of(ahead), (1, 2, 3)))
