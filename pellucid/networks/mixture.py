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
    turned: bool = False

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
    from everything. Neurons may also be known to stand for anomalies: −log of the share of normal rows among those that
    the neurons account for is added.

    Source: Moody & Darken 1989, "Fast learning in networks of locally-tuned processing units"; Bishop 1994, "Mixture
    density networks", for learning by gradient.

    Args:
        num_numbers: numbers of a row.
        cardinalities: the number of codes of each category, one-hot inside, scaled to a total variance of 1.
        pixels: the numbers in a row of each raw column, such as the pixels of a picture; they are described by their
            main `directions`, and by how much these leave out.
        directions: at most so many for each column of pixels.
        units: neurons, at least 1.
        widths: by which the density is blurred, above 0: one output each, in each view.
        floor: the blur while learning, above 0: no neuron becomes narrower.
        turned: whether there is a second layer of as many neurons that sees rows turned to their main directions and
            stretched, so that a value that does not fit the others is far away. It has outputs of its own.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a number out of range.
        ShapeError: when called with rows of another size.

    Example:
        >>> network = Mixture(4, key=jax.random.key(0))
        >>> network({"numbers": jnp.ones((6, 4)), "codes": jnp.ones((6, 0), jnp.int32)})[0].shape
        (6, 3)
    """

    weight: Float[Array, "views units features"]
    bias: Float[Array, "views units"]
    spread: Float[Array, "views units features"]
    normal_share: Buffer
    category_scale: Buffer
    middles: tuple[Buffer, ...]
    turns: tuple[Buffer, ...]
    pixel_scale: Buffer
    middle: Buffer
    turn: Buffer
    back: Buffer
    settings: MixtureSettings = eqx.field(static=True)

    def __init__(self, num_numbers: int, *, cardinalities: Sequence[int] = (), pixels: Sequence[int] = (),
                 directions: int = 32, units: int = 64, widths: Sequence[float] = (1.0, 2.0, 4.0), floor: float = 0.3,
                 turned: bool = False, key: jax.Array) -> None:
        self.settings = settings = MixtureSettings(num_numbers, tuple(cardinalities), tuple(pixels), directions, units,
                                                   tuple(widths), floor, turned)
        views, features = 2 if turned else 1, sum(settings.sizes)
        self.weight = normal(subkeys(key, 1)[0], (views, units, features))
        self.bias, self.spread = jnp.zeros((views, units)), jnp.zeros((views, units, features))
        self.normal_share = Buffer(jnp.ones((views, units)))
        self.category_scale = Buffer(jnp.ones((len(settings.cardinalities),)))
        self.middles = tuple(Buffer(jnp.zeros((count,))) for count in settings.pixels)
        self.turns = tuple(Buffer(jnp.eye(count, kept)) for count, kept in
                           zip(settings.pixels, settings.kept, strict=True))
        self.pixel_scale = Buffer(jnp.ones((len(settings.pixels), 2)))
        size = features if turned else 0
        self.middle, self.turn, self.back = Buffer(jnp.zeros((size,))), Buffer(jnp.eye(size)), Buffer(jnp.eye(size))

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
        if rows.shape[1] != self.weight.shape[2]:
            raise ShapeError(f"`Mixture` expected rows of {self.weight.shape[2]} numbers, got {rows.shape[1]}.",
                             "check for a dropped or added column")
        return rows

    def views(self, rows: Float[Array, "batch features"]) -> Float[Array, "views batch features"]:
        """The rows, and where the network has a second view, the rows turned to their main directions."""
        if not self.settings.turned:
            return rows[None]
        return jnp.stack([rows, (rows - self.middle.value) @ self.turn.value])

    def joint(self, views: Float[Array, "views batch features"], width: float | Array) -> Float[
            Array, "views batch units"]:
        """log π_c N(x; μ_c, v_c + width²) of every neuron."""
        variance = jnp.exp(self.spread) + width * width
        precision = 1 / variance
        distance = (views * views) @ jnp.swapaxes(precision, 1, 2) - 2 * views @ jnp.swapaxes(
            self.weight * precision, 1, 2) + jnp.sum(self.weight * self.weight * precision, axis=2)[:, None]
        volume = jnp.sum(jnp.log(variance), axis=2) + views.shape[2] * LOG_TWO_PI
        share = jax.nn.log_softmax(self.bias, axis=1)
        return share[:, None] - 0.5 * (jnp.maximum(distance, 0) + volume[:, None])

    def claims(self, views: Float[Array, "views batch features"], width: float | Array) -> Float[
            Array, "views batch units"]:
        """How much of each row every neuron accounts for."""
        return jax.nn.softmax(self.joint(views, width), axis=2)

    def surprise(self, inputs: Inputs | Array, width: float | Array) -> Float[Array, "batch views"]:
        """−log p of each row in each view, normal or not."""
        return -jax.scipy.special.logsumexp(self.joint(self.views(self.rows(inputs)), width), axis=2).T

    def __call__(self, inputs: Inputs | Array, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[Array, tuple[()]]:
        """(batch, views · widths): how surprising each row is as a normal one, in each view at each width."""
        views = self.views(self.rows(inputs))
        normal = jnp.sum(self.claims(views, self.settings.floor) * self.normal_share.value[:, None], axis=2)
        known = -jnp.log(jnp.maximum(normal, 1e-6))
        found = [known - jax.scipy.special.logsumexp(self.joint(views, width), axis=2)
                 for width in self.settings.widths]
        return jnp.concatenate(list(jnp.stack(found, axis=2)), axis=1), ()

    def column_surprise(self, inputs: Inputs | Array, columns: Float[Array, "features columns"]) -> Float[
            Array, "batch outputs columns"]:
        """What each column adds to each output: half of its distance from where the network expects it, times the slope
        of the surprise there. For a single neuron that is its part of the squared distance.

        Args:
            inputs: as for a call.
            columns: 1 where a number of a row belongs to a column.
        """
        rows, found = self.rows(inputs), []
        views = self.views(rows)
        for view in range(len(views)):
            for width in self.settings.widths:
                claim = self.claims(views, width)[view]
                precision = 1 / (jnp.exp(self.spread[view]) + width * width)
                slope = views[view] * (claim @ precision) - claim @ (precision * self.weight[view])
                expected = claim @ self.weight[view]
                if view:
                    slope, expected = slope @ self.turn.value.T, self.middle.value + expected @ self.back.value
                found.append((0.5 * slope * (rows - expected)) @ columns)
        return jnp.stack(found, axis=1)

    def layer_outputs(self, inputs: Inputs | Array, *, state: tuple[()] | None = None) -> dict[str, Array]:
        """`"radial"`, log-densities (batch, views · units) at the first width, and `"output"`."""
        joint = self.joint(self.views(self.rows(inputs)), self.settings.widths[0])
        return {"radial": jnp.concatenate(list(joint), axis=1), "output": self(inputs)[0]}

    def parts(self) -> Parts:
        """Inputs, radial neurons, and one output for each width."""
        scaling = (self.category_scale, self.middles, self.turns, self.pixel_scale, self.middle, self.turn, self.back)
        inputs = Part("input", "input", sum(self.settings.sizes), arrays=scaling)
        views = 1 + self.settings.turned
        radial = Part("radial", "hidden", views * self.settings.units, "exponential",
                      (self.weight, self.bias, self.spread))
        return Parts((inputs, radial, Part("output", "output", views * len(self.settings.widths),
                                           arrays=self.normal_share)))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "mixture", **asdict(self.settings),
                **{name: list(getattr(self.settings, name)) for name in ("cardinalities", "pixels", "widths")}}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Mixture:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)
