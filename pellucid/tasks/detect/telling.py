"""What a detector found: the network beside plain methods where rows are known, what stands out, and the report."""
from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from pellucid.core.note import Note
from pellucid.model.anomalies import Detections, judge_flags, judge_ranking
from pellucid.model.detector import Detector
from pellucid.report import words
from pellucid.report.canvas import BLUE, FAINT, INK, VERMILION, drawing, logarithmic
from pellucid.report.result import Chart, Contender, Grid, Result, SchemaRow, Section, Verdict
from pellucid.report.verdict import compare_with_best, write_verdict
from pellucid.tasks.detect.learn import Learned
from pellucid.tasks.detect.plain import LABELS, Plain
from pellucid.tasks.detect.prepare import Prepared
from pellucid.tasks.job import Finished, Order
from pellucid.tasks.telling import cost_of, curve_of, metrics_of_run, picture_of, versions

MOST_SHOWN = 20
FEW_SHOWN = 5
CURVE_POINTS = 400


@dataclass(frozen=True, eq=False)
class Evidence:
    """What network and plain methods said of rows that they did not learn from.

    Args:
        truth: (rows,) 1 for anomalies, 0 for normal rows; only known ones.
        scores, flagged: (rows,) of the network.
        plain: of the plain methods, by name.
        way: how the rows came about, as a sentence.
    """

    truth: np.ndarray
    scores: np.ndarray
    flagged: np.ndarray
    plain: Mapping[str, Plain] = field(default_factory=dict)
    way: str = ""


