"""Points in space turned into densities on a grid, as they lie or turned at random."""
from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import positive, whole_number
from pellucid.nn._random import normal, subkeys, uniform

WHOLE = 180.0


class VoxelGrid(eqx.Module):
    """Each point becomes a bell curve around itself; points of one channel add up: ρ(x) = Σₐ exp(-|x - xₐ|² / 2w²).

    While training, each row is turned around the origin and moved by its own chance. A bell curve is the product of
    one along each axis, so that the work is one matrix product for each row.

    Args:
        size: voxels along each axis of the cube, whose middle is the origin.
        spacing: the edge of a voxel, in the unit of the positions (Ångström for molecules), above 0.
        width: w, the standard deviation of the bell curve in that unit, above 0.
        turn: the most by which a row is turned, in degrees from 0 to 180; 180 stands for any turn, all alike likely.
        shift: the most by which a row is moved along each axis, in that unit, at least 0.

    Raises:
        SettingsError: for a number out of its range, or when called for training without a key.
        ShapeError: when called with other shapes.

    Example:
        >>> VoxelGrid(8)(jnp.zeros((5, 1, 3)), jnp.ones((5, 1, 2)), key=None, training=False).shape
        (5, 8, 8, 8, 2)

    Source: Wallach, Dzamba & Heifets 2015 (AtomNet); Ragoza et al. 2017 (densities, random turns).
    """

    size: int = eqx.field(static=True)
    spacing: float = eqx.field(static=True)
    width: float = eqx.field(static=True)
    turn: float = eqx.field(static=True)
    shift: float = eqx.field(static=True)

    def __init__(self, size: int, *, spacing: float = 1.0, width: float = 0.8, turn: float = WHOLE,
                 shift: float = 0.5) -> None:
        self.size = whole_number("VoxelGrid", "size", size)
        self.spacing, self.width = (positive("VoxelGrid", name, value) for name, value in (("spacing", spacing),
                                                                                           ("width", width)))
        self.turn, self.shift = float(turn), float(shift)
        for name, value, most in (("turn", self.turn, WHOLE), ("shift", self.shift, math.inf)):
            if not 0 <= value <= most:
                raise SettingsError(f"`VoxelGrid` got {name}={value:g}; expected a number from 0"
                                    f"{f' to {most:g}' if most < math.inf else ' on'}.", f"leave {name} out, or pass 0")

    def __call__(self, positions: Float[Array, "batch points 3"], channels: Float[Array, "batch points channels"], *,
                 key: jax.Array | None, training: bool) -> Float[Array, "batch size size size channels"]:
        """From positions, and how much each point gives to each channel, to densities."""
        if jnp.ndim(positions) != 3 or positions.shape[2] != 3 or positions.shape[:2] != channels.shape[:2]:
            raise ShapeError(f"`VoxelGrid` got positions {jnp.shape(positions)} and channels {jnp.shape(channels)}; "
                             "expected (batch, points, 3) and (batch, points, channels).", "pass both of the same rows")
        if training and (self.turn or self.shift):
            if key is None:
                raise SettingsError("`VoxelGrid` needs a random key while training.",
                                    "pass key=jax.random.key(seed), or training=False")
            positions = self._moved(positions, key)
        return self.densities(positions, channels)

    def _moved(self, positions: Array, key: jax.Array) -> Array:
        turn_key, shift_key = subkeys(key, 2)
        rows = len(positions)
        shift = self.shift * uniform(shift_key, (rows, 1, 3), -1.0, 1.0)
        return jnp.einsum("bpi,bij->bpj", positions, random_turns(turn_key, rows, self.turn)) + shift

    def densities(self, positions: Float[Array, "batch points 3"],
                  channels: Float[Array, "batch points channels"]) -> Float[Array, "batch size size size channels"]:
        """The densities of points as they lie."""
        batch, size = len(positions), self.size
        middles = self.spacing * (np.arange(size) - (size - 1) / 2)
        away = (positions[..., None] - middles) / self.width  # batch points 3 size
        bells = jnp.exp(-0.5 * jnp.square(away))
        floor = (bells[:, :, 0, :, None] * bells[:, :, 1, None, :]).reshape(batch, -1, size * size)
        upright = (bells[:, :, 2, :, None] * channels[:, :, None, :].astype(bells.dtype)).reshape(
            batch, positions.shape[1], -1)
        return jnp.einsum("bpf,bpu->bfu", floor, upright).reshape(batch, size, size, size, -1)


def random_turns(key: jax.Array, count: int, most: float) -> Float[Array, "count 3 3"]:
    """Matrices that turn around a random axis: by any angle, all turns alike likely, or by up to `most` degrees."""
    first, second = subkeys(key, 2)
    if most >= WHOLE:
        quaternion = normal(first, (count, 4))
    else:
        axis = normal(first, (count, 3))
        axis = axis / jnp.linalg.norm(axis, axis=1, keepdims=True)
        half = uniform(second, (count, 1)) * math.radians(most) / 2
        quaternion = jnp.concatenate([jnp.cos(half), jnp.sin(half) * axis], axis=1)
    return turn_matrices(quaternion)


def turn_matrices(quaternions: Float[Array, "count 4"]) -> Float[Array, "count 3 3"]:
    """The matrix of each quaternion, of whatever length."""
    w, x, y, z = jnp.moveaxis(quaternions / jnp.linalg.norm(quaternions, axis=1, keepdims=True), 1, 0)
    rows = ((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
            (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
            (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)))
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)
