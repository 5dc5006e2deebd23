"""Networks drawn: layers as columns from left to right, bias neurons above, synapses as lines."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from pellucid.networks.describe import Description, LayerRow, describe
from pellucid.networks.glyphs import (
    BIAS_COLOUR,
    LINE_COLOUR,
    LINKED,
    MOST_NEURONS,
    PATH_COLOUR,
    QUIET_COLOUR,
    RESIDUAL_COLOUR,
    TEXT_COLOUR,
    Glyph,
    Place,
    draw_glyph,
    shows_neurons,
)

WIDTH, HEIGHT = 8.0, 4.6  # inches
MOST_COLUMNS, MOST_ROOM = 8, 1.5
TOP, BOTTOM = 3.62, 1.24  # the neurons lie between these heights
BIAS_HEIGHT = 4.03
PATH_TOP, PATH_BOTTOM, ARC_DEPTH, LABEL_TOP = 1.06, 0.86, 0.09, 0.72
GROUPS = ("encoder", "decoder", "generator", "discriminator")  # first words of names: layers that work together


@dataclass(frozen=True)
class _Column:
    rows: tuple[LayerRow, ...]
    depths: tuple[int, ...]
    elided: int = 0  # how many hidden layers this column stands for
    group: str = ""  # the part of the network that the layers belong to

    @property
    def neurons(self) -> int:
        return sum(row.neurons for row in self.rows)

    @property
    def kinds(self) -> set[str]:
        return {row.kind for row in self.rows}

    @property
    def bias(self) -> bool:
        return any(row.bias for row in self.rows)

    @property
    def narrow(self) -> bool:
        """Whether it is a column of neurons."""
        return all(shows_neurons(row) for row in self.rows)

    @property
    def size(self) -> str:
        """How many neurons, or the sides of what it gives."""
        if self.elided:
            return "⋯"
        output = self.rows[0].output
        return "×".join(map(str, output)) if len(self.rows) == 1 and len(output) > 1 else f"{self.neurons:,}"

    @property
    def title(self) -> str:
        """The names of its layers; what a field behind them says is left out."""
        names = [row.name.removeprefix(self.group).lstrip(" ,:") if self.group else row.name for row in self.rows]
        return " + ".join(f"layer {name}" if name.isdigit() else name or self.group for name in names)


def draw(network: Any, *, input_names: Sequence[str] = (), output_names: Sequence[str] = ()) -> Figure:
    """A drawing of a network, legible at 800 pixels wide.

    Layers are columns, from the inputs at the left to the outputs at the right: circles are neurons, squares behind
    each other feature maps, bars steps of a sequence; of a wide layer the first and last neurons are shown, of a deep
    network the first and last layers. A bias neuron stands above the layer that it feeds from. A pink arrow at a neuron
    leads back to it.

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
    if len(columns) < 2 and not any(column.kinds & LINKED.keys() for column in columns):
        axes.text(WIDTH / 2, HEIGHT / 2, f"{description.network}\n{description.summary}", ha="center", va="center",
                  wrap=True, color=TEXT_COLOUR)
        return figure
    names = {0: tuple(input_names), len(columns) - 1: tuple(output_names)}
    names = {index: given for index, given in names.items() if given and len(given) == columns[index].neurons}
    room = min(MOST_ROOM * (1.5 if len(columns) == 2 else 1), 0.8 * (WIDTH - 1.6) / max(len(columns) - 1, 1))
    margins = [max(_name_space(names.get(index, ())), 0 if columns[index].narrow else room / 2 + 0.2)
               for index in (0, len(columns) - 1)]
    step = (WIDTH - sum(margins)) / max(len(columns) - 1, 1)
    places = [margins[0] + step * index for index in range(len(columns))] if len(columns) > 1 else [WIDTH / 2]
    glyphs = _draw_columns(axes, columns, places, room if len(columns) > 1 else TOP - BOTTOM)
    _draw_synapses(axes, columns, places, glyphs)
    _draw_paths(axes, description, columns, places)
    _draw_groups(axes, columns, places, step)
    for index, (column, x) in enumerate(zip(columns, places, strict=True)):
        _draw_label(axes, column, x, step)
        _draw_names(axes, names.get(index, ()), x, glyphs[index].heights, index == 0)
    _draw_head(axes, description, columns)
    return figure


