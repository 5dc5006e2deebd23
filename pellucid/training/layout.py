"""Taking a network apart into one vector of weights, and putting it together again.

One flat vector makes an optimiser step one fused kernel instead of a few per layer: on a 30-64-64-2 network
that halves the time of an iteration on a CPU.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.nn.buffer import trainable


@dataclass(frozen=True)
class Layout:
    """How the pieces of a network fit together; hashable, so that equal networks share one compiled program."""

    static_leaves: tuple[Any, ...]
    static_structure: Any
    structure: Any
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    def pieces(self, weights: Float[Array, " weights"]) -> list[Array]:
        """The weights of each layer, cut from the one vector."""
        leaves, start = [], 0
        for shape in self.shapes:
            size = math.prod(shape)
            leaves.append(weights[start:start + size].reshape(shape))
            start += size
        return leaves

    def joined(self, pieces: list[Array], buffers: PyTree[Array]) -> Any:
        """The network with these pieces and buffers."""
        return eqx.combine(jax.tree.unflatten(self.structure, pieces), buffers, self.static)

    def assemble(self, weights: Float[Array, " weights"], buffers: PyTree[Array]) -> Any:
        """The network with these weights and buffers."""
        return self.joined(self.pieces(weights), buffers)

    @property
    def static(self) -> Any:
        """The network without its arrays."""
        return jax.tree.unflatten(self.static_structure, self.static_leaves)

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum(math.prod(shape) for shape in self.shapes)


def layout_of(network: Any, members: bool = False) -> Layout:
    """How the pieces of `network` fit together; with `members`, all its arrays have a leading member axis."""
    parameters, rest = eqx.partition(network, trainable(network))
    static_leaves, static_structure = jax.tree.flatten(eqx.filter(rest, eqx.is_array, inverse=True))
    paths, structure = jax.tree_util.tree_flatten_with_path(parameters)
    names = tuple(jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths)
    shapes = tuple(tuple(leaf.shape[1:] if members else leaf.shape) for _, leaf in paths)
    return Layout(tuple(static_leaves), static_structure, structure, shapes, names)


def take_apart(network: Any) -> tuple[Float[Array, " weights"], PyTree[Array]]:
    """The weights of `network` as one vector, and its buffers."""
    parameters, rest = eqx.partition(network, trainable(network))
    return one_vector(jax.tree.leaves(parameters)), eqx.filter(rest, eqx.is_array)


def one_vector(pieces: list[Array]) -> Float[Array, " weights"]:
    """The pieces end to end."""
    return jnp.concatenate([piece.reshape(-1) for piece in pieces]) if pieces else jnp.zeros((0,))


def is_bias(name: str) -> bool:
    """Whether a weight's name says that it is a bias or a normalisation's scale, which weight decay leaves alone."""
    last = name.rsplit(".", 1)[-1]
    return last.endswith("bias") or last in ("offset", "scale", "shift", "gain")
