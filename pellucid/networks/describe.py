"""Networks describe themselves: every layer with its neurons, synapses, biases, cost and memory."""
from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax

from pellucid.networks.parts import JOINING, Part, array_kind, array_paths, arrays_of, is_array, parts_of

RIGHT = ("neurons", "synapses", "biases", "FLOPs", "memory")  # columns of numbers


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
        kind: what sort of layer it is, such as `"convolution"`.
        output: the shape of what it gives for one example, such as (28, 28, 32); empty where it is the neurons.
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
    kind: str = "dense"
    output: tuple[int, ...] = ()


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
        columns = {
            "layer": [row.name for row in self.rows], "role": [row.role for row in self.rows],
            "neurons": [f"{row.neurons:,}" if row.neurons else "–" for row in self.rows],
            "as": [" × ".join(map(str, row.output)) if len(row.output) > 1 else "–" for row in self.rows],
            "activation": [row.activation or "–" for row in self.rows],
            "bias": ["yes" if row.bias else "–" for row in self.rows],
            "synapses": [f"{row.synapses:,}" for row in self.rows], "biases": [f"{row.biases:,}" for row in self.rows],
            "shape": [row.shape or "–" for row in self.rows], "FLOPs": [f"{row.flops:,}" for row in self.rows],
            "memory": [f"{_scaled(row.bytes, 1024)}B" for row in self.rows]}
        if set(columns["as"]) <= {"–"}:
            del columns["as"]
        return [tuple(columns), *zip(*columns.values(), strict=True)]

    def __str__(self) -> str:
        cells = self.cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        right = {index for index, head in enumerate(cells[0]) if head in RIGHT}
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
        network: a network that tells its `parts()`; of any other pytree the arrays are listed.
        batch_size: how many rows the floating-point operations are counted for.

    Example:
        >>> describe(Feedforward(30, (64, 64), 2, key=jax.random.key(0))).synapses
        6144
    """
    parts, paths = parts_of(network), array_paths(network)
    rows = tuple(_row(part, depth, paths, batch_size) for depth, part in parts.placed())
    size = sum(leaf.size for leaf in jax.tree.leaves(network) if is_array(leaf))
    return Description(type(network).__name__, rows, parts.paths, size, batch_size)


def _row(part: Part, depth: int, paths: Mapping[int, Any], batch_size: int) -> LayerRow:
    """Count what the arrays of a part hold."""
    size, shapes, bias, memory = {"multiplied": 0, "looked up": 0, "bias": 0, "other": 0}, [], False, 0
    for _, name, leaf in arrays_of(part, paths):
        kind = array_kind(name) if part.role != "weights" else "multiplied" if leaf.ndim > 1 else "bias"
        size[kind] += leaf.size
        memory += leaf.size * leaf.dtype.itemsize
        bias |= array_kind(name) == "bias"
        if kind in JOINING or part.role == "weights":
            shapes.append(" × ".join(str(side) for side in leaf.shape))
    return LayerRow(part.name, part.role, depth, part.neurons, part.activation, bias,
                    sum(size[kind] for kind in JOINING), size["bias"],
                    ", ".join(shapes[:3]) + ", …" * (len(shapes) > 3),
                    2 * size["multiplied"] * part.uses * batch_size, memory, part.kind, tuple(part.shape))


def _scaled(value: float, base: int) -> str:
    """A number with a prefix, such as "6.1 k" or "24 Ki", and a space before the unit."""
    if value < base:
        return f"{value:,} "
    power = min(int(math.log(value, base)), 4)
    prefix = "kMGT"[power - 1] if base == 1000 else "KMGT"[power - 1] + "i"
    return f"{value / base**power:.3g} {prefix}"
