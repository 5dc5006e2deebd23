"""The mixture: neurons with a centre and a width each, which together say how probable a row is."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks._rows import shares
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import positive, whole_number
from pellucid.nn._random import normal, subkeys
from pellucid.nn.buffer import Buffer

Inputs = Mapping[str, Any]
LOG_TWO_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class MixtureSettings:
    """What a `Mixture` is built from."""

    num_numbers: int
    cardinalities: tuple[int, ...] = ()
    pixels: tuple[int, ...] = ()
    directions: int = 32
    units: int = 64
    widths: tuple[float, ...] = (1.0, 2.0, 4.0)
    floor: float = 0.3

    def __post_init__(self) -> None:
        whole_number("Mixture", "num_numbers", self.num_numbers, 0)
        for name in ("directions", "units"):
            whole_number("Mixture", name, getattr(self, name))
        for width in (*self.widths, self.floor):
            positive("Mixture", "width", width)
        for name in ("cardinalities", "pixels", "widths"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for count in (*self.cardinalities, *self.pixels):
            whole_number("Mixture", "cardinalities and pixels", count)
        if not self.sizes or not self.widths:
            raise SettingsError("`Mixture` got no inputs or no widths.", "pass num_numbers=3, for example")

    @property
    def kept(self) -> tuple[int, ...]:
        """How many directions each column of pixels is described by."""
        return tuple(min(self.directions, count) for count in self.pixels)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The length of each column's part of a row: numbers one each, categories, pixels (directions and the rest)."""
        return (1,) * self.num_numbers + self.cardinalities + tuple(kept + 1 for kept in self.kept)


