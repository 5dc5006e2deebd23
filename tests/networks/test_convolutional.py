"""The convolutional network: its stages, its saving of weights, its errors."""
import jax
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Convolutional, describe

KEY = jax.random.key(0)


def test_it_saves_weights_against_dense_layers():
    network = Convolutional((28, 28, 1), (32, 64), 10, key=KEY)
    dense = 28 * 28 * 28 * 28 * 32 + 14 * 14 * 32 * 14 * 14 * 64
    assert network.weight_saving == pytest.approx(dense / (9 * 32 + 9 * 32 * 64))
    rows = {row.name: row for row in describe(network).rows}
    assert rows["hidden 1"].output == (28, 28, 32) and rows["hidden 2"].synapses == 9 * 32 * 64
    assert rows["hidden 2"].flops >= 2 * 9 * 32 * 64 * 14 * 14
    assert rows["output"].synapses == 7 * 7 * 64 * 10


def test_a_residual_block_starts_by_passing_on():
    network = Convolutional((8, 8, 1), (4,), 3, residual=True, depth=2, key=KEY)
    names = ["hidden 1", "pooling 1", "residual 1.1", "residual 1.2", "output"]
    image = np.random.default_rng(0).random((2, 8, 8, 1)).astype(np.float32)
    values = jax.jit(lambda image: [network.layer_outputs(image)[name] for name in names])(image)
    np.testing.assert_array_equal(values[1], values[3])
    assert list(jax.eval_shape(network.layer_outputs, image)) == sorted(names)


def test_integers_are_shares_of_255():
    network = Convolutional((4, 4, 1), (3,), 2, key=KEY)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 1)).astype(np.uint8)
    whole, parts = jax.jit(lambda a, b: (network(a)[0], network(b)[0]))(pixels, (pixels / 255).astype(np.float32))
    np.testing.assert_allclose(whole, parts, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{"in_shape": (28,)}, {"hidden": ()}, {"hidden": 3}, {"depth": 0}, {"head": "mean"},
                                     {"normalisation": "bach"}, {"dropout": 1}, {"augmentation": {"shift": -1}}])
def test_wrong_options(options):
    given = {"in_shape": (4, 4, 1), "hidden": (3,), "out_features": 2} | options
    with pytest.raises(SettingsError):
        Convolutional(**given, key=KEY)


def test_wrong_inputs():
    with pytest.raises(ShapeError, match=r"\(batch, 4, 4, 1\)"):
        Convolutional((4, 4, 1), (3,), 2, key=KEY)(np.ones((3, 4, 4), np.float32))
