"""Tree composition: the state of a node from its word and the states of its children.

Batches hold trees of any shapes: `inputs` float (batch, nodes, features), what stands at each node; `children` int32
(batch, nodes, arity), the positions of a node's children from left to right, -1 for none; `count` int32 (batch), the
nodes of each tree. A node stands behind its children, and the root is the last of the `count` nodes.
"""
from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from pellucid.errors import ShapeError
from pellucid.nn._checks import whole_number
from pellucid.nn._random import normal, subkeys
from pellucid.nn._tree_loop import Cell, Leaf, Moving, State, TreePlan, Way, in_node_order, rested, tree_plan, walk
from pellucid.nn.initialisers import initialise, initialisers


@dataclass(frozen=True)
class _LstmCell:
    """Gates for input, output and update, and a forget gate for each child; the state is (output, memory)."""

    size: int

    def gated(self, total: Array, bias: Array, forgotten: Array) -> State:
        """From the sums of the three gates and what the children's memories leave, the state."""
        gates, update = jnp.split(total + bias[..., :3 * self.size], [2 * self.size], axis=-1)
        let_in, let_out = jnp.split(jax.nn.sigmoid(gates), 2, axis=-1)
        memory = let_in * jnp.tanh(update) + forgotten
        return let_out * jnp.tanh(memory), memory


@dataclass(frozen=True)
class _LstmLeaf(_LstmCell):
    def __call__(self, weights: tuple[Array, Array], inputs: Array) -> State:
        return self.gated(inputs @ weights[0], weights[1], jnp.zeros((), inputs.dtype))


@dataclass(frozen=True)
class _ChildSumCell(_LstmCell):
    def features(self, children: State) -> Array:
        return children[0]

    def combine(self, total: Array, bias: Array, children: State) -> State:
        keep = jax.nn.sigmoid(total[..., 3 * self.size:] + bias[..., None, 3 * self.size:])
        forgotten = jnp.sum(keep * children[1], axis=-2)
        return self.gated(jnp.sum(total[..., :3 * self.size], axis=-2), bias, forgotten)


@dataclass(frozen=True)
class _NaryCell(_LstmCell):
    def features(self, children: State) -> Array:
        return _joined(children[0])

    def combine(self, total: Array, bias: Array, children: State) -> State:
        own = total[..., 3 * self.size:].reshape(*total.shape[:-1], -1, self.size)
        keep = jax.nn.sigmoid(own + bias[..., None, 3 * self.size:])
        return self.gated(total[..., :3 * self.size], bias, jnp.sum(keep * children[1], axis=-2))


@dataclass(frozen=True)
class _TensorCell:
    def features(self, children: State) -> Array:
        joined = _joined(children[0])
        pairs = joined[..., :, None] * joined[..., None, :]
        return jnp.concatenate([pairs.reshape(*joined.shape[:-1], -1), joined], axis=-1)

    def combine(self, total: Array, bias: Array, children: State) -> State:
        return (jnp.tanh(total + bias),)


def _joined(children: Float[Array, "*batch arity size"]) -> Float[Array, "*batch inputs"]:
    return children.reshape(*children.shape[:-2], -1)


def _tanh_leaf(weights: tuple[()], inputs: Array) -> State:
    return (jnp.tanh(inputs),)


