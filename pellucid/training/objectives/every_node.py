"""Learning the label of every node of a tree, for the sake of the root's."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.losses import AbstractLoss
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.objectives.supervised import plain
from pellucid.training.program import Batch


@dataclass(frozen=True)
class EveryNode(AbstractObjective):
    """A tree's answer is its root's; while training, every labelled node has one.

    The network is a `Composite` of one `Recursive` encoder alone; that column's `"labels"` (batch, nodes) hold a code
    for each node, -1 for none. Held-out rows are measured at their roots.

    Args:
        loss: of classes; minimised over all labelled nodes alike.
        classes: the class of each code of a node's label; -1 for a label that is no class.

    Source: Socher et al. 2013; Tai, Socher & Manning 2015.
    """

    loss: AbstractLoss
    classes: tuple[int, ...]
    needs_targets: ClassVar[bool] = True

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The mean loss of each tree's labelled nodes; a tree counts as often as it has such nodes."""
        tree = batch.inputs["columns"][0]
        rows, root = jnp.arange(len(tree["count"])), tree["count"] - 1
        labels = jnp.where(tree["labels"] >= 0, jnp.asarray(self.classes)[tree["labels"]], -1)
        labels = labels.at[rows, root].set(batch.targets)
        outputs = network.encoders[0].node_outputs(tree, key=key, training=True)
        return Assessment(self.loss.per_example(outputs, labels), state, amount=self.loss.amount(labels))

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The loss of each held-out row, at its root."""
        outputs, state = network(batch.inputs, state=state, key=None, training=False)
        return Assessment(plain(self.loss).per_example(outputs, batch.targets), state)

    def finish(self, mean: Float[Array, ""]) -> Float[Array, ""]:
        """The reported error."""
        return self.loss.finish(mean)
