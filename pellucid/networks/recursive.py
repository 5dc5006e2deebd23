"""The recursive network: it walks up trees, from words over phrases to the whole."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks.parts import Part, Parts
from pellucid.nn import ChildSumTreeLstm, Dense, Embedding, NaryTreeLstm, TensorTree
from pellucid.nn._checks import positive, share, whole_number
from pellucid.nn._random import subkeys, uniform
from pellucid.nn._tree_loop import TreePlan, in_node_order, over_steps, rested, tree_plan
from pellucid.nn.tree import check_trees

CELLS = ("lstm", "child_sum_lstm", "tensor")
OUTPUTS = ("nodes", "root")
TreeInputs = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Rest:
    """What rests at random while a `Recursive` network trains, each a share from 0 up to, but without, 1.

    Args:
        words: of the words, which then count as unknown.
        embedding: of the entries of the words' vectors.
        connections: of the connections from children to their parent, the same ones in all nodes of a batch.
        hidden: of the entries of a node's vector on the way to its outputs.
    """

    words: float = 0.0
    embedding: float = 0.0
    connections: float = 0.0
    hidden: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            share("Recursive", f"dropout {name}", value)


@dataclass(frozen=True)
class RecursiveSettings:
    """What a `Recursive` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    cardinality: int
    out_features: int
    embedding: int = 128
    hidden: int = 128
    cell: str = "lstm"
    arity: int = 2
    output: str = "nodes"
    inner_words: bool = False
    word_rate: float = 1.0
    dropout: Rest = Rest()

    def __post_init__(self) -> None:
        for name in ("cardinality", "out_features", "embedding", "hidden", "arity"):
            whole_number("Recursive", name, getattr(self, name))
        for name, known in (("cell", CELLS), ("output", OUTPUTS)):
            if (given := getattr(self, name)) not in known:
                raise SettingsError(f"`Recursive` got {name}={given!r}; expected one of {', '.join(known)}.",
                                    did_you_mean(str(given), known))
        if self.cell == "tensor" and (self.embedding != self.hidden or self.inner_words):
            raise SettingsError(f"`Recursive` got cell='tensor' with embedding={self.embedding}, hidden={self.hidden} "
                                f"and inner_words={self.inner_words}; a leaf's vector is its word's there.",
                                "make embedding and hidden equal, about 30, and leave inner_words out")
        positive("Recursive", "word_rate", self.word_rate)
        if not isinstance(self.dropout, Rest):
            object.__setattr__(self, "dropout", _rest(self.dropout))


