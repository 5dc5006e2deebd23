"""Networks drawn: layers as columns of neurons, bias neurons above, synapses as lines."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from pellucid.networks.describe import Description, LayerRow, describe

WIDTH, HEIGHT = 8.0, 4.6  # inches
MOST_COLUMNS, MOST_NEURONS = 7, 7
TOP, BOTTOM = 3.62, 1.24  # the neurons lie between these heights
BIAS_HEIGHT = 4.03
PATH_TOP, PATH_BOTTOM, ARC_DEPTH, LABEL_TOP = 1.06, 0.86, 0.09, 0.72
COLOURS = {"input": "#0072B2", "hidden": "#009E73", "output": "#D55E00"}  # Okabe & Ito: safe for the colour-blind
PATH_COLOUR, RESIDUAL_COLOUR = "#CC79A7", "#56B4E9"
BIAS_COLOUR, LINE_COLOUR, TEXT_COLOUR, QUIET_COLOUR = "#E69F00", "#8A93A0", "#1F2933", "#52606D"


@dataclass(frozen=True)
class _Column:
    rows: tuple[LayerRow, ...]
    depths: tuple[int, ...]
    elided: int = 0  # how many hidden layers this column stands for

    @property
    def neurons(self) -> int:
        return sum(row.neurons for row in self.rows)

    @property
    def bias(self) -> bool:
        return any(row.bias for row in self.rows)

    @property
    def shown(self) -> int:
        return 0 if self.elided else min(self.neurons, MOST_NEURONS)


def draw(network: Any, *, input_names: Sequence[str] = (), output_names: Sequence[str] = ()) -> Figure:
    """A drawing of a network, legible at 800 pixels wide.

    Layers are columns of circles, from the inputs at the left to the outputs at the right; of a wide layer the first
    and last neurons are shown, of a deep network the first and last layers. A bias neuron stands above the layer that
    it feeds from.

    Args:
        network: a network, or the `Description` of one.
        input_names: names written beside the input neurons, in order; used when there are as many as neurons.
        output_names: the same for the output neurons.

    Returns:
        A Matplotlib figure, 8 by 4.6 inches, that belongs to no window; save it with `figure.savefig("network.png")`.
    """
    description = network if isinstance(network, Description) else describe(network)
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT), aspect="equal")
    axes.axis("off")
    columns = _columns(description)
    if len(columns) < 2:
        axes.text(WIDTH / 2, HEIGHT / 2, f"{description.network}\n{description.summary}", ha="center", va="center",
                  wrap=True, color=TEXT_COLOUR)
        return figure
    names = {0: tuple(input_names), len(columns) - 1: tuple(output_names)}
    names = {index: given for index, given in names.items() if given and len(given) == columns[index].neurons}
    margins = [_name_space(names.get(index, ())) for index in (0, len(columns) - 1)]
    step = (WIDTH - sum(margins)) / (len(columns) - 1)
    places = [margins[0] + step * index for index in range(len(columns))]
    heights = [_heights(column) for column in columns]
    _draw_synapses(axes, columns, places, heights)
    _draw_paths(axes, description, columns, places)
    for index, (column, x) in enumerate(zip(columns, places, strict=True)):
        _draw_neurons(axes, column, x, heights[index])
        _draw_label(axes, column, x, step)
        _draw_names(axes, names.get(index, ()), x, heights[index], index == 0)
    sizes = " – ".join("⋯" if column.elided else f"{column.neurons:,}" for column in columns)
    axes.text(0.2, HEIGHT - 0.16, f"{sizes}", ha="left", va="top", fontsize=11, weight="bold", color=TEXT_COLOUR)
    axes.text(WIDTH - 0.2, HEIGHT - 0.16, f"{description.synapses:,} synapses, {description.biases:,} biases",
              ha="right", va="top", fontsize=10, color=QUIET_COLOUR)
    return figure


def _columns(description: Description) -> list[_Column]:
    """Layers side by side form one column; the middle layers of a deep network form one that stands for them."""
    visible = [row for row in description.rows if row.neurons]
    depths = sorted({row.depth for row in visible})
    columns = [_Column(tuple(row for row in visible if row.depth == depth), (depth,)) for depth in depths]
    if len(columns) <= MOST_COLUMNS:
        return columns
    head, tail = MOST_COLUMNS - 3, 2
    middle = columns[head:-tail]
    joined = replace(middle[0], depths=tuple(column.depths[0] for column in middle), elided=len(middle))
    return [*columns[:head], joined, *columns[-tail:]]


def _heights(column: _Column) -> list[float | None]:
    """Where the shown neurons lie, from the top; `None` is the gap for those left out."""
    count = column.shown
    if count == 0:
        return []
    middle = (TOP + BOTTOM) / 2
    step = min((TOP - BOTTOM) / (MOST_NEURONS - 1), 0.5)
    heights: list[float | None] = [middle + step * ((count - 1) / 2 - index) for index in range(count)]
    if column.neurons > count:
        heights[count // 2] = None
    return heights


def _draw_synapses(axes: Any, columns: list[_Column], places: list[float], heights: list[list[float | None]]) -> None:
    lines, bias_lines = [], []
    for index in range(len(columns) - 1):
        left, right = places[index], places[index + 1]
        ends = [height for height in heights[index + 1] if height is not None]
        lines += [[(left, start), (right, end)] for start in heights[index] if start is not None for end in ends]
        if columns[index + 1].bias and ends and not columns[index].elided:
            bias_lines += [[(left, BIAS_HEIGHT), (right, end)] for end in ends]
            axes.add_patch(Circle((left, BIAS_HEIGHT), 0.115, facecolor="white", edgecolor=BIAS_COLOUR, linewidth=1.6,
                                  zorder=3))
            axes.text(left, BIAS_HEIGHT - 0.01, "1", ha="center", va="center", fontsize=9, color=TEXT_COLOUR, zorder=4)
            axes.text(left - 0.18, BIAS_HEIGHT, "bias", ha="right", va="center", fontsize=9, color=QUIET_COLOUR)
    axes.add_collection(LineCollection(lines, colors=LINE_COLOUR, linewidths=0.7, alpha=0.55, zorder=1))
    axes.add_collection(LineCollection(bias_lines, colors=BIAS_COLOUR, linewidths=0.8, alpha=0.6, linestyles="dashed",
                                       zorder=1))


def _draw_paths(axes: Any, description: Description, columns: list[_Column], places: list[float]) -> None:
    column_of = {depth: index for index, column in enumerate(columns) for depth in column.depths}
    for start, end, name in description.paths:
        left, right = column_of.get(start), column_of.get(end)
        if left is None or right is None or left == right:
            continue
        if name == "linear path":
            _draw_linear_path(axes, places[left], places[right])
        else:
            bend = 2 * ARC_DEPTH / (places[right] - places[left])
            axes.add_patch(FancyArrowPatch((places[left], PATH_TOP), (places[right], PATH_TOP), arrowstyle="-|>",
                                           connectionstyle=f"arc3,rad={bend:.3f}", mutation_scale=8,
                                           color=RESIDUAL_COLOUR, linewidth=1.2, zorder=2))


def _draw_linear_path(axes: Any, left: float, right: float) -> None:
    axes.plot([left, left, right, right], [PATH_TOP, PATH_BOTTOM, PATH_BOTTOM, PATH_TOP - 0.06], color=PATH_COLOUR,
              linewidth=1.3, solid_joinstyle="round", zorder=2)
    axes.add_patch(FancyArrowPatch((right, PATH_BOTTOM), (right, PATH_TOP + 0.03), arrowstyle="-|>", mutation_scale=9,
                                   color=PATH_COLOUR, linewidth=0, zorder=2))
    axes.text((left + right) / 2, PATH_BOTTOM, "linear path", ha="center", va="center", fontsize=9, color=QUIET_COLOUR,
              zorder=3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})


def _draw_neurons(axes: Any, column: _Column, x: float, heights: list[float | None]) -> None:
    if column.elided:
        axes.text(x, (TOP + BOTTOM) / 2, "⋯", ha="center", va="center", fontsize=26, color=QUIET_COLOUR)
        return
    colour = COLOURS.get(column.rows[0].role, COLOURS["hidden"])
    for height in heights:
        if height is None:
            axes.text(x, (TOP + BOTTOM) / 2, "⋮", ha="center", va="center", fontsize=18, color=colour, zorder=3)
        else:
            axes.add_patch(Circle((x, height), 0.135, facecolor=colour, edgecolor="white", linewidth=1.2, zorder=3))


def _draw_label(axes: Any, column: _Column, x: float, step: float) -> None:
    if column.elided:
        title, lines = f"{column.elided} more layers", []
    else:
        activations = [row.activation for row in column.rows if row.activation]
        title = column.rows[0].role if column.rows[0].role == "input" else " + ".join(row.name for row in column.rows)
        lines = [f"{column.neurons:,} neuron" + "s" * (column.neurons != 1), " + ".join(dict.fromkeys(activations))]
    size = 10 if step > 1.25 else 9
    room = max(8, int(step * 72 / (0.56 * size)))
    text = _fold(title, room)
    axes.text(x, LABEL_TOP, text, ha="center", va="top", fontsize=size, weight="bold", color=TEXT_COLOUR,
              linespacing=1.1)
    below = LABEL_TOP - 0.0165 * size * (1 + text.count("\n"))
    axes.text(x, below, "\n".join(_fold(line, room) for line in lines if line), ha="center", va="top", fontsize=9,
              color=QUIET_COLOUR, linespacing=1.15)


def _draw_names(axes: Any, names: tuple[str, ...], x: float, heights: list[float | None], left: bool) -> None:
    if not names:
        return
    half = heights.index(None) if None in heights else len(heights)
    shown = [*names[:half], *([None] if None in heights else []), *names[len(names) - (len(heights) - half - 1):]]
    for name, height in zip(shown[:len(heights)], heights, strict=True):
        if height is not None:
            axes.text(x + (-0.22 if left else 0.22), height, _short(str(name)), ha="right" if left else "left",
                      va="center", fontsize=9, color=TEXT_COLOUR)


def _name_space(names: tuple[str, ...]) -> float:
    return max(0.75, 0.4 + 0.085 * max((len(_short(str(name))) for name in names), default=0))


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[:most - 1] + "…"


def _fold(text: str, room: int) -> str:
    """Break text at spaces so that no line is wider than `room` characters, where words allow it."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return "\n".join(lines)
