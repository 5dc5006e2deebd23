"""The graph network: nodes learn of each other along edges, and what they know together gives the answer."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks.feedforward import Feedforward, State, body_parts
from pellucid.networks.parts import Part, Parts
from pellucid.nn import Dense, Dropout, PiecewiseLinearEmbedding, activations
from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.buckets import trimmed
from pellucid.nn.message_passing import (
    AGGREGATIONS,
    DirectedMessagePassing,
    Graphs,
    MessagePassing,
    Readout,
    end_to_end,
)
from pellucid.nn.numeric import even_edges

MESSAGES = ("directed", *AGGREGATIONS)
SHARES = (0.4, 1.0)
"""The parts of the largest size that are compiled: collections have a few large graphs, and compiling a third size
takes longer than it saves."""
GraphInputs = dict[str, jax.Array]


@dataclass(frozen=True)
class GraphSettings:
    """What a `Graph` is built from, but for its head; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    node_features: int
    edge_features: int = 0
    graph_features: int = 0
    graph_bins: int = 0
    hidden: int = 128
    depth: int = 3
    messages: str = "directed"
    readout: str = "mean"
    activation: str = "relu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, low in (("node_features", 1), ("edge_features", 0), ("graph_features", 0), ("graph_bins", 0),
                          ("hidden", 1), ("depth", 1)):
            whole_number("Graph", name, getattr(self, name), low)
        for name, known in (("messages", MESSAGES), ("readout", AGGREGATIONS)):
            if (given := getattr(self, name)) not in known:
                raise SettingsError(f"`Graph` got {name}={given!r}; expected one of {', '.join(known)}.",
                                    did_you_mean(str(given), known))
        object.__setattr__(self, "activation", activations.canonical(self.activation))


