"""Errors for numbers, as functions of the deviation r = output - target.

Outputs and targets are (batch,) or (batch, outputs); the error of a row is the mean over its outputs.
"""
from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, ShapeError
from pellucid.losses.base import TINY, AbstractLoss, deviations, mean_over_outputs


@dataclass(frozen=True)
class AbstractDeviationLoss(AbstractLoss):
    """An error that depends on the deviation alone."""

    task: ClassVar[str] = "regress"

    @abc.abstractmethod
    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """The error of each deviation, of the same shape."""

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""
        return mean_over_outputs(self.of_deviation(deviations(self.name, outputs, targets)))


@dataclass(frozen=True)
class MeanSquared(AbstractDeviationLoss):
    """The mean of r². Large deviations count most; the best constant answer is the mean.

    Example:
        >>> float(MeanSquared()(jnp.array([1.0, 3.0]), jnp.array([1.0, 1.0])))
        2.0
    """

    name: ClassVar[str] = "mean_squared"

    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """r²."""
        return jnp.square(deviation)


@dataclass(frozen=True)
class RootMeanSquared(AbstractDeviationLoss):
    """√(mean of r² + 1e-12): in the unit of the target. The small summand keeps the gradient finite at 0."""

    name: ClassVar[str] = "root_mean_squared"

    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """r²; the root is taken of the mean over rows, in `finish`."""
        return jnp.square(deviation)

    def finish(self, mean: jax.Array) -> jax.Array:
        """√(mean + 1e-12)."""
        return jnp.sqrt(mean + TINY)


@dataclass(frozen=True)
class Arctan(AbstractDeviationLoss):
    """The mean of arctan(r)²: bounded by (π/2)² and never above r², so that outliers hardly pull.

    Its gradient 2·arctan(r) / (1 + r²) fades for large deviations: normalise the targets.
    """

    name: ClassVar[str] = "arctan"

    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """arctan(r)²."""
        return jnp.square(jnp.arctan(deviation))


@dataclass(frozen=True)
class Absolute(AbstractDeviationLoss):
    """The mean of |r|: outliers count less than squared; the best constant answer is the median."""

    name: ClassVar[str] = "absolute"

    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """|r|."""
        return jnp.abs(deviation)


@dataclass(frozen=True)
class Huber(AbstractDeviationLoss):
    """r²/2 up to |r| = delta, beyond that the line delta·(|r| - delta/2).

    Source: Huber 1964.

    Args:
        delta: where the curve turns into a line, above 0, in units of the (normalised) target.
    """

    delta: float = 1.0
    name: ClassVar[str] = "huber"

    def __post_init__(self) -> None:
        if not 0 < self.delta < math.inf:
            raise SettingsError(f"`huber` got delta={self.delta!r}; expected a number above 0.", "set delta to 1.0")

    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """Quadratic near 0, linear far out."""
        size = jnp.abs(deviation)
        near = jnp.minimum(size, self.delta)
        return 0.5 * jnp.square(near) + self.delta * (size - near)


@dataclass(frozen=True)
class LogCosh(AbstractDeviationLoss):
    """The mean of log(cosh(r)): r²/2 near 0 and |r| - log 2 far out; its gradient is tanh(r).

    Up to |r| = 1 it is computed as log1p(sinh²(r)) / 2, beyond as |r| + log1p(exp(-2|r|)) - log 2: exact for tiny
    and for huge deviations.
    """

    name: ClassVar[str] = "log_cosh"

    def of_deviation(self, deviation: jax.Array) -> jax.Array:
        """log(cosh(r))."""
        size = jnp.abs(deviation)
        near = 0.5 * jnp.log1p(jnp.square(jnp.sinh(jnp.where(size <= 1, deviation, 0))))
        far = size + jnp.log1p(jnp.exp(-2 * size)) - math.log(2)
        return jnp.where(size <= 1, near, far)


@dataclass(frozen=True)
class Quantile(AbstractLoss):
    """The pinball error, whose best constant answer is the tau-quantile: max(tau·d, (tau - 1)·d), d = target - output.

    With several quantiles, the network has one output for each and the error of a row is their mean. With several
    targets in a row it has all quantiles of the first, then those of the second, and so on.

    Source: Koenker & Bassett 1978.

    Args:
        tau: the quantile, between 0 and 1; or several of them.
    """

    tau: float | tuple[float, ...] = 0.5
    name: ClassVar[str] = "quantile"
    task: ClassVar[str] = "regress"

    def __post_init__(self) -> None:
        if isinstance(self.tau, list):
            object.__setattr__(self, "tau", tuple(self.tau))
        if not self.levels or not all(0 < level < 1 for level in self.levels):
            raise SettingsError(f"`quantile` got tau={self.tau!r}; expected numbers between 0 and 1.", "set tau to 0.5")

    @property
    def levels(self) -> tuple[float, ...]:
        """All quantiles, as a tuple."""
        return self.tau if isinstance(self.tau, tuple) else (self.tau,)

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """The error of each row: (batch,)."""
        if not isinstance(self.tau, tuple):
            below = -deviations(self.name, outputs, targets)
            return mean_over_outputs(jnp.maximum(self.tau * below, (self.tau - 1) * below))
        rows, count = outputs.shape[0], targets.size // max(outputs.shape[0], 1)
        if outputs.ndim != 2 or targets.size != rows * count or outputs.shape[1] != count * len(self.tau):
            raise ShapeError(f"`quantile` with {len(self.tau)} quantiles got outputs of shape {outputs.shape} and "
                             f"targets of shape {targets.shape}.",
                             f"give the network {len(self.tau)} outputs for each target")
        levels = jnp.asarray(self.tau, outputs.dtype)
        below = targets.reshape(rows, count, 1).astype(outputs.dtype) - outputs.reshape(rows, count, -1)
        return jnp.mean(jnp.maximum(levels * below, (levels - 1) * below), axis=(1, 2))
