"""The voxel network: what lies where in space, drawn on a grid and seen by three-dimensional convolutions."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks.convolutional import Convolutional
from pellucid.networks.parts import Parts
from pellucid.nn import VoxelGrid
from pellucid.nn._checks import whole_number
from pellucid.nn.voxels import WHOLE, turn_matrices

VoxelInputs = Mapping[str, jax.Array]


@dataclass(frozen=True)
class VoxelSettings:
    """What a `Voxel` is built from, but for its convolutions; hashable, and JSON-serialisable."""

    channels: int
    size: int = 16
    spacing: float = 1.0
    width: float = 0.8
    turn: float = WHOLE
    shift: float = 0.5
    views: int = 1
    patch: int = 2

    def __post_init__(self) -> None:
        for name in ("channels", "size", "views", "patch"):
            whole_number("Voxel", name, getattr(self, name))
        if self.size % self.patch:
            raise SettingsError(f"`Voxel` got size={self.size} and patch={self.patch}; expected whole patches.",
                                f"pass size={self.size - self.size % self.patch or self.patch}, or patch=1")


class Voxel(eqx.Module):
    """Points in space, such as the atoms of a molecule, as densities on a grid, and a `Convolutional` that sees them.

    While training, each row is turned and moved at random. Outside of training it is seen as it lies, or from several
    sides, whose outputs are averaged.

    Inputs are a dict: `"positions"` float (batch, points, 3); `"channels"` (batch, points, channels), how much each
    point gives to each channel, 0 for the padding.

    Args:
        channels: kinds of points, at least 1.
        out_features: number of output neurons, at least 1.
        size, spacing, width, turn, shift: of the grid and of chance while training; see `nn.VoxelGrid`.
        patch: cubes of so many voxels along each edge become one position with as many more channels: no detail is
            lost, and there are fewer positions to work at. `size` is a multiple of it.
        views: how many turned views are averaged outside of training, the first as the points lie; at least 1.
        body: settings of the `Convolutional`, such as `{"hidden": (16, 32), "dense": (64,)}`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a number out of its range or an unknown name.
        ShapeError: when called with other inputs.

    Example:
        >>> network = Voxel(2, 1, size=8, body={"hidden": (4,)}, key=jax.random.key(0))
        >>> network({"positions": jnp.zeros((5, 9, 3)), "channels": jnp.ones((5, 9, 2))})[0].shape
        (5, 1)

    Source: Wallach, Dzamba & Heifets 2015.
    """

    members_in_turn: ClassVar[bool] = True

    grid: VoxelGrid
    body: Convolutional
    settings: VoxelSettings = eqx.field(static=True)

    def __init__(self, channels: int, out_features: int, *, size: int = 16, spacing: float = 1.0, width: float = 0.8,
                 turn: float = WHOLE, shift: float = 0.5, views: int = 1, patch: int = 2,
                 body: Mapping[str, Any] | None = None, key: jax.Array) -> None:
        self.settings = VoxelSettings(channels, size, spacing, width, turn, shift, views, patch)
        self.grid = VoxelGrid(size, spacing=spacing, width=width, turn=turn, shift=shift)
        options = {"hidden": (16, 32)} | dict(body or {})
        shape = (*(size // patch,) * 3, channels * patch**3)
        self.body = Convolutional(shape, options.pop("hidden"), out_features, **options, key=key)

    def initial_state(self) -> tuple[Any, ...]:
        """That of the convolutions."""
        return self.body.initial_state()

    def __call__(self, inputs: VoxelInputs, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[Float[Array, "batch out"], Any]:
        """From a dict of points, see the class, to (batch, out_features), and the new state.

        The other arguments are those of a `Convolutional`.
        """
        positions, channels = self._checked(inputs)
        grid_key = None if key is None else jax.random.fold_in(key, 7)
        if training or self.settings.views == 1:
            values = self.grid(positions, channels, key=grid_key, training=training)
            return self.body(self._patches(values), state=state, key=key, training=training, weight=weight)
        views = _views(self.settings.views)
        seen = jax.lax.map(lambda turn: self.body(self._seen(positions @ turn, channels), state=state)[0], views)
        return jnp.mean(seen, axis=0), self.initial_state() if state is None else state

    def layer_outputs(self, inputs: VoxelInputs, *, state: tuple[Any, ...] | None = None) -> dict[str, Array]:
        """What each layer gives, outside of training: `"grid"` and the layers of the convolutions for the first view,
        then `"output"`, the mean of all views."""
        values = self._seen(*self._checked(inputs))
        return {"grid": values, **self.body.layer_outputs(values, state=state), "output": self(inputs, state=state)[0]}

    def _seen(self, positions: Array, channels: Array) -> Array:
        return self._patches(self.grid.densities(positions, channels))

    def _patches(self, values: Float[Array, "batch size size size channels"]) -> Array:
        """Each patch of voxels as one position."""
        patch, size = self.settings.patch, self.settings.size
        if patch == 1:
            return values
        cut = values.reshape(len(values), *(size // patch, patch) * 3, -1)
        return jnp.transpose(cut, (0, 1, 3, 5, 2, 4, 6, 7)).reshape(len(values), *(size // patch,) * 3, -1)

    def _checked(self, inputs: VoxelInputs) -> tuple[Array, Array]:
        wanted = {"positions": 3, "channels": self.settings.channels}
        if not isinstance(inputs, Mapping) or not wanted.keys() <= inputs.keys():
            found = ", ".join(map(repr, inputs)) if isinstance(inputs, Mapping) else type(inputs).__name__
            raise ShapeError(f"`Voxel` expected a dict of 'positions' and 'channels', got {found}.",
                             "pass {'positions': (batch, points, 3), 'channels': (batch, points, channels)}")
        for name, size in wanted.items():
            if jnp.ndim(inputs[name]) != 3 or jnp.shape(inputs[name])[2] != size:
                raise ShapeError(f"`Voxel` expected {name!r} of shape (batch, points, {size}), got "
                                 f"{jnp.shape(inputs[name])}.", "build the network for as many channels as there are")
        kind = self.body.output.weight.dtype
        return jnp.asarray(inputs["positions"], kind), jnp.asarray(inputs["channels"], kind)

    def parts(self) -> Parts:
        """The grid as the inputs, then the layers of the convolutions."""
        return self.body.parts()

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        body = self.body.spec()
        out_features = body.pop("out_features")
        del body["network"], body["in_shape"]
        return {"network": "voxel", **asdict(self.settings), "out_features": out_features, "body": body}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Voxel:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


def _views(count: int) -> Float[Array, "views 3 3"]:
    """Turns that are always the same: none, then quaternions spread over the sphere by golden ratios."""
    place = jnp.arange(1, count)[:, None] * jnp.array([0.618034, 0.414214, 0.732051]) % 1
    radius, angle = jnp.sqrt(place[:, 0]), 2 * jnp.pi * place[:, 1:]
    rest = jnp.sqrt(1 - place[:, 0])
    turned = jnp.stack([rest * jnp.sin(angle[:, 0]), rest * jnp.cos(angle[:, 0]), radius * jnp.sin(angle[:, 1]),
                        radius * jnp.cos(angle[:, 1])], axis=1)
    return turn_matrices(jnp.concatenate([jnp.array([[1.0, 0.0, 0.0, 0.0]]), turned]))
