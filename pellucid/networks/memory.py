"""The associative memory: patterns are stored, and recalled from a damaged or partial version of themselves."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import pellucid.networks._recall as _recall
from pellucid.errors import DataError, SettingsError, ShapeError, did_you_mean
from pellucid.networks._rows import flat_rows
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import positive, whole_number
from pellucid.nn._random import normal, words

RULES = ("modern", "hebbian", "pseudo_inverse")
UPDATES = ("asynchronous", "synchronous")


@dataclass(frozen=True)
class MemorySettings:
    """What a `Memory` is built from, but for the patterns."""

    features: int
    rule: str = "modern"
    beta: float = 1.0
    standardise: bool = True
    update: str = "asynchronous"
    steps: int = 100

    def __post_init__(self) -> None:
        whole_number("Memory", "features", self.features)
        whole_number("Memory", "steps", self.steps)
        positive("Memory", "beta", self.beta)
        for name, known in (("rule", RULES), ("update", UPDATES)):
            if (value := getattr(self, name)) not in known:
                raise SettingsError(f"`Memory` got {name}={value!r}; expected one of {', '.join(known)}.",
                                    did_you_mean(str(value), known))


class Memory(eqx.Module):
    """A Hopfield network: its states fall into the stored patterns, from wherever they start.

    Classical rules store patterns of -1 and 1 in weights between all neurons: x ← sign(x·W), where no neuron is joined
    to itself. `"hebbian"`: W = Σ p·pᵀ / features, which holds about 0.138 random patterns a neuron, and fails on
    patterns that are alike. `"pseudo_inverse"`: W projects onto the span of the patterns, so that all of them are
    fixed points, alike or not, as long as they are linearly independent. The energy `-x·W·x / 2` falls with every
    neuron that changes.

    `"modern"` holds real-valued patterns, exponentially many: x ← Σ softmax(beta · (p·x - |p|²/2)) · p. With patterns
    of one length it is the modern Hopfield network's rule, the attention of a Transformer; the second term lets
    patterns of any lengths stand on equal terms, by their distance. With `standardise`, patterns and states are
    compared after each was brought to mean 0 and variance 1, so that noise that makes an image paler or darker does
    not lead to a paler or darker pattern. Its energy `|x|²/2 - log(Σ exp(beta · (p·x - |p|²/2))) / beta` falls with
    every step.

    Called as a network, it recalls. In training, classical neurons are graded (tanh) and go a few steps, so that
    gradients pass through.

    Source: Hopfield 1982; Personnaz, Guyon & Dreyfus 1986; Ramsauer et al. 2020, "Hopfield networks is all you need",
    equations 2 to 4.

    Args:
        features: numbers in a pattern, at least 1.
        rule: `"modern"`, `"hebbian"` or `"pseudo_inverse"`.
        patterns: how many random patterns it starts with; they are learned if it is trained as a part of something.
        beta: the inverse temperature of a modern memory, above 0: the larger, the more single a recalled pattern; small
            values recall mixtures of patterns that are alike.
        standardise: whether a modern memory compares by shape alone, not by mean and size.
        update: of the classical neurons: `"asynchronous"`, one after the other, or `"synchronous"`, all at once, which
            is faster but can end in two states that take turns.
        steps: the most updates of all neurons; recall stops before that where nothing changes any more.
        key: the random key for the starting patterns; needed when `patterns` is above 0.

    Raises:
        SettingsError: for a number out of its range or an unknown name.
        ShapeError: when called with inputs of another size.

    Example:
        >>> memory = Memory(4, rule="hebbian").store(jnp.array([[1, -1, 1, -1], [1, 1, -1, -1]]))
        >>> memory.recall(jnp.array([[1, -1, 1, 1]])).tolist()
        [[1.0, -1.0, 1.0, -1.0]]
    """

    weight: jax.Array  # modern: (features, patterns); classical: (features, features)
    settings: MemorySettings = eqx.field(static=True)
    members_in_turn = True

    def __init__(self, features: int, *, rule: str = "modern", patterns: int = 0, beta: float = 1.0,
                 standardise: bool = True, update: str = "asynchronous", steps: int = 100,
                 key: jax.Array | None = None) -> None:
        self.settings = settings = MemorySettings(features, rule, beta, bool(standardise), update, steps)
        if whole_number("Memory", "patterns", patterns, 0) and key is None:
            raise SettingsError(f"`Memory` got patterns={patterns} but no key; expected a random key to draw them.",
                                "pass key=jax.random.key(0), or leave patterns out and use store")
        self.weight = jnp.zeros((features, 0 if settings.rule == "modern" else features))
        if settings.rule == "modern" and patterns:
            self.weight = normal(key, (features, patterns))
        elif patterns:
            signs = 1.0 - 2.0 * (words(key, (patterns, features)) >> 31).astype(self.weight.dtype)
            self.weight = _recall.joined(settings.rule, self.weight, signs)

    def store(self, patterns: Any) -> Memory:
        """A memory that also holds `patterns`, (count, …): real numbers, or -1 and 1 for the classical rules.

        Raises:
            DataError: for the classical rules, when a value is neither -1 nor 1.
        """
        rule = self.settings.rule
        rows = flat_rows("Memory", patterns, self.settings.features, self.weight.dtype)
        if rule == "modern":
            weight = jnp.concatenate([self.weight, rows.T], axis=1)
        elif odd := int(jnp.sum(jnp.abs(rows) != 1)):
            raise DataError(f"`Memory` with the rule `{rule}` got {odd} values other than -1 and 1 to store.",
                            "pass 2.0 * (images > 0.5) - 1, for example, or use rule='modern' for real numbers")
        else:
            weight = _recall.joined(rule, self.weight, rows)
        return eqx.tree_at(lambda memory: memory.weight, self, weight)

    def recall(self, inputs: Any, *, known: Any = None) -> jax.Array:
        """What the memory holds for damaged or partial patterns, in the shape of `inputs`.

        Args:
            inputs: (rows, …), each a start state.
            known: yes or no for each input, or for each of a row: which of them are certain. Those stay as they are
                (classical) or alone decide which patterns are near (modern); the others' values do not matter.
                Without it all are uncertain, but a guess.

        Returns:
            The fixed points that the states fall into, in the shape of `inputs`.
        """
        inputs = jnp.asarray(inputs)
        if known is not None:
            known = jnp.broadcast_to(jnp.asarray(known, bool), inputs.shape).reshape(len(inputs), -1)
        return _recall_compiled(self, self._rows(inputs), known).reshape(inputs.shape)

    def _rows(self, inputs: jax.Array) -> jax.Array:
        if not self.weight.shape[1]:
            raise ShapeError("`Memory` was asked to recall, but holds no patterns; expected at least one.",
                             "use the memory that `store` returns")
        return flat_rows("Memory", inputs, self.settings.features, self.weight.dtype)

    def energy(self, states: Any) -> jax.Array:
        """The energy of each state (rows, …): (rows,); it falls on the way to a recalled pattern."""
        rows = self._rows(states)
        if self.settings.rule == "modern":
            return _recall.modern_energy(self, rows)
        return _recall.classical_energy(self.weight, rows)

    def initial_state(self) -> tuple[()]:
        """Nothing: the network has no running statistics."""
        return ()

    def __call__(self, inputs: jax.Array, *, state: Any = None, key: jax.Array | None = None, training: bool = False,
                 weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From (batch, …) to what is recalled, in the same shape."""
        rows = self._rows(inputs)
        settled = _recall.graded(self, rows) if training else _recall.settled(self, rows, None)
        return settled.reshape(inputs.shape), ()

    def layer_outputs(self, inputs: jax.Array, *, state: Any = None) -> dict[str, jax.Array]:
        """How near each pattern is, from 0 to 1 (modern), and what is recalled: `"patterns"`, `"output"`."""
        output, _ = self(inputs)
        if self.settings.rule != "modern":
            return {"output": output}
        keys, rows = _recall.compared(self, self.weight.T).T, _recall.compared(self, self._rows(inputs))
        near = jax.nn.softmax(_recall.closeness(keys, rows, self.settings.beta))
        return {"patterns": near, "output": output}

    def parts(self) -> Parts:
        """The neurons, and for a modern memory one hidden neuron for each pattern."""
        features = self.settings.features
        first = Part("input", "input", features, kind="memory")
        if self.settings.rule == "modern":
            patterns = Part("patterns", "hidden", self.weight.shape[1], "softmax", self.weight)
            return Parts((first, patterns, Part("output", "output", features)))
        return Parts((first, Part("output", "output", features, "sign", self.weight, kind="memory")))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        patterns = self.weight.shape[1] if self.settings.rule == "modern" else 0  # a neuron for each; else not counted
        return {"network": "memory", **asdict(self.settings), "patterns": patterns}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Memory:
        """A new memory of this specification, with random patterns."""
        return cls(**spec, key=key)


@eqx.filter_jit
def _recall_compiled(memory: Memory, rows: jax.Array, known: jax.Array | None) -> jax.Array:
    return _recall.settled(memory, rows, known)
