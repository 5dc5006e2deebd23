"""The network that recognises again: from a picture to a point, near to other pictures of the same person or thing."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks._rows import shares, sole
from pellucid.networks.parts import Part, Parts
from pellucid.nn import AveragePooling, Convolution, Dense
from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys

TINY = 1e-6
NOISE = 0.02
"""Edges weaker than this share of black to white count little, so that even areas do not speak."""


@dataclass(frozen=True)
class EmbedderSettings:
    """What an `Embedder` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_shape: tuple[int, int, int]
    out_features: int
    directions: int = 8
    shrink: int = 1
    cell: int = 7

    def __post_init__(self) -> None:
        if isinstance(self.in_shape, str) or len(tuple(self.in_shape)) != 3:
            raise SettingsError(f"`Embedder` got in_shape={self.in_shape!r}; expected (height, width, channels).",
                                "pass in_shape=(112, 92, 1), for example")
        object.__setattr__(self, "in_shape", tuple(whole_number("Embedder", "in_shape", size)
                                                   for size in self.in_shape))
        for name in ("out_features", "directions", "shrink", "cell"):
            whole_number("Embedder", name, getattr(self, name))
        if min(self.grid) < 1:
            raise SettingsError(f"`Embedder` got pictures of {self.in_shape[:2]}, too small for cells of {self.cell} "
                                f"after shrinking by {self.shrink}.", "lower cell or shrink")

    @property
    def small(self) -> tuple[int, int]:
        """Height and width after shrinking."""
        return self.in_shape[0] // self.shrink, self.in_shape[1] // self.shrink

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        height, width = self.small
        return height // self.cell, width // self.cell


