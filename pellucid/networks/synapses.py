"""Weights by layer, and the strongest synapses by name."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks.parts import JOINING, Part, array_kind, array_paths, arrays_of, parts_of

GATES = {3: ("reset gate", "update gate", "candidate"),  # in the order of their columns
         4: ("input gate", "forget gate", "candidate", "output gate")}


@dataclass(frozen=True)
class Synapse:
    """One weight: from a source to a neuron of the layer.

    Args:
        source: an input by name, a neuron of the layer before or of this one, or a place in a window.
        neuron: number of the neuron it leads to.
        weight: its weight.
        gate: the gate of the neuron, for recurrent layers that have gates.
    """

    source: str
    neuron: int
    weight: float
    gate: str = ""

    def __str__(self) -> str:
        return f"{self.source} → {self.gate + ' of ' if self.gate else ''}neuron {self.neuron}: {self.weight:+.4g}"


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The weights of one layer, and what is needed to name their ends.

    Args:
        part: the layer.
        arrays: its weights by path, each (…, sources, neurons).
        before: the shape of what the layer before gives, empty where that is a row of neurons.
        first: whether the layer before is the inputs.
    """

    part: Part
    arrays: dict[str, np.ndarray]
    before: tuple[int, ...] = ()
    first: bool = False

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates of a recurrent layer: its weights have a column for each neuron and gate; empty without any."""
        own = [array for name, array in self.arrays.items() if self.part.kind == "recurrent" and _is_recurrent(name)]
        count = own[0].shape[-1] // own[0].shape[-2] if own else 1
        return GATES.get(count, ())

    def source(self, name: str, index: Sequence[int], names: Sequence[str] = ()) -> str:
        """What the weight at `index` of the array `name` comes from, in words."""
        *place, row = (int(step) for step in index[:-1])
        shape = self.arrays[name].shape
        if not place and len(self.before) > 1 and math.prod(self.before) == shape[-2] and not names:
            *spot, channel = (int(step) for step in np.unravel_index(row, self.before))
            return f"channel {channel} at ({', '.join(map(str, spot))})"
        if names and len(names) == shape[-2] and not _is_recurrent(name):
            what = str(names[row])
        elif array_kind(name.split(".")[-1]) == "looked up" or self.part.kind == "embedding":
            what = f"code {row}"
        else:
            what = f"{'channel' if place else 'input' if self.first and not _is_recurrent(name) else 'neuron'} {row}"
        if not place:
            return what
        steps = ", ".join(f"{step - (size - 1) // 2:+d}" for step, size in zip(place, shape, strict=False))
        return f"{what} at ({steps})"


def layer_weights(network: Any, layer: str | None = None) -> LayerWeights:
    """The weights of the layer called `layer`, or of the first layer that has any.

    Args:
        network: a network.
        layer: the name of a layer, as in `describe`, or the path of an array, as in `weights`.

    Raises:
        SettingsError: there is no such layer, or it has no weights.
    """
    paths, parts, before, known = array_paths(network), parts_of(network), Part("", "input", 0), []
    starts = {(end, name): start for start, end, name in parts.paths}
    at_depth: dict[int, Part] = {}
    for depth, part in parts.placed():
        arrays = {path: leaf for path, name, leaf in arrays_of(part, paths)
                  if leaf.ndim > 1 and (array_kind(name) in JOINING or part.role == "weights")}
        known += [part.name, *(path for path in arrays if path != part.name)] if arrays else []
        if layer in arrays and layer != part.name:
            arrays = {layer: arrays[layer]}
        if arrays and layer in (None, part.name, *arrays):
            given = {path: np.asarray(leaf) for path, leaf in arrays.items()}
            start = starts.get((depth, part.name.split(", ")[-1]))  # a path that leads past layers
            source = at_depth.get(start, before)
            return LayerWeights(part, given, tuple(source.shape), source.role == "input")
        if part.neurons or part.shape:
            before = part
            at_depth.setdefault(depth, part)
    if layer is None:
        raise SettingsError(f"`{type(network).__name__}` has no weights.", "describe(network) lists its arrays")
    raise SettingsError(f"`{type(network).__name__}` has no weights called `{layer}`.", did_you_mean(layer, known))


def weights(network: Any) -> dict[str, np.ndarray]:
    """Every array of weights by its path, such as `"hidden[0].dense.weight"`: (…, inputs, neurons).

    Example:
        >>> {name: matrix.shape for name, matrix in weights(network).items()}
        {'hidden[0].dense.weight': (30, 64), 'output.weight': (64, 2)}
    """
    paths = array_paths(network)
    return {path: np.asarray(leaf) for part in parts_of(network).rows for path, name, leaf in arrays_of(part, paths)
            if leaf.ndim > 1 and array_kind(name) in JOINING}


def strongest_synapses(network: Any, input_names: Sequence[str] = (), count: int = 10,
                       layer: str | None = None) -> list[Synapse]:
    """The synapses of a layer with the largest weights, of either sign, strongest first.

    Where a synapse comes from is said in words: an input by name, a channel and its place in the window (0 is the
    middle), a neuron of the layer before, or for the weights of a recurrent layer that lead back, one of its own.

    Args:
        network: a network with at least one array of weights.
        input_names: a name for each input of that layer; "input 0", … without.
        count: how many.
        layer: the name of the layer, as in `describe`, or the path of an array, as in `weights`; the first one with
            weights when `None`.

    Raises:
        SettingsError: there is no such layer.
        ShapeError: when there are names, but not one for each input.
    """
    if layer is None and not weights(network):
        return []
    own = layer_weights(network, layer)
    sizes = [array.shape[-2] for array in own.arrays.values()]
    if len(input_names) and len(input_names) not in sizes[:1]:
        raise ShapeError(f"`strongest_synapses` got {len(input_names)} names for {sizes[0]} inputs of "
                         f"`{own.part.name}`.", "pass one name for each input of the layer")
    found = []
    for name, array in own.arrays.items():
        order = np.argsort(-np.abs(array), axis=None, kind="stable")[:count]
        found += [(name, index) for index in zip(*np.unravel_index(order, array.shape), strict=True)]
    found.sort(key=lambda place: -abs(own.arrays[place[0]][place[1]]))
    return [_synapse(own, name, index, input_names) for name, index in found[:count]]


def _synapse(own: LayerWeights, name: str, index: tuple[Any, ...], names: Sequence[str]) -> Synapse:
    column, gates = int(index[-1]), own.gates
    each = own.arrays[name].shape[-1] // max(len(gates), 1)
    gate = gates[column // each] if gates else ""
    return Synapse(own.source(name, index, names), column % each, float(own.arrays[name][index]), gate)


def _is_recurrent(name: str) -> bool:
    return "recurrent" in name.split(".")[-1]
