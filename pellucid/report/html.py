"""A result as one self-contained HTML page, and as a small piece of one for notebooks."""
from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pellucid.model.decision import DecisionReport, best_threshold
from pellucid.report import views, words
from pellucid.report.result import Promise, Result, Section

OUTCOMES = {
    "beats": {"style": "good", "sign": "▲", "words": "better than the best plain method"},
    "on par": {"style": "even", "sign": "=", "words": "on par with the best plain method"},
    "worse": {"style": "poor", "sign": "▼", "words": "not better than the best plain method"},
    "alone": {"style": "even", "sign": "?", "words": "no comparison possible"},
}
TASKS = {"classify": "classification", "regress": "regression (predicting a number)",
         "recommend": "recommendation",
         "detect": "detection of anomalies",
         "embed": "representation (codes, groups and neighbours, without answers)",
         "forecast": "forecast (the next steps of a series)"}


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("pellucid.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
                       undefined=StrictUndefined)


def _style(name: str) -> Markup:
    """A style sheet of the package, as it is."""
    return Markup(files("pellucid.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def render(result: Result) -> str:
    """One HTML page that needs nothing else: styles and figures are inside, no script, no request.

    All text from the data is escaped; a content security policy forbids scripts and outside requests besides.

    Args:
        result: the record of a run.
    """
    page: dict[str, Any] = {
        "result": result, "css": _style("report.css"), "outcome": OUTCOMES[result.verdict.outcome],
        "facts": _facts(result), "warnings": [note for note in result.notes if note.severity == "warning"],
        "notes": [note for note in result.notes if note.severity != "warning"],
        "contenders": views.contenders(result), "more_metrics": views.more_metrics(result),
        "glossary": views.glossary(result), "curve": views.curve(result), "quality": views.quality(result),
        "promise": _promise(result.promise), "decision": _decision(result.decision),
        "ranking": views.ranking(result), "picture": _picture(result), "schema": views.schema(result.schema),
        "cost": views.cost(result.cost), "settings": _settings(result),
        "sections": [_section(one) for one in result.sections],
        "versions": " · ".join(f"{name} {version}" for name, version in result.versions.items()),
    }
    return _environment().get_template("report.html").render(page)


def summary(result: Result) -> str:
    """The verdict and the table of methods as a piece of HTML, for `_repr_html_` in notebooks."""
    return _environment().get_template("summary.html").render(
        result=result, css=_style("summary.css"), outcome=OUTCOMES[result.verdict.outcome],
        contenders=views.contenders(result))


def _facts(result: Result) -> list[str]:
    parts = {"train": "for training", "validation": "for validation", "test": "for the test"}
    rows = [f"{words.count(number, 'row')} {parts.get(name, name)}" for name, number in result.rows.items() if number]
    target = [f"target: {result.target}"] if result.target else []
    return [TASKS.get(result.task, result.task), *target, *rows, *([result.created] if result.created else [])]


def _promise(promise: Promise | None) -> dict[str, Any] | None:
    """The gauge and the sentences about coverage."""
    if promise is None:
        return None
    promised, measured = words.percent(promise.promised), words.percent(promise.measured)
    what = "prediction set: the classes that cannot be ruled out" if promise.kind == "sets" else (
        "an interval: a lower and an upper end")
    truth = "true class" if promise.kind == "sets" else "true value"
    sentences = [f"Every prediction comes with {'a ' if promise.kind == 'sets' else ''}{what}. They are made so that "
                 f"they hold the {truth} {promised} of the time, for rows like those of the training table."]
    if promise.low <= promise.promised <= promise.high:
        kept = f"That fits the promise: on {words.count(promise.rows, 'row')}, chance can explain the difference."
    elif promise.measured > promise.promised:
        kept = "That is more than promised: the answers are more cautious than they need to be."
    else:
        kept = "That is less than promised, and more than chance explains; the test rows may differ from the others."
    sentences.append(f"On the {words.count(promise.rows, 'test row')} they held it {measured} of the time. {kept}")
    if promise.kind == "sets":
        sentences.append(f"A set names {words.number(promise.size, 3)} classes on average; "
                         f"{words.percent(promise.single)} of the sets name just one.")
    elif promise.infinite:
        sentences.append(f"{words.percent(promise.infinite)} of the intervals are infinite: there are too few rows to "
                         f"keep {promised}.")
    else:
        sentences.append(f"An interval is {words.number(promise.size, 3)} wide on average, in the target's units.")
    return {"low": f"{100 * promise.low:.2f}", "width": f"{100 * (promise.high - promise.low):.2f}",
            "promised": f"{100 * promise.promised:.2f}", "measured": f"{100 * promise.measured:.2f}",
            "promised_text": promised, "measured_text": measured, "sentences": sentences,
            "alt": f"Coverage promised {promised}, measured {measured} on {words.count(promise.rows, 'test row')}."}


def _decision(report: DecisionReport | None) -> dict[str, Any] | None:
    """The asked-for rule beside the plain ones."""
    if report is None:
        return None
    least = min(rule.cost for rule in report.rules)
    rows = tuple(views.Row(
        (rule.rule + (" (asked for)" if rule.chosen else ""), words.number(rule.cost), words.number(rule.expected),
         words.percent(rule.error_rate)), (1,) if rule.cost == least else ()) for rule in report.rules)
    asked = report.rules[0]
    intro = (f"Deciding by {asked.rule}, a test row cost {words.number(asked.cost)} on average; the probabilities had "
             f"promised {words.number(asked.expected)}.")
    from_costs = best_threshold(report.costs)
    if report.threshold is None and from_costs is not None:
        intro += (f" With these costs that means: “{report.classes[1]}” from a probability of "
                  f"{words.number(from_costs)}.")
    actual = [f"actual {label}" for label in report.classes]
    header = ("", *(f"decided {label}" for label in report.classes))
    numeric = tuple(range(1, len(header)))

    def matrix(values: Any) -> views.Table:
        cells = [(label, *(words.number(cell, 6) for cell in row))
                 for label, row in zip(actual, values, strict=True)]
        return views.Table(header, views.rows_of(cells), numeric)
    return {"intro": intro, "costs": matrix(report.costs), "counts": matrix(asked.counts), "rules": views.Table(
        ("rule", "measured cost per row", "cost by the probabilities", "wrong"), rows, (1, 2, 3), (0,))}


def _picture(result: Result) -> dict[str, Any] | None:
    picture = result.picture
    if picture is None:
        return None
    table = views.Table(picture.header, views.rows_of(picture.rows)) if picture.rows else None
    return {"summary": picture.summary, "drawing": base64.b64encode(picture.drawing.encode()).decode(),
            "table": table, "weights": views.first_layer(result)}


def _section(section: Section) -> dict[str, Any]:
    return {"title": section.title, "sentences": section.sentences, "galleries": section.galleries,
            "charts": [views.figure(one.title, one.svg, one.alt, one.reading, "wide" * one.wide)
                       for one in section.charts],
            "grids": [(one.title, views.Table(one.header, views.rows_of(one.rows), one.numeric))
                      for one in section.grids]}


def _settings(result: Result) -> views.Table | None:
    if not result.settings:
        return None
    cells = [(name, ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value)
             for name, value in result.settings.items()]
    return views.Table(("setting", "value"), views.rows_of(cells))
