"""The figures of the report, each from plain numbers to one SVG."""
from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pellucid.model.metrics import metrics
from pellucid.report import words
from pellucid.report.canvas import BLUE, COLOURS, FAINT, GREEN, INK, PAPER, VERMILION, drawing, logarithmic
from pellucid.report.result import ClassEvidence, Curve, NetworkPicture, NumberEvidence, Ranking

RASTER_ABOVE = 400
MOST_BARS = 15
MOST_INPUTS = 24
BLUES = LinearSegmentedColormap.from_list("blues", ["#eef4f9", "#7fb3d6", "#0072b2", "#003f66"])
DIVERGING = LinearSegmentedColormap.from_list("diverging", ["#a83f00", "#f0b58a", "#f7f7f7", "#8dbfe0", "#00527f"])


def short(text: str, most: int = 24) -> str:
    """`text` cut to `most` characters."""
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def training_curve(curve: Curve) -> str:
    """Training and validation error by epoch; the epochs whose weights were kept are marked."""
    with drawing("curve", 4.4, 2.9) as drawn:
        axes = drawn.axes
        axes.plot(curve.epochs, curve.training, color=BLUE, label="training rows")
        if np.isfinite(curve.validation).any():
            axes.plot(curve.epochs, curve.validation, color=VERMILION, label="held-out rows")
            for index, best in enumerate(curve.best):
                axes.axvline(best, color=GREEN, linewidth=1.0, linestyle=(0, (3, 3)), alpha=0.8,
                             label="weights kept" if index == 0 else None)
        known = np.concatenate([curve.training, curve.validation])
        known = known[np.isfinite(known)]
        if len(known) and known.min() > 0 and known.max() > 20 * known.min():
            logarithmic(axes, "y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch (−1: before training)", ylabel=f"error ({curve.error.replace('_', ' ')})")
        axes.legend(loc="upper right")
    return drawn.svg


def confusion(evidence: ClassEvidence) -> str:
    """Counts of actual against predicted classes, shaded by the share of the actual class."""
    counts, number = evidence.confusion, len(evidence.classes)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(2.5 + 0.28 * number, 7.5)
    with drawing("confusion", max(size, 3.4), max(size * 0.8, 2.6)) as drawn:
        axes = drawn.axes
        axes.imshow(share, cmap=BLUES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        if number <= 15:
            for row in range(number):
                for column in range(number):
                    axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center",
                              color="white" if share[row, column] > 0.45 else "#1b2430",
                              fontsize=10 if number <= 6 else 7.5)
        _class_ticks(axes, evidence.classes)
        axes.set(xlabel="predicted", ylabel="actual")
        axes.grid(False)
        axes.spines[:].set_visible(False)
    return drawn.svg


def _class_ticks(axes, classes: tuple[str, ...]) -> None:
    step = max(1, len(classes) // 20)
    places = list(range(0, len(classes), step))
    names = [short(classes[place], 12) for place in places]
    slanted = max(map(len, names)) * len(names) > 36
    axes.set_xticks(places, names, rotation=45 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(places, names)


def roc(evidence: ClassEvidence) -> str:
    """Hits against false alarms for every threshold."""
    with drawing("roc") as drawn:
        axes = drawn.axes
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle=(0, (4, 3)), linewidth=1.2, label="guessing")
        for colour, curve in zip(COLOURS, evidence.rocs, strict=False):
            axes.plot(curve.false_alarms, curve.hits, color=colour,
                      label=f"{short(curve.label, 16)}: {words.fixed(curve.area)}")
        _shares(axes, "false alarms", "hits")
        axes.legend(loc="lower right")
    return drawn.svg


def _shares(axes, across: str, up: str, start: float = 0.0) -> None:
    """Name the axes; both run from `start` to 100 %."""
    axes.set(xlabel=across, ylabel=up, xlim=(start - 0.02, 1.02), ylim=(start - 0.02, 1.02))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))


def reliability(evidence: ClassEvidence) -> str:
    """Confidence against the share of right answers, with 95 % intervals."""
    with drawing("reliability") as drawn:
        axes = drawn.axes
        before = evidence.before
        others = [] if before is None else [before.confidence, before.frequency]
        start = min(float(np.min(values, initial=0.4)) for values in (evidence.confidence, evidence.low, *others))
        axes.plot([start, 1], [start, 1], color=FAINT, linestyle=(0, (4, 3)), linewidth=1.2, label="perfectly honest")
        axes.vlines(evidence.confidence, evidence.low, evidence.high, color=BLUE, alpha=0.45, linewidth=1.5)
        if before is not None:
            axes.plot(before.confidence, before.frequency, "x", color=VERMILION, markersize=5,
                      label="before calibration")
        axes.plot(evidence.confidence, evidence.frequency, "o", color=BLUE, markersize=5,
                  label="test rows" if before is None else "after calibration")
        _shares(axes, "confidence", "answers that were right", start)
        axes.legend(loc="upper left")
    return drawn.svg