class Embedder(eqx.Module):
    """Edges by direction, their strength in each cell of the picture, and a dense layer to a point.

    A convolution that starts as differences of neighbours in `directions` directions finds edges; how strong each
    direction is around each cell, compared with the others there, tells what is seen whatever the light. The dense
    layer weighs these numbers; `telling_apart` gives it weights that tell people apart before any training.
    Two pictures are compared by the cosine of their points. 8-bit integers are divided by 255; colours are averaged.

    Args:
        in_shape: (height, width, channels) of a picture.
        out_features: the length of a point.
        directions: of edges, at least 1.
        shrink: pictures are first averaged over squares of so many pixels.
        cell: pixels of the side of a cell, after shrinking.
        key: the random key for the dense layer's starting weights.

    Raises:
        SettingsError: for a size below 1, or pictures smaller than a cell.
        ShapeError: when called with another shape.

    Example:
        >>> network = Embedder((28, 28, 1), 32, key=jax.random.key(0))
        >>> network(jnp.ones((5, 28, 28, 1)))[0].shape
        (5, 32)

    Source: histograms of oriented gradients, Dalal & Triggs 2005, as layers.
    """

    members_in_turn: ClassVar[bool] = True

    edges: Convolution
    strength: AveragePooling
    output: Dense
    settings: EmbedderSettings = eqx.field(static=True)

    def __init__(self, in_shape: Sequence[int], out_features: int, *, directions: int = 8, shrink: int = 1,
                 cell: int = 7, key: jax.Array) -> None:
        self.settings = settings = EmbedderSettings(in_shape, out_features, directions, shrink, cell)
        edge_key, output_key = subkeys(key, 2)
        edges = Convolution(1, directions, (3, 3), padding="same", bias=False, key=edge_key)
        self.edges = eqx.tree_at(lambda one: one.weight, edges, jnp.asarray(_differences(directions)))
        reach = 2 * cell
        self.strength = AveragePooling((reach, reach), stride=(cell, cell),
                                       padding=[(cell // 2, cell - cell // 2)] * 2)
        self.output = Dense(math.prod(settings.grid) * directions, out_features, key=output_key)

    def initial_state(self) -> tuple[()]:
        """Nothing is remembered from batch to batch."""
        return ()

    def __call__(self, inputs: jax.Array, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From (batch, *in_shape) to (batch, out_features); nothing is random, so that key, training and weight are
        not used."""
        return self.output(self.features(sole(inputs))), ()

    def features(self, inputs: jax.Array) -> Float[Array, "batch features"]:
        """What the dense layer sees: the strength of each direction in each cell."""
        return self._layers(inputs)[-1].reshape(len(inputs), -1)

    def layer_outputs(self, inputs: jax.Array, *, state: tuple[()] | None = None) -> dict[str, jax.Array]:
        """What each layer gives: `"edges"`, `"strength"`, `"output"`."""
        edges, strength = self._layers(sole(inputs))
        return {"edges": edges, "strength": strength, "output": self.output(strength.reshape(len(strength), -1))}

    def _layers(self, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        settings = self.settings
        if jnp.shape(inputs)[1:] != settings.in_shape:
            raise ShapeError(f"`Embedder` expected inputs of shape (batch, {', '.join(map(str, settings.in_shape))}), "
                             f"got {jnp.shape(inputs)}.", "build it for this shape")
        grey = jnp.mean(shares(inputs, self.output.weight.dtype), axis=3, keepdims=True)
        edges = jax.nn.relu(self.edges(self._shrunken(grey)))
        rows, columns = settings.grid
        strength = self.strength(edges)[:, :rows, :columns]
        whole = jnp.sqrt(jnp.sum(jnp.square(strength), axis=3, keepdims=True) + NOISE**2)
        return edges, jnp.sqrt(strength / whole + TINY)

    def _shrunken(self, grey: jax.Array) -> jax.Array:
        side, (height, width) = self.settings.shrink, self.settings.small
        if side == 1:
            return grey
        cut = grey[:, :height * side, :width * side]
        return jnp.mean(cut.reshape(len(grey), height, side, width, side, 1), axis=(2, 4))

    def parts(self) -> Parts:
        """Pixels, edges, their strength by cell, and the point."""
        settings, (height, width), (rows, columns) = self.settings, self.settings.small, self.settings.grid
        directions = settings.directions
        return Parts((
            Part("input", "input", math.prod(settings.in_shape), shape=settings.in_shape, kind="image"),
            Part("edges", "hidden", height * width * directions, "relu", self.edges, shape=(height, width, directions),
                 uses=height * width, kind="convolution"),
            Part("strength", "hidden", rows * columns * directions, arrays=self.strength,
                 shape=(rows, columns, directions), kind="pooling"),
            Part("output", "output", settings.out_features, arrays=self.output),
        ))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        return {"network": "embedder", **asdict(self.settings), "in_shape": list(self.settings.in_shape)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Embedder:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _differences(directions: int) -> np.ndarray:
    """Windows (3, 3, 1, directions): the difference of the neighbours on either side, along each direction."""
    angles = 2 * np.pi * np.arange(directions) / directions
    across, down = np.zeros((3, 3)), np.zeros((3, 3))
    across[1] = down[:, 1] = -1.0, 0.0, 1.0
    return np.stack([np.cos(angle) * across + np.sin(angle) * down for angle in angles],
                    axis=-1)[:, :, None].astype(np.float32)


def telling_apart(features: np.ndarray, identities: np.ndarray, strength: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features, features) and biases of a dense layer that shrinks what varies between pictures of one person.

    Directions in which pictures of the same person differ, with variance v, are divided by √(1 + v / (strength · mean
    v)); all others are kept.

    Args:
        features: (pictures, features).
        identities: (pictures,) integers; each at least twice, else the picture says nothing.
        strength: the lower, the more is shrunk; above 0.

    Source: Hatch, Kajarekar & Stolcke 2006, within-class covariance normalisation.
    """
    features = np.asarray(features, np.float64)
    middle = features.mean(axis=0)
    within = np.concatenate([features[identities == one] - features[identities == one].mean(axis=0)
                             for one in np.unique(identities)])
    _, spread, axes = np.linalg.svd(within, full_matrices=False)
    variance = spread**2 / max(len(within), 1)
    typical = strength * variance.mean() + 1e-12
    shrunk = 1 / np.sqrt(1 + variance / typical) - 1
    weight = np.eye(features.shape[1]) + (axes.T * shrunk) @ axes
    return weight, -middle @ weight
