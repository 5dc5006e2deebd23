"""The recurrent network: it reads a sequence step by step and remembers what it has read."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks._sequences import SequenceInputs, known_output, mean_step, read_sequences, sizes_of
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Dropout, Embedding, Gru, Lstm, SimpleRecurrence
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.recurrent import AbstractRecurrence

CELLS: dict[str, type[AbstractRecurrence]] = {"simple": SimpleRecurrence, "lstm": Lstm, "gru": Gru}
MOST_EMBEDDING = 64
Memory = tuple[tuple[jax.Array, ...], ...]
"""The state of each layer: what a sequence goes on from."""


@dataclass(frozen=True)
class RecurrentSettings:
    """What a `Recurrent` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_features: int
    hidden: tuple[int, ...]
    out_features: int
    cell: str = "gru"
    bidirectional: bool = False
    output: str = "last"
    codes: bool = False
    embedding: int | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = (self.hidden,) if isinstance(self.hidden, int) else self.hidden
        if isinstance(sizes, str) or not isinstance(sizes, Sequence) or not sizes:
            raise SettingsError(f"`Recurrent` got hidden={self.hidden!r}; expected the size of each recurrent layer.",
                                "pass hidden=(128,), for example")
        object.__setattr__(self, "hidden", tuple(whole_number("Recurrent", "hidden", size) for size in sizes))
        for name in ("in_features", "out_features"):
            whole_number("Recurrent", name, getattr(self, name))
        if self.cell not in CELLS:
            raise SettingsError(f"`Recurrent` got cell={self.cell!r}; expected one of {', '.join(CELLS)}.",
                                did_you_mean(str(self.cell), tuple(CELLS)))
        known_output("Recurrent", self.output)
        share("Recurrent", "dropout", self.dropout)
        if self.embedding is None and self.codes:
            object.__setattr__(self, "embedding", min(self.in_features, MOST_EMBEDDING))