class AbstractTreeLayer(eqx.Module):
    """A layer that walks up trees: `layer(inputs, children, count)` gives the output of every node."""

    @property
    @abc.abstractmethod
    def cell(self) -> Cell:
        """How a node's state comes from its children's."""

    @property
    @abc.abstractmethod
    def in_features(self) -> int:
        """Length of the vector at a node."""

    @property
    @abc.abstractmethod
    def out_features(self) -> int:
        """Length of a node's output."""

    @abc.abstractmethod
    def joined_weight(self) -> Float[Array, "inputs outputs"]:
        """The weights of the walk as one matrix."""

    @abc.abstractmethod
    def leaf_weights(self) -> PyTree[Array]:
        """What `leaf_states` uses."""

    @property
    @abc.abstractmethod
    def leaf_states(self) -> Callable[[PyTree[Array], Array], State]:
        """From (`leaf_weights()`, vectors) to the states of nodes without children; hashable, without arrays."""

    @abc.abstractmethod
    def inner_bias(self, inputs: Float[Array, "room batch features"] | None) -> Float[Array, "#room #batch biases"]:
        """What nodes with children add, from the vectors that stand at them; `None` when none do."""

    def outputs(self, leaves: Float[Array, "room batch features"], plan: TreePlan,
               inner: Float[Array, "room batch features"] | None = None, *, rate: float = 0.0, connections: float = 0.0,
               key: jax.Array | None = None) -> Float[Array, "places batch out"]:
        """The outputs of all nodes in the order of the plan's slots, from vectors in that order.

        Args:
            leaves: the vectors of the leaves.
            plan: the order of work.
            inner: the vectors of the inner nodes, for a layer that takes them.
            rate: the share of the vectors' entries that rest.
            connections: the share of connections from children to their parent that rest, the same ones in all nodes.
            key: a random key, where any rest.
        """
        word_key, own_key = (None, None) if key is None else subkeys(key, 2)
        weight = rested(self.joined_weight(), connections, own_key)
        way = Way(self.cell, Leaf(self.leaf_states, rate))
        return walk(way, Moving(weight, self.inner_bias(inner), self.leaf_weights(), leaves), plan, word_key)

    def __call__(self, inputs: Float[Array, "batch nodes features"], children: Int[Array, "batch nodes arity"],
                 count: Int[Array, " batch"]) -> Float[Array, "batch nodes out"]:
        """The output of every node; zeros behind the root."""
        inputs, children, count = (jnp.asarray(value) for value in (inputs, children, count))
        self._check(inputs, children, count)
        plan = tree_plan(children, count)
        rows = jnp.arange(len(inputs))
        leaves, inner = (inputs.at[rows, node].get(mode="clip") for node in (plan.leaf_node, plan.inner_node))
        outputs = self.outputs(leaves, plan, inner if self._takes_inner else None)
        return in_node_order(outputs, plan)

    @property
    def _takes_inner(self) -> bool:
        return False

    @property
    def _most_children(self) -> int | None:
        return None

    def _check(self, inputs: Array, children: Array, count: Array) -> None:
        name = type(self).__name__
        if inputs.ndim != 3 or inputs.shape[-1] != self.in_features:
            raise ShapeError(f"`{name}` expected inputs of shape (batch, nodes, {self.in_features}), got "
                             f"{tuple(inputs.shape)}.", "pass one vector for each node; zeros where there is no word")
        check_trees(name, inputs.shape[:2], children, count, self._most_children)


def check_trees(name: str, shape: tuple[int, ...], children: Array, count: Array, arity: int | None) -> None:
    """Raise `ShapeError` unless `children` and `count` fit nodes of `shape` (batch, nodes)."""
    good = children.ndim == 3 and children.shape[:2] == shape and count.shape == shape[:1]
    if not good or (arity is not None and children.shape[2] != arity):
        width = "arity" if arity is None else arity
        raise ShapeError(f"`{name}` expected children of shape ({shape[0]}, {shape[1]}, {width}) and count of shape "
                         f"({shape[0]},), got {tuple(children.shape)} and {tuple(count.shape)}.",
                         "make both with data.trees.tree_arrays; arity is the most children a node may have")


