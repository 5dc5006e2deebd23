"""Attention: every position of a sequence gathers what it needs from the others."""
from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import last_axis, whole_number
from pellucid.nn._random import normal, subkeys
from pellucid.nn.dense import Dense
from pellucid.nn.dropout import Dropout

ROTARY_BASE = 10_000.0
FAR_BELOW = -1e30
"""The score of a position that may not be seen: finite, so that a row without any valid position gives no NaN."""


class Attention(eqx.Module):
    """Several heads of scaled dot-product attention, side by side.

    `softmax(q · kᵀ / √size + mask) · v` for each head, where queries, keys and values are learned linear maps of the
    positions; what the heads gather goes through one more linear map. With `rotary`, queries and keys are turned by an
    angle that grows with the position, so that a score depends on how far two positions are apart.

    Source: Vaswani and others 2017, equation 1; rotary positions: Su and others 2021, equation 34.

    Args:
        features: length of a position's vector, a multiple of `heads`.
        heads: how many look for different things at once, at least 1.
        causal: whether a position sees only itself and earlier ones.
        rotary: whether scores depend on distance; `features / heads` must be even then.
        dropout: the share of attention that rests while training.
        gain: what the starting weights of the last map are multiplied by.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size out of range.
        ShapeError: when called with another number of features.

    Example:
        >>> layer = Attention(8, 2, causal=True, key=jax.random.key(0))
        >>> layer(jnp.ones((3, 5, 8)), lengths=jnp.array([5, 2, 4])).shape
        (3, 5, 8)
    """

    inward: Dense  # (features, 3 · features): queries, keys and values side by side
    outward: Dense
    dropout: Dropout
    heads: int = eqx.field(static=True)
    causal: bool = eqx.field(static=True)
    rotary: bool = eqx.field(static=True)

    def __init__(self, features: int, heads: int, *, causal: bool = False, rotary: bool = False, dropout: float = 0.0,
                 gain: float = 1.0, key: jax.Array) -> None:
        self.heads = whole_number("Attention", "heads", heads)
        if whole_number("Attention", "features", features) % heads:
            raise SettingsError(f"`Attention` got features={features} and heads={heads}; expected a multiple.",
                                f"set features to {heads * math.ceil(features / heads)}, for example")
        if rotary and features // heads % 2:
            raise SettingsError(f"`Attention` got {features // heads} features a head; rotary positions turn pairs.",
                                "choose features and heads so that features / heads is even, or rotary=False")
        self.causal, self.rotary = bool(causal), bool(rotary)
        in_key, out_key = subkeys(key, 2)
        # a third of the columns each: as wide as three maps drawn for themselves
        self.inward = Dense(features, 3 * features, gain=math.sqrt(2), key=in_key)
        self.outward = Dense(features, features, gain=gain, key=out_key)
        self.dropout = Dropout(dropout)

    @property
    def features(self) -> int:
        """Length of a position's vector."""
        return self.outward.out_features

    def __call__(self, x: Float[Array, "batch time features"], *, lengths: Int[Array, " batch"] | None = None,
                 key: jax.Array | None = None, training: bool = False) -> Float[Array, "batch time features"]:
        """What each position gathers; beyond the length of a row, numbers without meaning.

        Args:
            x: (batch, time, features).
            lengths: (batch,) how many positions of each row are valid; none beyond is looked at. All when `None`.
            key: the random key for dropout.
            training: whether dropout is at work.
        """
        values, score = self._scores(x, lengths)
        share = self.dropout(jax.nn.softmax(score), key=key, training=training)
        gathered = jnp.einsum("bhqk,bkhs->bqhs", share, values)
        return self.outward(gathered.reshape(x.shape))

    def shares(self, x: Float[Array, "batch time features"], *,
               lengths: Int[Array, " batch"] | None = None) -> Float[Array, "batch heads time time"]:
        """How much of its attention each position (third axis) pays to each other (last axis); it adds up to 1."""
        return jax.nn.softmax(self._scores(x, lengths)[1])

    def _scores(self, x: Array, lengths: Array | None) -> tuple[Array, Array]:
        if x.ndim != 3:
            raise ShapeError(f"`Attention` expected x of shape (batch, time, {self.features}), got {tuple(x.shape)}.",
                             "pass a batch of whole sequences")
        last_axis("Attention", x, self.features)
        batch, time, features = x.shape
        split = self.inward(x).reshape(batch, time, 3, self.heads, features // self.heads)
        queries, keys, values = split[:, :, 0], split[:, :, 1], split[:, :, 2]
        if self.rotary:
            queries, keys = rotated(queries), rotated(keys)
        score = jnp.einsum("bqhs,bkhs->bhqk", queries / math.sqrt(features // self.heads), keys)
        seen = visible(time, lengths, self.causal)
        return values, score if seen is None else jnp.where(seen, score, FAR_BELOW)


def visible(time: int, lengths: Int[Array, " batch"] | None,
            causal: bool) -> Bool[Array, "batch_or_1 1 time_or_1 time"] | None:
    """Which positions (last axis) each position (third axis) may look at; `None` where it may look at all.

    Example:
        >>> visible(3, None, True)[0, 0].tolist()
        [[True, False, False], [True, True, False], [True, True, True]]
    """
    seen = jnp.asarray(np.tri(time, dtype=bool))[None, None] if causal else None
    if lengths is None:
        return seen
    valid = (jnp.arange(time) < lengths[:, None])[:, None, None]
    return valid if seen is None else seen & valid


def rotated(x: Float[Array, "batch time heads size"]) -> Float[Array, "batch time heads size"]:
    """Each pair of numbers of a position turned by position · base^(-2·pair / size).

    Source: Su and others 2021, equation 34, with the halves of a vector as the pairs.
    """
    time, half = x.shape[1], x.shape[-1] // 2
    angle = np.arange(time)[:, None] * ROTARY_BASE ** (-np.arange(half) / half)
    cosine, sine = (jnp.asarray(part, x.dtype)[:, None] for part in (np.cos(angle), np.sin(angle)))
    first, second = x[..., :half], x[..., half:]
    return jnp.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


class LearnedPositions(eqx.Module):
    """Adds a learned vector for each position.

    Args:
        longest: most positions, at least 1.
        features: length of a position's vector, at least 1.
        key: the random key for the starting vectors, which are N(0, 0.02²).

    Raises:
        ShapeError: when called with more positions.

    Example:
        >>> LearnedPositions(6, 4, key=jax.random.key(0))(jnp.zeros((2, 5, 4))).shape
        (2, 5, 4)
    """

    vectors: jax.Array  # (longest, features)

    def __init__(self, longest: int, features: int, *, key: jax.Array) -> None:
        shape = (whole_number("LearnedPositions", "longest", longest),
                 whole_number("LearnedPositions", "features", features))
        self.vectors = 0.02 * normal(key, shape)

    def __call__(self, x: Float[Array, "batch time features"]) -> Float[Array, "batch time features"]:
        """`x` with the vector of its position added to each."""
        longest, features = self.vectors.shape[-2:]
        last_axis("LearnedPositions", x, features)
        if x.shape[1] > longest:
            raise ShapeError(f"`LearnedPositions` has vectors for {longest} positions, got {x.shape[1]}.",
                             "cut the sequences, build the layer for longer ones, or use rotary positions")
        return x + self.vectors[:x.shape[1]]
