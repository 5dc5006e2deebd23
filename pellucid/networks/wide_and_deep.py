"""The wide and deep network: a weight for each thing that a row holds, beside a small network over their vectors."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Dropout, Embedding
from pellucid.nn._checks import positive, share, whole_number
from pellucid.nn._random import subkeys

CodeInputs = Mapping[str, Any]


@dataclass(frozen=True)
class WideAndDeepSettings:
    """What a `WideAndDeep` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_features: int
    out_features: int
    known: int | None = None
    places: int | None = None
    embedding: int = 32
    hidden: int = 64
    code_dropout: float = 0.0
    dropout: float = 0.0
    wide_rate: float = 1e4

    def __post_init__(self) -> None:
        if self.known is None:
            object.__setattr__(self, "known", self.in_features)
        for name in ("in_features", "out_features", "known", "embedding", "hidden"):
            whole_number("WideAndDeep", name, getattr(self, name))
        if self.places is not None:
            whole_number("WideAndDeep", "places", self.places)
        if self.known > self.in_features:
            raise SettingsError(f"`WideAndDeep` got known={self.known} of in_features={self.in_features} codes.",
                                "leave `known` out, or make it smaller")
        share("WideAndDeep", "code_dropout", self.code_dropout)
        share("WideAndDeep", "dropout", self.dropout)
        positive("WideAndDeep", "wide_rate", self.wide_rate)


class Wide(eqx.Module):
    """The sum of what each code adds to each output, times the code's weight in its row; 0 for all at the start.

    Args:
        in_features: number of codes, at least 1; code 0 stands for nothing.
        out_features: number of outputs, at least 1.
    """

    vectors: jax.Array  # (in_features, out_features)

    def __init__(self, in_features: int, out_features: int) -> None:
        self.vectors = jnp.zeros((in_features, out_features))

    def __call__(self, codes: Int[Array, "batch places"],
                 weights: Float[Array, "batch places"]) -> Float[Array, "batch outputs"]:
        """`Σ weight · vector` over the codes of each row."""
        return jnp.einsum("bp,bpo->bo", weights, jnp.take(self.vectors, codes, axis=0, mode="clip"))