def _draw_head(axes: Any, description: Description, columns: list[_Column]) -> None:
    counts = f"{description.synapses:,} synapses, {description.biases:,} biases"
    sizes = " – ".join(column.size for column in columns)
    fits = 0.095 * len(sizes) + 0.075 * len(counts) < WIDTH - 0.6
    axes.text(0.2, HEIGHT - 0.16, sizes if fits else description.network, ha="left", va="top", fontsize=11,
              weight="bold", color=TEXT_COLOUR)
    axes.text(WIDTH - 0.2, HEIGHT - 0.16, counts, ha="right", va="top", fontsize=10, color=QUIET_COLOUR)


def _columns(description: Description) -> list[_Column]:
    """Layers side by side form one column; the middle layers of a deep network form one that stands for them."""
    visible = [row for row in description.rows if row.neurons]
    depths = sorted({row.depth for row in visible})
    columns = [tuple(row for row in visible if row.depth == depth) for depth in depths]
    columns = _grouped([_Column(rows, (rows[0].depth,), group=_group(rows)) for rows in columns])
    if len(columns) <= MOST_COLUMNS:
        return columns
    head, tail = MOST_COLUMNS - 3, 2
    middle = columns[head:-tail]
    joined = replace(middle[0], depths=tuple(column.depths[0] for column in middle), elided=len(middle))
    return [*columns[:head], joined, *columns[-tail:]]


def _group(rows: Sequence[LayerRow]) -> str:
    return next((group for group in GROUPS for row in rows if row.name.lower().startswith(group)), "")


def _grouped(columns: list[_Column]) -> list[_Column]:
    """What stands before a discriminator generates."""
    first = next((index for index, column in enumerate(columns) if column.group == "discriminator"), 0)
    return [replace(column, group="generator") if 0 < index < first and not column.group else column
            for index, column in enumerate(columns)]


def _draw_columns(axes: Any, columns: list[_Column], places: list[float], room: float) -> list[Glyph]:
    largest = max((max(row.output[:-1]) for column in columns for row in column.rows if len(row.output) > 1), default=1)
    glyphs = []
    for column, x, shown in zip(columns, places, _shown_neurons(columns), strict=True):
        if column.elided:
            axes.text(x, (TOP + BOTTOM) / 2, "⋯", ha="center", va="center", fontsize=26, color=QUIET_COLOUR)
            glyphs.append(Glyph((), ()))
        else:
            place = Place(x, (TOP + BOTTOM) / 2, room, TOP - BOTTOM, shown, largest)
            glyphs.append(draw_glyph(axes, column.rows, place))
    return glyphs


def _shown_neurons(columns: list[_Column]) -> list[int]:
    """How many neurons to show of each column: all alike, but fewer around the code of an encoder and decoder."""
    if not {"encoder", "decoder"} & {column.group for column in columns}:
        return [MOST_NEURONS] * len(columns)
    sizes = [math.log(max(column.neurons, 1)) for column in columns]
    low, wide = min(sizes), max(max(sizes) - min(sizes), 1e-9)
    return [3 + 2 * round((MOST_NEURONS - 3) / 2 * (size - low) / wide) for size in sizes]


def _draw_synapses(axes: Any, columns: list[_Column], places: list[float], glyphs: list[Glyph]) -> None:
    lines, bias_lines = [], []
    for index, (left, right) in enumerate(zip(glyphs, glyphs[1:], strict=False)):
        kinds = columns[index + 1].kinds
        if left.face and right.face:
            lines += _draw_window(axes, left, right)
        elif len(left.leave) == len(right.arrive) == 1:
            axes.add_patch(FancyArrowPatch(left.leave[0], right.arrive[0], arrowstyle="-|>", mutation_scale=10,
                                           color=LINE_COLOUR, linewidth=1.2, zorder=1, shrinkA=2, shrinkB=2))
        else:
            lines += [[start, end] for start in left.leave for end in right.arrive]
        if "belief" in kinds:
            _draw_both_ways(axes, (places[index] + places[index + 1]) / 2)
        if columns[index + 1].bias and right.arrive and not columns[index].elided:
            bias_lines += [[(places[index], BIAS_HEIGHT), end] for end in right.arrive]
            _draw_bias(axes, places[index])
    axes.add_collection(LineCollection(lines, colors=LINE_COLOUR, linewidths=0.7, alpha=0.55, zorder=1))
    axes.add_collection(LineCollection(bias_lines, colors=BIAS_COLOUR, linewidths=0.8, alpha=0.6, linestyles="dashed",
                                       zorder=1))


