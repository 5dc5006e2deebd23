"""Embeddings of numbers: each number becomes several, so that a network can bend where the data bend.

Source: Gorishniy, Rubachev & Babenko 2022, "On embeddings for numerical features in tabular deep learning".
"""
from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import last_axis, positive, whole_number
from pellucid.nn._random import normal, subkeys, uniform
from pellucid.nn.activations import activate, activations
from pellucid.nn.buffer import Buffer


class FeatureDense(eqx.Module):
    """A dense layer of its own for each feature: (batch, features, in) to (batch, features, out).

    Args:
        features: number of features.
        in_features, out_features: inputs and outputs of each.
        activation: the name of an activation function.
        key: the random key; weights and biases start from U(-a, a), a = 1 / √in_features.
    """

    weight: jax.Array  # (features, in_features, out_features)
    bias: jax.Array  # (features, out_features)
    activation: str = eqx.field(static=True)

    def __init__(self, features: int, in_features: int, out_features: int, *, activation: str = "identity",
                 key: jax.Array) -> None:
        limit = 1 / math.sqrt(in_features)
        weight_key, bias_key = subkeys(key, 2)
        self.weight = uniform(weight_key, (features, in_features, out_features), -limit, limit)
        self.bias = uniform(bias_key, (features, out_features), -limit, limit)
        self.activation = activations.canonical(activation)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, features, in_features) to (batch, features, out_features)."""
        return activate(self.activation, jnp.einsum("bfi,fio->bfo", x, self.weight) + self.bias)


class PeriodicEmbedding(eqx.Module):
    """Each number as learned waves of it, mixed by a small dense layer of its own.

    Variant `"plr"`: `relu(dense([cos(2π·w·x), sin(2π·w·x)]))`. Variant `"pbld"`: `[x, dense(cos(2π·w·x + b))]`, with
    learned phases b and the number itself kept; it needs fewer numbers. The frequencies w start from
    N(0, deviation²), the phases from U(-π, π).

    Source: Gorishniy et al. 2022 (plr); Holzmüller et al. 2024, "Better by default" (pbld).

    Args:
        features: how many numbers are embedded, at least 1.
        size: how many numbers each becomes (in `"pbld"` the number itself included), at least 2.
        frequencies: how many waves each has, at least 1.
        deviation: the standard deviation of the starting frequencies, above 0; larger bends more sharply.
        variant: `"pbld"` or `"plr"`.
        key: the random key for the starting weights.
    """

    frequency: jax.Array  # (features, frequencies)
    phase: jax.Array | None  # (features, frequencies)
    mix: FeatureDense
    deviation: float = eqx.field(static=True)

    def __init__(self, features: int, *, size: int = 4, frequencies: int = 16, deviation: float = 0.1,
                 variant: str = "pbld", key: jax.Array) -> None:
        if variant not in ("pbld", "plr"):
            raise SettingsError(f"`PeriodicEmbedding` got variant={variant!r}; expected `pbld` or `plr`.",
                                "set variant to pbld")
        size, waves = whole_number("PeriodicEmbedding", "size", size, 2), (
            whole_number("PeriodicEmbedding", "features", features),
            whole_number("PeriodicEmbedding", "frequencies", frequencies))
        self.deviation = positive("PeriodicEmbedding", "deviation", deviation)
        frequency_key, phase_key, mix_key = subkeys(key, 3)
        self.frequency = self.deviation * normal(frequency_key, waves)
        if variant == "pbld":
            self.phase = uniform(phase_key, waves, -math.pi, math.pi)
            self.mix = FeatureDense(features, frequencies, size - 1, key=mix_key)
        else:
            self.phase = None
            self.mix = FeatureDense(features, 2 * frequencies, size, activation="relu", key=mix_key)

    @property
    def out_features(self) -> int:
        """How many numbers come out in all."""
        features, size = self.mix.bias.shape[-2:]
        return features * (size + (self.phase is not None))

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, features) to (batch, features · size), feature by feature."""
        last_axis("PeriodicEmbedding", x, self.frequency.shape[-2])
        angle = (2 * math.pi) * x[..., None] * self.frequency  # (batch, features, frequencies)
        if self.phase is None:
            mixed = self.mix(jnp.concatenate([jnp.cos(angle), jnp.sin(angle)], axis=-1))
        else:
            mixed = jnp.concatenate([x[..., None], self.mix(jnp.cos(angle + self.phase))], axis=-1)
        return mixed.reshape(*x.shape[:-1], -1)


