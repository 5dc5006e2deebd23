"""Paths that know where things are, beside an encoder."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError
from pellucid.features.views import block_side, resampled, shrunken
from pellucid.networks import Composite, Convolutional, Tabular
from pellucid.networks.describe import describe
from pellucid.networks.places import Places, View

KEY, RANDOM = jax.random.key(0), np.random.default_rng(0)


@pytest.mark.parametrize(("shape", "most"), [((7, 9, 1), 20), ((8, 8, 3), 48), ((4, 4, 1), 16)])
def test_blocks_are_what_plain_methods_see(shape, most):
    pixels = RANDOM.integers(0, 256, (5, *shape)).astype(np.uint8)
    seen = View("blocks", block_side(shape, most))(pixels)
    np.testing.assert_allclose(seen, shrunken(pixels, most).reshape(5, -1), atol=1e-6)


def test_points_are_what_plain_methods_see():
    values, lengths = RANDOM.normal(size=(4, 9, 2)).astype(np.float32), np.array([9, 1, 4, 7], np.int32)
    seen = np.asarray(View("points", 6)({"values": values, "lengths": lengths})).reshape(4, 6, 2)
    np.testing.assert_allclose(seen, np.stack(resampled(values, lengths, 6), axis=1), atol=1e-6)


def test_a_path_adds_to_the_outputs_of_the_encoder():
    encoder, pixels = Convolutional((4, 4, 1), (3,), 2, key=KEY), RANDOM.integers(0, 256, (5, 4, 4, 1)).astype(np.uint8)
    path = Places(View("blocks", 2), Tabular(4, (), 2, key=KEY))
    rows = {"numbers": jnp.zeros((5, 0)), "codes": jnp.zeros((5, 0), jnp.int32), "columns": ({"pixels": pixels},)}
    alone, both = Composite([encoder]), Composite([encoder], path=path)
    outputs = both(rows, state=both.initial_state())[0]
    np.testing.assert_allclose(outputs, alone(rows, state=alone.initial_state())[0] + path(pixels),
                               atol=1e-5)
    maps, rest = both.last_maps(rows, 0)
    np.testing.assert_allclose(rest(maps), outputs, atol=1e-5)
    np.testing.assert_allclose(both.layer_outputs(rows)["output"], outputs, atol=1e-5)
    only = Composite([encoder], path=Places(path.view, path.table, alone=True))
    np.testing.assert_allclose(only(rows, state=only.initial_state())[0], path(pixels), atol=1e-6)
    assert describe(only).flops < describe(both).flops and describe(only).synapses == describe(both).synapses


def test_wrong_views_and_paths_beside_a_body_are_refused():
    with pytest.raises(SettingsError, match="block"):
        View("block", 2)
    body, path = Tabular(2, (), 1, key=KEY), Places(View("points", 2), Tabular(2, (), 1, key=KEY))
    with pytest.raises(SettingsError, match="a body has|the body has"):
        Composite([Convolutional((4, 4, 1), (3,), 2, key=KEY)], body, path=path)
