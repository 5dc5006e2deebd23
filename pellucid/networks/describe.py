"""Networks describe themselves: every layer with its neurons, synapses, biases, cost and memory."""
from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import jax

from pellucid.networks.feedforward import Feedforward
from pellucid.networks.tabular import Tabular
from pellucid.nn import Residual

SYNAPSES = ("weight", "vectors", "frequency", "factor")  # names of arrays that join neurons
BIASES = ("bias", "phase")
MULTIPLIED = ("weight", "frequency", "factor")  # vectors are looked up, not multiplied


@dataclass(frozen=True)
class LayerRow:
    """One layer of a description.

    Args:
        name: the layer.
        role: `"input"`, `"hidden"` or `"output"`; `"weights"` for an array of a foreign network.
        depth: its place from the inputs on; layers side by side share one.
        neurons: how many; 0 where a layer only passes signals on.
        activation: the name of the activation function, empty where there is none.
        bias: whether a bias neuron leads into it.
        synapses: weights that join neurons, biases not counted.
        biases: weights from bias neurons.
        shape: the shapes of its weights, such as "30 × 64".
        flops: floating-point operations forward for the whole batch: two for each multiply-add.
        bytes: memory of its arrays.
    """

    name: str
    role: str
    depth: int
    neurons: int
    activation: str = ""
    bias: bool = False
    synapses: int = 0
    biases: int = 0
    shape: str = ""
    flops: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Description:
    """What a network is made of; as text a table, in a notebook an HTML table.

    Args:
        network: its kind.
        rows: its layers, from the inputs on.
        paths: connections that lead past layers: (from depth, to depth, name).
        parameters: number of all values that training changes or that travel with them.
        batch_size: how many rows the floating-point operations are for.
    """

    network: str
    rows: tuple[LayerRow, ...]
    paths: tuple[tuple[int, int, str], ...] = ()
    parameters: int = 0
    batch_size: int = 1

    def neurons(self, role: str) -> int:
        """How many input, hidden or output neurons there are."""
        return sum(row.neurons for row in self.rows if row.role == role)

    @property
    def synapses(self) -> int:
        """All weights that join neurons."""
        return sum(row.synapses for row in self.rows)

    @property
    def biases(self) -> int:
        """All weights from bias neurons."""
        return sum(row.biases for row in self.rows)

    @property
    def flops(self) -> int:
        """Floating-point operations forward for the batch."""
        return sum(row.flops for row in self.rows)

    @property
    def bytes(self) -> int:
        """Memory of all arrays."""
        return sum(row.bytes for row in self.rows)

    @property
    def summary(self) -> str:
        """The totals in one sentence."""
        counts = [f"{self.neurons(role):,} {role}" for role in ("input", "hidden", "output") if self.neurons(role)]
        neurons = " and ".join(part for part in (", ".join(counts[:-1]), *counts[-1:]) if part)
        neurons += " neurons; " if counts else ""
        rows = "row" if self.batch_size == 1 else f"batch of {self.batch_size:,} rows"
        return (f"{neurons}{self.synapses:,} synapses and {self.biases:,} biases; {_scaled(self.flops, 1000)}FLOP "
                f"forward for a {rows}; {_scaled(self.bytes, 1024)}B of weights.")

    def to_json(self) -> dict[str, Any]:
        """The description as JSON values."""
        totals = {"synapses": self.synapses, "biases": self.biases, "flops": self.flops, "bytes": self.bytes}
        return {"network": self.network, "batch_size": self.batch_size, "parameters": self.parameters,
                "layers": [asdict(row) for row in self.rows], "paths": [list(path) for path in self.paths],
                "neurons": {role: self.neurons(role) for role in ("input", "hidden", "output")}, **totals}

    def cells(self) -> list[tuple[str, ...]]:
        """The table as text: the header, then a row per layer."""
        head = ("layer", "role", "neurons", "activation", "bias", "synapses", "biases", "shape", "FLOPs", "memory")
        body = [(row.name, row.role, f"{row.neurons:,}" if row.neurons else "–", row.activation or "–",
                 "yes" if row.bias else "–", f"{row.synapses:,}", f"{row.biases:,}", row.shape or "–",
                 f"{row.flops:,}", f"{_scaled(row.bytes, 1024)}B") for row in self.rows]
        return [head, *body]

    def __str__(self) -> str:
        cells = self.cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        right = {2, 5, 6, 8, 9}
        lines = ["  ".join(text.rjust(width) if column in right else text.ljust(width)
                           for column, (text, width) in enumerate(zip(row, widths, strict=True))).rstrip()
                 for row in cells]
        rule = "  ".join("─" * width for width in widths)
        past = [f"{name}: from depth {start} to depth {end}" for start, end, name in self.paths]
        return "\n".join([f"{self.network}", lines[0], rule, *lines[1:], rule, *past, self.summary])

    def _repr_html_(self) -> str:
        head, *body = ([html.escape(cell) for cell in row] for row in self.cells())
        rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
        columns = "".join(f"<th>{cell}</th>" for cell in head)
        return (f"<table><caption>{html.escape(self.network)}: {html.escape(self.summary)}</caption>"
                f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>")


def describe(network: Any, batch_size: int = 1) -> Description:
    """Every layer of a network: role, neurons, activation, bias, synapses, shape, FLOPs, memory.

    Args:
        network: a `Feedforward` or `Tabular`; of any other pytree the arrays are listed.
        batch_size: how many rows the floating-point operations are counted for.

    Example:
        >>> describe(Feedforward(30, (64, 64), 2, key=jax.random.key(0))).synapses
        6144
    """
    counter = _Counter(batch_size)
    paths: list[tuple[int, int, str]] = []
    if isinstance(network, Feedforward):
        rows = [counter.row("input", "input", 0, network.settings.in_features)]
        rows += _feedforward_rows(network, 1, 0, counter, paths)
    elif isinstance(network, Tabular):
        rows = _tabular_rows(network, counter, paths)
    else:
        rows = [counter.row(jax.tree_util.keystr(path).strip("."), "weights", index, 0, arrays=leaf)
                for index, (path, leaf) in enumerate(jax.tree_util.tree_leaves_with_path(network)) if _is_array(leaf)]
    parameters = sum(leaf.size for leaf in jax.tree.leaves(network) if _is_array(leaf))
    return Description(type(network).__name__, tuple(rows), tuple(paths), parameters, batch_size)


class _Counter:
    """Makes rows, counting what the arrays of a layer hold."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def row(self, name: str, role: str, depth: int, neurons: int, activation: str = "", arrays: Any = None) -> LayerRow:
        leaves = [(_last_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(arrays)
                  if _is_array(leaf)]
        size = _sum_of(leaves, lambda name, leaf: leaf.size)
        foreign = role == "weights"
        synapses = size(lambda name, leaf: name in SYNAPSES or foreign and leaf.ndim > 1)
        biases = size(lambda name, leaf: name in BIASES or foreign and leaf.ndim <= 1)
        multiplied = size(lambda name, leaf: name in MULTIPLIED or foreign and leaf.ndim > 1)
        shapes = [leaf.shape for name, leaf in leaves if name in SYNAPSES or foreign]
        shown = ", ".join(" × ".join(str(side) for side in shape) for shape in shapes[:3]) + ", …" * (len(shapes) > 3)
        return LayerRow(name, role, depth, neurons, activation, any(name in BIASES for name, _ in leaves), synapses,
                        biases, shown, 2 * multiplied * self.batch_size,
                        sum(leaf.size * leaf.dtype.itemsize for _, leaf in leaves))


def _sum_of(leaves: list[tuple[str, Any]], value: Callable[[str, Any], int]) -> Callable[[Callable], int]:
    return lambda keep: sum(value(name, leaf) for name, leaf in leaves if keep(name, leaf))


def _is_array(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _last_name(path: tuple[Any, ...]) -> str:
    return getattr(path[-1], "name", "") if path else ""


def _feedforward_rows(network: Feedforward, depth: int, source: int, counter: _Counter,
                      paths: list[tuple[int, int, str]]) -> list[LayerRow]:
    settings, rows = network.settings, []
    if network.stem is not None:
        rows.append(counter.row("stem", "hidden", depth, network.stem.out_features, "identity", network.stem))
        depth += 1
    for number, block in enumerate(network.hidden, 1):
        if isinstance(block, Residual):
            start = depth - 1
            rows.append(counter.row(f"hidden {number}, first", "hidden", depth, block.out_features, block.activation,
                                    (block.normalisation, block.first)))
            rows.append(counter.row(f"hidden {number}, second", "hidden", depth + 1, block.out_features, "identity",
                                    (block.second, block.shortcut)))
            paths.append((start, depth + 1, "residual"))
            depth += 2
        else:
            rows.append(counter.row(f"hidden {number}", "hidden", depth, block.out_features, block.activation, block))
            depth += 1
    rows.append(counter.row("output", "output", depth, settings.out_features, settings.output_activation,
                            (network.closing, network.output)))
    if network.skip is not None:
        rows.append(counter.row("linear path", "output", depth, 0, arrays=network.skip))
        paths.append((source, depth, "linear path"))
    return rows


def _tabular_rows(network: Tabular, counter: _Counter, paths: list[tuple[int, int, str]]) -> list[LayerRow]:
    coded = network.one_hot.out_features
    vectors = network.category_embeddings
    codes = sum(layer.vectors.shape[-2] for layer in vectors)
    inputs = [(name, neurons) for name, neurons in (("numbers", network.num_numbers), ("categories, one-hot", coded),
                                                    ("categories", codes)) if neurons]
    rows = [counter.row(name, "input", 0, neurons, arrays=network.column_dropout if index == 0 else None)
            for index, (name, neurons) in enumerate(inputs)]
    depth = 1
    if network.number_embedding is not None:
        kind = network.numbers.embedding.replace("_", " ")
        rows.append(counter.row(f"{kind} embedding", "hidden", 1, network.number_embedding.out_features,
                                arrays=network.number_embedding))
    if vectors:
        rows.append(counter.row("category embedding", "hidden", 1, sum(layer.vectors.shape[-1] for layer in vectors),
                                arrays=vectors))
    depth += any(row.depth == 1 for row in rows)
    if network.scale is not None:
        rows.append(counter.row("scale", "hidden", depth - 1, 0, arrays=network.scale))
    rows += _feedforward_rows(network.body, depth, depth - 1, counter, paths)
    if network.skip is not None:
        last = max(row.depth for row in rows)
        rows.append(counter.row("linear path", "output", last, 0, arrays=network.skip))
        paths.append((0, last, "linear path"))
    return rows


def _scaled(value: float, base: int) -> str:
    """A number with a prefix, such as "6.1 k" or "24 Ki", and a space before the unit."""
    if value < base:
        return f"{value:,} "
    power = min(int(math.log(value, base)), 4)
    prefix = "kMGT"[power - 1] if base == 1000 else "KMGT"[power - 1] + "i"
    return f"{value / base**power:.3g} {prefix}"