def predicted_against_actual(evidence: NumberEvidence) -> str:
    """Each test row as a point; on the line the prediction was right."""
    with drawing("predicted") as drawn:
        axes = drawn.axes
        both = np.concatenate([evidence.actual, evidence.predicted])
        ends = [both.min(), both.max()]
        if evidence.lower is not None and np.isfinite(evidence.lower).all():
            order = np.argsort(evidence.predicted)
            axes.fill_between(evidence.predicted[order], evidence.lower[order], evidence.upper[order], color=BLUE,
                              alpha=0.12, linewidth=0, label="promised interval", rasterized=len(order) > RASTER_ABOVE)
        axes.plot(ends, ends, color=VERMILION, linewidth=1.2, label="exactly right")
        _points(axes, evidence.predicted, evidence.actual)
        axes.set(xlabel="predicted", ylabel="actual")
        axes.legend(loc="upper left")
    return drawn.svg


def _points(axes, across: np.ndarray, up: np.ndarray) -> None:
    axes.plot(across, up, "o", color=BLUE, markersize=3.2 if len(up) <= RASTER_ABOVE else 2.4, markeredgewidth=0,
              alpha=0.55, rasterized=len(up) > RASTER_ABOVE)


def residuals(evidence: NumberEvidence) -> str:
    """What is left after the prediction: should look like a band around 0 without a pattern."""
    with drawing("residuals") as drawn:
        axes = drawn.axes
        axes.axhline(0, color=VERMILION, linewidth=1.2)
        _points(axes, evidence.predicted, evidence.actual - evidence.predicted)
        axes.set(xlabel="predicted", ylabel="actual − predicted")
    return drawn.svg


def influences(ranking: Ranking) -> str:
    """A bar per column: how far it moves the answer of a row on average, with 95 % intervals over rows."""
    found, number = ranking.influence, min(len(ranking.columns), MOST_BARS)
    factor = 100.0 if found.percent else 1.0
    with drawing("influences", 4.6, 0.85 + 0.25 * number) as drawn:
        axes, places = drawn.axes, np.arange(number)
        mean, low, high = (factor * np.asarray(values)[:number] for values in (found.mean, found.low, found.high))
        axes.barh(places, mean, height=0.62, color=BLUE)
        axes.hlines(places, low, high, color=INK, linewidth=1.0, alpha=0.75)
        axes.set_yticks(places, [short(name) for name in ranking.columns[:number]])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set(xlabel=short(f"moves the {found.unit} by", 48) + (" (points)" if found.percent else ""))
        axes.spines["left"].set_visible(False)
    return drawn.svg


def importances(ranking: Ranking) -> str:
    """A bar per column: how much worse the metric gets when the column is shuffled, with 95 % of the shuffles."""
    number = min(len(ranking.columns), MOST_BARS)
    with drawing("importances", 4.6, 0.85 + 0.25 * number) as drawn:
        axes, places = drawn.axes, np.arange(number)
        mean, low, high = (np.asarray(values)[:number] for values in (ranking.mean, ranking.low, ranking.high))
        clear = low > 0
        axes.barh(places, mean, height=0.62, color=[BLUE if one else FAINT for one in clear])
        axes.hlines(places, low, high, color=INK, linewidth=1.0, alpha=0.75)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(places, [short(name) for name in ranking.columns[:number]])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        metric = metrics[ranking.metric].label if ranking.metric in metrics else ranking.metric
        axes.set(xlabel=f"how much worse {metric} gets when shuffled")
        axes.spines["left"].set_visible(False)
    return drawn.svg


def first_layer(picture: NetworkPicture) -> str:
    """The weights from each input to each neuron of the first layer; the strongest inputs first."""
    weights = np.asarray(picture.weights, dtype=np.float64)
    order = np.argsort(-np.abs(weights).sum(axis=1), kind="stable")[:MOST_INPUTS]
    shown = weights[order]
    top = float(np.quantile(np.abs(shown), 0.995)) or 1.0
    with drawing("weights", 6.4, 1.0 + 0.19 * len(order)) as drawn:
        axes = drawn.axes
        image = axes.imshow(shown, cmap=DIVERGING, vmin=-top, vmax=top, aspect="auto", interpolation="nearest")
        names = picture.inputs or tuple(f"input {index}" for index in range(len(weights)))
        axes.set_yticks(range(len(order)), [short(names[index], 28) for index in order])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="neuron of the first hidden layer")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        bar = drawn.figure.colorbar(image, ax=axes, fraction=0.04, pad=0.02)
        bar.outline.set_edgecolor(PAPER)
        bar.set_label("weight")
    return drawn.svg
