"""Points in space on a grid: densities, random turns, several views."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Voxel
from pellucid.nn import VoxelGrid
from pellucid.nn.voxels import random_turns

KEY = jax.random.key(0)


def test_densities_are_bell_curves_that_add_up():
    positions = np.array([[[0.5, -0.5, 1.5], [1.0, 0.0, 0.0]]], np.float32)
    channels = np.array([[[1, 0], [1, 2]]], np.float32)
    found = VoxelGrid(4, width=0.7)(positions, channels, key=None, training=False)
    middles = np.arange(4) - 1.5
    places = np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1)
    bells = [np.exp(-((places - point) ** 2).sum(-1) / (2 * 0.7**2)) for point in positions[0]]
    expected = np.stack([bells[0] + bells[1], 2 * bells[1]], axis=-1)
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)


def test_turns_are_turns_and_as_large_as_asked_for():
    turns = np.array(random_turns(KEY, 200, 180.0))
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.broadcast_to(np.eye(3), turns.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-5)
    np.testing.assert_allclose(turns.mean(axis=0), 0, atol=0.15)  # any direction goes anywhere
    few = np.array(random_turns(KEY, 200, 20.0))
    angles = np.degrees(np.arccos(np.clip((np.trace(few, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert angles.max() <= 20.1 and angles.max() > 15


def test_patches_lose_nothing_and_views_include_the_molecule_as_it_lies():
    points = {"positions": jnp.array([[[0.2, 1.0, -1.0]]]), "channels": jnp.ones((1, 1, 1))}
    network = Voxel(1, 1, size=4, patch=2, body={"hidden": (2,)}, key=KEY)
    grid = network.grid.densities(points["positions"], points["channels"])
    patches = eqx.filter_jit(network.layer_outputs)(points)["grid"]
    assert patches.shape == (1, 2, 2, 2, 8)
    np.testing.assert_array_equal(patches[0, 1, 0, 1].reshape(2, 2, 2), grid[0, 2:, :2, 2:, 0])


def test_what_does_not_fit_is_told():
    with pytest.raises(SettingsError, match="size=9 and patch=2"):
        Voxel(1, 1, size=9, key=KEY)
    with pytest.raises(SettingsError, match="turn=200"):
        VoxelGrid(4, turn=200)
    with pytest.raises(SettingsError, match="random key"):
        VoxelGrid(4)(jnp.zeros((1, 1, 3)), jnp.ones((1, 1, 1)), key=None, training=True)
    network = Voxel(2, 1, size=4, body={"hidden": (2,)}, key=KEY)
    with pytest.raises(ShapeError, match="'channels' of shape"):
        network({"positions": jnp.zeros((1, 1, 3)), "channels": jnp.ones((1, 1, 1))})
    with pytest.raises(ShapeError, match="expected a dict"):
        network(jnp.zeros((1, 1, 3)))