def tell(order: Order, prepared: Prepared, learned: Learned, evidence: Evidence | None, found: Detections,
         rows: Mapping[str, int]) -> Finished:
    """The model with its metrics, and everything the report shows.

    Args:
        order: what was asked for.
        prepared: the table.
        learned: the detector.
        evidence: of known rows; `None` where nothing is known.
        found: what the detector says of all rows of the table.
        rows: how many were for training and for the test.
    """
    model, seconds = learned.model, learned.outcome.seconds + learned.outcome.compile_seconds
    network, plain, verdict, metric = _judgement(prepared, model, evidence, found, seconds)
    result = Result(
        title=order.table.source + (f" → {order.target}" if order.target else ""), task="detect",
        target=order.target or "", verdict=verdict, metric=metric, rows=rows, network=network, baselines=plain,
        tested=evidence.way if evidence else "No column says which rows are anomalies, so nothing was tested.",
        curve=curve_of(learned.outcome, "surprise for each number"), picture=picture_of(model),
        sections=_sections(prepared, model, evidence, found), schema=_schema(prepared),
        notes=(*order.notes, *prepared.notes),
        cost=cost_of(learned.outcome, order.stages, model.settings["batch_size"]), settings=model.settings,
        command=order.command, versions=versions(), positive="anomaly" if evidence else None,
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    metrics = metrics_of_run(result) | {"detect": {
        "false_alarms": model.false_alarms, "flagged": int(found.flagged.sum()), "rows": len(found),
        "strangest": [int(row) for row in np.argsort(-found.score, kind="stable")[:MOST_SHOWN]]}}
    about = {"versions": versions(), "created": result.created, "data": order.table.source, "rows": dict(rows)}
    return Finished(model.with_metrics(metrics, about), result, metrics, learned.outcome.history,
                    learned.outcome.ending, model.settings)


def _judgement(prepared: Prepared, model: Detector, evidence: Evidence | None, found: Detections,
               seconds: float) -> tuple[Contender, tuple[Contender, ...], Verdict, str]:
    """The network and the plain methods, the verdict, and the metric that decides."""
    share = float(found.flagged.mean())
    count = int(found.flagged.sum())
    stands = (f"{words.count(count, 'row')} of {len(found):,} stand{'s' if count == 1 else ''} out, stranger than "
              f"{words.percent(1 - model.false_alarms, 2)} of the left-out training rows.")
    if evidence is None:
        network = Contender("network", "this network", {"flagged": share}, seconds)
        first = _first(found)
        return network, (), Verdict("alone", (stands, *first)), "flagged"
    rate = model.false_alarms
    metrics = judge_ranking(evidence.truth, evidence.scores, rate) | judge_flags(evidence.truth, evidence.flagged)
    network = Contender("network", "this network", metrics, seconds)
    plain = tuple(Contender(name, LABELS[name], judge_ranking(evidence.truth, one.scores, rate), one.seconds)
                  for name, one in evidence.plain.items())
    truth = evidence.truth.astype(int)
    both = metrics["roc_auc"] is not None
    compared = compare_with_best("classify", "roc_auc", truth, _shares(evidence.scores), {
        name: _shares(one.scores) for name, one in evidence.plain.items()}) if both and plain else None
    verdict = write_verdict("classify", network, plain, compared, target=prepared.labels.name)
    said = [stands]
    if metrics["recall"] is not None and metrics["false_alarm_rate"] is not None:
        said.append(f"It flagged {words.percent(metrics['recall'])} of the known anomalies and "
                    f"{words.percent(metrics['false_alarm_rate'], 2)} of the normal rows.")
    share = float(np.nanmean(prepared.truth))
    if share > rate and not prepared.learns and metrics["recall_at_rate"]:
        said.append(f"With {words.percent(share)} of the known rows, anomalies are more than the {words.percent(rate)} "
                    "of all rows that may be flagged. Ask for more (--false-alarms), or let known rows be learned from "
                    f"(--labels use). Flagging {words.percent(rate)} of the normal rows would find "
                    f"{words.percent(metrics['recall_at_rate'])} of the anomalies.")
    return network, plain, Verdict(verdict.outcome, (*verdict.sentences, *said), verdict.best, verdict.difference), \
        "roc_auc"


def _first(found: Detections) -> tuple[str, ...]:
    """A sentence about the strangest row."""
    if not len(found):
        return ()
    row = int(np.argmax(found.score))
    because = words.listing([str(one) for one in found.reasons[row]])
    return (f"The strangest is row {row}{f', because of {because}' if because else ''}.",)


def _shares(scores: np.ndarray) -> np.ndarray:
    """Scores as (rows, 2) that rank as probabilities do."""
    share = (rankdata(scores) - 0.5) / len(scores)
    return np.stack([1 - share, share], axis=1)


def _schema(prepared: Prepared) -> tuple[SchemaRow, ...]:
    role = lambda one: "target" if one.name in prepared.schema.targets else "feature" if one.used else "unused"  # noqa: E731
    return tuple(SchemaRow(one.name, one.kind, one.reason, one.missing, one.distinct, one.examples, role(one))
                 for one in prepared.schema.columns)


def _sections(prepared: Prepared, model: Detector, evidence: Evidence | None, found: Detections) -> tuple[Section, ...]:
    sections = [Section(
        "What stands out", (
            "The strangest rows of the whole table, the strangest first. The p-value is the share of training rows, "
            "each asked of a network that had left it out, that are at least as strange. The columns are those that "
            "say so, each with its value and its part in it.",), grids=(_strangest(prepared, found),)),
        Section("How strange rows are", (
            f"Rows to the right of the line are called anomalies: their p-value is at most "
            f"{words.percent(model.false_alarms, 2)}.",), charts=(_distribution(prepared, found),))]
    reasons = _columns(found)
    if reasons is not None:
        sections.append(Section("Which columns speak for anomalies", (
            "Of the rows that are called anomalies: how often a column is the strongest reason, or one of them.",),
            grids=(reasons,)))
    if evidence is not None and len(np.unique(evidence.truth)) > 1:
        sections.append(Section("Anomalies found and false alarms", charts=(_roc(model, evidence),)))
    return tuple(sections)


def _strangest(prepared: Prepared, found: Detections) -> Grid:
    known = prepared.labels is not None
    order = np.argsort(-found.score, kind="stable")[:MOST_SHOWN]
    names = None if found.files is None else found.files.to_list()
    rows = []
    for row in order:
        truth = prepared.truth[row]
        said = [] if not known else ["?" if np.isnan(truth) else "anomaly" if truth else "normal"]
        rows.append((str(row) if names is None else str(names[row]), words.number(found.score[row], 3),
                     words.number(found.p_value[row], 2), *said, "; ".join(map(str, found.reasons[row]))))
    header = ("row" if names is None else "file", "score", "p-value", *(["known as"] if known else []), "because of")
    return Grid("The strangest rows", header, tuple(rows), (1, 2))


def _columns(found: Detections) -> Grid | None:
    flagged = np.flatnonzero(found.flagged)
    first = Counter(found.reasons[row][0].column for row in flagged if found.reasons[row])
    among = Counter(one.column for row in flagged for one in found.reasons[row])
    if not among:
        return None
    rows = tuple((name, f"{first[name]:,}", f"{count:,}") for name, count in among.most_common(MOST_SHOWN))
    return Grid("Reasons by column", ("column", "the strongest reason", "among the reasons"), rows, (1, 2))


def _distribution(prepared: Prepared, found: Detections) -> Chart:
    """A histogram of the scores, on a scale that holds all of them."""
    drawn = np.arcsinh(found.score)
    edges = np.linspace(drawn.min(), drawn.max() + 1e-6, 60)
    bar = np.min(found.score[found.flagged], initial=np.inf)
    known = prepared.labels is not None and np.nanmax(prepared.truth, initial=0) > 0
    with drawing("anomaly-scores", 6.4, 2.9) as shown:
        axes = shown.axes
        axes.hist(drawn, edges, color=BLUE, alpha=0.75, label="all rows")
        if known:
            axes.hist(drawn[prepared.truth == 1], edges, color=VERMILION, alpha=0.75, label="known anomalies")
        if np.isfinite(bar):
            axes.axvline(np.arcsinh(bar), color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label="called anomalies")
        ticks = [value for value in (-10, -3, -1, 0, 1, 3, 10, 30, 100, 1000, 10_000)
                 if edges[0] <= np.arcsinh(value) <= edges[-1]]
        axes.set_xticks(np.arcsinh(ticks), [words.number(value) for value in ticks])
        logarithmic(axes, "y")
        axes.set(xlabel="score: distance from the middle, in quartile distances of usual rows", ylabel="rows")
        axes.legend(loc="upper right")
    return Chart("Scores", shown.svg, f"Histogram of {len(found):,} scores, {found.flagged.sum():,} beyond the line.",
                 "A score of 0 is the middle of the training rows; most lie between −1 and 1. The number of rows is on "
                 "a logarithmic scale, so that a few strange ones can be seen.", wide=True)


def _roc(model: Detector, evidence: Evidence) -> Chart:
    with drawing("anomaly-roc") as shown:
        axes = shown.axes
        curves = {"this network": evidence.scores} | {LABELS[name]: one.scores for name, one in evidence.plain.items()}
        for (label, scores), colour in zip(curves.items(), (BLUE, VERMILION, FAINT), strict=False):
            alarms, hits, _ = roc_curve(evidence.truth, scores)
            some = np.unique(np.linspace(0, len(alarms) - 1, CURVE_POINTS).astype(int))
            axes.plot(np.maximum(alarms[some], 1e-4), hits[some], color=colour, label=label)
        axes.axvline(model.false_alarms, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
        logarithmic(axes, "x")
        axes.set(xlabel="normal rows flagged", ylabel="anomalies found", xlim=(1e-4, 1), ylim=(-0.02, 1.02))
        axes.legend(loc="best")
    return Chart("Anomalies found for so many false alarms", shown.svg,
                 "ROC curves of the network and of plain methods, the false alarms on a logarithmic scale.",
                 "The higher a curve at the dashed line, the more anomalies are found at the false-alarm rate that was "
                 "asked for.")


def notes_of(found: Detections) -> tuple[Note, ...]:
    """What was noticed about the rows, beyond what the schema says."""
    return tuple(note for note in found.notes if note.kind in ("unseen", "unreadable", "cut"))
