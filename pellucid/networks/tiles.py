"""What pictures of networks share: figures, tiles, heat maps, colours."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SIGNED, UNSIGNED = "RdBu_r", "cividis"  # both can be read by the colour-blind
TEXT_COLOUR, QUIET_COLOUR = "#1F2933", "#52606D"
MOST_TILES = 64


def blank_figure(title: str, width: float = 7.0, height: float = 4.6) -> Figure:
    """A white figure that belongs to no window."""
    figure = Figure(figsize=(width, height), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, fontweight="bold", color=TEXT_COLOUR)
    return figure


def colour_range(values: np.ndarray) -> dict[str, Any]:
    """A map of colours for these values, with white at 0 where some are below it."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low < 0:
        top = max(-low, high)
        return {"cmap": SIGNED, "vmin": -top, "vmax": top}
    return {"cmap": UNSIGNED, "vmin": low, "vmax": high if high > low else low + 1}


def some(count: int, most: int) -> np.ndarray:
    """At most `most` of `count` numbers, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def heat_map(figure: Figure, axes: Any, matrix: np.ndarray, labels: tuple[str, str], bar: bool = True) -> None:
    """A matrix as colours, with a bar that tells what they mean.

    Args:
        figure, axes: where.
        matrix: (height, width).
        labels: what its columns and its rows are.
        bar: whether there is a bar.
    """
    image = axes.imshow(matrix, aspect="auto", interpolation="nearest", **colour_range(matrix))
    axes.set_xlabel(labels[0], fontsize=9)
    axes.set_ylabel(labels[1], fontsize=9)
    axes.tick_params(labelsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)
    if bar:
        figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02).ax.tick_params(labelsize=9)


def tiles(figure: Any, images: Sequence[np.ndarray], names: Sequence[str], columns: int | None = None,
          bar: bool = True) -> None:
    """Small pictures side by side, in one range of colours; pictures of three channels in their own colours.

    Args:
        figure: a figure, or a part of one.
        images: each (height, width) or, in colour, (height, width, 3).
        names: one each, written above; empty for none.
        columns: how many stand side by side; as a square when `None`.
        bar: whether a bar tells what the colours mean.
    """
    columns = columns or math.ceil(math.sqrt(len(images)))
    grid = figure.subplots(math.ceil(len(images) / columns), columns, squeeze=False)
    colours = colour_range(np.concatenate([np.ravel(image) for image in images]))
    last = None
    for index, axes in enumerate(grid.flat):
        axes.axis("off")
        if index < len(images):
            shown = axes.imshow(_coloured(images[index], colours), interpolation="nearest", **colours)
            last = shown if images[index].ndim == 2 else last
            if names[index]:
                axes.set_title(names[index], fontsize=9, pad=2, color=QUIET_COLOUR)
    if bar and last is not None:
        figure.colorbar(last, ax=grid, fraction=0.04, pad=0.02).ax.tick_params(labelsize=9)


def _coloured(image: np.ndarray, colours: dict[str, Any]) -> np.ndarray:
    """An image of three channels as shares of the range of colours."""
    if image.ndim == 2:
        return image
    return np.clip((image - colours["vmin"]) / (colours["vmax"] - colours["vmin"]), 0, 1)


def names_of(noun: str, numbers: np.ndarray, most: int = 16) -> list[str]:
    """Names such as "neuron 3"; none where they would not fit above tiles."""
    return [f"{noun} {number}" if len(numbers) <= most else "" for number in numbers]


def of_rows(function: Callable[[Any], Any], count: int, tile: int = 512) -> np.ndarray:
    """`function(slice)` of all rows, tile by tile, joined."""
    return np.concatenate([np.asarray(function(slice(start, min(start + tile, count))))
                           for start in range(0, count, tile)])
