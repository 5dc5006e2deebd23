"""The transformer: every step of a sequence looks at the others, layer by layer."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks._sequences import (
    SequenceInputs,
    known_output,
    last_step,
    mean_step,
    read_sequences,
    sizes_of,
)
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Dropout, Embedding, LayerNormalisation
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.attention import Attention, LearnedPositions
from pellucid.nn.buckets import trimmed

POSITIONS = ("rotary", "learned", "none")
WIDER = 4  # the hidden layer of a block is this many times as wide as the block
LONGEST = 512
SHARES = (0.25, 0.5, 1.0)
"""The parts of the largest length that are compiled; each one costs seconds of compilation."""


@dataclass(frozen=True)
class TransformerSettings:
    """What a `Transformer` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_features: int
    out_features: int
    width: int = 128
    depth: int = 4
    heads: int = 4
    causal: bool = False
    output: str = "mean"
    codes: bool = False
    positions: str = "rotary"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("in_features", "out_features", "width", "depth", "heads"):
            whole_number("Transformer", name, getattr(self, name))
        known_output("Transformer", self.output)
        if self.positions not in POSITIONS:
            raise SettingsError(f"`Transformer` got positions={self.positions!r}; expected one of "
                                f"{', '.join(POSITIONS)}.", did_you_mean(str(self.positions), POSITIONS))
        share("Transformer", "dropout", self.dropout)


class TransformerBlock(eqx.Module):
    """`x = x + attention(normalise(x))`, then `x = x + second(gelu(first(normalise(x))))`.

    Source: Vaswani and others 2017; normalisation before, rather than after: Xiong and others 2020.

    Args:
        width: length of a step's vector, a multiple of `heads`.
        heads: of attention.
        causal: whether a step sees only itself and earlier ones.
        rotary: whether attention depends on distance.
        dropout: the share that rests while training: of attention, and of what each half adds.
        gain: what the starting weights of the maps that add to x are multiplied by.
        key: the random key for the starting weights.
    """

    normalisation: LayerNormalisation
    attention: Attention
    second_normalisation: LayerNormalisation
    first: Dense
    second: Dense
    dropout: Dropout

    def __init__(self, width: int, heads: int, *, causal: bool, rotary: bool, dropout: float = 0.0,
                 gain: float = 1.0, key: jax.Array) -> None:
        attention_key, first_key, second_key = subkeys(key, 3)
        self.normalisation, self.second_normalisation = LayerNormalisation(width), LayerNormalisation(width)
        self.attention = Attention(width, heads, causal=causal, rotary=rotary, dropout=dropout, gain=gain,
                                   key=attention_key)
        self.first = Dense(width, WIDER * width, activation="gelu", key=first_key)
        self.second = Dense(WIDER * width, width, gain=gain, key=second_key)
        self.dropout = Dropout(dropout)

    def __call__(self, x: Array, *, lengths: Int[Array, " batch"] | None, key: jax.Array | None,
                 training: bool) -> Array:
        """From (batch, time, width) to the same shape."""
        keys = [None] * 3 if key is None or not training else subkeys(key, 3)
        gathered = self.attention(self.normalisation(x), lengths=lengths, key=keys[0], training=training)
        x = x + self.dropout(gathered, key=keys[1], training=training)
        inner = self.second(self.first(self.second_normalisation(x)))
        return x + self.dropout(inner, key=keys[2], training=training)


