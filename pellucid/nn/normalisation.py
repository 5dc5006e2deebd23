"""Normalisation of neurons, over the neurons of a layer or over the rows of a batch."""
from __future__ import annotations

import math
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, did_you_mean
from pellucid.nn._checks import last_axis, share, whole_number

TINY = 1e-12
USUAL_GROUPS = 8
BatchState = dict[str, jax.Array]


class LayerNormalisation(eqx.Module):
    """Brings the neurons of each row to mean 0 and variance 1, then scales and shifts each by learned amounts.

    `y = scale · (x - mean(x)) / √(var(x) + epsilon) + shift`.

    Source: Ba, Kiros & Hinton 2016.

    Args:
        features: number of neurons, at least 1.
        epsilon: added to the variance.
    """

    scale: jax.Array  # (features,)
    shift: jax.Array  # (features,)
    epsilon: float = eqx.field(static=True)

    def __init__(self, features: int, *, epsilon: float = 1e-5) -> None:
        features = whole_number("LayerNormalisation", "features", features)
        self.scale, self.shift = jnp.ones(features), jnp.zeros(features)
        self.epsilon = float(epsilon)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (..., features) to the same shape."""
        last_axis("LayerNormalisation", x, self.scale.shape[-1])
        centred = x - jnp.mean(x, axis=-1, keepdims=True)
        variance = jnp.mean(jnp.square(centred), axis=-1, keepdims=True)
        return centred * jax.lax.rsqrt(variance + self.epsilon) * self.scale + self.shift


class BatchNormalisation(eqx.Module):
    """Brings each neuron to mean 0 and variance 1 over the rows of a batch, and over all positions, such as those of an
    image; then scales and shifts it.

    While training, mean and variance are those of the batch, weighted by the rows, so that a padded row of weight 0
    does not count; running averages of them go into the state and serve afterwards. The first steps average plainly
    (step t counts 1/t), so that a short run is not biased towards the start values. Variances are divided by n.

    Source: Ioffe & Szegedy 2015.

    Args:
        features: number of neurons, at least 1.
        momentum: the share of the running average that a step keeps, from 0 up to, but without, 1.
        epsilon: added to the variance.
    """

    scale: jax.Array  # (features,)
    shift: jax.Array  # (features,)
    momentum: float = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(self, features: int, *, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        features = whole_number("BatchNormalisation", "features", features)
        self.scale, self.shift = jnp.ones(features), jnp.zeros(features)
        self.momentum = share("BatchNormalisation", "momentum", momentum)
        self.epsilon = float(epsilon)

    def initial_state(self) -> BatchState:
        """Running mean 0, variance 1, after no step."""
        return {"mean": jnp.zeros_like(self.scale), "variance": jnp.ones_like(self.scale),
                "steps": jnp.zeros((), self.scale.dtype)}

    def __call__(self, x: jax.Array, *, state: BatchState, training: bool,
                 weight: jax.Array | None = None) -> tuple[jax.Array, BatchState]:
        """From (batch, *positions, features) to the same shape, and the new state.

        Args:
            x: (batch, *positions, features), with any number of axes for positions.
            state: the running statistics.
            training: whether to use, and note, the statistics of this batch.
            weight: (batch,) how much each row counts, at least 0; all alike when `None`.
        """
        last_axis("BatchNormalisation", x, self.scale.shape[-1])
        if not training:
            factor = jax.lax.rsqrt(state["variance"] + self.epsilon) * self.scale
            return (x - state["mean"]) * factor + self.shift, state
        rows = jnp.ones(len(x), x.dtype) if weight is None else weight.astype(x.dtype)
        share = jax.lax.stop_gradient(rows / jnp.maximum(jnp.sum(rows), TINY))
        y, mean, variance = _normalised(x, share, self.scale, self.shift, self.epsilon)
        return y, self._follow(state, jax.lax.stop_gradient(mean), jax.lax.stop_gradient(variance))

    def _follow(self, state: BatchState, mean: jax.Array, variance: jax.Array) -> BatchState:
        keep = jnp.minimum(self.momentum, state["steps"] / (state["steps"] + 1))
        return {"mean": keep * state["mean"] + (1 - keep) * mean,
                "variance": keep * state["variance"] + (1 - keep) * variance, "steps": state["steps"] + 1}


def _average(x: jax.Array, share: jax.Array) -> jax.Array:
    """The mean of each feature over positions and rows, of which each counts `share`."""
    places = math.prod(x.shape[1:-1])
    rows = share @ x.reshape(len(x), -1)  # a product with a matrix: summing axis by axis is slow on a CPU
    return jnp.mean(rows.reshape(places, -1), axis=0)


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def _normalised(x: jax.Array, share: jax.Array, scale: jax.Array, shift: jax.Array,
                epsilon: float) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The normalised batch, and its mean and variance, whose gradients and that by `share` are left out.

    The gradient written out takes half the time of one through mean and variance (Ioffe & Szegedy 2015, section 3).
    """
    return _normalised_forward(x, share, scale, shift, epsilon)[0]


