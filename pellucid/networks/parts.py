"""What a network says of itself, part by part: the raw material of its description and its drawing."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax

LOOKED_UP = ("vectors",)  # names of arrays that join neurons without being multiplied
MULTIPLIED = ("frequency", "factor", "tensor")  # besides every name that begins or ends with "weight"
BIASES = ("phase",)  # besides every name that begins or ends with "bias"
JOINING = ("multiplied", "looked up")  # the kinds of arrays that are synapses


@dataclass(frozen=True, eq=False)
class Part:
    """One layer of a network.

    Args:
        name: what it is called; the same name as in `layer_outputs` where that has it.
        role: `"input"`, `"hidden"` or `"output"`; `"weights"` for an array of a foreign network.
        neurons: how many it has; 0 where it only passes signals on.
        activation: the name of the activation function, empty where there is none.
        arrays: a pytree with its arrays; every array of a network belongs to exactly one part.
        depth: its place from the inputs on, parts side by side share one; one more than the part before when `None`.
        shape: of what it gives for one example, such as (28, 28, 32).
        uses: how often each weight is multiplied for one example: the positions of a window, the steps of a sequence.
        kind: what sort of layer it is, for the drawing.
    """

    name: str
    role: str
    neurons: int
    activation: str = ""
    arrays: Any = None
    depth: int | None = None
    shape: tuple[int, ...] = ()
    uses: int = 1
    kind: str = "dense"


@dataclass(frozen=True, eq=False)
class Parts:
    """All parts of a network.

    Args:
        rows: from the inputs on.
        paths: connections that lead past layers: (from depth, to depth, name).
    """

    rows: tuple[Part, ...]
    paths: tuple[tuple[int, int, str], ...] = ()

    def placed(self) -> Iterator[tuple[int, Part]]:
        """Each part with its depth; the inputs have 0."""
        depth = -1
        for part in self.rows:
            depth = depth + 1 if part.depth is None else part.depth
            yield depth, part


def array_parts(network: Any) -> Parts:
    """The arrays of a foreign network, one part each, by path, such as `"module.layers[0].weight"`."""
    leaves = jax.tree_util.tree_leaves_with_path(network)
    return Parts(tuple(Part(jax.tree_util.keystr(path).strip("."), "weights", 0, arrays=leaf)
                       for path, leaf in leaves if is_array(leaf)))


def parts_of(network: Any) -> Parts:
    """What a network says of itself, or its arrays where it says nothing."""
    return network.parts() if hasattr(network, "parts") else array_parts(network)


def is_array(leaf: Any) -> bool:
    """Whether a leaf is an array, or stands for one that was never made."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def array_kind(name: str) -> str:
    """What an array of this name does: `"multiplied"` and `"looked up"` join neurons; `"bias"`; or `"other"`."""
    if name in MULTIPLIED or name.startswith("weight") or name.endswith("weight"):
        return "multiplied"
    if name in LOOKED_UP:
        return "looked up"
    return "bias" if name in BIASES or name.startswith("bias") or name.endswith("bias") else "other"


def array_paths(network: Any) -> dict[int, tuple[Any, ...]]:
    """Where each array of a network is, by its `id`: parts may hand arrays over without their names."""
    return {id(leaf): path for path, leaf in jax.tree_util.tree_leaves_with_path(network) if is_array(leaf)}


def arrays_of(part: Part, paths: Mapping[int, tuple[Any, ...]]) -> list[tuple[str, str, Any]]:
    """The arrays of a part: path, last name on it, and the array itself."""
    found = []
    for own, leaf in jax.tree_util.tree_leaves_with_path(part.arrays):
        if is_array(leaf):
            path, name = paths.get(id(leaf), own), _last_name(own)
            name = _last_name(path) if array_kind(name) == "other" else name
            found.append((jax.tree_util.keystr(path).lstrip("."), name, leaf))
    return found


def _last_name(path: tuple[Any, ...]) -> str:
    """The last name on the way to an array: the field, or the key of a mapping."""
    names = [getattr(step, "name", getattr(step, "key", "")) for step in path]
    return next((name for name in reversed(names) if isinstance(name, str) and name), "")