class Graph(eqx.Module):
    """Message passing along the edges of a graph, a readout over its nodes, and a feed-forward head.

    Messages that are `"directed"` live on edges and never turn straight back, good for molecules; otherwise each node
    gathers the `"sum"`, `"mean"`, `"max"` or, by `"attention"`, a weighed mean of its neighbours' messages. An
    undirected edge is given as two directed ones. The order in which nodes and edges are listed does not matter.

    Inputs are a dict: `"nodes"` float (batch, most_nodes, node_features); `"edges"` int32 (batch, most_edges, 2), the
    numbers of the sending and receiving node; `"edge_features"` float (batch, most_edges, edge_features), left out
    where there are none; `"node_count"`, `"edge_count"` int32 (batch,); `"graph_features"` float (batch,
    graph_features), what is known of a graph as a whole, left out where there is none. Work follows the largest graph
    of a batch, not the padding.

    Args:
        node_features: numbers that come with a node, at least 1.
        out_features: number of output neurons, at least 1.
        edge_features: numbers that come with an edge.
        graph_features: numbers that come with a whole graph and go straight to the head.
        graph_bins: into how many bins a piecewise linear embedding splits each of these numbers; 0 for none. Bins are
            evenly spaced from -2 to 2 until others are set, such as those of `nn.quantile_edges`.
        hidden: length of messages and of the nodes' vectors.
        depth: how many edges far a node sees.
        messages: `"directed"`, `"sum"`, `"mean"`, `"max"` or `"attention"`.
        readout: how nodes become one vector: `"sum"`, `"mean"`, `"max"` or `"attention"`.
        activation: the activation function of messages, and of the head unless that names its own.
        dropout: the share of entries of the nodes' vectors and of the head's neurons that rest while training.
        head: settings of the `Feedforward` head, such as `{"hidden": (128,)}`, which is what it starts from.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size out of range or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> network = Graph(2, 1, hidden=8, key=jax.random.key(0))
        >>> ring = {"nodes": jnp.ones((1, 3, 2)), "edges": jnp.array([[[0, 1], [1, 2], [2, 0]]]),
        ...         "node_count": jnp.array([3]), "edge_count": jnp.array([3])}
        >>> network(ring)[0].shape
        (1, 1)

    Source: Yang et al. 2019 (directed messages); Xu et al. 2019 and Hu et al. 2020 (sums); Brody et al. 2022
    (attention).
    """

    members_in_turn: ClassVar[bool] = True

    enter: Dense | None
    layers: tuple[DirectedMessagePassing | MessagePassing, ...]
    dropout: Dropout
    readout: Readout
    graph_embedding: PiecewiseLinearEmbedding | None
    head: Feedforward
    settings: GraphSettings = eqx.field(static=True)

    def __init__(self, node_features: int, out_features: int, *, edge_features: int = 0, graph_features: int = 0,
                 graph_bins: int = 0, hidden: int = 128, depth: int = 3, messages: str = "directed",
                 readout: str = "mean", activation: str = "relu", dropout: float = 0.0,
                 head: Mapping[str, Any] | None = None, key: jax.Array) -> None:
        self.settings = settings = GraphSettings(node_features, edge_features, graph_features, graph_bins, hidden,
                                                 depth, messages, readout, activation, dropout)
        enter_key, readout_key, head_key, *keys = subkeys(key, 3 + depth)
        activation = settings.activation
        self.enter = None
        if messages == "directed":
            self.layers = (DirectedMessagePassing(node_features, edge_features, hidden, depth=depth,
                                                  activation=activation, key=keys[0]),)
        else:
            self.enter = Dense(node_features, hidden, activation=activation, key=enter_key)
            heads = max(count for count in (1, 2, 4) if hidden % count == 0)
            self.layers = tuple(MessagePassing(hidden, edge_features, aggregation=messages, heads=heads,
                                               activation=activation, key=own) for own in keys)
        self.dropout = Dropout(dropout)
        self.readout = Readout(hidden, aggregation=readout, key=readout_key)
        self.graph_embedding, known = None, graph_features
        if graph_features and graph_bins:
            self.graph_embedding = PiecewiseLinearEmbedding(even_edges(graph_features, graph_bins))
            known = self.graph_embedding.out_features
        options = {"hidden": (hidden,), "activation": activation, "dropout": dropout} | dict(head or {})
        self.head = Feedforward(hidden + known, options.pop("hidden"), out_features, **options, key=head_key)

    def initial_state(self) -> State:
        """That of the head."""
        return self.head.initial_state()

    def row_sizes(self, inputs: GraphInputs) -> np.ndarray:
        """Nodes and edges of each graph: graphs of like size are best put in one batch."""
        return np.asarray(inputs["node_count"]) + np.asarray(inputs["edge_count"])

    def __call__(self, inputs: GraphInputs, *, state: State | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[Float[Array, "batch out"], State]:
        """From a batch of graphs to (batch, out_features), and the new state.

        Args:
            inputs: the graphs, as a dict; see the class.
            state: as from `initial_state` or an earlier call; the initial one when `None`.
            key: the random key for dropout; needed only when training with dropout.
            training: whether dropout and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
        """
        inputs = self._checked(inputs)
        own_key, head_key = (None, None) if key is None else subkeys(key, 2)
        counts = inputs["node_count"], inputs["edge_count"]
        whole = (eqx.filter(self, eqx.is_array), counts, own_key)
        static = eqx.filter(self, eqx.is_array, inverse=True)

        def vectors(whole: Any, nodes: Array, edges: Any) -> Array:
            arrays, counts, key = whole
            network = eqx.combine(arrays, static)
            return network._vectors(nodes, edges, counts, key, training)[-1][1]

        edges = inputs["edges"], inputs.get("edge_features")
        vector = trimmed(vectors, whole, (inputs["nodes"], jnp.max(counts[0])), (edges, jnp.max(counts[1])),
                         shares=SHARES)
        return self.head(self._joined(vector, inputs), state=state, key=head_key, training=training, weight=weight)

    def layer_outputs(self, inputs: GraphInputs, *, state: State | None = None) -> dict[str, Array]:
        """What each layer gives for these inputs, outside of training: `"messages 1"`, …, `"nodes"`, `"readout"`,
        `"hidden 1"`, …, `"output"`; 0 for padding."""
        inputs = self._checked(inputs)
        counts = inputs["node_count"], inputs["edge_count"]
        values = dict(self._vectors(inputs["nodes"], (inputs["edges"], inputs.get("edge_features")), counts, None,
                                    False))
        return values | self.head.layer_outputs(self._joined(values["readout"], inputs), state=state)

    def _vectors(self, nodes: Float[Array, "batch nodes f"], edges: tuple[Array, Array | None],
                 counts: tuple[Int[Array, " batch"], Int[Array, " batch"]], key: jax.Array | None,
                 training: bool) -> list[tuple[str, Array]]:
        """The messages after each step, the nodes' vectors and the readout, by name."""
        graphs = end_to_end(edges[0], nodes.shape[1], *counts)
        named, features = [], edges[1]
        if self.enter is None:
            values, steps = self.layers[0](nodes, features, graphs)
            named += [(f"messages {number}", step) for number, step in enumerate(steps, 1)]
        else:
            values = self.enter(nodes)
            for number, layer in enumerate(self.layers, 1):
                values = layer(values, features, graphs)
                named.append((f"messages {number}", _masked(values, graphs)))
        values = self.dropout(values, key=key, training=training)
        return [*named, ("nodes", _masked(values, graphs)), ("readout", self.readout(values, graphs))]

    def _joined(self, vector: Float[Array, "batch hidden"], inputs: GraphInputs) -> Float[Array, "batch joined"]:
        if not self.settings.graph_features:
            return vector
        known = inputs["graph_features"].astype(vector.dtype)
        return jnp.concatenate([vector, known if self.graph_embedding is None else self.graph_embedding(known)], axis=1)

    def _checked(self, inputs: GraphInputs) -> GraphInputs:
        settings = self.settings
        if not isinstance(inputs, Mapping):
            raise ShapeError(f"`Graph` got {type(inputs).__name__}; expected a dict of arrays.",
                             "pass {'nodes': …, 'edges': …, 'node_count': …, 'edge_count': …}")
        wanted = {"nodes": settings.node_features, "edges": 2, "edge_features": settings.edge_features,
                  "graph_features": settings.graph_features, "node_count": None, "edge_count": None}
        for name, size in wanted.items():
            if size == 0:
                continue
            if name not in inputs:
                raise ShapeError(f"`Graph` found no {name!r} among {', '.join(map(repr, inputs))}.",
                                 f"add {name!r}, or build the network with {name}=0" if "features" in name else
                                 f"add {name!r} to the inputs")
            shape, axes = np.shape(inputs[name]), {"graph_features": 2}.get(name, 3 if size else 1)
            if len(shape) != axes or (size and shape[-1] != size):
                expected = {1: "(batch,)", 2: f"(batch, {size})", 3: f"(batch, most, {size})"}[axes]
                raise ShapeError(f"`Graph` expected {name!r} of shape {expected}, got {shape}.",
                                 "build the network for these features, or check how the graphs were encoded")
        return {name: jnp.asarray(inputs[name]) for name, size in wanted.items() if size != 0}

    def parts(self) -> Parts:
        """Nodes and edges, the layers that pass messages, the readout, the layers of the head."""
        settings, size = self.settings, self.settings.hidden
        rows = [Part("nodes", "input", settings.node_features, depth=0, kind="graph")]
        for name, count in (("edges", settings.edge_features), ("whole graph", settings.graph_features)):
            rows += [Part(name, "input", count, depth=0, kind="graph")] if count else []
        graph = {"activation": settings.activation, "kind": "graph"}
        if self.enter is None:
            layer = self.layers[0]
            rows.append(Part("messages 1", "hidden", size, arrays=layer.enter, depth=1, **graph))
            if layer.hidden is not None:
                rows.append(Part(f"messages {settings.depth}", "hidden", size, arrays=layer.hidden, depth=2,
                                 uses=settings.depth - 1, **graph))
            rows.append(Part("nodes, informed", "hidden", size, arrays=layer.leave, **graph))
        else:
            rows.append(Part("enter", "hidden", size, arrays=self.enter, depth=1, **graph))
            rows += [Part(f"messages {number}", "hidden", size, arrays=layer, **graph)
                     for number, layer in enumerate(self.layers, 1)]
        depth = len({part.depth for part in rows if part.depth is not None}) + sum(part.depth is None for part in rows)
        rows.append(Part("readout", "hidden", 0, arrays=self.readout, depth=depth - 1, kind="graph"))
        body = body_parts(self.head, depth, depth - 1)
        paths = body.paths + (((0, depth, "whole graph"),) if settings.graph_features else ())
        return Parts((*rows, *body.rows), paths)

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        head = self.head.spec()
        out_features = head.pop("out_features")
        del head["network"], head["in_features"]
        return {"network": "graph", **asdict(self.settings), "out_features": out_features, "head": head}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Graph:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _masked(values: Float[Array, "batch nodes hidden"], graphs: Graphs) -> Float[Array, "batch nodes hidden"]:
    return jnp.where(graphs.node_present[..., None], values, 0)