def _normalised_forward(x: jax.Array, share: jax.Array, scale: jax.Array, shift: jax.Array,
                        epsilon: float) -> tuple[Any, Any]:
    mean = _average(x, share)
    variance = _average(jnp.square(x - mean), share)
    factor = jax.lax.rsqrt(variance + epsilon)
    return ((x - mean) * (factor * scale) + shift, mean, variance), (x, share, scale, mean, factor)


def _normalised_backward(epsilon: float, kept: Any, slopes: Any) -> tuple[jax.Array, ...]:
    x, share, scale, mean, factor = kept
    slope, unit = slopes[0], (x - mean) * factor
    ones, places = jnp.ones_like(share), math.prod(x.shape[1:-1])
    by_shift = _average(slope, ones) * places
    by_scale = _average(slope * unit, ones) * places
    part = (share / places).reshape(-1, *[1] * (x.ndim - 1))
    by_x = (factor * scale) * (slope - part * (by_shift + unit * by_scale))
    return by_x, jnp.zeros_like(share), by_scale, by_shift


_normalised.defvjp(_normalised_forward, _normalised_backward)


class GroupNormalisation(eqx.Module):
    """Brings each group of features of each row to mean 0 and variance 1 over all positions, then scales and shifts.

    It needs no other rows, so it suits small batches; with one group per feature it is instance normalisation.

    Source: Wu & He 2018.

    Args:
        features: number of features, at least 1.
        groups: in how many groups they are split; has to divide `features`.
        epsilon: added to the variance.

    Raises:
        SettingsError: for a size below 1, or groups that do not divide the features.

    Example:
        >>> GroupNormalisation(8, groups=4)(jnp.ones((5, 28, 28, 8))).shape
        (5, 28, 28, 8)
    """

    scale: jax.Array  # (features,)
    shift: jax.Array  # (features,)
    groups: int = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(self, features: int, *, groups: int = 1, epsilon: float = 1e-5) -> None:
        features = whole_number("GroupNormalisation", "features", features)
        self.groups, self.epsilon = whole_number("GroupNormalisation", "groups", groups), float(epsilon)
        if features % self.groups:
            raise SettingsError(f"`GroupNormalisation` got groups={groups} with features={features}; expected groups "
                                "to divide them.", f"set groups={math.gcd(features, self.groups)}")
        self.scale, self.shift = jnp.ones(features), jnp.zeros(features)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, *positions, features) to the same shape."""
        last_axis("GroupNormalisation", x, self.scale.shape[-1])
        grouped = x.reshape(*x.shape[:-1], self.groups, -1)
        axes = (*range(1, x.ndim - 1), x.ndim)
        centred = grouped - jnp.mean(grouped, axis=axes, keepdims=True)
        variance = jnp.mean(jnp.square(centred), axis=axes, keepdims=True)
        return (centred * jax.lax.rsqrt(variance + self.epsilon)).reshape(x.shape) * self.scale + self.shift


class RootMeanSquareNormalisation(eqx.Module):
    """Brings the neurons of each row to a mean square of 1, then scales each: `y = scale · x / √(mean(x²) + epsilon)`.

    Source: Zhang & Sennrich 2019, equation 4.

    Args:
        features: number of neurons, at least 1.
        epsilon: added to the mean square.

    Raises:
        SettingsError: for a size below 1.
        ShapeError: when called with another number of features.
    """

    scale: jax.Array  # (features,)
    epsilon: float = eqx.field(static=True)

    def __init__(self, features: int, *, epsilon: float = 1e-6) -> None:
        self.scale = jnp.ones(whole_number("RootMeanSquareNormalisation", "features", features))
        self.epsilon = float(epsilon)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (..., features) to the same shape."""
        last_axis("RootMeanSquareNormalisation", x, self.scale.shape[-1])
        mean = jnp.mean(jnp.square(x), axis=-1, keepdims=True)
        return x * jax.lax.rsqrt(mean + self.epsilon) * self.scale


Normalisation = (LayerNormalisation | BatchNormalisation | GroupNormalisation | RootMeanSquareNormalisation | None)


def normalisation_layer(kind: str, features: int) -> Normalisation:
    """The layer that the setting asks for: one of `"none"`, `"layer"`, `"batch"`, `"group"`, `"root_mean_square"`."""
    makers = {"none": lambda _: None, "layer": LayerNormalisation, "batch": BatchNormalisation,
              "group": lambda size: GroupNormalisation(size, groups=math.gcd(size, USUAL_GROUPS)),
              "root_mean_square": RootMeanSquareNormalisation}
    if kind not in makers:
        raise SettingsError(f"Unknown layer normalisation `{kind}`.", did_you_mean(str(kind), tuple(makers)))
    return makers[kind](features)