class Transformer(eqx.Module):
    """Blocks of attention and dense layers, for sequences of numbers or of codes; an encoder, or causal.

    Inputs are `{"values": (batch, time, in_features)}`, or, with `codes`, `{"codes": int32 (batch, time)}` whose
    entries stand for one of `in_features` things, each with a learned vector; either with `"lengths"` int32 (batch,)
    where rows differ in length. What lies beyond a length counts for nothing, the work follows the longest row of a
    batch, and other lengths need no new compilation. A bare array is taken as full-length values or codes.

    Args:
        in_features: numbers at each step, or how many different codes there are; at least 1.
        out_features: number of output neurons, at least 1.
        width: length of a step's vector, a multiple of `heads`.
        depth: number of blocks, at least 1.
        heads: how many parts of a block look for different things at once.
        causal: whether a step sees only itself and earlier ones, as for telling the next step.
        output: `"mean"` for one output per sequence, from the mean over its steps; `"last"` for one from its last
            step; `"steps"` for one at each step.
        codes: whether inputs are codes.
        positions: how steps know where they are: `"rotary"`, by distance, for any length; `"learned"`, by a vector for
            each of the first 512 positions; `"none"`.
        dropout: the share that rests while training, from 0 up to, but without, 1.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> network = Transformer(30, 3, width=8, depth=1, heads=2, codes=True, key=jax.random.key(0))
        >>> network({"codes": jnp.ones((4, 10), int), "lengths": jnp.array([10, 3, 7, 1])})[0].shape
        (4, 3)

    Source: Vaswani and others 2017; Xiong and others 2020 (normalisation first); Su and others 2021 (rotary
    positions); the smaller start of what adds up over the depth: Radford and others 2019.
    """

    members_in_turn: ClassVar[bool] = True

    enter: Dense | Embedding
    positions: LearnedPositions | None
    blocks: tuple[TransformerBlock, ...]
    closing: LayerNormalisation
    output: Dense
    settings: TransformerSettings = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, *, width: int = 128, depth: int = 4, heads: int = 4,
                 causal: bool = False, output: str = "mean", codes: bool = False, positions: str = "rotary",
                 dropout: float = 0.0, key: jax.Array) -> None:
        self.settings = settings = TransformerSettings(in_features, out_features, width, depth, heads, causal, output,
                                                       codes, positions, dropout)
        enter_key, position_key, output_key, *keys = subkeys(key, 3 + depth)
        self.enter = _entry(in_features, width, codes, enter_key)
        self.positions = LearnedPositions(LONGEST, width, key=position_key) if positions == "learned" else None
        options = {"causal": settings.causal, "rotary": positions == "rotary", "dropout": dropout,
                   "gain": (2 * depth) ** -0.5}
        self.blocks = tuple(TransformerBlock(width, heads, **options, key=own) for own in keys)
        self.closing = LayerNormalisation(width)
        self.output = Dense(width, out_features, key=output_key)

    def initial_state(self) -> tuple[()]:
        """Nothing."""
        return ()

    def row_sizes(self, inputs: SequenceInputs) -> np.ndarray:
        """The length of each sequence: those of like length are best put in one batch."""
        return sizes_of(inputs)

    def __call__(self, inputs: SequenceInputs, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From a batch of sequences to (batch, out_features), or (batch, time, out_features) with output `"steps"`.

        Args:
            inputs: the sequences; see the class.
            state: nothing.
            key: the random key for dropout; needed only when training with dropout.
            training: whether dropout is at work.
            weight: not used.
        """
        x, lengths = read_sequences("Transformer", inputs, self.settings.in_features, self.settings.codes)
        if lengths is None:
            return _answer((self, None, key), x, training=training), ()
        longest = jnp.max(lengths, initial=0)
        return trimmed(partial(_answer, training=training), (self, lengths, key), (x, longest), shares=SHARES), ()

    def layer_outputs(self, inputs: SequenceInputs, *, state: tuple[()] | None = None) -> dict[str, jax.Array]:
        """What each block gives at each step, outside of training: `"block 1"`, …, `"output"`."""
        x, lengths = read_sequences("Transformer", inputs, self.settings.in_features, self.settings.codes)
        values = self._steps(x, lengths, None, False)
        named = {f"block {number}": value for number, value in enumerate(values, 1)}
        return named | {"output": self._head(values[-1], lengths)}

    def attention(self, inputs: SequenceInputs) -> list[Float[Array, "batch heads time time"]]:
        """How much of its attention each step (third axis) pays to each other (last axis) in each block, outside of
        training; it adds up to 1."""
        x, lengths = read_sequences("Transformer", inputs, self.settings.in_features, self.settings.codes)
        entered = self._entered(x)
        before = [entered, *self._steps(x, lengths, None, False)[:-1]]
        return [block.attention.shares(block.normalisation(own), lengths=lengths)
                for block, own in zip(self.blocks, before, strict=True)]

    def _entered(self, x: Array) -> Array:
        x = self.enter(x if self.settings.codes else x.astype(self.output.weight.dtype))
        return x if self.positions is None else self.positions(x)

    def _steps(self, x: Array, lengths: Array | None, key: jax.Array | None, training: bool) -> list[Array]:
        """What each block gives at each step."""
        x, values = self._entered(x), []
        for index, block in enumerate(self.blocks):
            own = None if key is None or not training else jax.random.fold_in(key, index)
            x = block(x, lengths=lengths, key=own, training=training)
            values.append(x)
        return values

    def _head(self, x: Array, lengths: Array | None) -> Array:
        x = self.closing(x)
        if self.settings.output != "steps":
            x = (mean_step if self.settings.output == "mean" else last_step)(x, lengths)
        return self.output(x)

    def parts(self) -> Parts:
        """The inputs, what they enter by, each block, and the outputs."""
        settings = self.settings
        rows = [Part("input", "input", settings.in_features),
                Part("vectors of codes" if settings.codes else "entry", "hidden", settings.width, "identity",
                     (self.enter, self.positions), kind="embedding")]
        paths = []
        for number, block in enumerate(self.blocks, 1):
            depth = 2 * number
            rows += [Part(f"block {number}, attention", "hidden", settings.width, "softmax",
                          (block.normalisation, block.attention), depth, kind="attention"),
                     Part(f"block {number}", "hidden", WIDER * settings.width, "gelu",
                          (block.second_normalisation, block.first, block.second), depth + 1)]
            paths += [(depth - 1, depth, "residual"), (depth, depth + 1, "residual")]
        rows.append(Part("output", "output", settings.out_features, "identity", (self.closing, self.output)))
        return Parts(tuple(rows), tuple(paths))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "transformer", **asdict(self.settings)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Transformer:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _entry(in_features: int, width: int, codes: bool, key: jax.Array) -> Dense | Embedding:
    """What steps enter by: the vector of no code starts at 0, nor does that of a step of zeros.

    Normalisation multiplies the gradient of a vector near 0 by 1/√epsilon, about 300, and each normalisation further on
    does so again as long as a step sees only such vectors; Adam would then hardly move that vector for thousands of
    steps.
    """
    if codes:
        return Embedding(in_features, width, missing=False, key=key)
    return Dense(in_features, width, bias_deviation=width ** -0.5, key=key)


def _answer(given: tuple[Transformer, Array | None, jax.Array | None], x: Array, *, training: bool) -> Array:
    """The output for whole or trimmed sequences: a function of arrays alone, as `trimmed` asks for."""
    network, lengths, key = given
    return network._head(network._steps(x, lengths, key, training)[-1], lengths)