class _TreeLstm(AbstractTreeLayer):
    """What both Tree-LSTMs share: the weights of the words, and biases."""

    input_weight: jax.Array  # (in_features, 3 * size), or 4 * size with inner_inputs
    weight: jax.Array
    bias: jax.Array  # (4 * size,): input, output, update, forget
    size: int = eqx.field(static=True)
    inner_inputs: bool = eqx.field(static=True)
    initialiser: str = eqx.field(static=True)

    def _start(self, in_features: int, size: int, inputs_of_node: int, gates: int, *, inner_inputs: bool,
               initialiser: str, forget_bias: float, key: jax.Array) -> None:
        name = type(self).__name__
        features, self.size = (whole_number(name, "in_features", in_features), whole_number(name, "size", size))
        self.inner_inputs, self.initialiser = bool(inner_inputs), initialisers.canonical(initialiser)
        word_key, own_key = subkeys(key, 2)
        width = (4 if inner_inputs else 3) * self.size
        self.input_weight = initialise(self.initialiser, word_key, (features, width), fan_out=self.size)
        self.weight = initialise(self.initialiser, own_key, (inputs_of_node * self.size, gates * self.size),
                                 fan_out=self.size)
        self.bias = jnp.zeros(4 * self.size).at[3 * self.size:].set(forget_bias)

    @property
    def in_features(self) -> int:
        """Length of the vector at a node."""
        return self.input_weight.shape[-2]

    @property
    def out_features(self) -> int:
        """Length of a node's output."""
        return self.size

    def joined_weight(self) -> Float[Array, "inputs outputs"]:
        """The weights of the walk."""
        return self.weight

    def leaf_weights(self) -> PyTree[Array]:
        """What `leaf_states` uses."""
        return self.input_weight[:, :3 * self.size], self.bias[:3 * self.size]

    @property
    def leaf_states(self) -> Callable[[PyTree[Array], Array], State]:
        """From (`leaf_weights()`, vectors) to the states of nodes without children."""
        return _LstmLeaf(self.size)

    def inner_bias(self, inputs: Float[Array, "room batch features"] | None) -> Float[Array, "#room #batch biases"]:
        """What nodes with children add to the gates."""
        bias = self.bias[None, None]
        return bias if inputs is None else inputs @ self.input_weight + bias

    @property
    def _takes_inner(self) -> bool:
        return self.inner_inputs


class ChildSumTreeLstm(_TreeLstm):
    """A Tree-LSTM for any number of children in no particular order, such as those of a dependency tree.

    With h̃ the sum of the children's outputs h_k, and c_k their memories:
    i = σ(W x + U h̃ + b), o and u = tanh(…) alike, f_k = σ(W x + U h_k + b) for each child,
    c = i ∘ u + Σ f_k ∘ c_k, h = o ∘ tanh(c).

    Source: Tai, Socher & Manning 2015, equations 2 to 8.

    Args:
        in_features: length of the vector at a node, at least 1.
        size: length of a node's output and of its memory, at least 1.
        inner_inputs: whether nodes with children have a vector too; else only those of leaves are read.
        initialiser: the name of the rule for starting weights.
        forget_bias: the starting bias of the forget gates; above 0, memories are kept at first.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with arrays of other shapes.

    Example:
        >>> layer = ChildSumTreeLstm(4, 8, key=jax.random.key(0))
        >>> children = jnp.array([[[-1, -1], [-1, -1], [0, 1]]])
        >>> layer(jnp.ones((1, 3, 4)), children, jnp.array([3])).shape
        (1, 3, 8)
    """

    def __init__(self, in_features: int, size: int, *, inner_inputs: bool = False, initialiser: str = "glorot_uniform",
                 forget_bias: float = 0.0, key: jax.Array) -> None:
        self._start(in_features, size, 1, 4, inner_inputs=inner_inputs, initialiser=initialiser,
                    forget_bias=forget_bias, key=key)

    @property
    def cell(self) -> Cell:
        """How a node's state comes from its children's."""
        return _ChildSumCell(self.size)