class Mixture(eqx.Module):
    r"""One layer of radial neurons, whose sum is a probability density; the output is how surprising a row is.

    Neuron c has a centre μ_c and a variance in each direction of the row. After blurring by a width σ,

        −log p_σ(x) = −log Σ_c π_c N(x; μ_c, diag(v_c + σ²)),

    which is known in closed form: small widths ask whether a row has close neighbours, large ones whether it lies far
    from everything. A neuron may also be known to stand for anomalies: its share of normal rows multiplies π_c.

    Source: Moody & Darken 1989, "Fast learning in networks of locally-tuned processing units"; Bishop 1994, "Mixture
    density networks", for learning by gradient.

    Args:
        num_numbers: numbers of a row.
        cardinalities: the number of codes of each category, one-hot inside, scaled to a total variance of 1.
        pixels: the numbers in a row of each raw column, such as the pixels of a picture; they are described by their
            main `directions`, and by how much these leave out.
        directions: at most so many for each column of pixels.
        units: neurons, at least 1.
        widths: by which the density is blurred, above 0: one output each.
        floor: the blur while learning, above 0: no neuron becomes narrower.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a number out of range.
        ShapeError: when called with rows of another size.

    Example:
        >>> network = Mixture(4, key=jax.random.key(0))
        >>> network({"numbers": jnp.ones((6, 4)), "codes": jnp.ones((6, 0), jnp.int32)})[0].shape
        (6, 3)
    """

    weight: Float[Array, "units features"]
    bias: Float[Array, " units"]
    spread: Float[Array, "units features"]
    normal_share: Buffer
    category_scale: Buffer
    middles: tuple[Buffer, ...]
    turns: tuple[Buffer, ...]
    pixel_scale: Buffer
    settings: MixtureSettings = eqx.field(static=True)

    def __init__(self, num_numbers: int, *, cardinalities: Sequence[int] = (), pixels: Sequence[int] = (),
                 directions: int = 32, units: int = 64, widths: Sequence[float] = (1.0, 2.0, 4.0), floor: float = 0.3,
                 key: jax.Array) -> None:
        self.settings = settings = MixtureSettings(num_numbers, tuple(cardinalities), tuple(pixels), directions, units,
                                                   tuple(widths), floor)
        first, second = subkeys(key, 2)
        features = sum(settings.sizes)
        self.weight = normal(first, (units, features))
        self.bias, self.spread = jnp.zeros((units,)), jnp.zeros((units, features))
        self.normal_share = Buffer(jnp.ones((units,)))
        self.category_scale = Buffer(jnp.ones((len(settings.cardinalities),)))
        self.middles = tuple(Buffer(jnp.zeros((count,))) for count in settings.pixels)
        self.turns = tuple(Buffer(jnp.eye(count, kept)) for count, kept in
                           zip(settings.pixels, settings.kept, strict=True))
        self.pixel_scale = Buffer(jnp.ones((len(settings.pixels), 2)))

    def initial_state(self) -> tuple[()]:
        """Nothing is carried along."""
        return ()

    def rows(self, inputs: Inputs | Array) -> Float[Array, "batch features"]:
        """Inputs as rows of numbers: numbers, categories one-hot, pixels by their main directions and the rest."""
        dtype = self.weight.dtype
        if not isinstance(inputs, Mapping):
            inputs = {"numbers": jnp.asarray(inputs)}
        parts = [inputs["numbers"].astype(dtype)] if "numbers" in inputs else []
        for place, count in enumerate(self.settings.cardinalities):
            one_hot = jax.nn.one_hot(inputs["codes"][:, place], count, dtype=dtype)
            parts.append(one_hot * self.category_scale.value[place])
        for place, count in enumerate(self.settings.pixels):
            column = inputs["columns"][place]
            column = next(iter(column.values())) if isinstance(column, Mapping) else column
            centred = shares(column, dtype).reshape(len(column), count) - self.middles[place].value
            along = centred @ self.turns[place].value
            rest = jnp.sum(centred * centred, 1, keepdims=True) - jnp.sum(along * along, 1, keepdims=True)
            scale = self.pixel_scale.value[place]
            parts += [along / scale[0], jnp.sqrt(jnp.maximum(rest, 0) + 1e-12) / scale[1]]
        rows = jnp.concatenate(parts, axis=1)
        if rows.shape[1] != self.weight.shape[1]:
            raise ShapeError(f"`Mixture` expected rows of {self.weight.shape[1]} numbers, got {rows.shape[1]}.",
                             "check for a dropped or added column")
        return rows

    def joint(self, rows: Float[Array, "batch features"], width: float | Array) -> Float[Array, "batch units"]:
        """log π_c N(x; μ_c, v_c + width²) of every neuron."""
        variance = jnp.exp(self.spread) + width * width
        precision = 1 / variance
        distance = (rows * rows) @ precision.T - 2 * rows @ (self.weight * precision).T + jnp.sum(
            self.weight * self.weight * precision, axis=1)
        volume = jnp.sum(jnp.log(variance), axis=1) + rows.shape[1] * LOG_TWO_PI
        return jax.nn.log_softmax(self.bias) - 0.5 * (jnp.maximum(distance, 0) + volume)

    def surprise(self, inputs: Inputs | Array, width: float | Array, *, normal: bool = False) -> Float[Array, " batch"]:
        """−log p of each row; with `normal`, −log of the density of being there and normal."""
        joint = self.joint(self.rows(inputs), width)
        if normal:
            joint = joint + jnp.log(jnp.maximum(self.normal_share.value, 1e-6))
        return -jax.scipy.special.logsumexp(joint, axis=1)

    def __call__(self, inputs: Inputs | Array, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[Array, tuple[()]]:
        """(batch, widths): how surprising each row is as a normal one, at each width."""
        found = [self.surprise(inputs, width, normal=True) for width in self.settings.widths]
        return jnp.stack(found, axis=1), ()

    def column_surprise(self, inputs: Inputs | Array, columns: Float[Array, "features columns"]) -> Float[
            Array, "batch widths columns"]:
        """What each column adds to the surprise at each width: half its squared distance from the neurons' centres in
        units of their widths, weighted by how much of the row each neuron accounts for.

        Args:
            inputs: as for a call.
            columns: 1 where a number of a row belongs to a column.
        """
        rows, found = self.rows(inputs), []
        for width in self.settings.widths:
            claim = jax.nn.softmax(self.joint(rows, width) + jnp.log(jnp.maximum(self.normal_share.value, 1e-6)), axis=1)
            precision = 1 / (jnp.exp(self.spread) + width * width)
            part = (claim @ precision) * rows * rows - 2 * rows * (claim @ (precision * self.weight)) + (
                claim @ (precision * self.weight * self.weight))
            found.append(0.5 * part @ columns)
        return jnp.stack(found, axis=1)

    def layer_outputs(self, inputs: Inputs | Array, *, state: tuple[()] | None = None) -> dict[str, Array]:
        """`"radial"`, log-densities (batch, units) at the first width, and `"output"`."""
        joint = self.joint(self.rows(inputs), self.settings.widths[0])
        return {"radial": joint, "output": self(inputs)[0]}

    def parts(self) -> Parts:
        """Inputs, radial neurons, and one output for each width."""
        inputs = Part("input", "input", sum(self.settings.sizes),
                      arrays=(self.category_scale, self.middles, self.turns, self.pixel_scale))
        radial = Part("radial", "hidden", self.settings.units, "exponential", (self.weight, self.bias, self.spread))
        return Parts((inputs, radial, Part("output", "output", len(self.settings.widths), arrays=self.normal_share)))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "mixture", **asdict(self.settings),
                **{name: list(getattr(self.settings, name)) for name in ("cardinalities", "pixels", "widths")}}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Mixture:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)