class Recursive(eqx.Module):
    """One composition, applied from the leaves of a tree to its root; an answer for every node, or for the root.

    A word's learned vector makes the state of a leaf; the states of its children make that of any other node; a dense
    layer turns each node's vector into outputs. Trees of any shapes share a batch, and one compiled program serves
    all: step t of its loop computes the t-th inner node of every tree, for as many steps as the batch needs.

    Inputs are a dict, as from `data.trees.tree_arrays`: `"tokens"` int32 (batch, nodes), 0 for an unknown word and -1
    for none; `"children"` int32 (batch, nodes, arity), positions of the children, -1 for none; `"count"` int32
    (batch,), the nodes of each tree. Children stand before their parents, and the root is the last node.

    Args:
        cardinality: number of words, the unknown word 0 included.
        out_features: number of output neurons at a node, at least 1.
        embedding: length of a word's vector.
        hidden: length of a node's vector.
        cell: `"lstm"` (a Tree-LSTM for children in order), `"child_sum_lstm"` (for any number in no order, such as
            dependencies) or `"tensor"` (each output weighs all pairs of the children's entries; `embedding` and
            `hidden` are equal then, about 30).
        arity: the most children that a node may have; of no account for `"child_sum_lstm"`.
        output: `"nodes"` for outputs at every node, (batch, nodes, out_features); `"root"` for those of the whole tree,
            (batch, out_features).
        inner_words: whether nodes with children have words too, as in dependency trees.
        word_rate: what the learning rate of the words' vectors is multiplied by; rare words may need a higher one.
        dropout: what rests while training: a `Rest`, or a mapping such as `{"embedding": 0.5, "hidden": 0.5}`; a number
            is for both of these.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size or share out of range, an unknown name, or settings that exclude each other.
        ShapeError: when called with arrays of other shapes.

    Example:
        >>> network = Recursive(10, 5, key=jax.random.key(0))
        >>> trees = {"tokens": jnp.array([[4, 7, -1]]), "children": jnp.array([[[-1, -1], [-1, -1], [0, 1]]]),
        ...          "count": jnp.array([3])}
        >>> network(trees)[0].shape
        (1, 3, 5)

    Source: Socher et al. 2013 (tensor); Tai, Socher & Manning 2015 (LSTM).
    """

    members_in_turn: ClassVar[bool] = True
    compiler_options: ClassVar[Mapping[str, Any]] = {"xla_cpu_use_fusion_emitters": False}
    """Levels of many small operations: the newer fusions take up to three times as long, by chance of the process."""

    words: Embedding
    tree: NaryTreeLstm | ChildSumTreeLstm | TensorTree
    head: Dense
    settings: RecursiveSettings = eqx.field(static=True)

    def __init__(self, cardinality: int, out_features: int, *, embedding: int = 128, hidden: int = 128,
                 cell: str = "lstm", arity: int = 2, output: str = "nodes", inner_words: bool = False,
                 word_rate: float = 1.0, dropout: Rest | Mapping[str, float] | float = 0.0, key: jax.Array) -> None:
        self.settings = RecursiveSettings(cardinality, out_features, embedding, hidden, cell, arity, output,
                                          bool(inner_words), word_rate, dropout)
        word_key, tree_key, head_key = subkeys(key, 3)
        self.words = Embedding(cardinality, embedding, key=word_key)
        if cell == "tensor":
            self.tree = TensorTree(hidden, arity=arity, key=tree_key)
        elif cell == "lstm":
            self.tree = NaryTreeLstm(embedding, hidden, arity=arity, inner_inputs=inner_words, key=tree_key)
        else:
            self.tree = ChildSumTreeLstm(embedding, hidden, inner_inputs=inner_words, key=tree_key)
        self.head = Dense(hidden, out_features, key=head_key)

    def initial_state(self) -> tuple[()]:
        """Nothing is carried from batch to batch."""
        return ()

    def rate_factors(self) -> dict[str, float]:
        """The part of the learning rate for each weight that has one of its own, by name."""
        return {} if self.settings.word_rate == 1 else {"words.vectors": self.settings.word_rate}

    def row_sizes(self, inputs: TreeInputs) -> np.ndarray:
        """Nodes of each tree: trees of like size are best put in one batch."""
        return np.asarray(inputs["count"])

    def __call__(self, inputs: TreeInputs, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[Array, tuple[()]]:
        """The outputs of every node, (batch, nodes, out_features), zeros behind the root; or those of the root.

        Args:
            inputs: the trees, as a dict; see the class.
            state: of no account; there for all networks to be called alike.
            key: the random key for dropout; needed only when training with dropout.
            training: whether dropout is at work.
            weight: of no account.
        """
        outputs = self.node_outputs(inputs, key=key, training=training)
        if self.settings.output == "nodes":
            return outputs, ()
        return outputs[jnp.arange(len(outputs)), jnp.asarray(inputs["count"]) - 1], ()

    def node_outputs(self, inputs: TreeInputs, *, key: jax.Array | None = None,
                     training: bool = False) -> Float[Array, "batch nodes out"]:
        """The outputs of every node, whatever the network gives; the arguments are those of a call."""
        if training and key is None and self.settings.dropout != Rest():
            raise SettingsError("`Recursive` needs a random key while training with dropout.",
                                "pass key=jax.random.key(seed), or training=False")
        tokens, children, count = self._checked(inputs)
        plan = tree_plan(children, count)
        own = key if training else None
        return in_node_order(self._outputs(self._states(tokens, plan, own), plan, own), plan)

    def _states(self, tokens: Int[Array, "batch nodes"], plan: TreePlan,
                key: jax.Array | None) -> Float[Array, "places batch hidden"]:
        """The vectors of all nodes, in the order of the plan's slots."""
        rest = self.settings.dropout
        first, second, third = (None,) * 3 if key is None else subkeys(key, 3)
        leaves = self._vectors(tokens, plan.leaf_node, first)
        inner = None
        if self.settings.inner_words:
            inner = rested(self._vectors(tokens, plan.inner_node, first), rest.embedding, third)
        return self.tree.outputs(leaves, plan, inner, rate=rest.embedding, connections=rest.connections, key=second)

    def _vectors(self, tokens: Int[Array, "batch nodes"], node: Int[Array, "room batch"],
                 key: jax.Array | None) -> Float[Array, "room batch embedding"]:
        """The vectors of the words at nodes; zeros where there is no word."""
        if key is not None and self.settings.dropout.words:
            lost = uniform(key, tokens.shape) < self.settings.dropout.words
            tokens = jnp.where(lost & (tokens > 0), 0, tokens)
        own = tokens.at[jnp.arange(len(tokens)), node].get(mode="fill", fill_value=-1)
        return jnp.where((own >= 0)[..., None], self.words(own), 0)

    def _outputs(self, states: Float[Array, "places batch hidden"], plan: TreePlan,
                 key: jax.Array | None) -> Float[Array, "places batch out"]:
        own = None if key is None else jax.random.fold_in(key, 1)
        head = partial(_head, rate=self.settings.dropout.hidden)
        return over_steps(head, self.head, states, (plan.leaves, plan.steps), own)

    def layer_outputs(self, inputs: TreeInputs, *, state: tuple[()] | None = None) -> dict[str, Array]:
        """What each layer gives for these inputs, outside of training: `"words"`, `"nodes"`, `"output"`."""
        tokens, children, count = self._checked(inputs)
        plan = tree_plan(children, count)
        words = jnp.where((tokens >= 0)[..., None], self.words(tokens), 0)
        states = in_node_order(self._states(tokens, plan, None), plan)
        return {"words": words, "nodes": states, "output": self(inputs)[0]}

    def _checked(self, inputs: TreeInputs) -> tuple[Array, Array, Array]:
        if not isinstance(inputs, Mapping) or not {"tokens", "children", "count"} <= inputs.keys():
            found = ", ".join(map(repr, inputs)) if isinstance(inputs, Mapping) else type(inputs).__name__
            raise ShapeError(f"`Recursive` expected a dict of 'tokens', 'children' and 'count', got {found}.",
                             "make it with data.trees.tree_arrays")
        tokens, children, count = (jnp.asarray(inputs[name]) for name in ("tokens", "children", "count"))
        if tokens.ndim != 2:
            raise ShapeError(f"`Recursive` expected tokens of shape (batch, nodes), got {tokens.shape}.",
                             "pass one word for each node, -1 where there is none")
        ordered = self.settings.cell != "child_sum_lstm"
        check_trees("Recursive", tokens.shape, children, count, self.settings.arity if ordered else None)
        return tokens, children, count

    def parts(self) -> Parts:
        """Words, their vectors, the composition, the outputs of a node."""
        settings = self.settings
        uses = 1 if settings.cell == "tensor" else 2
        return Parts((
            Part("word", "input", settings.cardinality, depth=0, kind="tree"),
            Part("words", "hidden", settings.embedding, arrays=self.words, kind="embedding"),
            Part("nodes", "hidden", settings.hidden, "tanh", self.tree, uses=uses, kind="tree"),
            Part("output", "output", settings.out_features, "identity", self.head)))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "recursive", **asdict(self.settings)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Recursive:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _head(head: Dense, states: Array, key: jax.Array | None, rate: float) -> Array:
    return head(rested(states, rate, key))


def _rest(given: Any) -> Rest:
    """`Rest` from a mapping, or from one share for embedding and hidden."""
    if not isinstance(given, Mapping):
        return Rest(embedding=given, hidden=given)
    known = Rest.__dataclass_fields__
    for name in given:
        if name not in known:
            raise SettingsError(f"`Recursive` got dropout of {name!r}.", did_you_mean(str(name), known))
    return Rest(**given)
