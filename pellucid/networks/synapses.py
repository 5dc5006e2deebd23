"""Weights by layer, and the strongest synapses by name."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from pellucid.errors import ShapeError


@dataclass(frozen=True)
class Synapse:
    """One weight: from an input of the first layer to one of its neurons."""

    source: str
    neuron: int
    weight: float

    def __str__(self) -> str:
        return f"{self.source} → neuron {self.neuron}: {self.weight:+.4g}"


def weights(network: Any) -> dict[str, np.ndarray]:
    """Every weight matrix of a network by its path, such as `"hidden[0].dense.weight"`: (inputs, neurons).

    Example:
        >>> {name: matrix.shape for name, matrix in weights(network).items()}
        {'hidden[0].dense.weight': (30, 64), 'output.weight': (64, 2)}
    """
    leaves = jax.tree_util.tree_leaves_with_path(network)
    named = ((jax.tree_util.keystr(path).lstrip("."), leaf) for path, leaf in leaves)
    return {name: np.asarray(leaf) for name, leaf in named
            if getattr(leaf, "ndim", 0) == 2 and name.split(".")[-1] == "weight"}


def strongest_synapses(network: Any, input_names: Sequence[str] = (), count: int = 10) -> list[Synapse]:
    """The synapses of the first weight matrix with the largest weights, of either sign, strongest first.

    Args:
        network: a network with at least one weight matrix.
        input_names: a name for each input of that matrix; "input 0", … without.
        count: how many.

    Raises:
        ShapeError: when there are names, but not one for each input.
    """
    matrices = weights(network)
    if not matrices:
        return []
    matrix = next(iter(matrices.values()))
    names = list(input_names) or [f"input {index}" for index in range(matrix.shape[0])]
    if len(names) != matrix.shape[0]:
        raise ShapeError(f"`strongest_synapses` got {len(names)} names for {matrix.shape[0]} inputs.",
                         "pass one name for each input of the first layer")
    order = np.argsort(-np.abs(matrix), axis=None, kind="stable")[:count]
    return [Synapse(names[row], int(column), float(matrix[row, column]))
            for row, column in zip(*np.unravel_index(order, matrix.shape), strict=True)]
