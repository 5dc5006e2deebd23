"""How long and how fast to train, and the rows to train on, made ready for the device."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pellucid.core.keys import run_key
from pellucid.core.sizes import bucket
from pellucid.training.loop import Data, Limits, Rows, Shape

TILE = 1024
SMALLEST_TILE = 64
"""Of networks whose members are measured in turn: they are large."""


@dataclass(frozen=True)
class Plan:
    """The numbers of a training run.

    Args:
        epochs: how often all training examples are shown, at least 0.
        batch_size: examples in one pass, at least 1.
        learning_rate: the largest one; the schedule scales it.
        schedule: one of `core.names.SCHEDULES`.
        patience: epochs without a better held-out error before a member stops; `None` never stops early.
        seed: of shuffling, dropout and all other chance in training.
        time_limit: seconds after which training ends at the next chunk; `None` for none.
        rates: factors of the learning rate, one a member; all 1 when empty.
        tile: how many rows are measured together, at least 1.
    """

    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "constant"
    patience: int | None = None
    seed: int = 0
    time_limit: float | None = None
    rates: tuple[float, ...] = ()
    tile: int = TILE


def device_data(inputs: PyTree[np.ndarray], targets: PyTree[np.ndarray], weight: np.ndarray,
                shared: PyTree[np.ndarray] = (), size: np.ndarray | None = None) -> Data:
    """All rows on the device, padded to a bucket; the padding is never chosen. `shared` stays as it is."""
    rows = len(weight)
    longer = bucket(rows)

    def pad(leaf: Any) -> jax.Array:
        leaf = np.asarray(leaf)
        padded = np.zeros((longer, *leaf.shape[1:]), leaf.dtype)
        padded[:rows] = leaf
        return jax.device_put(padded)

    return Data(jax.tree.map(pad, inputs), jax.tree.map(pad, targets), pad(weight), jax.device_put(shared),
                None if size is None else pad(np.asarray(size, np.int32)))


def device_rows(training: Sequence[np.ndarray], held_out: Sequence[np.ndarray]) -> Rows:
    """Each member's row numbers as one padded table."""
    return Rows(*_table(training), *_table(held_out))


def _table(lists: Sequence[np.ndarray]) -> tuple[jax.Array, jax.Array]:
    counts = np.array([len(rows) for rows in lists], np.int32)
    table = np.zeros((len(lists), bucket(int(counts.max(initial=0)))), np.int32)
    for line, rows in zip(table, lists, strict=True):
        line[:len(rows)] = rows
    return jax.device_put((table, counts))


def loop_shape(plan: Plan, rows: Rows) -> Shape:
    """What the loop is compiled for: a batch is never larger than the data, up to padding."""
    longest = rows.held_out.shape[1] if int(np.max(rows.held_out_count)) else rows.training.shape[1]
    return Shape(members=rows.training.shape[0], batch_size=min(plan.batch_size, rows.training.shape[1]),
                 tile=min(longest, plan.tile), schedule=plan.schedule)


def limits(plan: Plan, total: int, dtype: Any = jnp.float32) -> Limits:
    """The traced numbers of `plan`; `stop` is set chunk by chunk."""
    patience = 2**31 - 1 if plan.patience is None else plan.patience
    seed = plan.seed & 0xFFFFFFFF
    return jax.device_put(Limits(
        stop=np.int32(0), total=np.int32(total), patience=np.int32(patience),
        learning_rate=np.dtype(dtype).type(plan.learning_rate), seed=np.uint32(seed), key=run_key(seed)))
