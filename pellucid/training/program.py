"""What a training program is: how a state starts, steps and is measured. The engine knows nothing else.

A program is a frozen, hashable value: it is a key of the compile cache. It describes **one** ensemble member;
the engine runs many members side by side with `vmap`, or one after another when `members_in_turn` is true.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Float, Int, PyTree, UInt32

Measurements = Mapping[str, tuple[Float[Array, ""], Float[Array, ""]]]


class Batch(NamedTuple):
    """The rows of one iteration; short batches are padded with copies of a valid row at weight 0.

    `shared` are arrays that every iteration sees whole: a bank of labelled examples, a stream of text.
    """

    inputs: PyTree[Array]
    targets: PyTree[Array]
    weight: Float[Array, " batch"]
    index: Int[Array, " batch"]
    shared: PyTree[Array] = ()


class Moment(NamedTuple):
    """Where in training a step is taken."""

    key: UInt32[Array, ""]
    iteration: Int[Array, ""]
    epoch: Int[Array, ""]
    rate: Float[Array, ""]
    """The learning rate after schedule and rate scale."""


class Program(Protocol):
    """Supervised, adversarial, contrastive-divergence and self-supervised learning are all programs.

    Measurements are (sum, weight) pairs by name, so that padded batches average exactly.
    `"error"` must be among them: it is what is shown, compared and minimised.

    A program may have an attribute `members_in_turn`. Where it is true, members are stepped one after another: for
    networks so large that side by side gains nothing, or with conditions inside, of which `vmap` does both branches.
    """

    def step(self, state: Any, batch: Batch, moment: Moment) -> tuple[Any, Measurements]:
        """One iteration: the next state, and what was measured on the way."""
        ...

    def evaluate(self, state: Any, batch: Batch) -> Measurements:
        """Measure without learning."""
        ...

    def snapshot(self, state: Any) -> Any:
        """The part of a state that the best epoch keeps."""
        ...

    def finish(self, error: Float[Array, ""]) -> Float[Array, ""]:
        """The error to show, from the weighted mean of what was measured (a root, for root mean squared error)."""
        ...
