"""Tables and captioned figures as the templates take them, made from a result."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pellucid.model.metrics import metrics, metrics_of
from pellucid.report import figures, words
from pellucid.report.result import ClassEvidence, Cost, NumberEvidence, Ranking, Result, SchemaRow
from pellucid.report.terminal import best_of, shown_metrics


@dataclass(frozen=True)
class Row:
    """Cells, and which of them are the best of their column."""

    cells: tuple[str, ...]
    best: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table; `numeric` columns are set to the right, `strong` rows stand out."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: tuple[int, ...] = ()
    strong: tuple[int, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A picture with its title, what it shows for those who cannot see it, and how to read it."""

    title: str
    svg: Markup
    alt: str
    reading: str
    shape: str = ""


def figure(title: str, svg: str, alt: str, reading: str, shape: str = "") -> Figure:
    """A figure from an SVG that `report.figures` drew."""
    return Figure(title, Markup(svg), alt, reading, shape)  # noqa: S704 – drawn here, all text in it is escaped


def rows_of(cells: Sequence[Sequence[object]]) -> tuple[Row, ...]:
    """Rows of plain cells."""
    return tuple(Row(tuple(str(cell) for cell in row)) for row in cells)


def contenders(result: Result, names: Sequence[str] | None = None) -> Table:
    """The network and the plain methods with their metrics and the seconds that fitting took."""
    names = shown_metrics(result) if names is None else tuple(names)
    best = {name: best_of(result, name) for name in names}
    rows = [Row((one.label, *(words.score(name, one.metrics.get(name)) for name in names),
                 words.seconds(one.seconds)),
                tuple(index + 1 for index, name in enumerate(names) if one.name in best[name]))
            for one in result.contenders]
    header = ("method", *(metrics[name].label for name in names), "time to fit")
    strong = tuple(index for index, one in enumerate(result.contenders) if one is result.network)
    return Table(header, tuple(rows), tuple(range(1, len(header))), strong)


def more_metrics(result: Result) -> Table | None:
    """All metrics of the task, where the short table leaves some out."""
    names = [name for name in metrics_of(result.task) if result.network.metrics.get(name) is not None]
    return contenders(result, names) if set(names) - set(shown_metrics(result)) else None


def glossary(result: Result) -> list[tuple[str, str]]:
    """The metrics of the short table, each with what it means."""
    return [(metrics[name].label, metrics[name].gloss + (
        f" (here for the class “{result.positive}”)" if name == "roc_auc" and result.positive else ""))
        for name in shown_metrics(result)] + [("●", "best of the column")]


def curve(result: Result) -> Figure | None:
    """How the error fell."""
    found = result.curve
    if found is None or not len(found.epochs):
        return None
    held_out = bool(np.isfinite(found.validation).any())
    kept = " The dashed lines mark the epochs whose weights were kept, one for each member of the network." if (
        len(found.best) > 1) else " The dashed line marks the epoch whose weights were kept." if found.best else ""
    return figure(
        "Error by epoch", figures.training_curve(found),
        f"Line chart: training error from {words.number(found.training[0])} to {words.number(found.training[-1])}"
        f" over {words.count(len(found.epochs) - 1, 'epoch')}.",
        "An epoch is one pass over the training rows. The error should fall." + (
            " Where the orange line turns up while the blue one keeps falling, the network begins to learn its rows by "
            "heart (over-fitting)." + kept if held_out else ""))


def quality(result: Result) -> list[Figure]:
    """Where the answers are right and wrong."""
    evidence = result.evidence
    if isinstance(evidence, ClassEvidence):
        return _class_figures(evidence)
    return _number_figures(evidence) if isinstance(evidence, NumberEvidence) else []


def _class_figures(evidence: ClassEvidence) -> list[Figure]:
    right, total = int(np.trace(evidence.confusion)), int(np.sum(evidence.confusion))
    found = [figure(
        "Actual and predicted classes", figures.confusion(evidence),
        f"Confusion matrix: {right:,} of {total:,} test rows on the diagonal.",
        "Each row of the picture is what was true, each column what the network said. Numbers on the diagonal are "
        "right answers; the darker, the larger the share of that row.")]
    if evidence.rocs:
        found.append(figure(
            "Hits and false alarms", figures.roc(evidence),
            "ROC curve; area " + ", ".join(f"{one.label} {words.fixed(one.area)}" for one in evidence.rocs) + ".",
            "The curve shows, for every possible threshold, how many cases of the class are found (up) at the price of "
            "how many false alarms (right). The closer to the upper left corner, the better; the number is the area "
            "below the curve."))
    tempered = "" if evidence.temperature is None else (
        f" Confidence was adjusted on held-out rows by {evidence.method or 'one number'} (temperature "
        f"{words.number(evidence.temperature)}).")
    if evidence.before is not None and evidence.after is not None:
        tempered += (f" Before, they lay {words.number(100 * evidence.before.calibration_error, 2)} points apart. The "
                     f"Brier score, the mean squared distance of probability and truth, was "
                     f"{words.fixed(evidence.before.brier)} before and is {words.fixed(evidence.after.brier)} after; "
                     "without what chance alone would show, the typical distance was "
                     f"{words.number(100 * evidence.before.debiased_error, 2)} and is "
                     f"{words.number(100 * evidence.after.debiased_error, 2)} points.")
    found.append(figure(
        "Does confidence mean what it says?", figures.reliability(evidence),
        f"Reliability plot: calibration error {words.percent(evidence.calibration_error)}.",
        "Points on the dashed line are honest: of the answers given with 80 % confidence, 80 % are right. Below the "
        "line the network is too sure, above it too modest. The bars are 95 % intervals: few rows, long bars. "
        f"On average they lie {words.number(100 * evidence.calibration_error, 2)} percentage points apart."
        + tempered))
    return found


