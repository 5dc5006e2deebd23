"""What stands for a layer in a drawing: neurons, feature maps, steps of a sequence, a table, a tree, a graph, a ring.

A layer's kind and the shape of what it gives choose; no network has drawing code of its own.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.collections import LineCollection
from matplotlib.patches import Arc, Circle, Polygon, Rectangle

from pellucid.networks.describe import LayerRow

Point = tuple[float, float]

MOST_NEURONS, RADIUS, NEURON_STEP = 7, 0.135, 0.5
COLOURS = {"input": "#0072B2", "hidden": "#009E73", "output": "#D55E00"}  # Okabe & Ito: safe for the colour-blind
PATH_COLOUR, RESIDUAL_COLOUR = "#CC79A7", "#56B4E9"
BIAS_COLOUR, LINE_COLOUR, TEXT_COLOUR, QUIET_COLOUR = "#E69F00", "#8A93A0", "#1F2933", "#52606D"
MAPS = {"convolution", "pooling", "image"}
SEQUENCE_STEPS, MAP_SHIFT = 5, 0.065


@dataclass(frozen=True)
class Place:
    """Where a glyph goes: its middle, and the room it has.

    Args:
        x, y: the middle.
        width, height: the room.
        neurons: how many neurons to show at most.
        largest: the longest side of any feature map of the network, in pixels, which fills the room.
    """

    x: float
    y: float
    width: float
    height: float
    neurons: int = MOST_NEURONS
    largest: int = 1


@dataclass(frozen=True)
class Glyph:
    """A glyph that was drawn: where lines arrive and leave.

    Args:
        arrive, leave: points of lines from the left and to the right.
        face: the front feature map, (left, bottom, width, height), where it has one.
        heights: of the neurons, from the top, `None` for those left out; empty where it shows none.
    """

    arrive: tuple[Point, ...]
    leave: tuple[Point, ...]
    face: tuple[float, float, float, float] | None = None
    heights: tuple[float | None, ...] = ()


def draw_glyph(axes: Any, rows: Sequence[LayerRow], place: Place) -> Glyph:
    """Draw what stands for layers side by side: their neurons together, or one glyph above the other."""
    if all(shows_neurons(row) for row in rows):
        return _neurons(axes, rows, place)
    if len({row.kind for row in rows}) == 1 and rows[0].kind in LINKED:
        return _links(axes, rows, place)
    height = place.height / len(rows)
    glyphs = [_figure_of(row)(axes, [row], Place(place.x, place.y + place.height / 2 - height * (index + 0.5),
                                                place.width, height, max(1, place.neurons // len(rows)),
                                                place.largest)) for index, row in enumerate(rows)]
    if len(glyphs) == 1:
        return glyphs[0]
    return Glyph(tuple(point for glyph in glyphs for point in glyph.arrive),
                 tuple(point for glyph in glyphs for point in glyph.leave))


def shows_neurons(row: LayerRow) -> bool:
    """Whether a layer is drawn as a column of neurons."""
    return _figure_of(row) is _neurons


def _figure_of(row: LayerRow) -> Callable[[Any, Sequence[LayerRow], Place], Glyph]:
    if row.kind in LINKED and (row.kind == "graph" or row.role != "input") or row.kind == "embedding":
        return _links if row.kind in LINKED else _table
    if len(row.output) >= 3 or row.kind in MAPS and row.output:
        return _maps
    return _sequence if len(row.output) == 2 and row.kind != "attention" else _neurons


def neuron_heights(count: int, shown: int, y: float, height: float) -> tuple[float | None, ...]:
    """Where the shown neurons lie, from the top; `None` is the gap for those left out."""
    step = min(height / (MOST_NEURONS - 1), NEURON_STEP)
    heights: list[float | None] = [y + step * ((shown - 1) / 2 - index) for index in range(shown)]
    if count > shown > 1:
        heights[shown // 2] = None
    return tuple(heights)


def _neurons(axes: Any, rows: Sequence[LayerRow], place: Place) -> Glyph:
    count = sum(row.neurons for row in rows)
    heights = neuron_heights(count, min(count, place.neurons), place.y, place.height)
    colour = COLOURS.get(rows[0].role, COLOURS["hidden"])
    kinds = {row.kind for row in rows}
    points = tuple((place.x, height) for height in heights if height is not None)
    for height in heights:
        if height is None:
            axes.text(place.x, place.y, "⋮", ha="center", va="center", fontsize=18, color=colour, zorder=3)
        else:
            axes.add_patch(Circle((place.x, height), RADIUS, facecolor=colour, edgecolor="white", linewidth=1.2,
                                  zorder=3))
            if "recurrent" in kinds:
                _loop(axes, (place.x + RADIUS, height), 0.1)
    if "attention" in kinds:
        _attend(axes, points, min(0.42, place.width / 2))
    return Glyph(points, points, heights=heights)


def _attend(axes: Any, points: Sequence[Point], width: float) -> None:
    """Arcs between all pairs: each looks at each."""
    for index, (x, low) in enumerate(points):
        for _, high in points[:index]:
            reach = 2 * width * (high - low) / max(points[0][1] - points[-1][1], 0.1)
            axes.add_patch(Arc((x, (low + high) / 2), reach, high - low, theta1=-90, theta2=90, color=PATH_COLOUR,
                               linewidth=1, alpha=0.75, zorder=2))


def _loop(axes: Any, point: Point, radius: float) -> None:
    """An arrow that leaves a neuron at its right and comes back."""
    x, y = point[0] + 0.6 * radius, point[1]
    axes.add_patch(Arc((x, y), 2 * radius, 2 * radius, theta1=-150, theta2=150, color=PATH_COLOUR, linewidth=1.3,
                       zorder=2.5))
    left, top, size = x - 0.87 * radius, y + 0.5 * radius, 0.6 * radius
    axes.add_patch(Polygon([(left, top), (left + 1.4 * size, top + 0.1 * size), (left + 0.5 * size, top + 1.3 * size)],
                           facecolor=PATH_COLOUR, edgecolor="none", zorder=3.5))


def _maps(axes: Any, rows: Sequence[LayerRow], place: Place) -> Glyph:
    """Feature maps one behind the other: sides by the square root of their pixels, number by their logarithm."""
    row = rows[0]
    *sides, channels = row.output if len(row.output) > 1 else (*row.output, 1)
    tall, wide = (1, sides[0]) if len(sides) == 1 else sides[-2:]
    count = 1 + min(5, round(0.75 * math.log2(max(channels, 1))))
    room = (min(place.height, place.width) - MAP_SHIFT * (count - 1)) / (1.4 if len(sides) == 3 else 1)
    width, height = (room * max(0.16, math.sqrt(side / place.largest)) for side in (wide, tall))
    deep = 0.4 * room * max(0.16, math.sqrt(sides[0] / place.largest)) if len(sides) == 3 else 0
    shift = MAP_SHIFT * (count - 1)
    left, bottom = place.x - (width + shift + deep) / 2, place.y - (height + shift + deep) / 2
    colour = COLOURS.get(row.role, COLOURS["hidden"])
    for index in reversed(range(count)):
        x, y = left + MAP_SHIFT * index, bottom + MAP_SHIFT * index
        if deep:  # the top and the right side of a box
            for corners in ([(x, y + height), (x + deep, y + height + deep), (x + width + deep, y + height + deep),
                             (x + width, y + height)],
                            [(x + width, y), (x + width + deep, y + deep), (x + width + deep, y + height + deep),
                             (x + width, y + height)]):
                axes.add_patch(Polygon(corners, facecolor=colour, edgecolor="white", linewidth=0.8, alpha=0.6,
                                       zorder=2.8 - index / 100))
        axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", linewidth=0.9,
                                 zorder=3 - index / 10))
    if row.kind == "recurrent":
        _loop(axes, (left + width + shift + deep, place.y), 0.16)
    edge = left + width + shift
    leave = tuple((edge, bottom + (height + shift) * share) for share in (0.1, 0.5, 0.9))
    return Glyph(((left, bottom + height / 2),), leave, (left, bottom, width, height))


def _sequence(axes: Any, rows: Sequence[LayerRow], place: Place) -> Glyph:
    """The steps of a sequence as bars side by side."""
    row = rows[0]
    steps = min(row.output[0], SEQUENCE_STEPS) or SEQUENCE_STEPS
    height = min(0.75 * place.height, 0.5 + 0.22 * math.log2(max(row.output[1], 1)))
    step = min(0.17, place.width / (steps + 1))
    left, bottom = place.x - step * steps / 2, place.y - height / 2
    for index in range(steps):
        axes.add_patch(Rectangle((left + step * index, bottom), 0.72 * step, height, zorder=3, edgecolor="none",
                                 facecolor=COLOURS.get(row.role, COLOURS["hidden"])))
    right = left + step * steps
    if row.kind == "recurrent":
        _loop(axes, (right - 0.2 * step, place.y), 0.16)
    return Glyph(((left, place.y),), ((right, place.y),))


def _table(axes: Any, rows: Sequence[LayerRow], place: Place) -> Glyph:
    """A table of vectors, one of which is looked up."""
    row = rows[0]
    columns, lines, cell = 4, 9, min(0.15, place.height / 10, place.width / 5)
    left, bottom = place.x - columns * cell / 2, place.y - lines * cell / 2
    colour = COLOURS.get(row.role, COLOURS["hidden"])
    for line in range(lines):
        for column in range(columns):
            axes.add_patch(Rectangle((left + column * cell, bottom + line * cell), cell, cell, linewidth=0.8, zorder=3,
                                     facecolor=colour if line == 5 else "white", edgecolor=colour))
    middle = bottom + 5.5 * cell
    return Glyph(((left, middle),), ((left + columns * cell, middle),))


def _ring(count: int) -> tuple[tuple[Point, ...], tuple[tuple[int, int], ...]]:
    """Neurons on a ring, each joined to each."""
    points = tuple((math.sin(2 * math.pi * index / count), math.cos(2 * math.pi * index / count))
                   for index in range(count))
    return points, tuple((start, end) for end in range(count) for start in range(end))


LINKED: dict[str, tuple[tuple[Point, ...], tuple[tuple[int, int], ...]]] = {  # points between -1 and 1, and the lines
    "tree": (((-0.95, 0.9), (-0.95, 0.3), (-0.95, -0.3), (-0.95, -0.9), (-0.3, 0.6), (0.3, 0.15), (0.95, -0.3)),
             ((0, 4), (1, 4), (4, 5), (2, 5), (5, 6), (3, 6))),
    "graph": (((-0.9, 0.1), (-0.35, 0.85), (-0.2, -0.15), (0.35, 0.4), (0.9, 0.75), (0.75, -0.35), (0.05, -0.9)),
              ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (3, 5), (5, 6), (2, 6))),
    "memory": _ring(9),
}


def _links(axes: Any, rows: Sequence[LayerRow], place: Place) -> Glyph:
    """Neurons joined by lines: a tree, a graph, or each with each."""
    points, lines = LINKED[rows[0].kind]
    radius = min(place.width, place.height) / 2 - 0.05
    size = min(RADIUS, 0.2 * radius)
    spots = [(place.x + (radius - size) * x, place.y + (radius - size) * y) for x, y in points]
    axes.add_collection(LineCollection([[spots[start], spots[end]] for start, end in lines], colors=TEXT_COLOUR,
                                       linewidths=1, alpha=0.6, zorder=2.5))
    for spot in spots:
        axes.add_patch(Circle(spot, size, facecolor=COLOURS.get(rows[0].role, COLOURS["hidden"]), edgecolor="white",
                              linewidth=1, zorder=3))
    left, right = min(spot[0] for spot in spots), max(spot[0] for spot in spots)
    return Glyph(tuple((x - size, y) for x, y in spots if x - left < 0.02),
                 tuple((x + size, y) for x, y in spots if right - x < 0.02))
