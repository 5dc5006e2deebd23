"""Errors for classes, from logits: the outputs before any softmax or sigmoid.

Outputs are (batch, classes) with integer targets (batch,), or soft targets (batch, classes); for two classes
also one logit per row, (batch,) or (batch, 1), with targets 0 and 1.
`class_weights` multiply the error of each row by the weight of its class; they do not change what the mean over rows
is divided by, so choose them with mean 1 over the rows (as "balanced" weights have) to keep the error's scale.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, ShapeError
from pellucid.losses.base import TINY, AbstractLoss, mean_over_outputs

Weights = tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class AbstractClassLoss(AbstractLoss):
    """An error for classes with a weight for each.

    Args:
        class_weights: one weight of at least 0 for each class; all 1 when `None`.
    """

    class_weights: Weights = None
    task: ClassVar[str] = "classify"

    def __post_init__(self) -> None:
        if self.class_weights is None:
            return
        object.__setattr__(self, "class_weights", tuple(float(weight) for weight in self.class_weights))
        if not all(0 <= weight < math.inf for weight in self.class_weights):
            raise SettingsError(f"`{self.name}` got class_weights={self.class_weights}; expected numbers from 0 on.",
                                "pass one weight for each class, such as (1.0, 5.0)")

    def weigh_classes(self, values: jax.Array) -> jax.Array:
        """`values`, (..., classes), times the class weights."""
        if self.class_weights is None:
            return values
        if values.shape[-1] != len(self.class_weights):
            classes = values.shape[-1]
            raise ShapeError(f"`{self.name}` got {len(self.class_weights)} class weights for {classes} classes.",
                             f"pass {classes} class weights")
        return values * jnp.asarray(self.class_weights, values.dtype)


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(AbstractClassLoss):
    """The cross-entropy between targets and softmax(outputs): -Σ target · log_softmax(outputs).

    For sequences, outputs are (batch, steps, classes) with integer targets (batch, steps): the error of a row is the
    mean over its steps, those with target -1 (padding) left out, and counts as often as it has such steps, so that
    the error of many rows is the mean over all steps.

    Args:
        label_smoothing: ε in [0, 1): the target becomes (1 - ε)·target + ε / classes.

    Example:
        >>> round(float(CrossEntropy()(jnp.array([[0.0, 0.0]]), jnp.array([1]))), 4)
        0.6931
    """

    label_smoothing: float = 0.0
    name: ClassVar[str] = "cross_entropy"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_smoothing(self.name, self.label_smoothing)

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""
        soft = class_targets(self.name, outputs, targets, steps=True)
        if self.label_smoothing:
            soft = (1 - self.label_smoothing) * soft + self.label_smoothing / outputs.shape[-1]
        errors = -jnp.sum(self.weigh_classes(soft) * jax.nn.log_softmax(outputs), axis=-1)
        return errors if errors.ndim == 1 else _mean_over_steps(errors, targets)

    def amount(self, targets: jax.Array) -> jax.Array | None:
        """How many steps of each row count; `None` where targets are no steps."""
        if targets.ndim != 2 or not jnp.issubdtype(targets.dtype, jnp.integer):
            return None
        return jnp.sum(targets >= 0, axis=1).astype(jnp.result_type(float))


@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropy(AbstractClassLoss):
    """The cross-entropy of yes-or-no targets, from one logit z each: t·softplus(-z) + (1 - t)·softplus(z).

    Several outputs per row are several independent questions; the error of a row is their mean.

    Args:
        label_smoothing: ε in [0, 1): the target becomes (1 - ε)·target + ε / 2.
    """

    label_smoothing: float = 0.0
    name: ClassVar[str] = "binary_cross_entropy"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_smoothing(self.name, self.label_smoothing)
        _check_two(self)

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""
        logits, yes = binary_targets(self.name, outputs, targets)
        yes = (1 - self.label_smoothing) * yes + self.label_smoothing / 2
        no_weight, yes_weight = self.class_weights or (1.0, 1.0)
        error = yes_weight * yes * jax.nn.softplus(-logits) + no_weight * (1 - yes) * jax.nn.softplus(logits)
        return mean_over_outputs(error)


@dataclass(frozen=True, kw_only=True)
class Focal(AbstractClassLoss):
    """Cross-entropy that pays less attention to rows that are right already: -α·(1 - p)^γ · log p.

    p is the probability of the true class; γ = 0 is the cross-entropy. With one logit per row it is the binary form.

    Source: Lin, Goyal, Girshick, He & Dollár 2017.

    Args:
        gamma: γ, at least 0; how strongly easy rows fade.
        alpha: the weight of the positive class in the binary form (the other has 1 - alpha); for more classes, use
            `class_weights`.
    """

    gamma: float = 2.0
    alpha: float | None = None
    name: ClassVar[str] = "focal"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.gamma < math.inf:
            raise SettingsError(f"`focal` got gamma={self.gamma!r}; expected a number from 0 on.", "set gamma to 2.0")
        if self.alpha is not None and (not 0 <= self.alpha <= 1 or self.class_weights is not None):
            raise SettingsError(f"`focal` got alpha={self.alpha!r} and class_weights={self.class_weights!r}; expected "
                                "an alpha from 0 to 1, or class weights, not both.", "set alpha to 0.25, for example")

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""
        if outputs.ndim == 1 or outputs.shape[-1] == 1:
            logits, yes = binary_targets(self.name, outputs, targets)
            log_share = jnp.stack([jax.nn.log_sigmoid(-logits), jax.nn.log_sigmoid(logits)], axis=-1)
            soft = jnp.stack([1 - yes, yes], axis=-1)
            if self.alpha is not None:
                soft = soft * jnp.asarray([1 - self.alpha, self.alpha], soft.dtype)
        else:
            if self.alpha is not None:
                raise ShapeError(f"`focal` got alpha={self.alpha} and outputs of shape {outputs.shape}; alpha is for "
                                 "one logit per row.", "use class_weights instead of alpha")
            log_share = jax.nn.log_softmax(outputs)
            soft = class_targets(self.name, outputs, targets)
        wrong = jnp.maximum(-jnp.expm1(log_share), TINY)  # 1 - p, kept from 0 so that the gradient stays finite
        return -jnp.sum(self.weigh_classes(soft) * wrong**self.gamma * log_share, axis=-1)


@dataclass(frozen=True, kw_only=True)
class Hinge(AbstractClassLoss):
    """How far the true class is from winning by the margin: max(0, margin + best other output - output of the true).

    With one output f per row: max(0, margin - y·f), y = -1 or 1 for targets 0 and 1.

    Source: Crammer & Singer 2001.

    Args:
        margin: the lead that costs nothing, above 0.
    """

    margin: float = 1.0
    name: ClassVar[str] = "hinge"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.margin < math.inf:
            raise SettingsError(f"`hinge` got margin={self.margin!r}; expected a number above 0.", "set margin to 1.0")

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""
        if outputs.ndim == 1 or outputs.shape[-1] == 1:
            score, yes = binary_targets(self.name, outputs, targets)
            error = jnp.maximum(self.margin - (2 * yes - 1) * score, 0)
            member = jnp.stack([1 - yes, yes], axis=-1)
        else:
            member = class_targets(self.name, outputs, targets)
            true = jnp.sum(member * outputs, axis=-1)
            others = jnp.max(jnp.where(member > 0, -jnp.inf, outputs), axis=-1)
            error = jnp.maximum(self.margin + others - true, 0)
        return error if self.class_weights is None else error * jnp.sum(self.weigh_classes(member), axis=-1)


def class_targets(loss: str, outputs: jax.Array, targets: jax.Array, steps: bool = False) -> jax.Array:
    """Targets as one row of shares for each row of outputs: (batch, classes); also for each step where `steps`."""
    targets = jnp.asarray(targets)
    integers = jnp.issubdtype(targets.dtype, jnp.integer)
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        if targets.shape == outputs.shape:
            return targets.astype(outputs.dtype)
        if targets.shape == outputs.shape[:1] and integers:
            return jax.nn.one_hot(targets, outputs.shape[1], dtype=outputs.dtype)
    if steps and outputs.ndim == 3 and targets.shape == outputs.shape[:2] and integers:
        return jax.nn.one_hot(targets, outputs.shape[2], dtype=outputs.dtype)
    raise ShapeError(f"`{loss}` got outputs of shape {outputs.shape} and targets {targets.dtype}{targets.shape}.",
                     "pass outputs (batch, classes) with integer targets (batch,) or shares (batch, classes)")


def _mean_over_steps(errors: jax.Array, targets: jax.Array) -> jax.Array:
    """From (batch, steps) to (batch,): the mean over the steps whose target is a class; 0 where there is none."""
    valid = jnp.asarray(targets) >= 0
    return jnp.sum(jnp.where(valid, errors, 0), axis=1) / jnp.maximum(jnp.sum(valid, axis=1), 1)


def binary_targets(loss: str, outputs: jax.Array, targets: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Logits and 0/1 targets of one shape; a single column counts as flat."""
    logits, yes = (value[:, 0] if value.ndim == 2 and value.shape[1] == 1 else value
                   for value in (jnp.asarray(outputs), jnp.asarray(targets)))
    if logits.shape != yes.shape or logits.ndim == 0:
        raise ShapeError(f"`{loss}` got outputs of shape {outputs.shape} and targets of shape {targets.shape}.",
                         "give the network one logit for each yes-or-no target")
    return logits, yes.astype(logits.dtype)


def balanced_weights(counts: Sequence[int]) -> tuple[float, ...]:
    """Class weights that make every class count alike: rows / (classes · rows of the class).

    Example:
        >>> balanced_weights([30, 10])
        (0.6666666666666666, 2.0)
    """
    return tuple(sum(counts) / (len(counts) * count) if count else 0.0 for count in counts)


def _check_smoothing(name: str, smoothing: float) -> None:
    if not 0 <= smoothing < 1:
        raise SettingsError(f"`{name}` got label_smoothing={smoothing!r}; expected a number in [0, 1).",
                            "set label_smoothing to 0.1, or to 0 to switch it off")


def _check_two(loss: AbstractClassLoss) -> None:
    if loss.class_weights is not None and len(loss.class_weights) != 2:
        raise SettingsError(f"`{loss.name}` got {len(loss.class_weights)} class weights; expected two.",
                            "pass (weight of no, weight of yes)")
