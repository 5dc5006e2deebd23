"""Learning from reference answers."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Float, PyTree

from pellucid.losses import AbstractLoss
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch


@dataclass(frozen=True)
class Supervised(AbstractObjective):
    """The deviation of the network's outputs from the reference answers.

    Args:
        loss: minimised.
        measured: what held-out rows are measured with; `loss` without label smoothing when `None`.

    Example:
        >>> pellucid.fit(network, objectives.Supervised(losses.cross_entropy), (X, y))  # doctest: +SKIP
    """

    loss: AbstractLoss
    measured: AbstractLoss | None = None
    needs_targets: ClassVar[bool] = True

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The loss of each row, with dropout and batch statistics at work."""
        outputs, state = network(batch.inputs, state=state, key=key, training=True, weight=batch.weight)
        return Assessment(self.loss.per_example(outputs, batch.targets), state, amount=self.loss.amount(batch.targets))

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The loss of each held-out row."""
        loss = plain(self.loss) if self.measured is None else self.measured
        outputs, state = network(batch.inputs, state=state, key=None, training=False)
        return Assessment(loss.per_example(outputs, batch.targets), state, amount=loss.amount(batch.targets))

    def finish(self, mean: Float[Array, ""]) -> Float[Array, ""]:
        """The reported error; a root, for the root mean squared one."""
        return self.loss.finish(mean)


def plain(loss: AbstractLoss) -> AbstractLoss:
    """`loss` without label smoothing: what held-out rows are measured with."""
    smoothed = any(field.name == "label_smoothing" for field in dataclasses.fields(loss))
    return dataclasses.replace(loss, label_smoothing=0.0) if smoothed else loss