class PiecewiseLinearEmbedding(eqx.Module):
    """Each number as how far it has come through each of its bins: -1 before a bin, 1 after it, linear within.

    The paper goes from 0 to 1; centred inputs train better. A bin of no width gives 0, so that features with fewer
    distinct edges can repeat an edge. Beyond the outermost edges the value stays at -1 or 1 (the paper goes on
    linearly): an outlier cannot carry the network away. With `raw` the number itself is put in front.

    Args:
        edges: (features, bins + 1) rising edges fitted on the training rows, such as quantiles; kept as a `Buffer`.
        size: when given, a dense layer of its own brings each feature's bins to this many numbers.
        raw: whether to keep the number itself.
        activation: the activation of that dense layer.
        key: the random key; needed only with `size`.
    """

    edges: Buffer  # (features, bins + 1)
    mix: FeatureDense | None
    raw: bool = eqx.field(static=True)

    def __init__(self, edges: jax.Array | Sequence[Sequence[float]], *, size: int | None = None, raw: bool = True,
                 activation: str = "identity", key: jax.Array | None = None) -> None:
        edges = jnp.asarray(edges, jnp.float32)
        if edges.ndim != 2 or edges.shape[0] < 1 or edges.shape[1] < 2:
            raise ShapeError("`PiecewiseLinearEmbedding` expected edges of shape (features, bins + 1), got "
                             f"{edges.shape}.",
                             "pass one row of at least two rising edges for each feature")
        self.edges, self.raw, self.mix = Buffer(edges), bool(raw), None
        if size is not None:
            if key is None:
                raise SettingsError("`PiecewiseLinearEmbedding` with a size needs a random key.",
                                    "pass key=jax.random.key(seed), or size=None")
            size = whole_number("PiecewiseLinearEmbedding", "size", size)
            self.mix = FeatureDense(edges.shape[0], edges.shape[1] - 1, size, activation=activation, key=key)

    @property
    def out_features(self) -> int:
        """How many numbers come out in all."""
        features, marks = self.edges.value.shape[-2:]
        return features * ((marks - 1 if self.mix is None else self.mix.bias.shape[-1]) + self.raw)

    def fitted(self, values: np.ndarray) -> PiecewiseLinearEmbedding:
        """This layer, or layers with a leading member axis, with edges at quantiles of `values` (rows, features)."""
        old = self.edges.value
        edges = quantile_edges(values, old.shape[-1] - 1).astype(old.dtype)
        return eqx.tree_at(lambda one: one.edges.value, self, jax.device_put(np.broadcast_to(edges, old.shape)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (batch, features) to (batch, features · size), feature by feature."""
        last_axis("PiecewiseLinearEmbedding", x, self.edges.value.shape[-2])
        edges = self.edges.value.astype(x.dtype)
        width = edges[:, 1:] - edges[:, :-1]
        rate = jnp.where(width > 0, 1 / jnp.where(width > 0, width, 1), 0)  # (features, bins)
        way = jnp.clip((x[..., None] - edges[:, :-1]) * rate, 0, 1)  # (batch, features, bins)
        way = jnp.where(width > 0, 2 * way - 1, 0)
        if self.mix is not None:
            way = self.mix(way)
        if self.raw:
            way = jnp.concatenate([x[..., None], way], axis=-1)
        return way.reshape(*x.shape[:-1], -1)


def even_edges(features: int, bins: int) -> jax.Array:
    """Edges of evenly spaced bins from -2 to 2, (features, bins + 1), until `fitted` finds better ones."""
    return jnp.tile(jnp.linspace(-2.0, 2.0, bins + 1), (features, 1))


def quantile_edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Bin edges for `PiecewiseLinearEmbedding` at evenly spaced quantiles; repeated values leave bins of no width.

    Args:
        values: (rows, features) training rows; values that are not finite are left out.
        bins: how many bins, at least 1.

    Returns:
        float64 (features, bins + 1), rising in each row; 0 throughout for a feature without a finite value.
    """
    bins = whole_number("quantile_edges", "bins", bins)
    edges = np.zeros((values.shape[1], bins + 1))
    for feature, column in enumerate(np.asarray(values, np.float64).T):
        finite = column[np.isfinite(column)]
        if len(finite):
            edges[feature] = np.quantile(finite, np.linspace(0, 1, bins + 1))
    return edges
