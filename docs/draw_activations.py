"""Draws every activation function with its derivative to docs/images/activations.png, and writes docs/activations.md.

    python docs/draw_activations.py
"""
from __future__ import annotations

import math
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pellucid.core.names import ACTIVATION_ALIASES
from pellucid.nn import Activation, activations

FOLDER = Path(__file__).parent
COLUMNS, PANEL = 5, (2.0, 1.75)  # inches
FUNCTION_COLOUR, DERIVATIVE_COLOUR = "#0072B2", "#D55E00"
REACH = 4.0
VECTOR = {"softmax", "log_softmax"}  # drawn as functions of one input beside another that stays 0

PAGE = """# Activation functions

What a neuron does with the weighted sum of its inputs and its bias. By name in every network and layer, for example
`Feedforward(30, (64, 64), 2, activation="silu", key=key)`; `pellucid.nn.activations` holds them all with formula,
derivative and range.

![Every activation function (blue) and its derivative (orange, dashed)](images/activations.png)

| name | formula | derivative | range | when to use it |
|---|---|---|---|---|
{rows}

Ranges: a square bracket means that the value is reached or approached as near as floating-point numbers allow.
Where the range of the output activation cannot hold the targets, `pellucid.nn.range_warning` says so in words:
a sigmoid, for example, cannot give -3.

Other spellings: {aliases}.

This page and its picture are made by `python docs/draw_activations.py`.
"""


def main() -> None:
    """Draw the picture and write the page."""
    (FOLDER / "images").mkdir(exist_ok=True)
    draw().savefig(FOLDER / "images" / "activations.png", metadata={"Software": None})
    rows = "\n".join(row(entry) for entry in activations.values())
    aliases = ", ".join(f"`{alias}` is `{name}`" for alias, name in sorted(ACTIVATION_ALIASES.items()))
    (FOLDER / "activations.md").write_text(PAGE.format(rows=rows, aliases=aliases), encoding="utf-8")


def draw() -> Figure:
    """All activation functions, one small panel each."""
    lines = math.ceil(len(activations) / COLUMNS)
    figure = Figure(figsize=(COLUMNS * PANEL[0], lines * PANEL[1]), dpi=90, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    panels = figure.subplots(lines, COLUMNS, sharex=True, sharey=True)
    for panel in panels.ravel()[len(activations):]:
        panel.axis("off")
    x = np.linspace(-REACH, REACH, 801)
    for entry, panel in zip(activations.values(), panels.flat, strict=False):
        panel.axhline(0, color="#C5CBD3", linewidth=0.8)
        panel.axvline(0, color="#C5CBD3", linewidth=0.8)
        panel.plot(x, values(entry, entry.function, x), color=FUNCTION_COLOUR, linewidth=2)
        panel.plot(x, values(entry, entry.derivative, x), color=DERIVATIVE_COLOUR, linewidth=1.4, linestyle=(0, (4, 2)))
        panel.set_title(entry.name, fontsize=11, color="#1F2933")
        panel.set(xlim=(-REACH, REACH), ylim=(-2, 3), xticks=(-4, -2, 0, 2, 4), yticks=(-2, -1, 0, 1, 2, 3))
        panel.tick_params(labelsize=8, colors="#52606D", length=2)
        for side in panel.spines.values():
            side.set_color("#C5CBD3")
    return figure


def values(entry: Activation, function, x: np.ndarray) -> np.ndarray:
    """The function over `x`, with gaps where it jumps."""
    if entry.name in VECTOR:
        return np.asarray(function(jnp.stack([jnp.asarray(x), jnp.zeros(len(x))], axis=1)))[:, 0]
    y = np.array(function(jnp.asarray(x)))
    y[1:][np.abs(np.diff(y)) > 0.1] = np.nan
    return y


def row(entry: Activation) -> str:
    """One line of the table."""
    span = " to ".join("∞" if end == math.inf else "-∞" if end == -math.inf else f"{end:.4g}"
                       for end in (entry.low, entry.high))
    left, right = ("(" if math.isinf(entry.low) else "["), (")" if math.isinf(entry.high) else "]")
    formula, derivative = (text.replace("|", "\\|") for text in (entry.formula, entry.derivative_formula))
    note = entry.note + (f" ({entry.source})" if entry.source else "")
    return f"| `{entry.name}` | {formula} | {derivative} | {left}{span}{right} | {note} |"


if __name__ == "__main__":
    main()
