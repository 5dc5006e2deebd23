"""How the strongest columns move the answer, and which of them act together: drawings and sentences for the report."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pellucid.explain.overall import Effect, Interaction
from pellucid.report import words
from pellucid.report.canvas import BLUE, INK, drawing
from pellucid.report.figures import short
from pellucid.report.result import Chart, Section

TITLE = "How the strongest columns move the answer"
READING = ("What this does not say: that changing the value in the world would change the outcome. It is what this "
           "network goes by. The bands and thin lines are 95 % intervals over the rows.")
MOST_PAIRS = 6
SMALL = 0.1
"""Pairs below this share of the strongest column's influence hardly count."""


def effects_section(effects: Sequence[Effect], pairs: Sequence[Interaction], outputs: Sequence[str], *, percent: bool,
                    strongest: float) -> Section:
    """The section of the report.

    Args:
        effects: along the strongest columns.
        pairs: of columns that act together, the strongest first.
        outputs: names of the outputs, for people.
        percent: whether outputs are shares.
        strongest: the influence of the strongest column, in the unit of the outputs.
    """
    charts = [_effect_chart(one, outputs[one.output], f"effect{number}", percent)
              for number, one in enumerate(effects)]
    if pairs:
        charts.append(_pairs_chart(pairs[:MOST_PAIRS], percent))
    return Section(TITLE, (*(effect_sentence(one, outputs[one.output], percent) for one in effects),
                           *([pair_sentence(pairs[0], percent, strongest)] if pairs else []), READING), tuple(charts))


def effect_sentence(effect: Effect, output: str, percent: bool) -> str:
    """In words: from where to where the mean answer goes."""
    low, high = int(effect.mean.argmin()), int(effect.mean.argmax())
    return (f"{effect.column}: the mean {output} is lowest at {effect.values[low]} "
            f"({_amount(effect.mean[low], percent)}) and highest at {effect.values[high]} "
            f"({_amount(effect.mean[high], percent)}), the other columns being as they are.")


def pair_sentence(pair: Interaction, percent: bool, strongest: float) -> str:
    """In words: what the strongest pair adds beyond its two columns."""
    first, second = pair.columns
    size = _amount(pair.size, percent, points=True)
    if pair.size < SMALL * strongest:
        return (f"The columns act almost independently: even for the strongest pair, {first} and {second}, what both "
                f"do together differs by only about {size} from what each does alone.")
    return (f"What {first} does depends most on {second}: together they move the answer by about {size} more or less "
            "than each alone.")


def _amount(value: float, percent: bool, points: bool = False) -> str:
    if not percent:
        return words.number(value)
    return words.number(100 * value) + (" points" if points else " %")


def _effect_chart(effect: Effect, output: str, name: str, percent: bool) -> Chart:
    number = len(effect.values)
    with drawing(name, 3.8, 2.7 if effect.ordered else 0.8 + 0.26 * number) as drawn:
        if effect.ordered:
            _line(drawn.axes, effect)
            _percents(drawn.axes.yaxis, percent)
            drawn.axes.set(xlabel=short(effect.column, 40), ylabel=short(f"mean {output}", 34))
        else:
            _levels(drawn.axes, effect)
            _percents(drawn.axes.xaxis, percent)
            drawn.axes.set(xlabel=short(f"mean {output}", 44))
    how = ("The line is the mean answer as this column rises; each row was moved only a little, within its own "
           "neighbourhood, so that no impossible row was asked about." if effect.ordered else
           "Each point is the mean answer if all rows had this value and kept everything else.")
    return Chart(f"Along {effect.column}", drawn.svg, effect_sentence(effect, output, percent), how)


def _line(axes: Axes, effect: Effect) -> None:
    places = effect.positions
    axes.fill_between(places, effect.low, effect.high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(places, effect.mean, color=BLUE, marker="o", markersize=3)
    shown = np.unique(np.linspace(0, len(places) - 1, 4).astype(int))
    if not all(_is_number(value) for value in effect.values):  # days: a few of them by name
        axes.set_xticks(places[shown], [effect.values[place] for place in shown], rotation=20, ha="right")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))


def _levels(axes: Axes, effect: Effect) -> None:
    places = np.arange(len(effect.values))
    axes.hlines(places, effect.low, effect.high, color=INK, linewidth=1.0, alpha=0.75)
    axes.plot(effect.mean, places, "o", color=BLUE, markersize=5)
    axes.set_yticks(places, [short(value) for value in effect.values])
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _is_number(text: str) -> bool:
    try:
        float(text.replace("−", "-"))
    except ValueError:
        return False
    return True


def _percents(axis: object, percent: bool) -> None:
    if percent:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


def _pairs_chart(pairs: Sequence[Interaction], percent: bool) -> Chart:
    places, factor = np.arange(len(pairs)), 100 if percent else 1
    names = [" + ".join(short(column, 18) for column in pair.columns) for pair in pairs]
    with drawing("pairs", 4.6, 0.85 + 0.26 * len(pairs)) as drawn:
        axes = drawn.axes
        axes.barh(places, [factor * pair.size for pair in pairs], height=0.62, color=BLUE)
        axes.hlines(places, [factor * pair.low for pair in pairs], [factor * pair.high for pair in pairs], color=INK,
                    linewidth=1.0, alpha=0.75)
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set(xlabel="what both do beyond each alone" + (" (points)" if percent else ""))
    told = ", ".join(f"{' and '.join(pair.columns)} {_amount(pair.size, percent, points=True)}" for pair in pairs[:3])
    return Chart("Columns that act together", drawn.svg, f"Bar chart: {told}.",
                 "For two columns whose effects only add up, the bar is 0. The longer it is, the more the effect of "
                 "one depends on the value of the other.")
