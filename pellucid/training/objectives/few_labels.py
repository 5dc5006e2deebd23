"""Learning classes from few labelled examples and many without a label."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from pellucid.errors import DataError
from pellucid.nn._checks import positive, share, whole_number
from pellucid.nn._random import subkeys, words
from pellucid.nn.buffer import trainable
from pellucid.training.objectives.base import AbstractObjective, Assessment, Prepared
from pellucid.training.objectives.views import Views
from pellucid.training.program import Batch

UNLABELLED = -1
TINY = 1e-6


@dataclass(frozen=True)
class FewLabels(AbstractObjective):
    """Labelled rows by their labels, all rows by what a steady teacher says of them.

    In each step the network sees a batch of all rows, strongly changed, and `labelled` rows drawn from those with a
    label. The teacher, a running average of the network, sees the same rows hardly changed. Its probabilities are
    brought to the class shares of the labelled rows, p ∝ p · (share of the class / mean of p over the batch), so that
    no class takes over; where the largest of them reaches `certainty`, its class is the row's answer:

        error = cross-entropy(labelled) + pull · [max p ≥ certainty] · cross-entropy(changed row, arg max p)

    `used` of the history is the share of rows where the teacher was certain.
    Held-out rows need labels; those with -1 do not count.

    Source: Sohn et al. 2020, "FixMatch", equations 3 and 4; Tarvainen & Valpola 2017 for the averaged teacher;
    Berthelot et al. 2020, "ReMixMatch", section 3.1, for the class shares.

    Args:
        weak: how the rows that the teacher sees are changed.
        strong: how those that the network sees are changed.
        labelled: labelled rows in each step, at least 1.
        certainty: the probability from which the teacher is followed, from 0 up to, but without, 1.
        pull: how much the teacher's answers count, above 0.
        keep: the share of the teacher that a step keeps, from 0 up to, but without, 1.
        align: whether class shares are kept; switch it off when the unlabelled rows have others than the labelled.
        changed_labelled: how labelled rows are changed for the network; as `strong` says when `None`. With some hundred
            labels of each class, hardly changed ones teach more.

    Raises:
        DataError: no row has a label, or all have.

    Example:
        >>> labels = np.where(known, classes, -1)  # doctest: +SKIP
        >>> fit = pellucid.fit(network, objectives.FewLabels(), (images, labels), batch_size=192)  # doctest: +SKIP
    """

    weak: Views = Views(flip=0.5, shift=2)
    strong: Views = Views(flip=0.5, shift=3, stretch=0.2, erase=0.5, contrast=0.4)
    labelled: int = 64
    certainty: float = 0.6
    pull: float = 1.0
    keep: float = 0.99
    align: bool = True
    changed_labelled: Views | None = None
    needs_targets: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole_number("FewLabels", "labelled", self.labelled)
        share("FewLabels", "certainty", self.certainty)
        share("FewLabels", "keep", self.keep)
        positive("FewLabels", "pull", self.pull)

    def prepare(self, inputs: PyTree[np.ndarray], targets: PyTree[np.ndarray], weight: np.ndarray,
                seed: int) -> Prepared:
        """The labelled rows as a bank beside all rows, with the share of each class."""
        known = np.flatnonzero((targets >= 0) & (weight > 0))
        if len(known) in (0, len(targets)) or targets.min() < UNLABELLED:
            raise DataError(f"`FewLabels` got {len(known)} labelled rows of {len(targets)} and targets from "
                            f"{targets.min()}; expected some rows with a class from 0 on and some with -1.",
                            "set the target of rows without a label to -1; with all labels, use a loss instead")
        bank = {"inputs": jax.tree.map(lambda leaf: leaf[known], inputs), "targets": targets[known].astype(np.int32)}
        shares = np.bincount(bank["targets"], weights=weight[known])
        return Prepared(inputs, targets, weight, bank | {"shares": (shares / shares.sum()).astype(weight.dtype)})

    def start_state(self, network: Any) -> PyTree[Array]:
        """The network's state, and the teacher's weights."""
        weights = eqx.filter(network, trainable(network))
        return {"network": network.initial_state(), "teacher": jax.tree.map(jnp.asarray, weights),
                "steps": jnp.zeros(())}

    def network_state(self, state: PyTree[Array]) -> PyTree[Array]:
        """The network's own."""
        return state["network"]

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The mean error of the labelled rows, and of each row that of the teacher's answer."""
        keys = subkeys(key, 5)
        bank = batch.shared
        drawn = (words(keys[0], (self.labelled,)) % len(bank["targets"])).astype(jnp.int32)
        few = (self.changed_labelled or self.strong)(jax.tree.map(lambda leaf: leaf[drawn], bank["inputs"]), keys[1])
        both = jax.tree.map(lambda a, b: jnp.concatenate([a, b.astype(a.dtype)]), few,
                            self.strong(batch.inputs, keys[2]))
        weight = jnp.concatenate([jnp.ones(self.labelled, batch.weight.dtype), batch.weight])
        outputs, own_state = network(both, state=state["network"], key=keys[3], training=True, weight=weight)
        logs = jax.nn.log_softmax(outputs)
        by_label = -jnp.mean(jnp.take_along_axis(logs[:self.labelled], bank["targets"][drawn][:, None], axis=1))
        answers, state = self._answers(network, batch, state, keys[4])
        followed = jnp.max(answers, axis=1) >= self.certainty
        chosen = jnp.argmax(answers, axis=1)[:, None]
        by_teacher = -jnp.take_along_axis(logs[self.labelled:], chosen, axis=1)[:, 0] * followed
        also = {"labelled": jnp.broadcast_to(by_label, by_teacher.shape), "used": followed.astype(logs.dtype)}
        return Assessment(by_label + self.pull * by_teacher, state | {"network": own_state}, also)

    def _answers(self, network: Any, batch: Batch, state: PyTree[Array],
                 key: Array) -> tuple[Float[Array, "batch classes"], PyTree[Array]]:
        """What the teacher, moved towards the network, says of each row; and the new state."""
        weights, rest = eqx.partition(jax.lax.stop_gradient(network), trainable(network))
        keep = jnp.minimum(self.keep, (1 + state["steps"]) / (10 + state["steps"]))
        teacher = jax.tree.map(lambda old, new: keep * old + (1 - keep) * new, state["teacher"], weights)
        outputs, _ = eqx.combine(teacher, rest)(self.weak(batch.inputs, key), state=state["network"], key=None,
                                                training=False)
        said = jax.nn.softmax(jax.lax.stop_gradient(outputs))
        if self.align:
            mean = batch.weight @ said / jnp.maximum(jnp.sum(batch.weight), TINY)
            shares = jnp.zeros(said.shape[1]).at[:len(batch.shared["shares"])].set(batch.shared["shares"])
            said = said * (shares + TINY) / (mean + TINY)
            said = said / jnp.sum(said, axis=1, keepdims=True)
        return said, state | {"teacher": teacher, "steps": state["steps"] + 1}

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The cross-entropy of each held-out row that has a label."""
        outputs, _ = network(batch.inputs, state=state["network"], key=None, training=False)
        right = jnp.take_along_axis(jax.nn.log_softmax(outputs), jnp.maximum(batch.targets, 0)[:, None], axis=1)
        return Assessment(-right[:, 0], state, amount=(batch.targets >= 0).astype(outputs.dtype))
