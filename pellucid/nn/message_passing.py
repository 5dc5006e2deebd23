"""Message passing: the nodes of a graph learn of each other along its edges.

A batch of graphs is padded to one size: nodes (batch, most_nodes, features), edges (batch, most_edges, 2) holding the
numbers of the node that sends and the node that receives, and how many of each are there. Inside, all graphs lie end
to end as one large graph, so that a sum over the messages of a node is one segment sum: no loop over graphs or nodes,
and no padded edge is ever added to anything. An undirected edge is two directed ones.
"""
from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.nn._checks import last_axis, whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.activations import activate, activations
from pellucid.nn.dense import Dense

AGGREGATIONS = ("sum", "mean", "max", "attention")
"""How the messages that reach a node become one, and the nodes of a graph one vector."""
SLOPE = 0.2  # of the leaky rectifier that attention is scored with, as in the paper


class Links(NamedTuple):
    """Who sends to whom, all graphs end to end.

    Args:
        source, target: (batch · edges) the nodes of each edge; an absent edge has the target batch · nodes.
        reverse: (batch · edges) the edge that leads straight back, or batch · edges where there is none.
    """

    source: Int[Array, " edges"]
    target: Int[Array, " edges"]
    reverse: Int[Array, " edges"]


class Graphs(NamedTuple):
    """How a batch of padded graphs lies end to end.

    Args:
        batch, nodes, edges: sizes, with padding.
        node_present, edge_present: (batch, nodes) and (batch, edges): what is no padding.
        links: who sends to whom.
    """

    batch: int
    nodes: int
    edges: int
    node_present: Bool[Array, "batch nodes"]
    edge_present: Bool[Array, "batch edges"]
    links: Links

    @property
    def graph_of_node(self) -> Int[Array, " nodes"]:
        """(batch · nodes) the number of each node's graph; `batch` for padding."""
        own = jnp.broadcast_to(jnp.arange(self.batch, dtype=jnp.int32)[:, None], self.node_present.shape)
        return jnp.where(self.node_present, own, self.batch).reshape(-1)


def end_to_end(edges: Int[Array, "batch edges 2"], nodes: int, node_count: Int[Array, " batch"],
               edge_count: Int[Array, " batch"]) -> Graphs:
    """The layout of a batch of padded graphs.

    Args:
        edges: numbers of the sending and the receiving node, counted within each graph; an edge that names a node
            beyond `node_count` counts as absent.
        nodes: the padded number of nodes.
        node_count, edge_count: how many nodes and edges each graph has.

    Raises:
        ShapeError: for edges of another shape.
    """
    if edges.ndim != 3 or edges.shape[2] != 2:
        raise ShapeError(f"`edges` has the shape {tuple(edges.shape)}; expected (batch, most_edges, 2).",
                         "pass the numbers of the sending and the receiving node of each edge")
    batch, most = edges.shape[:2]
    inside = jnp.all((edges >= 0) & (edges < node_count[:, None, None]), axis=2)
    present = inside & (jnp.arange(most) < edge_count[:, None])
    node_present = jnp.arange(nodes) < node_count[:, None]
    first = nodes * jnp.arange(batch, dtype=jnp.int32)[:, None]
    source = jnp.where(present, edges[..., 0] + first, 0)
    target = jnp.where(present, edges[..., 1] + first, batch * nodes)
    links = Links(source.reshape(-1), target.reshape(-1), _reverse(edges, present))
    return Graphs(batch, nodes, most, node_present, present, links)


def _reverse(edges: Int[Array, "batch edges 2"], present: Bool[Array, "batch edges"]) -> Int[Array, " edges"]:
    batch, most = present.shape
    if not most:
        return jnp.zeros(0, jnp.int32)
    back = (edges[:, :, None, 0] == edges[:, None, :, 1]) & (edges[:, :, None, 1] == edges[:, None, :, 0])
    back = back & present[:, :, None] & present[:, None, :]
    found = jnp.argmax(back, axis=2).astype(jnp.int32) + most * jnp.arange(batch, dtype=jnp.int32)[:, None]
    return jnp.where(jnp.any(back, axis=2), found, batch * most).reshape(-1)


