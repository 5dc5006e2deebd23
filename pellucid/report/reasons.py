"""Explanations for people: bars, texts with their words marked, pictures and the like; one page, or a part of one."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pellucid.core.part import Part
from pellucid.explain.explanation import Explanation
from pellucid.explain.game import Cell
from pellucid.report.canvas import BLUE, INK, VERMILION, drawing
from pellucid.report.figures import short
from pellucid.report.marking import marked

MOST_BARS = 10


@dataclass(frozen=True)
class Bar:
    """One part of an explanation.

    Args:
        label: the part.
        amount: what it adds, for people.
        error: its standard error, for people; empty where it is exact.
        share: its size, from 0 to 1 for the largest.
        speaks: "for" or "against".
    """

    label: str
    amount: str
    error: str
    share: float
    speaks: str


def bars(explanation: Explanation, most: int = MOST_BARS) -> tuple[Bar, ...]:
    """The strongest parts, then what all others add together."""
    order = explanation.order
    shown = order if len(order) <= most + 1 else order[:most]
    rest = np.setdiff1d(order, shown)
    values = [(str(explanation.parts[place]), float(explanation.contributions[place]),
               float(explanation.errors[place])) for place in shown]
    if len(rest):
        values.append((f"{len(rest)} other parts together", float(explanation.contributions[rest].sum()), 0.0))
    largest = max([abs(value) for _, value, _ in values], default=0.0) or 1.0
    return tuple(Bar(label, explanation.amount(value, signed=True),
                     f"± {explanation.amount(error)}".replace(" %", "") if error > 0 else "", abs(value) / largest,
                     "for" if value >= 0 else "against") for label, value, error in values)


def bar_chart(explanation: Explanation, name: str) -> str:
    """The bars as an SVG element; `name` is unique on the page."""
    shown = bars(explanation)
    signed = [bar.share * (1 if bar.speaks == "for" else -1) for bar in shown]
    places = np.arange(len(shown))
    with drawing(name, 5.2, 0.5 + 0.25 * len(shown)) as drawn:
        axes = drawn.axes
        axes.barh(places, signed, height=0.62, color=[BLUE if value >= 0 else VERMILION for value in signed])
        for place, bar, value in zip(places, shown, signed, strict=True):
            axes.annotate(bar.amount, (value, place), (3 if value >= 0 else -3, 0), textcoords="offset points",
                          ha="left" if value >= 0 else "right", va="center", fontsize=7.5)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(places, [short(bar.label, 34) for bar in shown])
        axes.set_xticks([])
        axes.set_xlim(min(-0.35, min(signed, default=0) - 0.35), max(0.35, max(signed, default=0) + 0.35))
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.spines[["left", "bottom"]].set_visible(False)
    return drawn.svg


def marked_text(cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """A text as HTML, its words the bluer the more they speak for the answer, the more orange the more against it.

    Example:
        >>> marked_text(Cell("text", "so <good>"), [Part("x", "so", place=(0, 2))], np.array([1.0]))
        '<span class="for" style="--size: 1.00" title="so: for">so</span> &lt;good&gt;'
    """
    text, largest, start, pieces = str(cell.value or ""), float(np.abs(contributions).max(initial=0)) or 1.0, 0, []
    for part, value in sorted(zip(parts, contributions, strict=True), key=lambda one: one[0].place):
        first, last = (int(end) for end in part.place)
        side = "for" if value >= 0 else "against"
        pieces += [str(escape(text[start:first])),
                   f'<span class="{side}" style="--size: {abs(value) / largest:.2f}" '
                   f'title="{escape(part.name)}: {side}">{escape(text[first:last])}</span>']
        start = last
    return "".join([*pieces, str(escape(text[start:]))])


def pictures(explanation: Explanation, name: str) -> list[dict[str, Any]]:
    """The texts, pictures and the like of the row with their parts marked; those that cannot be drawn are left out."""
    found = []
    for number, (column, cell) in enumerate(explanation.cells.items()):
        own = [place for place, part in enumerate(explanation.parts) if part.column == column and part.place]
        if not own or cell.value is None:
            continue
        parts, values = [explanation.parts[place] for place in own], explanation.contributions[own]
        drawn = marked_text(cell, parts, values) if cell.kind == "text" else marked(
            f"{name}-{number}", column, cell, parts, values)
        if drawn:
            found.append({"column": column, "text": cell.kind == "text", "drawn": Markup(drawn)})  # noqa: S704 – escaped
    return found


def card(explanation: Explanation, name: str) -> dict[str, Any]:
    """One explanation as the template takes it; `name` is unique on the page."""
    tested = explanation.faithfulness
    warning = "" if tested is None or tested.reliable else tested.verdict
    return {"row": explanation.row, "question": explanation.question, "warning": warning,
            "sentences": [line for line in explanation.sentences()[1:] if line != warning],
            "whole": explanation.amount(explanation.whole), "empty": explanation.amount(explanation.empty),
            "unit": explanation.unit, "bars": bars(explanation), "pictures": pictures(explanation, name),
            "sum": explanation.amount(float(explanation.contributions.sum()), signed=True),
            "method": f"{explanation.method}: {explanation.reason}.",
            "tone": "even" if tested is None else "good" if tested.reliable else "poor"}


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("pellucid.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
                       undefined=StrictUndefined)


def _style(name: str) -> Markup:
    return Markup(files("pellucid.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def render(explanations: Sequence[Explanation], title: str) -> str:
    """One HTML page that needs nothing else: no script, no request.

    Args:
        explanations: of the rows.
        title: what was explained.
    """
    cards = [card(one, f"row{number}") for number, one in enumerate(explanations)]
    return _environment().get_template("reasons.html").render(
        title=title, cards=cards, css=_style("report.css") + _style("reasons.css"))
