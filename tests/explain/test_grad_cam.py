"""Grad-CAM against its definition, in plain NumPy."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.explain.grad_cam import grad_cam, over_regions
from pellucid.networks import Composite, Convolutional, Spectrogram, Tabular


@eqx.filter_jit
def compiled(network, inputs, output):
    return grad_cam(network, inputs, lambda outputs: outputs[:, output])


@eqx.filter_jit
def both(network, inputs):
    """The outputs, and what they are by way of the maps."""
    maps, rest = network.last_maps(inputs)
    return maps, rest(maps), network(inputs)[0]


def by_hand(network, inputs, state, output):
    """Slopes by nudging each number of the maps, in float64."""
    with jax.enable_x64(True):
        flat = np.asarray(both(network, inputs)[0], np.float64)
        ask = eqx.filter_jit(lambda own: network.last_maps(inputs, state=state)[1](own)[:, output])
        slopes = np.zeros_like(flat)
        for place in np.ndindex(flat.shape[1:]):
            up, down = flat.copy(), flat.copy()
            up[:, *place] += 1e-5
            down[:, *place] -= 1e-5
            slopes[:, *place] = (np.asarray(ask(up)) - np.asarray(ask(down))) / 2e-5
    weights = slopes.mean(axis=tuple(range(1, flat.ndim - 1)))
    return np.maximum(np.einsum("b...k,bk->b...", flat, weights), 0)


@pytest.mark.parametrize(("options", "places"), [
    ({"residual": True}, (2, 2)), ({"head": "flat", "dense": (5,)}, (4, 4))])
def test_it_is_what_the_paper_says(options, places):
    with jax.enable_x64(True):
        network = Convolutional((8, 8, 1), (4, 3), 3, normalisation="none", activation="softplus",
                                key=jax.random.key(1), **options)
        network = jax.tree.map(lambda leaf: leaf.astype(np.float64) if leaf.dtype == np.float32 else leaf, network)
        inputs = jnp.asarray(np.random.default_rng(0).random((2, 8, 8, 1)))
        found = np.asarray(compiled(network, inputs, 2))
    assert found.shape == (2, *places) and found.max() > 0
    np.testing.assert_allclose(found, by_hand(network, inputs, network.initial_state(), 2), atol=1e-7)


def test_with_a_mean_over_places_and_one_linear_layer_it_is_the_part_of_each_place_in_the_logit():
    """Section 3.1 of the paper: it generalises class activation maps (Zhou et al. 2016)."""
    network = Convolutional((8, 8, 1), (4,), 3, residual=True, key=jax.random.key(0))
    inputs = jnp.asarray(np.random.default_rng(0).random((2, 8, 8, 1)), jnp.float32)
    maps = both(network, inputs)[0]
    own = np.einsum("bijk,k->bij", np.asarray(maps), np.asarray(network.output.weight)[:, 2]) / 16
    np.testing.assert_allclose(compiled(network, inputs, 2), np.maximum(own, 0), atol=1e-6)


def test_it_looks_into_an_encoder_beside_other_columns_and_into_sound():
    key = jax.random.key(0)
    alone = Convolutional((8, 8, 1), (4,), 3, key=key)
    pixels = jnp.asarray(np.random.default_rng(0).integers(0, 255, (2, 8, 8, 1)).astype(np.uint8))
    single = Composite([alone])
    rows = {"numbers": jnp.ones((2, 2)), "codes": jnp.ones((2, 0), jnp.int32), "columns": ({"pixels": pixels},)}
    np.testing.assert_allclose(compiled(single, rows, 0), compiled(alone, pixels, 0), atol=1e-7)
    sound = Spectrogram(2000, 8000, 3, hidden=(4, 5), key=key)
    heard = {"samples": jnp.ones((2, 2000), jnp.int16), "lengths": jnp.array([2000, 900])}
    for network, inputs in ((Composite([alone], Tabular(5, (), 1, key=key)), rows), (sound, heard)):
        maps, again, outputs = both(network, inputs)
        np.testing.assert_allclose(again, outputs, rtol=1e-6)
        assert compiled(network, inputs, 0).shape == maps.shape[:3]


def test_regions_share_the_map_by_their_pixels():
    places = np.repeat(np.repeat(np.arange(4).reshape(2, 2), 4, axis=0), 4, axis=1)
    found = over_regions(np.array([[8.0, 0.0], [0.0, 0.0]]), places, 4)
    assert found.argmax() == 0 and found[3] == found.min() and np.isclose(found.sum(), 8.0 * 16)
