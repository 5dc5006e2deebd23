"""Pictures of what is in a network: its weights, what its layers give, the space that it has learned."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

from pellucid.errors import DataError, SettingsError, ShapeError, did_you_mean
from pellucid.networks.parts import parts_of
from pellucid.networks.synapses import LayerWeights, layer_weights
from pellucid.networks.tiles import (
    MOST_TILES,
    QUIET_COLOUR,
    blank_figure,
    heat_map,
    names_of,
    of_rows,
    some,
    tiles,
)

METHODS = ("pca", "tsne")
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000", "#B8A800")  # Okabe & Ito
MARKERS = "osD^vPX*"
MOST_CLASSES = len(CLASS_COLOURS) * len(MARKERS)
MOST_ARRAYS = 3
MANY_POINTS = 300  # from here on, t-SNE by approximation is faster


def draw_weights(network: Any, layer: str | None = None, *, image: tuple[int, ...] | None = None) -> Figure:
    """The weights of a layer as a picture: blue below 0, white at 0, red above.

    Filters of a convolution are tiles: a row for each channel, a column for each neuron. The features of a layer that
    looks at an image are tiles too. Other weights are matrices: a row for each source, a column for each neuron, for
    recurrent layers side by side for each gate. Of very many neurons some are shown, evenly spread.

    Args:
        network: a network.
        layer: the name of the layer, as in `describe`, or the path of an array, as in `weights`; the first one with
            weights when `None`.
        image: (height, width) or (height, width, 3) of the images that the layer looks at or gives, where it takes
            them as rows of numbers.

    Raises:
        SettingsError: there is no such layer.
        ShapeError: no side of the weights has as many numbers as the image.
    """
    own = layer_weights(network, layer)
    if image is None and own.first and len(own.before) > 1 and own.before[-1] in (1, 3):
        image = own.before if own.before[-1] == 3 else own.before[:-1]
    shown = list(own.arrays.items())[:MOST_ARRAYS]
    if image is not None:
        fitting = [(name, array) for name, array in shown if _features(array, image) is not None]
        if not fitting and all(array.ndim == 2 for _, array in shown):
            raise ShapeError(f"`draw_weights` got image={image}, which is {math.prod(image)} numbers; the weights of "
                             f"`{own.part.name}` are {' and '.join(str(array.shape) for _, array in shown)}.",
                             "pass the height and width of the images")
        shown = fitting or shown
    figure = blank_figure(f"{own.part.name}: weights", width=min(11.0, 2.5 + 4.5 * len(shown)))
    fields = figure.subfigures(1, len(shown), squeeze=False)[0]
    for field, (name, array) in zip(fields, shown, strict=True):
        if len(shown) > 1:
            field.suptitle(name.split(".")[-1].replace("_", " "), fontsize=10)
        _draw_array(field, own, name, array, image)
    return figure


def _features(array: np.ndarray, image: tuple[int, ...]) -> np.ndarray | None:
    """A matrix as images, one for each neuron at its other side; `None` where neither side has that many numbers."""
    if array.ndim != 2 or math.prod(image) not in array.shape:
        return None
    rows = array.T if array.shape[0] == math.prod(image) else array
    return rows.reshape(len(rows), *image)


def _draw_array(figure: Any, own: LayerWeights, name: str, array: np.ndarray, image: tuple[int, ...] | None) -> None:
    features = None if image is None else _features(array, image)
    if features is not None and features.ndim in (3, 4):
        numbers = some(len(features), MOST_TILES)
        tiles(figure, features[numbers], names_of("neuron", numbers))
    elif array.ndim == 4:
        _draw_filters(figure, array)
    elif array.ndim > 2:
        rows = array.reshape(-1, array.shape[-1])
        heat_map(figure, figure.subplots(), rows, ("neuron", f"place and source, {array[..., 0].shape}"))
    else:
        axes = figure.subplots()
        source = own.source(name, (0, 0)).rsplit(" ", 1)[0] if not len(own.before) > 1 else "source"
        heat_map(figure, axes, array, ("neuron", source))
        _mark_gates(axes, own, array)


def _draw_filters(figure: Any, array: np.ndarray) -> None:
    """Filters (height, width, channels, neurons): in colour for three channels, else a row for each channel."""
    channels, neurons = array.shape[-2:]
    if channels in (1, 3):
        numbers = some(neurons, MOST_TILES)
        filters = [array[:, :, 0, number] if channels == 1 else array[..., number] for number in numbers]
        tiles(figure, filters, names_of("filter", numbers))
        return
    rows, columns = some(channels, 8), some(neurons, 12)
    filters = [array[:, :, row, column] for row in rows for column in columns]
    names = [f"filter {column}" if row == rows[0] and len(columns) <= 8 else "" for row in rows for column in columns]
    tiles(figure, filters, names, columns=len(columns))


def _mark_gates(axes: Any, own: LayerWeights, array: np.ndarray) -> None:
    """Lines between the gates of a recurrent layer, and their names."""
    if own.gates:
        each = array.shape[-1] / len(own.gates)
        for index, gate in enumerate(own.gates):
            axes.axvline(each * index - 0.5, color="black", linewidth=0.8)
            axes.text(each * (index + 0.5) - 0.5, -0.7, gate.replace(" ", "\n"), ha="center", va="bottom", fontsize=9,
                      color=QUIET_COLOUR)
        axes.set_xlabel("gate and neuron", fontsize=9)


def draw_activations(network: Any, inputs: Any, layer: str, row: int = 0, *, state: Any = None) -> Figure:
    """What a layer gives for one row of the inputs.

    Feature maps are tiles, sequences a picture with a column for each step, other layers a bar for each neuron.

    Args:
        network: a network with `layer_outputs`.
        inputs: as the network takes them.
        layer: the name of a layer, as in `layer_outputs`.
        row: which row of the inputs.
        state: as the network takes it.

    Raises:
        SettingsError: there is no such layer.
        DataError: there is no such row.
    """
    count = _count(inputs)
    if not 0 <= row < count:
        raise DataError(f"`draw_activations` got row={row}; the inputs have {count} rows.",
                        f"pass a row from 0 to {count - 1}")
    values = np.asarray(_layer(network, _rows(inputs, slice(row, row + 1)), layer, state)[0], np.float64)
    figure = blank_figure(f"{layer}: what it gives for row {row}")
    if values.ndim == 3:
        numbers = some(values.shape[-1], MOST_TILES)
        tiles(figure, [values[..., number] for number in numbers], names_of("map", numbers))
    elif values.ndim == 4:
        steps, maps = some(values.shape[0], 8), some(values.shape[-1], 8)
        tiles(figure, [values[step, ..., number] for number in maps for step in steps],
              [f"step {step}" if number == maps[0] else "" for number in maps for step in steps], columns=len(steps))
    elif values.ndim == 2:
        heat_map(figure, figure.subplots(), values.T, ("step", "neuron"))
    else:
        _draw_bars(figure.subplots(), np.ravel(values))
    return figure


def _draw_bars(axes: Any, values: np.ndarray) -> None:
    low, high = min(0.0, np.nanmin(values)), max(0.0, np.nanmax(values))
    axes.bar(np.arange(len(values)), values, width=0.8 if len(values) < 100 else 1.0,
             color=[CLASS_COLOURS[1] if value >= 0 else CLASS_COLOURS[0] for value in values])
    axes.set(xlabel="neuron", ylabel="output", ylim=(1.05 * low, 1.05 * high if high > low else 1))
    axes.axhline(0, color=QUIET_COLOUR, linewidth=0.8)
    axes.xaxis.get_major_locator().set_params(integer=True)


def draw_space(network: Any, inputs: Any, labels: Sequence[Any] | None = None, *, layer: str | None = None,
               method: str = "pca", state: Any = None) -> Figure:
    """The space that a layer has learned, in two dimensions: a point for each row, near where the layer finds it alike.

    Args:
        network: a network with `layer_outputs`.
        inputs: as the network takes them, at least three rows.
        labels: a class or a number for each row, as colours.
        layer: the name of a layer, as in `layer_outputs`; the code, else the last hidden one, when `None`.
        method: `"pca"`, the two directions in which the rows differ most, or `"tsne"`, which keeps neighbours together
            while distances between groups mean little.
        state: as the network takes it.

    Raises:
        SettingsError: there is no such layer or method.
        DataError: there are fewer than three rows, or not one label for each.
    """
    count = _count(inputs)
    if method not in METHODS:
        raise SettingsError(f"Unknown method `{method}`.", did_you_mean(method, METHODS))
    if count < 3 or labels is not None and len(labels) != count:
        raise DataError(f"`draw_space` got {count} rows and {'no' if labels is None else len(labels)} labels; expected "
                        "at least three rows, and a label for each.", "pass more rows, or labels of these rows")
    layer = _last_hidden(network, inputs, state) if layer is None else layer
    values = of_rows(lambda rows: _flat(_layer(network, _rows(inputs, rows), layer, state)), count).astype(np.float64)
    points, axis_names = _in_two(values, method)
    figure = blank_figure(f"{layer}: {count:,} rows in its space")
    axes = figure.subplots()
    _draw_points(figure, axes, points, None if labels is None else np.asarray(labels))
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _in_two(values: np.ndarray, method: str) -> tuple[np.ndarray, tuple[str, str]]:
    from sklearn.decomposition import PCA  # loaded here: it takes a second, and few need it
    from sklearn.manifold import TSNE

    values = np.pad(values, ((0, 0), (0, max(0, 2 - values.shape[1]))))
    if method == "tsne":
        how = "exact" if len(values) < MANY_POINTS else "barnes_hut"
        reducer = TSNE(perplexity=min(30, (len(values) - 1) / 3), init="pca", method=how, random_state=0)
        return reducer.fit_transform(values), ("t-SNE, first", "t-SNE, second")
    reducer = PCA(2, random_state=0)
    points = reducer.fit_transform(values)
    shares = np.nan_to_num(reducer.explained_variance_ratio_)
    return points, tuple(f"{name} component: {share:.0%} of the variance"
                         for name, share in zip(("first", "second"), shares, strict=True))


def _draw_points(figure: Figure, axes: Any, points: np.ndarray, labels: np.ndarray | None) -> None:
    size = float(np.clip(6000 / len(points), 4, 30))
    if labels is None:
        axes.scatter(*points.T, s=size, c=CLASS_COLOURS[0], alpha=0.7, linewidths=0)
        return
    classes = np.unique(labels)
    if len(classes) > MOST_CLASSES or labels.dtype.kind == "f" and len(classes) > len(CLASS_COLOURS):
        shown = axes.scatter(*points.T, s=size, c=np.unique(labels, return_inverse=True)[1]
                             if labels.dtype.kind not in "fiu" else labels, cmap="cividis", alpha=0.8, linewidths=0)
        figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.02)
        return
    for index, label in enumerate(classes):
        axes.scatter(*points[labels == label].T, s=size, alpha=0.75, linewidths=0, label=str(label),
                     color=CLASS_COLOURS[index % len(CLASS_COLOURS)],
                     marker=MARKERS[(index + index // len(CLASS_COLOURS)) % len(MARKERS)])
    figure.legend(loc="outside right center", fontsize=9, frameon=False, markerscale=1.5,
                  ncols=1 + len(classes) // 24)


def _layer(network: Any, inputs: Any, layer: str, state: Any) -> jax.Array:
    values = network.layer_outputs(inputs, state=state)
    if layer not in values:
        known = {part.name for part in parts_of(network).rows} - set(values)
        hint = f"`{layer}` is described, but has no values of its own; " if layer in known else ""
        raise SettingsError(f"`{type(network).__name__}` has no layer `{layer}` that gives values.",
                            hint + did_you_mean(layer, values))
    return values[layer]


def _last_hidden(network: Any, inputs: Any, state: Any) -> str:
    names = list(network.layer_outputs(_rows(inputs, slice(0, 1)), state=state))
    return "code" if "code" in names else names[-2] if len(names) > 1 else names[-1]


def _flat(values: jax.Array) -> np.ndarray:
    return np.asarray(values).reshape(len(values), -1)


def _count(inputs: Any) -> int:
    return len(jax.tree.leaves(inputs)[0])


def _rows(inputs: Any, rows: slice) -> Any:
    return jax.tree.map(lambda array: array[rows], inputs)