def _draw_bias(axes: Any, x: float) -> None:
    axes.add_patch(Circle((x, BIAS_HEIGHT), 0.115, facecolor="white", edgecolor=BIAS_COLOUR, linewidth=1.6, zorder=3))
    axes.text(x, BIAS_HEIGHT - 0.01, "1", ha="center", va="center", fontsize=9, color=TEXT_COLOUR, zorder=4)
    axes.text(x - 0.18, BIAS_HEIGHT, "bias", ha="right", va="center", fontsize=9, color=QUIET_COLOUR)


def _draw_window(axes: Any, left: Glyph, right: Glyph) -> list[list[tuple[float, float]]]:
    """A window on the front map, and the lines from it to the pixel that it makes."""
    x, y, width, height = left.face
    sides = 0.36 * width, 0.36 * height
    corner = x + 0.45 * width, y + 0.4 * height
    axes.add_patch(Rectangle(corner, *sides, facecolor="white", edgecolor="none", alpha=0.45, zorder=3.2))
    end = right.face[0] + 0.5 * right.face[2], right.face[1] + 0.5 * right.face[3]
    axes.add_collection(LineCollection(
        [[(corner[0] + sides[0], corner[1] + up * sides[1]), end] for up in (0, 1)], colors=TEXT_COLOUR, linewidths=0.8,
        alpha=0.7, zorder=3.3))
    return []


def _draw_both_ways(axes: Any, x: float) -> None:
    """Signals pass this pair of layers in both directions."""
    for height, (start, end) in ((0.09, (-0.24, 0.24)), (-0.09, (0.24, -0.24))):
        y = (TOP + BOTTOM) / 2 + height
        axes.add_patch(FancyArrowPatch((x + start, y), (x + end, y), arrowstyle="-|>", mutation_scale=11,
                                       color=PATH_COLOUR, linewidth=1.8, zorder=4))


def _draw_groups(axes: Any, columns: list[_Column], places: list[float], step: float) -> None:
    """Light fields behind the layers that work together, named above."""
    for group, members in groupby(range(len(columns)), lambda index: columns[index].group):
        indices = list(members)
        if not group:
            continue
        left, right = places[indices[0]] - 0.42 * step, places[indices[-1]] + 0.42 * step
        axes.add_patch(FancyBboxPatch((left, BOTTOM - 0.32), right - left, TOP - BOTTOM + 0.52, zorder=0,
                                      boxstyle="round,pad=0,rounding_size=0.12", facecolor="#EEF2F6", edgecolor="none"))
        axes.text((left + right) / 2, BOTTOM - 0.23, group, ha="center", va="center", fontsize=9, style="italic",
                  color=QUIET_COLOUR)


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


def _draw_label(axes: Any, column: _Column, x: float, step: float) -> None:
    if column.elided:
        title, lines = f"{column.elided} more layers", []
    else:
        activations = [row.activation for row in column.rows if row.activation]
        title = column.rows[0].role if column.rows[0].role == "input" else column.title
        unit = "" if "×" in column.size else " neuron" + "s" * (column.neurons != 1)
        lines = [column.size + unit, " + ".join(dict.fromkeys(activations))]
    size = 10 if step > 1.25 else 9
    room = max(8, int(step * 72 / (0.56 * size)))
    text = _fold(title, room)
    axes.text(x, LABEL_TOP, text, ha="center", va="top", fontsize=size, weight="bold", color=TEXT_COLOUR,
              linespacing=1.1)
    below = LABEL_TOP - 0.0165 * size * (1 + text.count("\n"))
    axes.text(x, below, "\n".join(_fold(line, room) for line in lines if line), ha="center", va="top", fontsize=9,
              color=QUIET_COLOUR, linespacing=1.15)


def _draw_names(axes: Any, names: tuple[str, ...], x: float, heights: tuple[float | None, ...], left: bool) -> None:
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
