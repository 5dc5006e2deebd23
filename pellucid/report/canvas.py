"""Figures as inline SVG: one palette, one size, text that the page styles, ink that follows light and dark."""
from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from pellucid.report import words

# Okabe and Ito (2008), Color universal design: told apart by colour-blind readers.
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
INK, FAINT, PAPER = "#232833", "#c9ced8", "#fdfefe"
VARIABLES = {INK: "ink", FAINT: "line", PAPER: "card", BLUE: "blue", VERMILION: "vermilion", GREEN: "green"}

STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.0, "axes.titlesize": 9.0,
    "axes.labelsize": 9.0, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "legend.fontsize": 8.5,
    "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "xtick.major.size": 0.0, "ytick.major.size": 0.0, "xtick.minor.size": 0.0, "ytick.minor.size": 0.0,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": FAINT,
    "grid.linewidth": 0.5, "axes.axisbelow": True, "legend.frameon": True,
    "legend.framealpha": 0.85, "legend.facecolor": PAPER, "legend.edgecolor": "none", "legend.fancybox": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none", "axes.unicode_minus": True, "text.parse_math": False, "lines.linewidth": 1.8,
    "path.simplify_threshold": 0.5,
}


class Drawn:
    """A figure being drawn: its axes, and after the `with` block its `svg`."""

    def __init__(self, figure: Figure, axes: Axes) -> None:
        self.figure = figure
        self.axes = axes
        self.svg = ""


def logarithmic(axes: Axes, which: str) -> None:
    """Make the axis `which` (`"x"` or `"y"`) of `axes` logarithmic, its ticks plain numbers instead of formulas."""
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    axes.set(**{f"{which}scale": "log"})
    axis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
    axis.set_minor_formatter(NullFormatter())


@contextmanager
def drawing(name: str, width: float = 3.8, height: float = 2.9) -> Iterator[Drawn]:
    """A figure of `width` × `height` inches whose SVG is ready after the block.

    Args:
        name: unique on the page, so that the identifiers inside do not collide.

    Example:
        >>> with drawing("line") as drawn:
        ...     _ = drawn.axes.plot([0, 1], [0, 1])
        >>> drawn.svg.startswith("<svg")
        True
    """
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        drawn = Drawn(figure, figure.add_subplot())
        yield drawn
        drawn.svg = _svg(figure, name)


def as_svg(figure: Figure, **options: Any) -> str:
    """An SVG element. Letters that the drawing's font lacks are the browser's business, not worth a warning."""
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format="svg", **options)
    text = out.getvalue()
    return text[text.index("<svg"):]


def _svg(figure: Figure, name: str) -> str:
    text = as_svg(figure, dpi=144, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = _rename(text, name)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable}, {colour})")
    return re.sub(r"\n\s*", "\n", text)


def _rename(text: str, name: str) -> str:
    """Drop the identifiers that nothing refers to, and put `name` before the others."""
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text)
    return re.sub(r'((?:href="|url\()#)([^")]+)', rf"\g<1>{name}-\2", text)
