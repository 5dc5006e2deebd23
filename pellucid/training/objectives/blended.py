"""Learning from blends of two rows and of their reference answers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.errors import SettingsError
from pellucid.losses import AbstractLoss
from pellucid.nn._random import subkeys, uniform
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.objectives.supervised import plain
from pellucid.training.program import Batch

LARGEST = {jnp.dtype(jnp.uint8): 255, jnp.dtype(jnp.int16): 32768}
"""Of pixels and of samples of sound, which networks take as parts of it."""


@dataclass(frozen=True)
class Blended(AbstractObjective):
    """Each row is blended with its neighbour in the batch; the error is that against both answers, in the same shares.

    The neighbour's share is drawn anew for each row, evenly between 0 and `most`. Numbers, 8-bit pixels and 16-bit
    samples are blended, other integers are those of the row itself.

    Source: Zhang, Cissé, Dauphin & Lopez-Paz 2018, "mixup"; their share follows a beta distribution.

    Args:
        loss: minimised.
        most: the largest share of the neighbour, above 0 and at most 0.5.

    Example:
        >>> pellucid.fit(network, objectives.Blended(losses.cross_entropy, 0.3), (X, y))  # doctest: +SKIP
    """

    loss: AbstractLoss
    most: float
    needs_targets: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.most <= 0.5:
            raise SettingsError(f"`Blended` got most={self.most!r}; expected a share above 0 and at most 0.5.",
                                "0.3 is usual; leave blending out for less")

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The loss of each blended row, with dropout and batch statistics at work."""
        own, inner = subkeys(key, 2)
        share = uniform(own, (len(batch.weight),), 0.0, self.most)
        blended = jax.tree.map(lambda leaf: _blend(leaf, share), batch.inputs)
        outputs, state = network(blended, state=state, key=inner, training=True, weight=batch.weight)
        first = self.loss.per_example(outputs, batch.targets)
        second = self.loss.per_example(outputs, jax.tree.map(_neighbour, batch.targets))
        return Assessment((1 - share) * first + share * second, state, amount=self.loss.amount(batch.targets))

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The loss of each held-out row, as it is."""
        loss = plain(self.loss)
        outputs, state = network(batch.inputs, state=state, key=None, training=False)
        return Assessment(loss.per_example(outputs, batch.targets), state, amount=loss.amount(batch.targets))

    def finish(self, mean: Float[Array, ""]) -> Float[Array, ""]:
        """The reported error; a root, for the root mean squared one."""
        return self.loss.finish(mean)


def _neighbour(leaf: Array) -> Array:
    return jnp.roll(leaf, 1, axis=0)


def _blend(leaf: Array, share: Float[Array, " batch"]) -> Array:
    if leaf.dtype in LARGEST:
        leaf = leaf.astype(share.dtype) / LARGEST[leaf.dtype]
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
        return leaf
    share = share.reshape(-1, *[1] * (leaf.ndim - 1)).astype(leaf.dtype)
    return (1 - share) * leaf + share * _neighbour(leaf)