def pick(values: Float[Array, "items features"], index: Int[Array, " chosen"]) -> Float[Array, "chosen features"]:
    """The values at each index, 0 for an index beyond the end."""
    return values.at[index].get(mode="fill", fill_value=0)


def segment_sum(values: Float[Array, "items features"], segment: Int[Array, " items"],
                count: int) -> Float[Array, "count features"]:
    """The sum of the values of each segment, 0 for an empty one; a value with a segment beyond `count` is left out.

    Example:
        >>> segment_sum(jnp.array([[1.0], [2.0], [4.0]]), jnp.array([1, 1, 3]), 3).tolist()
        [[0.0], [3.0], [0.0]]
    """
    return jnp.zeros((count, *values.shape[1:]), values.dtype).at[segment].add(values, mode="drop")


def segment_mean(values: Float[Array, "items features"], segment: Int[Array, " items"],
                 count: int) -> Float[Array, "count features"]:
    """The mean of the values of each segment, 0 for an empty one."""
    return segment_sum(values, segment, count) / jnp.maximum(_sizes(values, segment, count), 1)


def segment_max(values: Float[Array, "items features"], segment: Int[Array, " items"],
                count: int) -> Float[Array, "count features"]:
    """The largest value of each segment, 0 for an empty one; values that tie share the gradient."""
    top = _top(values, segment, count)
    winners = (values == pick(top, segment)).astype(values.dtype)
    ties = pick(segment_sum(winners, segment, count), segment)
    return segment_sum(values * winners / jnp.maximum(ties, 1), segment, count)


def segment_softmax(scores: Float[Array, "items heads"], segment: Int[Array, " items"],
                    count: int) -> Float[Array, "items heads"]:
    """`exp(score) / Σ exp(score)` over the items of the same segment."""
    present = (segment < count)[:, None]
    below = jnp.where(present, scores - pick(_top(scores, segment, count), segment), 0)
    raised = jnp.where(present, jnp.exp(below), 0)
    total = pick(segment_sum(raised, segment, count), segment)
    return raised / jnp.where(present, total, 1)


def _sizes(values: Array, segment: Array, count: int) -> Float[Array, "count 1"]:
    return segment_sum(jnp.ones((len(segment), 1), values.dtype), segment, count)


def _top(values: Array, segment: Array, count: int) -> Array:
    """The largest value of each segment, as a constant; 0 for an empty one."""
    values = jax.lax.stop_gradient(values)
    lowest = jnp.full((count, *values.shape[1:]), -jnp.inf, values.dtype)
    top = lowest.at[segment].max(values, mode="drop")
    return jnp.where(jnp.isfinite(top), top, 0)


SEGMENT = {"sum": segment_sum, "mean": segment_mean, "max": segment_max}