class WideAndDeep(eqx.Module):
    """A linear path over everything that a row holds, and a small network over the vectors of what is common.

    A row is a set of codes with weights, such as the words of a text and how rare they are:
    `output = Σ weight · wide(code) + dense(relu(dense(Σ vector(code) / √count)))`, the second sum over those of the
    row's first `places` codes that are below `known`, each counted once whatever its weight.

    Inputs are `{"codes": int32 (batch, codes), "weights": (batch, codes)}`; code 0 stands for nothing. The wide path
    knows hundreds of thousands of things, most of them seen a few times; it is learned by plain gradient descent with
    momentum (`plain_factors`), which gives rare things small weights where Adam would give all the same.

    Args:
        in_features: how many codes there are, 0 included.
        out_features: number of output neurons, at least 1.
        known: codes below it have vectors; all by default.
        places: how many codes of a row, from its beginning, the vectors are looked up for; all by default.
        embedding: length of a vector.
        hidden: neurons between vectors and outputs.
        code_dropout: the share of a row's codes that are left out while training, from 0 up to, but without, 1.
        dropout: the share of the deep path's neurons that rest while training, alike.
        wide_rate: the wide path's learning rate, as a multiple of that of the other weights.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or a share outside its range.
        ShapeError: when called with codes and weights of different shapes.

    Example:
        >>> network = WideAndDeep(1000, 2, key=jax.random.key(0))
        >>> network({"codes": jnp.array([[3, 999, 0]]), "weights": jnp.array([[0.8, 0.6, 0.0]])})[0].shape
        (1, 2)

    Source: Cheng and others 2016, "Wide & deep learning for recommender systems"; the deep path's mean of vectors:
    Iyyer and others 2015, "Deep unordered composition rivals syntactic methods".
    """

    members_in_turn: ClassVar[bool] = True

    wide: Wide
    embedding: Embedding
    hidden: Dense
    output: Dense
    settings: WideAndDeepSettings = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, *, known: int | None = None, places: int | None = None,
                 embedding: int = 32, hidden: int = 64, code_dropout: float = 0.0, dropout: float = 0.0,
                 wide_rate: float = 1e4, key: jax.Array) -> None:
        self.settings = settings = WideAndDeepSettings(in_features, out_features, known, places, embedding, hidden,
                                                       code_dropout, dropout, wide_rate)
        code_key, hidden_key, output_key = subkeys(key, 3)
        self.wide = Wide(in_features, out_features)
        self.embedding = Embedding(settings.known, embedding, key=code_key)
        self.hidden = Dense(embedding, hidden, activation="relu", initialiser="he_normal", key=hidden_key)
        self.output = Dense(hidden, out_features, key=output_key)

    def initial_state(self) -> tuple[()]:
        """Nothing is carried from batch to batch."""
        return ()

    def plain_factors(self) -> dict[str, float]:
        """The weights that are learned by plain gradient descent with momentum, whatever the optimiser."""
        return {"wide.vectors": 1.0}

    def rate_factors(self) -> dict[str, float]:
        """The part of the learning rate for each weight that has one of its own, by name."""
        return {"wide.vectors": self.settings.wide_rate}

    def decay_factors(self) -> dict[str, float]:
        """The part of the weight decay for each weight that has one of its own, by name."""
        return {"wide.vectors": 0.0}

    def __call__(self, inputs: CodeInputs, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From a batch of rows to (batch, out_features).

        Args:
            inputs: the rows; see the class.
            state: nothing.
            key: the random key for dropout; needed only when training with dropout.
            training: whether dropout is at work.
            weight: not used.
        """
        return self._values(inputs, key, training)["output"], ()

    def layer_outputs(self, inputs: CodeInputs, *, state: tuple[()] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"vectors"`, `"hidden 1"`, `"output"`."""
        return self._values(inputs, None, False)

    def _values(self, inputs: CodeInputs, key: jax.Array | None, training: bool) -> dict[str, jax.Array]:
        settings, (codes, weights) = self.settings, _checked(inputs, self.output.weight.dtype)
        keys = [None] * 3 if key is None or not training else subkeys(key, 3)
        weights = Dropout(settings.code_dropout)(weights, key=keys[0], training=training)
        near, there = codes[:, :settings.places], weights[:, :settings.places] != 0
        there &= (near > 0) & (near < settings.known)
        count = jnp.maximum(jnp.sum(there, axis=1, keepdims=True), 1).astype(weights.dtype)
        vectors = jnp.einsum("bp,bpv->bv", there.astype(weights.dtype), self.embedding(near)) / jnp.sqrt(count)
        rest = Dropout(settings.dropout)
        hidden = self.hidden(rest(vectors, key=keys[1], training=training))
        deep = self.output(rest(hidden, key=keys[2], training=training))
        return {"vectors": vectors, "hidden 1": hidden, "output": deep + self.wide(codes, weights)}

    def parts(self) -> Parts:
        """The inputs, the vectors of codes, the hidden layer, the outputs, and the wide path past the middle."""
        settings = self.settings
        return Parts((
            Part("input", "input", settings.in_features),
            Part("vectors", "hidden", settings.embedding, "identity", self.embedding, kind="embedding"),
            Part("hidden 1", "hidden", settings.hidden, "relu", self.hidden),
            Part("output", "output", settings.out_features, "identity", self.output),
            Part("wide path", "output", 0, arrays=self.wide, depth=3),
        ), paths=((0, 3, "wide path"),))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "wide_and_deep", **asdict(self.settings)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> WideAndDeep:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _checked(inputs: CodeInputs, dtype: Any) -> tuple[Int[Array, "batch places"], Float[Array, "batch places"]]:
    codes, weights = jnp.asarray(inputs["codes"]), jnp.asarray(inputs["weights"])
    if codes.ndim != 2 or codes.shape != weights.shape:
        raise ShapeError(f"`WideAndDeep` expected codes and weights of one shape (batch, codes), got {codes.shape} and "
                         f"{weights.shape}.", 'pass {"codes": …, "weights": …}, padded with code 0 and weight 0')
    return codes, weights.astype(dtype)
