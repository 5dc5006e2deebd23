"""Things with their parts marked: the bluer a part, the more it speaks for the answer; the more orange, the more it
speaks against it."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from pellucid.core.part import Part
from pellucid.explain.game import Cell
from pellucid.features._films import film, film_look, film_range
from pellucid.features._pictures import Form, Look, look, pixels
from pellucid.features._series import read_series
from pellucid.features.sound import loudest_part, read_sound
from pellucid.report.canvas import BLUE, COLOURS, FAINT, INK, VERMILION, Drawn, drawing
from pellucid.report.structures import molecule_drawing, tree_drawing

LARGEST = 480
"""Pixels of the longer side that a picture is shown with."""
ACROSS, BAR = 8, 0.22
"""Frames of a film side by side, and the height of the bar below, in parts of a frame."""
STRONGEST, NUMBERED = 0.75, 3
"""How little of the picture shows through the strongest part, and how many parts are numbered."""
PALE = 110
"""The brightness of black in the marked picture."""
FLOOR = 1e-12
RANGE = 60.0
"""Decibels between the darkest and the brightest tone of a spectrogram."""


def strengths(contributions: np.ndarray) -> np.ndarray:
    """From -1 to 1, the strongest part at an end.

    Example:
        >>> strengths(np.array([2.0, -1.0, 0.0])).tolist()
        [1.0, -0.5, 0.0]
    """
    return contributions / max(float(np.abs(contributions).max(initial=0)), FLOOR)


def colour_of(strength: float) -> tuple[float, float, float, float]:
    """Blue for, vermilion against; the weaker, the more transparent."""
    return (*to_rgb(BLUE if strength >= 0 else VERMILION), STRONGEST * abs(float(strength)))


def picture_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """The picture as it is, and beside it the same with its regions marked; the three strongest are numbered."""
    found = look(cell.value)
    shape = _shrunk(found, LARGEST)
    seen = pixels(cell.value, Form(*shape, 3))
    width = 3.2 * min(max(found.width / found.height, 0.4), 2.5)
    with drawing(name, 2 * width + 0.2, 3.3) as drawn:
        for axes, shown in zip(_side_by_side(drawn, 2), (seen, _faded(seen)), strict=True):
            axes.imshow(shown, extent=(0, found.width, found.height, 0), interpolation="nearest")
            axes.set_axis_off()
        numbers = _numbers(contributions)
        for place, (part, strength) in enumerate(zip(parts, strengths(contributions), strict=True)):
            top, left, bottom, right = part.place
            axes.add_patch(Rectangle((left, top), right - left, bottom - top, facecolor=colour_of(strength),
                                     edgecolor="none"))
            if place in numbers:
                _number(axes, (left + right) / 2, (top + bottom) / 2, numbers[place])
    return drawn.svg


def _faded(seen: np.ndarray) -> np.ndarray:
    """In pale grey, so that colours stand out on dark and on bright pictures."""
    grey = seen.mean(axis=2, keepdims=True)
    return np.repeat(np.round(PALE + grey * (1 - PALE / 255)), 3, axis=2).astype(np.uint8)


def _side_by_side(drawn: Drawn, count: int) -> Sequence[Axes]:
    drawn.axes.remove()
    return drawn.figure.subplots(1, count, squeeze=False)[0]


def _numbers(contributions: np.ndarray) -> dict[int, int]:
    """The numbers of the strongest parts, from 1 on, by their places."""
    order = np.argsort(-np.abs(contributions), kind="stable")[:NUMBERED].tolist()
    return {place: number for number, place in enumerate(order, 1) if contributions[place]}


def _shrunk(found: Look, longest: float) -> tuple[int, int]:
    """Height and width with the longer side no longer than this."""
    scale = min(1.0, longest / max(found.height, found.width))
    return max(round(found.height * scale), 1), max(round(found.width * scale), 1)


def _number(axes: Axes, across: float, down: float, number: int) -> None:
    axes.text(across, down, str(number), ha="center", va="center", fontsize=9, fontweight="bold", color="white",
              bbox={"boxstyle": "circle,pad=0.2", "facecolor": "#1b2430", "edgecolor": "none", "alpha": 0.8})


def film_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """The frames in order, each over a bar of its colour; the three strongest are numbered."""
    found = film_look(cell.value)[1]
    shape = _shrunk(found, LARGEST / ACROSS)
    frames = film(cell.value, Form(*shape, 3, *(film_range(cell.value) or (0.0, 255.0))), len(parts))
    across = min(len(parts), ACROSS)
    down = -(-len(parts) // across)
    numbers = _numbers(contributions)
    with drawing(name, 6.8, down * (0.3 + 6.8 / ACROSS * min(shape[0] / shape[1], 2.0))) as drawn:
        drawn.axes.remove()
        grid = drawn.figure.subplots(down, across, squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        for place, (axes, frame, strength) in enumerate(zip(grid, frames, strengths(contributions), strict=False)):
            axes.imshow(frame, interpolation="nearest", extent=(0, shape[1], shape[0], 0))
            axes.add_patch(Rectangle((0, shape[0] * 1.04), shape[1], shape[0] * BAR, facecolor=colour_of(strength),
                                     edgecolor=FAINT, linewidth=0.6, clip_on=False))
            axes.set_ylim(shape[0] * (1.04 + BAR), 0)
            if place in numbers:
                _number(axes, shape[1] / 2, shape[0] * (1.04 + BAR / 2), numbers[place])
    return drawn.svg


def sound_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """The loudness of all pitches over time, with the moments marked."""
    rate = int(round(2 * max(part.place[3] for part in parts)))
    samples = loudest_part(read_sound(cell.value, rate).samples, round(max(part.place[1] for part in parts) * rate))
    seconds = len(samples) / rate
    with drawing(name, 6.4, 3.0) as drawn:
        axes = drawn.axes
        axes.imshow(_loudness(samples, rate), origin="lower", extent=(0, seconds, 0, rate / 2), cmap="Greys",
                    aspect="auto", interpolation="bilinear", vmin=-RANGE, vmax=0)
        numbers = _numbers(contributions)
        for place, (part, strength) in enumerate(zip(parts, strengths(contributions), strict=True)):
            start, stop, low, high = part.place
            axes.add_patch(Rectangle((start, low), stop - start, high - low, facecolor=colour_of(strength),
                                     edgecolor=FAINT, linewidth=0.4))
            if place in numbers:
                _number(axes, (start + stop) / 2, (low + high) / 2, numbers[place])
        axes.set(xlabel="seconds", ylabel="pitch in hertz")
        axes.grid(False)
    return drawn.svg


def _loudness(samples: np.ndarray, rate: int) -> np.ndarray:
    """Decibels below the loudest entry, (pitches, moments)."""
    window = min(256, len(samples))
    cut = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), window)[::max(len(samples) // 300, 1)]
    power = np.square(np.abs(np.fft.rfft(cut * np.hanning(window)))).T
    return 10 * np.log10(np.maximum(power / max(power.max(), FLOOR), 10 ** (-RANGE / 10)))


def series_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """The end of a series with its moments marked, and the forecast behind it.

    `cell.value` holds `"values"` (steps,), `"times"` in words, and `"forecast"`, (steps ahead, value).
    """
    values, ahead = np.asarray(cell.value["values"], np.float64), cell.value["forecast"]
    spans = [(place, part) for place, part in enumerate(parts) if len(part.place) == 2]
    shown = strengths(contributions)
    first = max(min(part.place[0] for _, part in spans) - 2, 0)
    with drawing(name, 6.4, 2.8) as drawn:
        axes = drawn.axes
        for place, part in spans:
            axes.axvspan(part.place[0] - 0.5, part.place[1] - 0.5, color=colour_of(shown[place]), linewidth=0)
        steps = np.arange(first, len(values))
        axes.plot(steps, values[first:], color=INK, linewidth=1.4, marker="o" if len(steps) < 60 else "", markersize=3)
        axes.plot([len(values) - 1 + ahead[0]], [ahead[1]], "D", color=VERMILION, markersize=6, label="forecast")
        marks = np.unique(np.linspace(first, len(values) - 1, 5).round().astype(int))
        axes.set_xticks(marks, [str(cell.value["times"][mark]) for mark in marks])
        axes.legend(loc="best")
        axes.grid(axis="x", visible=False)
    return drawn.svg


def steps_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """A series as a line for each channel, its steps marked."""
    values = np.asarray(read_series(cell.value).values, np.float64)
    if len(values) < max(part.place[1] for part in parts) <= values.shape[1]:
        values = values.T
    with drawing(name, 6.4, 2.4) as drawn:
        for part, strength in zip(parts, strengths(contributions), strict=True):
            drawn.axes.axvspan(part.place[0] + 0.5, part.place[1] + 0.5, color=colour_of(strength), linewidth=0)
        for channel, colour in zip(values.T, (INK, *COLOURS), strict=False):
            drawn.axes.plot(np.arange(1, len(channel) + 1), channel, color=colour, linewidth=1.2)
        drawn.axes.set(xlabel="step")
        drawn.axes.grid(axis="x", visible=False)
    return drawn.svg


Drawing = Callable[[str, Cell, Sequence[Part], np.ndarray], str]
DRAWINGS: Mapping[str, Drawing] = {"image": picture_drawing, "video": film_drawing, "audio": sound_drawing,
                                   "molecule": molecule_drawing, "molecule_3d": molecule_drawing, "tree": tree_drawing,
                                   "series": steps_drawing, "forecast": series_drawing}
"""By the kind of a cell."""


def marked(name: str, column: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """A cell with its parts marked as an SVG element; empty where there is nothing to draw.

    Args:
        name: unique on the page.
        column: of the cell.
        cell: what is drawn.
        parts: of the whole row.
        contributions: float64 (parts,).
    """
    own = [place for place, part in enumerate(parts) if part.column == column]
    if cell.kind not in DRAWINGS or not any(parts[place].place for place in own):
        return ""
    return DRAWINGS[cell.kind](name, cell, [parts[place] for place in own], contributions[own])