class MessagePassing(eqx.Module):
    """Each node gathers a message from every neighbour, then thinks about them and itself.

    `message(u → v) = φ(h_u + W_e e_uv)`, `h'_v = φ(W₂ φ(W₁ ((1 + ε) h_v + Σ_u message(u → v))))`.

    The sum may also be a mean, a maximum, or a mean weighed by attention with several heads, where
    `weight(u → v) = softmax_u(a · leaky(W_s h_u + W_t h_v + W_a e_uv))` and what is weighed is the message.

    Source: Xu, Hu, Leskovec & Jegelka 2019, equation 4.1 (ε and the two layers); Hu et al. 2020, "Strategies for
    pre-training graph neural networks" (edges in the messages); Brody, Alon & Yahav 2022, equation 7 (attention).

    Args:
        features: length of a node's vector, before and after, at least 1.
        edge_features: numbers that come with an edge; 0 for none.
        aggregation: `"sum"`, `"mean"`, `"max"` or `"attention"`.
        heads: of attention; divides `features`.
        activation: the name of the activation function φ.
        initialiser: the name of the rule for starting weights.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, an unknown name, or heads that do not divide the features.
        ShapeError: when called with other shapes.
    """

    edge: Dense | None
    first: Dense
    second: Dense
    self_gain: jax.Array  # (1,), the ε
    score_source: Dense | None
    score_target: Dense | None
    score_edge: Dense | None
    score: Dense | None  # its weight is (features / heads, heads)
    aggregation: str = eqx.field(static=True)
    heads: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __init__(self, features: int, edge_features: int = 0, *, aggregation: str = "sum", heads: int = 4,
                 activation: str = "relu", initialiser: str = "he_normal", key: jax.Array) -> None:
        whole_number("MessagePassing", "features", features)
        whole_number("MessagePassing", "edge_features", edge_features, low=0)
        self.aggregation = known_aggregation("MessagePassing", aggregation)
        self.activation, self.heads = activations.canonical(activation), heads
        keys = subkeys(key, 7)
        thinking = {"activation": self.activation, "initialiser": initialiser}
        self.edge = Dense(edge_features, features, bias=False, key=keys[0]) if edge_features else None
        self.first = Dense(features, features, **thinking, key=keys[1])
        self.second = Dense(features, features, **thinking, key=keys[2])
        self.self_gain = jnp.zeros(1)
        self.score_source = self.score_target = self.score_edge = self.score = None
        if aggregation == "attention":
            if features % whole_number("MessagePassing", "heads", heads):
                raise SettingsError(f"`MessagePassing` got heads={heads} for {features} features; expected heads that "
                                    "divide the features.", "pass heads=1, or features that are a multiple of heads")
            self.score_source = Dense(features, features, key=keys[3])
            self.score_target = Dense(features, features, bias=False, key=keys[4])
            self.score_edge = Dense(edge_features, features, bias=False, key=keys[5]) if edge_features else None
            self.score = Dense(features // heads, heads, bias=False, key=keys[6])

    def __call__(self, nodes: Float[Array, "batch nodes features"], edge_features: Float[Array, "batch edges g"] | None,
                 graphs: Graphs) -> Float[Array, "batch nodes features"]:
        """The nodes' new vectors; those of padded nodes mean nothing."""
        last_axis("MessagePassing", nodes, self.first.in_features)
        flat, links = nodes.reshape(-1, nodes.shape[-1]), graphs.links
        messages = pick(flat, links.source)
        edges = None if self.edge is None else edge_features.reshape(-1, edge_features.shape[-1])
        if edges is not None:
            messages = messages + self.edge(edges)
        messages = activate(self.activation, messages)
        count = graphs.batch * graphs.nodes
        if self.aggregation == "attention":
            gathered = segment_sum(self._weighed(messages, flat, edges, links, count), links.target, count)
        else:
            gathered = SEGMENT[self.aggregation](messages, links.target, count)
        return self.second(self.first((1 + self.self_gain) * flat + gathered)).reshape(nodes.shape)

    def _weighed(self, messages: Array, flat: Array, edges: Array | None, links: Links, count: int) -> Array:
        raw = pick(self.score_source(flat), links.source) + pick(self.score_target(flat), links.target)
        if edges is not None:
            raw = raw + self.score_edge(edges)
        split = (len(raw), self.heads, -1)
        scores = jnp.sum(jax.nn.leaky_relu(raw, SLOPE).reshape(split) * self.score.weight.T, axis=2)
        share = segment_softmax(scores, links.target, count)
        return (messages.reshape(split) * share[..., None]).reshape(messages.shape)


class DirectedMessagePassing(eqx.Module):
    """Messages live on directed edges and never turn straight back; afterwards each node gathers what reaches it.

    `h⁰(v → w) = φ(W_i [x_v, e_vw])`, `hᵗ(v → w) = φ(h⁰(v → w) + W_h Σ_{u ≠ w} hᵗ⁻¹(u → v))`, and at the end
    `node_v = φ(W_o [x_v, Σ_u h(u → v)])`. A message that turned straight back would only drown what is new.

    Source: Yang et al. 2019, "Analyzing learned molecular representations for property prediction", equations 1–5.

    Args:
        in_features: numbers that come with a node, at least 1.
        edge_features: numbers that come with an edge; 0 for none.
        out_features: length of the messages and of the nodes' vectors, at least 1.
        depth: how many edges far a node sees, at least 1.
        activation: the name of the activation function φ.
        initialiser: the name of the rule for starting weights.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with other shapes.
    """

    enter: Dense
    hidden: Dense | None  # none where depth is 1
    leave: Dense
    depth: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __init__(self, in_features: int, edge_features: int, out_features: int, *, depth: int = 3,
                 activation: str = "relu", initialiser: str = "he_normal", key: jax.Array) -> None:
        whole_number("DirectedMessagePassing", "edge_features", edge_features, low=0)
        self.depth = whole_number("DirectedMessagePassing", "depth", depth)
        self.activation = activations.canonical(activation)
        first, second, third = subkeys(key, 3)
        self.enter = Dense(in_features + edge_features, out_features, bias=False, initialiser=initialiser, key=first)
        self.hidden = None
        if depth > 1:
            self.hidden = Dense(out_features, out_features, bias=False, initialiser=initialiser, key=second)
        self.leave = Dense(in_features + out_features, out_features, activation=self.activation,
                           initialiser=initialiser, key=third)

    def __call__(self, nodes: Float[Array, "batch nodes f"], edge_features: Float[Array, "batch edges g"] | None,
                 graphs: Graphs) -> tuple[Float[Array, "batch nodes out"], list[Float[Array, "batch edges out"]]]:
        """The nodes' vectors (those of padded nodes mean nothing) and the messages after each step."""
        links, count = graphs.links, graphs.batch * graphs.nodes
        flat = nodes.reshape(-1, nodes.shape[-1])
        given = pick(flat, links.source)
        if edge_features is not None:
            given = jnp.concatenate([given, edge_features.reshape(-1, edge_features.shape[-1])], axis=1)
        start = self.enter(given)
        steps = [activate(self.activation, start)]
        for _ in range(self.depth - 1):
            before = steps[-1]
            around = pick(segment_sum(before, links.target, count), links.source) - pick(before, links.reverse)
            steps.append(activate(self.activation, start + self.hidden(around)))
        gathered = segment_sum(steps[-1], links.target, count)
        values = self.leave(jnp.concatenate([flat, gathered], axis=1))
        shaped = [jnp.where(graphs.edge_present[..., None], step.reshape(graphs.batch, graphs.edges, -1), 0)
                  for step in steps]
        return values.reshape(graphs.batch, graphs.nodes, -1), shaped


class Readout(eqx.Module):
    """The nodes of each graph as one vector: their sum, mean, maximum, or a mean weighed by attention.

    With attention, `weight_v = softmax_v(a · h_v)` over the nodes of a graph, for each head on its own share of the
    vector. The order of the nodes does not matter. An empty graph gives 0.

    Source: Gilmer et al. 2017, "Neural message passing for quantum chemistry", section 2; Li et al. 2016, "Gated graph
    sequence neural networks", equation 7 (weighing the nodes).

    Args:
        features: length of a node's vector, at least 1.
        aggregation: `"sum"`, `"mean"`, `"max"` or `"attention"`.
        heads: of attention; divides `features`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for an unknown name, or heads that do not divide the features.
    """

    score: Dense | None
    aggregation: str = eqx.field(static=True)
    heads: int = eqx.field(static=True)

    def __init__(self, features: int, *, aggregation: str = "mean", heads: int = 1, key: jax.Array) -> None:
        self.aggregation = known_aggregation("Readout", aggregation)
        self.heads = whole_number("Readout", "heads", heads)
        if features % heads:
            raise SettingsError(f"`Readout` got heads={heads} for {features} features; expected heads that divide the "
                                "features.", "pass heads=1")
        self.score = Dense(features, heads, bias=False, key=key) if aggregation == "attention" else None

    def __call__(self, nodes: Float[Array, "batch nodes features"], graphs: Graphs) -> Float[Array, "batch features"]:
        """One vector for each graph."""
        flat, segment = nodes.reshape(-1, nodes.shape[-1]), graphs.graph_of_node
        if self.score is None:
            return SEGMENT[self.aggregation](flat, segment, graphs.batch)
        share = segment_softmax(self.score(flat), segment, graphs.batch)
        weighed = flat.reshape(len(flat), self.heads, -1) * share[..., None]
        return segment_sum(weighed.reshape(flat.shape), segment, graphs.batch)


def known_aggregation(layer: str, name: str) -> str:
    """`name`, one of `AGGREGATIONS`."""
    if name not in AGGREGATIONS:
        raise SettingsError(f"`{layer}` got aggregation={name!r}; expected one of {', '.join(AGGREGATIONS)}.",
                            did_you_mean(str(name), AGGREGATIONS))
    return name
