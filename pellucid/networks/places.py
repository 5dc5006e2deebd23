"""A path past an encoder that knows where things are: a network for tables over the places of a picture or series."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks._rows import shares
from pellucid.networks.parts import Part, parts_of
from pellucid.networks.tabular import Tabular
from pellucid.nn._checks import whole_number
from pellucid.nn.buffer import Buffer

VIEWS = ("blocks", "points")


@dataclass(frozen=True)
class View:
    """Which numbers of a picture or series are seen; hashable, and JSON-serialisable through `dataclasses.asdict`.

    Args:
        kind: `"blocks"` for the means of square blocks of a picture, 8-bit or from 0 to 1; `"points"` for the values of
            a series at places evenly spread from its first to its last step.
        size: the side of a block in pixels, or how many places.
    """

    kind: str
    size: int

    def __post_init__(self) -> None:
        if self.kind not in VIEWS:
            raise SettingsError(f"`View` got kind={self.kind!r}; expected one of {', '.join(VIEWS)}.",
                                did_you_mean(str(self.kind), VIEWS))
        whole_number("View", "size", self.size)

    def __call__(self, column: Any) -> Float[Array, "batch numbers"]:
        """The numbers of each row, from the input of an encoder."""
        return block_means(shares(column), self.size) if self.kind == "blocks" else points_of(column, self.size)


class Places(eqx.Module):
    """Outputs from what stands at each place, beside an encoder that looks for patterns wherever they are.

    Convolutions ask what there is rather than where. Where the place itself tells (a cell of a form, a wavelength of a
    spectrum), a network with a weight for each place learns from far fewer rows.

    Args:
        view: the numbers that are seen.
        table: takes them as `"numbers"`, each around 0 with a spread of about 1.
        alone: whether the encoder is not asked at all.

    Example:
        >>> key = jax.random.key(0)
        >>> path = Places(View("blocks", 2), Tabular(16, (), 3, key=key))
        >>> path(jnp.ones((5, 8, 8, 1))).shape
        (5, 3)
    """

    table: Tabular
    middle: Buffer  # (numbers,)
    spread: Buffer  # (numbers,)
    view: View = eqx.field(static=True)
    alone: bool = eqx.field(static=True)

    def __init__(self, view: View | Mapping[str, Any], table: Tabular, *, alone: bool = False) -> None:
        self.alone = bool(alone)
        self.view = view if isinstance(view, View) else View(**view)
        self.table = table
        count = table.num_numbers
        self.middle, self.spread = Buffer(jnp.zeros(count)), Buffer(jnp.ones(count))

    def __call__(self, column: Any) -> Float[Array, "batch outputs"]:
        """What the places add to the outputs, from the encoder's input; outside of training."""
        seen = self.view(column).astype(self.middle.value.dtype)
        numbers = (seen - self.middle.value) / self.spread.value
        return self.table({"numbers": numbers, "codes": jnp.zeros((len(numbers), 0), jnp.int32)})[0]

    def parts(self, depth: int) -> tuple[Part, ...]:
        """The layers of the table network, the last one at this depth, for descriptions and drawings."""
        own = [part for part in parts_of(self.table).rows if part.role != "input"]
        rows = [replace(part, name=f"places: {part.name}", role="hidden" if part.role == "input" else part.role,
                        depth=max(depth - len(own) + 1 + place, 1)) for place, part in enumerate(own)]
        return (*rows[:-1], replace(rows[-1], arrays=(rows[-1].arrays, self.middle, self.spread)))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"view": asdict(self.view), "table": self.table.spec(), "alone": self.alone}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Places:
        """A new path of this specification, with new starting weights."""
        table = {name: value for name, value in spec["table"].items() if name != "network"}
        return cls(spec["view"], Tabular.from_spec(table, key=key), alone=spec["alone"])


def block_means(pixels: Float[Array, "batch height width channels"], side: int) -> Float[Array, "batch numbers"]:
    """The mean of each square block; the last row and column are repeated where a block is not full."""
    rows, height, width, channels = pixels.shape
    padded = jnp.pad(pixels, ((0, 0), (0, -height % side), (0, -width % side), (0, 0)), mode="edge")
    shape = (rows, padded.shape[1] // side, side, padded.shape[2] // side, side, channels)
    return padded.reshape(shape).mean((2, 4)).reshape(rows, -1)


def points_of(series: Mapping[str, Array] | Array, points: int) -> Float[Array, "batch numbers"]:
    """Values at so many places from the first to the last step of each series, between neighbours where need be."""
    values, lengths = (series["values"], series.get("lengths")) if isinstance(series, Mapping) else (series, None)
    values = jnp.asarray(values)
    lengths = jnp.full(len(values), values.shape[1], jnp.int32) if lengths is None else jnp.maximum(lengths, 1)
    place = jnp.linspace(0, 1, points, dtype=values.dtype) * (lengths[:, None] - 1).astype(values.dtype)
    before = jnp.floor(place).astype(jnp.int32)
    after, rest = jnp.minimum(before + 1, lengths[:, None] - 1), (place - before)[..., None]
    own = jnp.arange(len(values))[:, None]
    return (values[own, before] * (1 - rest) + values[own, after] * rest).reshape(len(values), -1)