def _number_figures(evidence: NumberEvidence) -> list[Figure]:
    shown = words.count(len(evidence.actual), "test row")
    band = " The blue band is the promised interval." if evidence.lower is not None and np.isfinite(
        evidence.lower).all() else ""
    return [
        figure("Predicted and actual", figures.predicted_against_actual(evidence),
               f"Scatter plot of {shown}: predicted against actual value.",
               "Each point is a test row. On the orange line the prediction was exactly right; the further above or "
               "below it, the more it was too low or too high." + band),
        figure("What is left over", figures.residuals(evidence),
               f"Scatter plot of {shown}: predicted value against what is left of the actual value.",
               "A level, even band around 0 is good. A bend shows something that the network has not learned; a "
               "funnel shows that some predictions are less certain than others."),
    ]


def ranking(result: Result) -> list[Figure]:
    """Which columns matter: how far each moves the answers, and what is lost without it."""
    found = result.ranking
    if found is None or not found.columns:
        return []
    return [*([] if found.influence is None else [_influence(found)]), _lost(result)]


def _influence(found: Ranking) -> Figure:
    own, shown = found.influence, min(len(found.columns), figures.MOST_BARS)
    rest = "" if shown == len(found.columns) else f" The {shown} strongest of {len(found.columns)} are shown."
    factor, unit = (100.0, " points") if own.percent else (1.0, "")
    return figure(
        "How far each column moves the answer", figures.influences(found),
        "Bar chart: " + ", ".join(f"{name} {words.number(factor * value, 2)}{unit}" for name, value in zip(
            found.columns[:5], own.mean, strict=False)) + ".",
        f"The answers for {words.count(own.rows, 'test row')} were each taken apart into what every column adds or "
        "takes away. The bar is how much that is on average, whichever way; the thin line is its 95 % interval over "
        "rows." + rest)


def _lost(result: Result) -> Figure:
    found = result.ranking
    shown = min(len(found.columns), figures.MOST_BARS)
    over = words.count(found.rows or result.rows.get("test", 0), "test row")
    rest = "" if shown == len(found.columns) else f" The {shown} most important of {len(found.columns)} are shown."
    return figure(
        "What is lost without a column", figures.importances(found),
        "Bar chart: " + ", ".join(f"{name} {words.number(value, 2)}" for name, value in zip(
            found.columns[:5], found.mean, strict=False)) + ".",
        f"Each column was shuffled {found.repeats} times over {over}; the bar is how "
        "much worse the network then got, the thin line holds 95 % of such shuffles. A grey bar may be chance." + rest)


def first_layer(result: Result) -> Figure | None:
    """The weights of the first layer as a picture."""
    picture = result.picture
    if picture is None or picture.weights is None or not np.size(picture.weights):
        return None
    inputs, neurons = np.shape(picture.weights)
    most = figures.MOST_INPUTS
    shown = "" if inputs <= most else f" The {most} strongest of {inputs} inputs are shown."
    return figure(
        "Weights of the first layer", figures.first_layer(picture),
        f"Heat map of {inputs} inputs by {neurons} neurons.",
        "Each row is an input, each column a neuron of the first hidden layer. Blue weights raise the neuron when the "
        "input rises, orange ones lower it; pale ones hardly count. Inputs with the strongest weights come "
        "first." + shown,
        "wide")


def schema(rows: Sequence[SchemaRow]) -> Table | None:
    """The columns of the data."""
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: {"target": 0, "feature": 1}.get(row.role, 2))
    cells = [(row.name, {"feature": row.kind, "target": f"{row.kind} (target)"}.get(row.role, f"{row.kind} (unused)"),
              row.reason, f"{row.missing:,}", "–" if row.distinct is None else f"{row.distinct:,}",
              ", ".join(figures.short(example, 20) for example in row.examples[:3])) for row in ordered]
    return Table(("column", "type", "why", "missing", "different", "examples"), rows_of(cells), (3, 4),
                 tuple(index for index, row in enumerate(ordered) if row.role == "target"))


def cost(found: Cost | None) -> list[Table]:
    """Time and memory, predicted and measured; then the stages of the run."""
    if found is None:
        return []
    rows = [("training time", words.seconds(found.predicted_seconds), words.seconds(found.seconds)),
            ("memory", words.megabytes(found.predicted_memory_mb), words.megabytes(found.peak_memory_mb))]
    if found.iterations:
        rows.append(("iterations", "–", f"{found.iterations:,}"))
    if found.batch_size:
        rows.append(("rows per iteration", "–", f"{found.batch_size:,}"))
    tables = [Table(("", "predicted", "measured"), rows_of(rows), (1, 2))]
    if found.stages:
        stages = [(name, words.seconds(value)) for name, value in found.stages.items()]
        tables.append(Table(("stage", "time"), rows_of(stages), (1,)))
    return tables
