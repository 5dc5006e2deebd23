"""A network for tables: numbers and categories are embedded, joined, and passed through a feed-forward body."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.core.names import NUMERIC_EMBEDDING_ALIASES, NUMERIC_EMBEDDINGS
from pellucid.core.registry import Registry
from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks.feedforward import Feedforward, State, body_parts
from pellucid.networks.parts import Part, Parts
from pellucid.nn import (
    Dense,
    Embedding,
    OneHot,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
    Scale,
    VariableDropout,
    embedding_size,
)
from pellucid.nn._random import subkeys
from pellucid.nn.numeric import even_edges

Inputs = Mapping[str, jax.Array]

_embeddings: Registry[str] = Registry("numeric embedding", NUMERIC_EMBEDDING_ALIASES)
for _name in NUMERIC_EMBEDDINGS:
    _embeddings.add(_name, _name)


@dataclass(frozen=True)
class NumberOptions:
    """How `Tabular` takes in numbers.

    Args:
        embedding: `"none"`, `"periodic"` or `"piecewise_linear"`.
        columns: the number channels that are embedded, by position; all when `None`. The others pass unchanged:
            yes-or-no channels gain nothing from an embedding.
        size: how many numbers each becomes (periodic: the number itself included); for piecewise linear, `None` keeps
            the bins as they are, without a dense layer.
        frequencies, deviation, variant: of the periodic embedding; see `nn.PeriodicEmbedding`.
        bins, raw: of the piecewise linear embedding; see `nn.PiecewiseLinearEmbedding`.
        sources: for each number channel, the number of the table column it comes from, so that column dropout drops
            all channels of a column together; each channel is a column of its own when `None`.
    """

    embedding: str = "none"
    columns: tuple[int, ...] | None = None
    size: int | None = None
    frequencies: int = 16
    deviation: float = 0.1
    variant: str = "pbld"
    bins: int = 16
    raw: bool = True
    sources: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "embedding", _embeddings.canonical(self.embedding))
        for name in ("columns", "sources"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, tuple(int(column) for column in getattr(self, name)))


@dataclass(frozen=True)
class CategoryOptions:
    """How `Tabular` takes in categories.

    Args:
        one_hot_limit: categories of up to this many codes become one channel per level, larger ones learned vectors.
        size: the length of those vectors; by `nn.embedding_size` when `None`.
    """

    one_hot_limit: int = 20
    size: int | None = None


class Tabular(eqx.Module):
    """Numbers and categories in, one row of outputs out.

    Numbers are embedded or passed on, categories become one channel per level or a learned vector; all are joined,
    optionally scaled by a learned factor each, and go through a `Feedforward` body. With `skip`, a linear path that
    starts at 0 leads from the plain numbers and the encoded categories to the outputs, before the output activation.

    Args:
        num_numbers: number of float channels, may be 0.
        cardinalities: number of codes of each category, code 0 (missing or unseen) included.
        out_features: number of output neurons, at least 1.
        numbers: how numbers are taken in; a mapping of `NumberOptions` works too.
        categories: how categories are taken in; a mapping of `CategoryOptions` works too.
        scale: whether each joined input has a learned factor.
        skip: whether a linear path leads past the body.
        column_dropout: the share of table columns that each row does without while training: all channels of a column
            are 0 at once, and the others larger by 1 / (1 - column_dropout). The linear path sees all columns.
        body: settings of the `Feedforward` body, such as `{"hidden": (128, 128), "activation": "silu"}`.
        edges: (embedded numbers, bins + 1) bin edges for the piecewise linear embedding, such as those of
            `nn.quantile_edges`; evenly spaced from -2 to 2 when `None`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for no input at all, an unknown name or a value out of range.
        ShapeError: when called with other numbers of channels.

    Example:
        >>> network = Tabular(2, (3, 50), 1, key=jax.random.key(0))
        >>> rows = {"numbers": jnp.ones((5, 2)), "codes": jnp.ones((5, 2), jnp.int32)}
        >>> network(rows)[0].shape
        (5, 1)
    """

    number_embedding: PeriodicEmbedding | PiecewiseLinearEmbedding | None
    one_hot: OneHot
    category_embeddings: tuple[Embedding, ...]
    scale: Scale | None
    body: Feedforward
    skip: Dense | None
    column_dropout: VariableDropout | None
    num_numbers: int = eqx.field(static=True)
    cardinalities: tuple[int, ...] = eqx.field(static=True)
    numbers: NumberOptions = eqx.field(static=True)
    categories: CategoryOptions = eqx.field(static=True)

    def __init__(self, num_numbers: int, cardinalities: Sequence[int], out_features: int, *,
                 numbers: NumberOptions | Mapping[str, Any] | None = None,
                 categories: CategoryOptions | Mapping[str, Any] | None = None, scale: bool = False,
                 skip: bool = False, column_dropout: float = 0.0, body: Mapping[str, Any] | None = None,
                 edges: Any = None, key: jax.Array) -> None:
        self.num_numbers, self.cardinalities = int(num_numbers), tuple(int(size) for size in cardinalities)
        self.numbers = _options(NumberOptions, numbers)
        self.categories = _options(CategoryOptions, categories)
        if len(self._sources) != self.num_numbers:
            raise SettingsError(f"`Tabular` got {len(self._sources)} sources for {self.num_numbers} number channels.",
                                "pass one column number for each number channel")
        self.column_dropout = VariableDropout(column_dropout) if column_dropout else None
        number_key, category_key, body_key, skip_key = subkeys(key, 4)
        self.number_embedding = self._embed_numbers(edges, number_key)
        self.one_hot = OneHot([self.cardinalities[column] for column in self.one_hot_columns])
        category_keys = subkeys(category_key, len(self._vector_columns))
        self.category_embeddings = tuple(
            Embedding(self.cardinalities[column], self.categories.size or embedding_size(self.cardinalities[column]),
                      key=own) for column, own in zip(self._vector_columns, category_keys, strict=True))
        width, plain = self._widths()
        if width == 0:
            raise SettingsError("`Tabular` got neither numbers nor categories to learn from.",
                                "pass num_numbers of at least 1, or categories of at least 2 codes")
        self.scale = Scale(width) if scale else None
        body = {"hidden": (128, 128)} | dict(body or {})
        self.body = Feedforward(width, body.pop("hidden"), out_features, **body, key=body_key)
        self.skip = Dense(plain, out_features, bias=False, initialiser="zeros", key=skip_key) if skip else None

    def _embed_numbers(self, edges: Any, key: jax.Array) -> PeriodicEmbedding | PiecewiseLinearEmbedding | None:
        options, embedded = self.numbers, self.embedded_channels
        if any(not 0 <= column < self.num_numbers for column in embedded):
            raise SettingsError(f"`Tabular` got columns={options.columns} for {self.num_numbers} number channels.",
                                f"use positions from 0 to {self.num_numbers - 1}")
        if options.embedding == "none" or not embedded:
            return None
        if options.embedding == "periodic":
            size = 4 if options.size is None else options.size
            return PeriodicEmbedding(len(embedded), size=size, frequencies=options.frequencies,
                                     deviation=options.deviation, variant=options.variant, key=key)
        if edges is None:
            edges = even_edges(len(embedded), options.bins)
        if jnp.shape(edges) != (len(embedded), options.bins + 1):
            raise ShapeError(f"`Tabular` got edges of shape {jnp.shape(edges)}; expected "
                             f"({len(embedded)}, {options.bins + 1}).", "pass a row of edges for each embedded number")
        return PiecewiseLinearEmbedding(edges, size=options.size, raw=options.raw, key=key)

    @property
    def embedded_channels(self) -> tuple[int, ...]:
        """The number channels that are embedded."""
        columns = self.numbers.columns
        return tuple(range(self.num_numbers)) if columns is None else columns

    @property
    def _sources(self) -> tuple[int, ...]:
        sources = self.numbers.sources
        return tuple(range(self.num_numbers)) if sources is None else sources

    @property
    def _passed(self) -> tuple[int, ...]:
        """The number channels that are not embedded."""
        taken = set() if self.number_embedding is None else set(self.embedded_channels)
        return tuple(column for column in range(self.num_numbers) if column not in taken)

    @property
    def one_hot_columns(self) -> tuple[int, ...]:
        """The categories that become one channel per level."""
        return tuple(column for column, size in enumerate(self.cardinalities) if size <= self.categories.one_hot_limit)

    @property
    def _vector_columns(self) -> tuple[int, ...]:
        return tuple(column for column, size in enumerate(self.cardinalities) if size > self.categories.one_hot_limit)

    def _widths(self) -> tuple[int, int]:
        """Inputs of the body, and of the linear path past it."""
        coded = self.one_hot.out_features + sum(layer.vectors.shape[-1] for layer in self.category_embeddings)
        embedded = 0 if self.number_embedding is None else self.number_embedding.out_features
        return embedded + len(self._passed) + coded, self.num_numbers + coded

    def initial_state(self) -> State:
        """The state of the body: running statistics of batch normalisation."""
        return self.body.initial_state()

    def join(self, inputs: Inputs, *, key: jax.Array | None = None,
             training: bool = False) -> tuple[jax.Array, jax.Array]:
        """What the body sees, (batch, body inputs), and what the linear path sees, (batch, plain inputs)."""
        numbers, codes = self._checked(inputs)
        parts = [] if self.number_embedding is None else [self.number_embedding(_take(numbers, self.embedded_channels))]
        parts.append(_take(numbers, self._passed))
        coded = [self.one_hot(_take(codes, self.one_hot_columns), numbers.dtype)]
        coded += [layer(codes[:, column])
                  for layer, column in zip(self.category_embeddings, self._vector_columns, strict=True)]
        joined, plain = jnp.concatenate([*parts, *coded], axis=1), jnp.concatenate([numbers, *coded], axis=1)
        if training and self.column_dropout is not None:
            of_channels = self._columns_of_channels()
            shape = len(joined), max(of_channels) + 1
            joined = joined * _spread(self.column_dropout.mask(shape, key=key, dtype=joined.dtype), of_channels)
        return (joined if self.scale is None else self.scale(joined)), plain

    @property
    def origins(self) -> tuple[int, ...]:
        """For each input of the body, the number channel that it comes from; `num_numbers` plus the category's place
        for a coded one."""
        embedded = ()
        if self.number_embedding is not None:
            each = self.number_embedding.out_features // len(self.embedded_channels)
            embedded = tuple(channel for channel in self.embedded_channels for _ in range(each))
        return *embedded, *self._passed, *self._coded_origins

    @property
    def plain_origins(self) -> tuple[int, ...]:
        """The same for each input of the linear path."""
        return *range(self.num_numbers), *self._coded_origins

    @property
    def _coded_origins(self) -> tuple[int, ...]:
        one_hot = zip(self.one_hot_columns, self.one_hot.channels, strict=True)
        widths = [*one_hot, *((column, layer.vectors.shape[-1]) for column, layer in
                              zip(self._vector_columns, self.category_embeddings, strict=True))]
        return tuple(self.num_numbers + column for column, width in widths for _ in range(width))

    def _columns_of_channels(self) -> tuple[int, ...]:
        """The number of the table column that each input of the body comes from."""
        sources = self._sources
        first = max((*sources, -1)) + 1
        return tuple(sources[origin] if origin < self.num_numbers else first + origin - self.num_numbers
                     for origin in self.origins)

    def answer(self, joined: jax.Array, plain: jax.Array, *, state: State | None = None) -> jax.Array:
        """What the network gives outside of training for what `join` gave, (batch, out_features)."""
        past = None if self.skip is None else self.skip(plain)
        return self.body(joined, state=state, past=past)[0]

    def _checked(self, inputs: Inputs) -> tuple[jax.Array, jax.Array]:
        given = [name for name in ("numbers", "codes") if name in inputs]
        if not given:
            raise ShapeError(f"`Tabular` expected inputs `numbers` and `codes`, got {sorted(inputs)}.",
                             "pass a mapping with these two arrays")
        rows = inputs[given[0]].shape[0]
        numbers = inputs["numbers"] if "numbers" in inputs else jnp.zeros((rows, 0))
        codes = inputs["codes"] if "codes" in inputs else jnp.zeros((rows, 0), jnp.int32)
        for name, array, width in (("numbers", numbers, self.num_numbers), ("codes", codes, len(self.cardinalities))):
            if array.shape != (rows, width):
                raise ShapeError(f"`Tabular` expected `{name}` of shape ({rows}, {width}), got {array.shape}.",
                                 "pass the columns that the network was built for")
        return numbers, codes

    def __call__(self, inputs: Inputs, *, state: State | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, State]:
        """From `{"numbers": (batch, n), "codes": (batch, c)}` to (batch, out_features), and the new state.

        The other arguments are those of `Feedforward`.
        """
        own_key = None if key is None or not training else jax.random.fold_in(key, 2**16)
        joined, plain = self.join(inputs, key=own_key, training=training)
        past = None if self.skip is None else self.skip(plain)
        return self.body(joined, state=state, key=key, training=training, weight=weight, past=past)

    def layer_outputs(self, inputs: Inputs, *, state: State | None = None) -> dict[str, jax.Array]:
        """What each layer gives for these inputs, outside of training: `"input"`, `"hidden 1"`, …, `"output"`."""
        joined, plain = self.join(inputs)
        past = None if self.skip is None else self.skip(plain)
        return {"input": joined} | self.body.layer_outputs(joined, state=state, past=past)

    def parts(self) -> Parts:
        """Numbers and categories, their embeddings, the layers of the body, and the paths past them."""
        vectors = self.category_embeddings
        inputs = (("numbers", self.num_numbers), ("categories, one-hot", self.one_hot.out_features),
                  ("categories", sum(layer.vectors.shape[-2] for layer in vectors)))
        rows = [Part(name, "input", neurons, depth=0) for name, neurons in inputs if neurons]
        rows[0] = replace(rows[0], arrays=self.column_dropout)
        depth = 0
        if self.number_embedding is not None:
            name, depth = self.numbers.embedding.replace("_", " "), 1
            rows.append(Part(f"{name} embedding", "hidden", self.number_embedding.out_features,
                             arrays=self.number_embedding, depth=1))
        if vectors:
            depth = 1
            rows.append(Part("category embedding", "hidden", sum(layer.vectors.shape[-1] for layer in vectors),
                             arrays=vectors, depth=1))
        if self.scale is not None:
            rows.append(Part("scale", "hidden", 0, arrays=self.scale, depth=depth))
        body = body_parts(self.body, depth + 1, depth)
        rows, paths = [*rows, *body.rows], body.paths
        if self.skip is not None:
            last = max(part.depth for part in body.rows)
            rows.append(Part("linear path", "output", 0, arrays=self.skip, depth=last))
            paths += ((0, last, "linear path"),)
        return Parts(tuple(rows), paths)

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        body = self.body.spec()
        out_features = body.pop("out_features")
        del body["network"], body["in_features"]
        numbers = {name: list(value) if isinstance(value, tuple) else value
                   for name, value in asdict(self.numbers).items()}
        dropped = 0.0 if self.column_dropout is None else self.column_dropout.initial
        return {"network": "tabular", "num_numbers": self.num_numbers, "cardinalities": list(self.cardinalities),
                "out_features": out_features, "numbers": numbers,
                "categories": asdict(self.categories), "scale": self.scale is not None,
                "skip": self.skip is not None, "column_dropout": dropped, "body": body}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Tabular:
        """A new network of this specification, with new starting weights and placeholder bin edges."""
        return cls(**spec, key=key)


def _options(kind: type, given: Any) -> Any:
    if isinstance(given, kind):
        return given
    try:
        return kind(**(given or {}))
    except TypeError:
        known = list(kind.__dataclass_fields__)
        unknown = next((name for name in given if name not in known), "")
        raise SettingsError(f"Unknown option `{unknown}` of `{kind.__name__}`.", did_you_mean(unknown, known)) from None


def _spread(columns: jax.Array, channels: tuple[int, ...]) -> jax.Array:
    """From (batch, columns) to (batch, channels), by a matrix product: faster than a gather in a compiled loop."""
    picks = np.zeros((columns.shape[1], len(channels)), np.float32)
    picks[list(channels), np.arange(len(channels))] = 1
    return columns @ jnp.asarray(picks, columns.dtype)


def _take(x: jax.Array, columns: tuple[int, ...]) -> jax.Array:
    """Those columns of `x`, by slices: faster than a gather inside a compiled loop."""
    runs: list[list[int]] = []
    for column in columns:
        if runs and runs[-1][1] == column:
            runs[-1][1] += 1
        else:
            runs.append([column, column + 1])
    if len(runs) == 1:
        return x[:, runs[0][0]:runs[0][1]]
    return jnp.concatenate([x[:, :0], *(x[:, start:stop] for start, stop in runs)], axis=1)
