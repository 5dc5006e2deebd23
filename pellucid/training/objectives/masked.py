"""Learning features without answers: fill in what was hidden."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import normal, subkeys, uniform
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.objectives.views import BRIGHTEST
from pellucid.training.program import Batch

TINY = 1e-12


@dataclass(frozen=True)
class Masked(AbstractObjective):
    """The squared error of the network's outputs where its inputs were hidden.

    A share of each row's numbers, or of each image's square patches, is set to 0, or for tables drawn from another
    row; the outputs, one for each number of a row, are compared where something was hidden. Train a
    `networks.Pretraining` whose `out_features` are the numbers of a row (for a table those of "numbers"), and keep its
    encoder.

    Source: Vincent et al. 2008; He, Chen, Xie, Li, Dollár & Girshick 2022, "Masked autoencoders", for patches and for
    comparing only what was hidden.

    Args:
        hidden: the share that is hidden, from 0 up to, but without, 1.
        patch: the side of the patches of images in pixels, at least 1.
        fill: what stands in for the hidden: `"zero"`, `"noise"` (standard normal) or `"row"` (another row's number).

    Example:
        >>> network = networks.Pretraining(encoder, 64, (256,), 784, key=key)  # doctest: +SKIP
        >>> fit = pellucid.fit(network, objectives.Masked(0.5, patch=4), images)  # doctest: +SKIP
    """

    hidden: float = 0.5
    patch: int = 4
    fill: str = "zero"

    def __post_init__(self) -> None:
        share("Masked", "hidden", self.hidden)
        whole_number("Masked", "patch", self.patch)
        if self.fill not in ("zero", "noise", "row"):
            raise SettingsError(f"`Masked` got fill={self.fill!r}; expected 'zero', 'noise' or 'row'.",
                                "set fill to 'zero', or to 'row' for tables")

    def hide(self, rows: Array, key: Array) -> tuple[Array, Array]:
        """Rows with something hidden, and where: both of the shape of `rows`."""
        first, second, third = subkeys(key, 3)
        if rows.ndim == 4:
            count, height, width, _ = rows.shape
            grid = count, -(-height // self.patch), -(-width // self.patch)
            where = uniform(first, grid) < self.hidden
            where = jnp.repeat(jnp.repeat(where, self.patch, axis=1), self.patch, axis=2)[:, :height, :width, None]
            where = jnp.broadcast_to(where, rows.shape)
        else:
            where = uniform(first, rows.shape) < self.hidden
        stand_in = jnp.zeros_like(rows)
        if self.fill == "noise":
            stand_in = normal(second, rows.shape, rows.dtype)
        elif self.fill == "row":
            turn = jnp.argsort(uniform(third, (len(rows),)))
            stand_in = rows[turn]
        return jnp.where(where, stand_in, rows), where

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The error of what was hidden in each row."""
        return self._assess(network, batch, state, key, training=True)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The same without learning; the same things are hidden every time."""
        return self._assess(network, batch, state, key, training=False)

    def _assess(self, network: Any, batch: Batch, state: PyTree[Array], key: Array, training: bool) -> Assessment:
        first, second = subkeys(key, 2)
        table = isinstance(batch.inputs, dict)
        rows = _numbers(batch.inputs["numbers"] if table else batch.inputs)
        seen, where = self.hide(rows, first)
        outputs, state = network(batch.inputs | {"numbers": seen} if table else seen, state=state,
                                 key=second if training else None, training=training, weight=batch.weight)
        if outputs.size != rows.size:
            raise ShapeError(f"`Masked` got outputs of shape {outputs.shape} for inputs of shape {rows.shape}; "
                             "expected one for each number of a row.", "set out_features to the numbers of a row")
        return Assessment(_error_where(outputs, rows, where), state)


def _error_where(outputs: Array, rows: Array, where: Array) -> Float[Array, " batch"]:
    flat, hidden = rows.reshape(len(rows), -1), where.reshape(len(rows), -1)
    squares = jnp.where(hidden, jnp.square(outputs.reshape(flat.shape) - flat), 0)
    return jnp.sum(squares, axis=1) / jnp.maximum(jnp.sum(hidden, axis=1), 1)


def _numbers(rows: Array) -> Array:
    return rows.astype(jnp.float32) / BRIGHTEST if rows.dtype == jnp.uint8 else jnp.asarray(rows)
