"""Categories as numbers that a network can weigh: learned vectors, or one channel per level."""
from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.nn._checks import last_axis, whole_number
from pellucid.nn._random import normal


def embedding_size(cardinality: int) -> int:
    """How many numbers describe a level, by a rule of thumb: 1.6 · cardinality^0.56, at least 2, at most 50.

    Source: the rule that fastai uses for tables.
    """
    return max(2, min(50, round(1.6 * cardinality**0.56)))


class Embedding(eqx.Module):
    """A learned vector for each level of a category.

    The vectors start from N(0, 1 / size), about as long as a one-hot vector; the vector of a code 0 that stands for a
    missing or unseen level starts at 0, so that a level never seen adds nothing.

    Args:
        cardinality: number of codes, at least 1; codes are 0 to cardinality - 1.
        size: length of a vector, at least 1.
        missing: whether code 0 stands for a missing or unseen level, rather than for a level like the others.
        key: the random key for the starting vectors.
    """

    vectors: jax.Array  # (cardinality, size)

    def __init__(self, cardinality: int, size: int, *, missing: bool = True, key: jax.Array) -> None:
        shape = (whole_number("Embedding", "cardinality", cardinality), whole_number("Embedding", "size", size))
        vectors = normal(key, shape) / math.sqrt(shape[1])
        self.vectors = vectors.at[0].set(0.0) if missing else vectors

    def __call__(self, codes: jax.Array) -> jax.Array:
        """From integer codes of any shape to (..., size); a code outside the range counts as 0."""
        known = (codes >= 0) & (codes < self.vectors.shape[-2])
        return jnp.take(self.vectors, jnp.where(known, codes, 0), axis=0, mode="clip")


class OneHot(eqx.Module):
    """Several categories as one channel per known level.

    Code 0 (missing or unseen) gives 0 in all channels of its category. A category of two levels takes a single
    channel: -1 and 1 for its levels, 0 when missing.

    Args:
        cardinalities: number of codes of each category, code 0 included; each at least 1.
    """

    cardinalities: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, cardinalities: Sequence[int]) -> None:
        self.cardinalities = tuple(whole_number("OneHot", "cardinality", size) for size in cardinalities)

    @property
    def channels(self) -> tuple[int, ...]:
        """Number of channels of each category."""
        return tuple(1 if size == 3 else size - 1 for size in self.cardinalities)

    @property
    def out_features(self) -> int:
        """Number of channels in all."""
        return sum(self.channels)

    def __call__(self, codes: jax.Array, dtype: jnp.dtype = jnp.float32) -> jax.Array:
        """From integer codes (..., categories) to (..., channels)."""
        last_axis("OneHot", codes, len(self.cardinalities))
        parts = [_levels(codes[..., column], size, dtype) for column, size in enumerate(self.cardinalities)]
        return jnp.concatenate([jnp.zeros((*codes.shape[:-1], 0), dtype), *parts], axis=-1)


def _levels(codes: jax.Array, cardinality: int, dtype: jnp.dtype) -> jax.Array:
    known = np.arange(1, cardinality, dtype=np.int32)
    hit = (codes[..., None] == known).astype(dtype)
    return hit[..., 1:] - hit[..., :1] if cardinality == 3 else hit
