"""The trained networks of an ensemble, and how they answer: in fixed tiles of rows.

A row's answer never depends on the rows beside it, to the last bit, because every call of the compiled
program has the same shape; short tiles are padded.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, PyTree

from pellucid.model.prepared import mark_of, prepared_columns
from pellucid.networks import build
from pellucid.networks._rows import PREPARED
from pellucid.nn.buffer import trainable
from pellucid.training.layout import Layout, layout_of

TILE = 256
LARGEST_TILE = 1 << 18
"""Numbers of input in one tile: a tile of large pictures has fewer rows."""
FEWEST = 8


@dataclass(frozen=True, eq=False)
class Members:
    """K networks of one specification.

    Args:
        spec: what `networks.build` makes a network from; JSON values.
        layout: how a network is put together from its pieces.
        weights: float (members, weights).
        buffers: the arrays that are not weights, with a leading member axis.
        network_state: running statistics, with a leading member axis.
    """

    spec: Mapping[str, Any]
    layout: Layout
    weights: np.ndarray
    buffers: PyTree[np.ndarray]
    network_state: PyTree[np.ndarray]

    def __len__(self) -> int:
        return len(self.weights)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as specification and tensors: definitions of pytrees cannot be pickled."""
        return Members.from_tensors, (dict(self.spec), self.tensors())

    def only(self, members: Sequence[int]) -> Members:
        """Some of the networks."""
        chosen = np.asarray(members)
        pick = lambda leaf: leaf[chosen]  # noqa: E731
        return replace(self, weights=self.weights[chosen], buffers=jax.tree.map(pick, self.buffers),
                       network_state=jax.tree.map(pick, self.network_state))

    def shuffled(self, seed: int = 0) -> Members:
        """The same networks with the weights of each tensor in random order: they know nothing any more."""
        generator, weights, start = np.random.default_rng(seed), self.weights.copy(), 0
        for shape in self.layout.shapes:
            stop = start + int(np.prod(shape))
            weights[:, start:stop] = generator.permuted(weights[:, start:stop], axis=1)
            start = stop
        return replace(self, weights=weights)

    def network(self, member: int = 0) -> Any:
        """One of the networks."""
        buffers = jax.tree.map(lambda leaf: leaf[member], self.buffers)
        return self.layout.assemble(self.weights[member], buffers)

    def state(self, member: int = 0) -> PyTree:
        """The running statistics of one of the networks."""
        return jax.tree.map(lambda leaf: leaf[member], self.network_state)

    def outputs(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """What every network gives.

        Args:
            inputs: arrays with a leading row axis, as `features.encode_inputs` makes them.

        Returns:
            float32 (members, rows, outputs): logits, or standardised numbers.
        """
        inputs = self.prepared(inputs)
        rows, size = len(jax.tree.leaves(inputs)[0]), min(tile_of(inputs), getattr(self.layout.static, "tile", TILE))
        pieces = [self._tile(inputs, start, min(start + size, rows), size) for start in range(0, rows, size)]
        if not pieces:
            return np.zeros((len(self), 0, self._tile(inputs, 0, 0, size).shape[2]), np.float32)
        return np.concatenate(pieces, axis=1)

    def prepared(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The inputs behind the frozen layers, which all networks share; as they are where there are none."""
        static, columns = self.layout.static, inputs.get("columns", ())
        if not getattr(static, "prepares", False) or any(PREPARED in column for column in columns) or \
                not len(jax.tree.leaves(columns)[0]):
            return inputs
        buffers = jax.tree.map(lambda leaf: leaf[0], self.buffers)

        def act(tile: Any) -> Any:
            with jax.enable_x64(self.weights.dtype == np.float64):
                return _prepare(self.layout, self.weights[0], buffers, tile)
        mark = mark_of(buffers, json.dumps(self.spec, sort_keys=True))
        return {**inputs, "columns": prepared_columns(columns, act, mark=mark, tile=min(static.tile, TILE))}

    def _tile(self, inputs: PyTree[np.ndarray], start: int, stop: int, size: int) -> np.ndarray:
        """The outputs for a tile of rows; what a short one lacks is filled up with its first row, which is valid."""
        def cut(array: np.ndarray) -> np.ndarray:
            tile = np.zeros((size, *array.shape[1:]), array.dtype)
            tile[:stop - start] = array[start:stop]
            tile[stop - start:] = array[start:start + 1] if stop > start else 0
            return tile
        with jax.enable_x64(self.weights.dtype == np.float64):
            answer = _forward(self.layout, self.weights, self.buffers, self.network_state, jax.tree.map(cut, inputs))
        return np.asarray(answer)[:, :stop - start]

    def tensors(self) -> dict[str, np.ndarray]:
        """All arrays by pytree path, each with a leading member axis: what a file holds.

        Frozen layers, which all networks share, are there once.
        """
        network = jax.vmap(self.layout.assemble)(self.weights, self.buffers)
        frozen = _named(self.buffers, "network") if getattr(self.layout.static, "prepares", False) else {}
        once = {name: array[:1] for name, array in frozen.items() if (array == array[:1]).all()}
        return _named(eqx.filter(network, eqx.is_array), "network") | once | _named(self.network_state, "state")

    @classmethod
    def from_tensors(cls, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Members:
        """The networks that `tensors` came from; `KeyError` or `ValueError` where they do not fit `spec`."""
        like = eqx.filter_eval_shape(partial(build, spec), key=jax.random.key(0))
        arrays, static = eqx.partition(like, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))
        count = max((len(array) for name, array in tensors.items() if name.startswith("network.")), default=1)
        shared = {name: np.broadcast_to(array, (count, *array.shape[1:])) for name, array in tensors.items()
                  if name.startswith("network.") and len(array) == 1 < count}
        network = eqx.combine(_filled(arrays, {**tensors, **shared}, "network"), static)
        state = _filled(eqx.filter_eval_shape(lambda: like.initial_state()), tensors, "state")
        layout = layout_of(network, members=True)
        return cls(dict(spec), layout, *_apart(network, layout), state)


def members_of(spec: Mapping[str, Any], network: Any) -> Members:
    """The networks in one with a leading member axis, without running statistics: enough for what is frozen."""
    layout = layout_of(network, members=True)
    return Members(dict(spec), layout, *_apart(network, layout), ())


def tile_of(inputs: PyTree[np.ndarray]) -> int:
    """How many rows are answered together: a power of two that depends on the shape of one row only."""
    each = sum(int(np.prod(leaf.shape[1:])) for leaf in jax.tree.leaves(inputs))
    most = LARGEST_TILE // max(each, 1)
    return TILE if most >= TILE else max(FEWEST, 1 << (max(most, 1).bit_length() - 1))


@partial(jax.jit, static_argnums=0)
def _forward(layout: Layout, weights: Array, buffers: PyTree[Array], network_state: PyTree[Array],
             inputs: PyTree[Array]) -> Array:
    def one(own_weights: Array, own_buffers: PyTree[Array], own_state: PyTree[Array]) -> Array:
        network = layout.assemble(own_weights, own_buffers)
        return network(inputs, state=own_state, key=None, training=False)[0]
    if getattr(layout.static, "members_in_turn", False):
        return jax.lax.map(lambda own: one(*own), (weights, buffers, network_state))
    return jax.vmap(one)(weights, buffers, network_state)


@partial(jax.jit, static_argnums=0)
def _prepare(layout: Layout, weights: Array, buffers: PyTree[Array], columns: PyTree[Array]) -> PyTree[Array]:
    return layout.assemble(weights, buffers).prepared({"columns": columns})["columns"]


def _apart(network: Any, layout: Layout) -> tuple[np.ndarray, PyTree[np.ndarray]]:
    """Weights (members, weights) and buffers of a network whose arrays have a leading member axis."""
    arrays = _named(eqx.filter(network, eqx.is_array), "")
    members = len(next(iter(arrays.values())))
    flat = [arrays[name].reshape(members, -1) for name in layout.names]
    weights = np.concatenate(flat, axis=1) if flat else np.zeros((members, 0), np.float32)
    return weights, eqx.filter(eqx.filter(network, trainable(network), inverse=True), eqx.is_array)


def _named(tree: PyTree, prefix: str) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {_name(path, prefix): np.ascontiguousarray(leaf) for path, leaf in leaves}


def _name(path: Any, prefix: str) -> str:
    key = jax.tree_util.keystr(path, simple=True, separator=".")
    return f"{prefix}.{key}" if prefix else key


def _filled(like: PyTree, tensors: Mapping[str, np.ndarray], prefix: str) -> PyTree:
    def fill(path: Any, leaf: Any) -> np.ndarray:
        tensor = tensors[_name(path, prefix)]
        if tensor.shape[1:] != leaf.shape:
            raise ValueError(f"the tensor {_name(path, prefix)} has shape {tensor.shape[1:]}; expected {leaf.shape}")
        return tensor
    return jax.tree_util.tree_map_with_path(fill, like)