class Recurrent(eqx.Module):
    """Layers of recurrent neurons one above the other, then a dense layer; for sequences of numbers or of codes.

    Inputs are `{"values": (batch, time, in_features)}`, or, with `codes`, `{"codes": int32 (batch, time)}` whose
    entries stand for one of `in_features` things, each with a learned vector; either with `"lengths"` int32 (batch,)
    where rows differ in length. What lies beyond a length counts for nothing, the work follows the longest row of a
    batch, and other lengths need no new compilation. A bare array is taken as full-length values or codes.

    Args:
        in_features: numbers at each step, or how many different codes there are; at least 1.
        hidden: number of neurons in each recurrent layer (for each direction), from the inputs on.
        out_features: number of output neurons, at least 1.
        cell: `"simple"`, `"lstm"` or `"gru"`; the simple one forgets within a few dozen steps.
        bidirectional: whether a second set of neurons in each layer reads backwards in time.
        output: `"last"` for one output per sequence, from the state after its last step (of each direction); `"mean"`
            for one from the mean over its steps; `"steps"` for one at each step.
        codes: whether inputs are codes.
        embedding: length of a code's vector; `None` takes `in_features`, but at most 64.
        dropout: the share of each layer's outputs that rest while training, from 0 up to, but without, 1.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> network = Recurrent(2, (8,), 3, cell="lstm", key=jax.random.key(0))
        >>> network({"values": jnp.ones((4, 10, 2)), "lengths": jnp.array([10, 3, 7, 1])})[0].shape
        (4, 3)

    Source: Elman 1990; Hochreiter & Schmidhuber 1997; Cho and others 2014; both ways: Schuster & Paliwal 1997.
    """

    members_in_turn: ClassVar[bool] = True

    embedding: Embedding | None
    forwards: tuple[AbstractRecurrence, ...]
    backwards: tuple[AbstractRecurrence, ...]
    dropout: Dropout
    output: Dense
    settings: RecurrentSettings = eqx.field(static=True)

    def __init__(self, in_features: int, hidden: Sequence[int], out_features: int, *, cell: str = "gru",
                 bidirectional: bool = False, output: str = "last", codes: bool = False, embedding: int | None = None,
                 dropout: float = 0.0, key: jax.Array) -> None:
        self.settings = settings = RecurrentSettings(in_features, hidden, out_features, cell, bidirectional, output,
                                                     codes, embedding, dropout)
        hidden, kind, directions = settings.hidden, CELLS[cell], 2 if bidirectional else 1
        code_key, output_key, *keys = subkeys(key, 2 + 2 * len(hidden))
        self.embedding = Embedding(in_features, settings.embedding, key=code_key) if codes else None
        widths = (settings.embedding if codes else in_features, *(directions * size for size in hidden))
        sizes = list(zip(widths, hidden, strict=False))
        self.forwards = tuple(kind(*size, key=own) for size, own in zip(sizes, keys, strict=False))
        self.backwards = tuple(kind(*size, key=own) for size, own in zip(sizes, keys[len(hidden):], strict=True)
                               if bidirectional)
        self.dropout = Dropout(dropout)
        self.output = Dense(widths[-1], out_features, key=output_key)

    def initial_state(self) -> tuple[()]:
        """Nothing: between batches it remembers nothing; see `stream` for going on with a sequence."""
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
        values, memories, lengths = self._hidden_values(inputs, None, key, training)
        return self._head(values[-1], memories[-1], lengths, key, training), ()

    def stream(self, inputs: SequenceInputs, memory: Memory | None = None) -> tuple[jax.Array, Memory]:
        """The outputs at each step, and what to go on from: the next piece of the same sequences gives the outputs
        that it would have given as part of the whole.

        Args:
            inputs: a piece of each sequence; see the class.
            memory: what the call for the pieces before gave; `None` at the beginning.

        Returns:
            (batch, time, out_features) and the memory.

        Raises:
            SettingsError: the network also reads backwards in time.
        """
        if self.backwards:
            raise SettingsError("`Recurrent` with bidirectional=True was given a sequence in pieces; it needs the end "
                                "of a sequence to begin.", "build it with bidirectional=False")
        values, memories, _ = self._hidden_values(inputs, memory, None, False)
        return self.output(values[-1]), tuple(forward for forward, _ in memories)

    def layer_outputs(self, inputs: SequenceInputs, *, state: tuple[()] | None = None) -> dict[str, jax.Array]:
        """What each layer gives at each step, outside of training: `"hidden 1"`, …, `"output"`."""
        values, memories, lengths = self._hidden_values(inputs, None, None, False)
        named = {f"hidden {number}": value for number, value in enumerate(values, 1)}
        return named | {"output": self._head(values[-1], memories[-1], lengths, None, False)}

    def _hidden_values(self, inputs: SequenceInputs, memory: Memory | None, key: jax.Array | None,
                       training: bool) -> tuple[list[Array], list[tuple], Int[Array, " batch"] | None]:
        """What each layer gives at each step, the states it ends with in both directions, and the lengths."""
        settings = self.settings
        x, lengths = read_sequences("Recurrent", inputs, settings.in_features, settings.codes)
        x = x.astype(self.output.weight.dtype) if self.embedding is None else self.embedding(x)
        values, memories = [], []
        for index, forward in enumerate(self.forwards):
            ahead, last = forward(x, lengths=lengths, start=None if memory is None else memory[index])
            behind, first = (self.backwards[index](x, lengths=lengths, reverse=True) if self.backwards
                             else (ahead[..., :0], ()))
            values.append(jnp.concatenate([ahead, behind], axis=-1))
            memories.append((last, first))
            x = self._rest(values[-1], index, key, training)
        return values, memories, lengths

    def _rest(self, x: Array, index: int, key: jax.Array | None, training: bool) -> Array:
        own = None if key is None or not training else jax.random.fold_in(key, index)
        return self.dropout(x, key=own, training=training)

    def _head(self, x: Array, memory: tuple, lengths: Array | None, key: jax.Array | None, training: bool) -> Array:
        if self.settings.output == "last":
            x = jnp.concatenate([state[0] for state in memory if state], axis=-1)
        elif self.settings.output == "mean":
            x = mean_step(x, lengths)
        return self.output(self._rest(x, len(self.forwards) - 1, key, training))

    def parts(self) -> Parts:
        """The inputs, the vectors of codes, each recurrent layer, and the outputs."""
        settings = self.settings
        rows = [Part("input", "input", settings.in_features)]
        if self.embedding is not None:
            rows.append(Part("vectors of codes", "hidden", settings.embedding, "identity", self.embedding,
                             kind="embedding"))
        for index, forward in enumerate(self.forwards):
            layers = (forward, *self.backwards[index:index + 1])
            rows.append(Part(f"hidden {index + 1}", "hidden", forward.neurons * len(layers), "tanh", layers,
                             kind="recurrent"))
        return Parts((*rows, Part("output", "output", settings.out_features, "identity", self.output)))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "recurrent", **asdict(self.settings), "hidden": list(self.settings.hidden)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Recurrent:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)