class NaryTreeLstm(_TreeLstm):
    """A Tree-LSTM for up to N children in order, such as the two of a binary constituency tree.

    With h_l and c_l the outputs and memories of the children, of which each has weights of its own:
    i = σ(W x + Σ U_l h_l + b), o and u = tanh(…) alike, f_k = σ(W x + Σ U_kl h_l + b),
    c = i ∘ u + Σ f_k ∘ c_k, h = o ∘ tanh(c). A missing child counts as zeros.

    Source: Tai, Socher & Manning 2015, equations 9 to 14.

    Args:
        in_features: length of the vector at a node, at least 1.
        size: length of a node's output and of its memory, at least 1.
        arity: the most children that a node may have, at least 1.
        inner_inputs: whether nodes with children have a vector too; else only those of leaves are read.
        initialiser: the name of the rule for starting weights.
        forget_bias: the starting bias of the forget gates; above 0, memories are kept at first.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with arrays of other shapes.

    Example:
        >>> layer = NaryTreeLstm(4, 8, key=jax.random.key(0))
        >>> children = jnp.array([[[-1, -1], [-1, -1], [0, 1]]])
        >>> layer(jnp.ones((1, 3, 4)), children, jnp.array([3])).shape
        (1, 3, 8)
    """

    arity: int = eqx.field(static=True)

    def __init__(self, in_features: int, size: int, *, arity: int = 2, inner_inputs: bool = False,
                 initialiser: str = "glorot_uniform", forget_bias: float = 0.0, key: jax.Array) -> None:
        self.arity = whole_number("NaryTreeLstm", "arity", arity)
        self._start(in_features, size, self.arity, 3 + self.arity, inner_inputs=inner_inputs, initialiser=initialiser,
                    forget_bias=forget_bias, key=key)

    @property
    def cell(self) -> Cell:
        """How a node's state comes from its children's."""
        return _NaryCell(self.size)

    @property
    def _most_children(self) -> int | None:
        return self.arity


class TensorTree(AbstractTreeLayer):
    """Recursive tensor composition: each output neuron weighs every pair of numbers of the joined children.

    With a = (h_1 | … | h_N) the joined outputs of the children, h = tanh(aᵀ V a + W a + b), where V has a matrix for
    each output; a leaf's output is tanh of its vector, which is as long as an output. A missing child counts as zeros.

    Source: Socher, Perelygin, Wu, Chuang, Manning, Ng & Potts 2013, section 4.3.

    Args:
        size: length of the vector at a leaf and of a node's output, at least 1; weights grow with its cube.
        arity: the most children that a node may have, at least 1.
        initialiser: the name of the rule for the starting weights of W; V starts small.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with arrays of other shapes.

    Example:
        >>> layer = TensorTree(4, key=jax.random.key(0))
        >>> children = jnp.array([[[-1, -1], [-1, -1], [0, 1]]])
        >>> layer(jnp.ones((1, 3, 4)), children, jnp.array([3])).shape
        (1, 3, 4)
    """

    tensor_weight: jax.Array  # (arity * size, arity * size, size)
    weight: jax.Array  # (arity * size, size)
    bias: jax.Array  # (size,)
    arity: int = eqx.field(static=True)
    initialiser: str = eqx.field(static=True)

    def __init__(self, size: int, *, arity: int = 2, initialiser: str = "glorot_uniform", key: jax.Array) -> None:
        size, self.arity = whole_number("TensorTree", "size", size), whole_number("TensorTree", "arity", arity)
        self.initialiser = initialisers.canonical(initialiser)
        joined = self.arity * size
        tensor_key, own_key = subkeys(key, 2)
        self.tensor_weight = normal(tensor_key, (joined, joined, size)) / (2 * joined)
        self.weight = initialise(self.initialiser, own_key, (joined, size), fan_in=size)
        self.bias = jnp.zeros(size)

    @property
    def cell(self) -> Cell:
        """How a node's state comes from its children's."""
        return _TensorCell()

    @property
    def in_features(self) -> int:
        """Length of the vector at a leaf."""
        return self.weight.shape[-1]

    @property
    def out_features(self) -> int:
        """Length of a node's output."""
        return self.weight.shape[-1]

    def joined_weight(self) -> Float[Array, "inputs outputs"]:
        """V and W as one matrix, which the pairs and then the numbers themselves are multiplied by."""
        return jnp.concatenate([self.tensor_weight.reshape(-1, self.out_features), self.weight])

    def leaf_weights(self) -> PyTree[Array]:
        """Nothing: a leaf's state is its squashed vector."""
        return ()

    @property
    def leaf_states(self) -> Callable[[PyTree[Array], Array], State]:
        """From (`leaf_weights()`, vectors) to the states of nodes without children."""
        return _tanh_leaf

    def inner_bias(self, inputs: Float[Array, "room batch features"] | None) -> Float[Array, "#room #batch biases"]:
        """What nodes with children add."""
        return self.bias[None, None]

    @property
    def _most_children(self) -> int | None:
        return self.arity
