"""What frozen layers make of rows, kept for a while: it is the same for all networks, in every epoch, each time."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from pellucid.features._decoded import Decoded

LIMIT = 256 * 2**20
"""Bytes that all kept rows may take together."""
KEPT = Decoded(LIMIT)
Columns = tuple[Mapping[str, np.ndarray], ...]


def prepared_columns(columns: Columns, act: Callable[[Columns], PyTree[np.ndarray]], *, mark: bytes, tile: int) -> Any:
    """The raw columns after the frozen layers; rows that were asked for before come from memory.

    Args:
        columns: the arrays of each raw column, with a leading row axis.
        act: from `tile` rows of them to the same rows prepared.
        mark: tells frozen layers apart: other weights, other answers.
        tile: how many rows `act` takes; a short tile is filled up with its first row.
    """
    leaves = [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(columns)]
    keys = [_key(mark, [leaf[row] for leaf in leaves]) for row in range(len(leaves[0]))]
    found = {key: KEPT.get(key) for key in dict.fromkeys(keys)}
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    lacking = [key for key, value in found.items() if value is None]
    for start in range(0, len(lacking), tile):
        asked = lacking[start:start + tile]
        rows = [first[key] for key in asked] + [first[asked[0]]] * (tile - len(asked))
        answer = jax.tree.map(np.asarray, act(jax.tree.map(lambda leaf, rows=rows: leaf[rows], columns)))
        for place, key in enumerate(asked):
            found[key] = own = jax.tree.map(lambda leaf, place=place: np.array(leaf[place]), answer)
            KEPT.put(key, own, sum(leaf.nbytes for leaf in jax.tree.leaves(own)))
    return jax.tree.map(lambda *rows: np.stack(rows), *[found[key] for key in keys])


def _key(mark: bytes, row: list[np.ndarray]) -> bytes:
    digest = hashlib.blake2b(mark, digest_size=16)
    for leaf in row:
        digest.update(leaf.tobytes())
    return digest.digest()


def mark_of(arrays: PyTree[np.ndarray], words: str) -> bytes:
    """A digest of frozen arrays, and of how they are put together."""
    digest = hashlib.blake2b(words.encode(), digest_size=16)
    for leaf in jax.tree.leaves(arrays):
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.digest()
