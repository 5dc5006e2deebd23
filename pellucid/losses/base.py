"""What every error function offers: an error per row, a weighted mean, and a last step."""
from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from pellucid.errors import ShapeError

TINY = 1e-12


@dataclass(frozen=True)
class AbstractLoss(abc.ABC):
    """An error function: frozen and hashable, so that it can be part of a compiled program's key.

    Called with (outputs, targets, weight=None), it gives the weighted mean over rows as one number.
    """

    name: ClassVar[str]
    task: ClassVar[str]  # "classify" or "regress"

    @abc.abstractmethod
    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""

    def amount(self, targets: jax.Array) -> jax.Array | None:
        """How much each row counts beside its weight, such as the number of its time steps: (batch,); all alike when
        `None`."""
        return None

    def finish(self, mean: jax.Array) -> jax.Array:
        """The last step, from the mean over all rows to the reported error."""
        return mean

    def __call__(self, outputs: jax.Array, targets: jax.Array, weight: jax.Array | None = None) -> jax.Array:
        """The error over a batch.

        Args:
            outputs: what the network gave, (batch, ...).
            targets: what it should have given, (batch, ...).
            weight: (batch,) how much each row counts, at least 0; all alike when `None`.

        Returns:
            `finish(sum(weight · error) / sum(weight))`, a scalar; the weights are multiplied by the rows' amounts.
        """
        rows, amount = self.per_example(outputs, targets), self.amount(targets)
        if amount is not None:
            weight = amount if weight is None else weight * amount
        if weight is None:
            return self.finish(jnp.mean(rows))
        return self.finish(jnp.sum(weight * rows) / jnp.maximum(jnp.sum(weight), TINY))


def deviations(loss: str, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """`outputs - targets`, (batch,) or (batch, outputs); a column and a flat array of the same rows fit each other."""
    outputs, targets = jnp.asarray(outputs), jnp.asarray(targets)
    targets = targets.astype(outputs.dtype)
    if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1:
        outputs = outputs[..., 0]
    elif targets.ndim == outputs.ndim + 1 and targets.shape[-1] == 1:
        targets = targets[..., 0]
    if outputs.shape != targets.shape or outputs.ndim == 0:
        raise ShapeError(f"`{loss}` got outputs of shape {outputs.shape} and targets of shape {targets.shape}.",
                         "give the network one output for each target column")
    return outputs - targets


def mean_over_outputs(values: jax.Array) -> jax.Array:
    """From (batch, ...) to (batch,): the mean over all but the rows."""
    return jnp.mean(values, axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values
