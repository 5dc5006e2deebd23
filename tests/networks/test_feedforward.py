"""The feed-forward network: values, options, errors."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Feedforward, PerExample, build

KEY = jax.random.key(0)


def test_values():
    network, x = Feedforward(3, (4, 5), 2, key=KEY), np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    hidden = x
    for block in network.hidden:
        hidden = np.maximum(0, hidden @ np.asarray(block.dense.weight) + np.asarray(block.dense.bias))
    expected = hidden @ np.asarray(network.output.weight) + np.asarray(network.output.bias)
    np.testing.assert_allclose(network(x)[0], expected, rtol=1e-5, atol=1e-6)


def test_initialisers_follow_the_activation():
    assert Feedforward(3, (4,), 2, activation="selu", key=KEY).settings.initialiser == "lecun_normal"
    network = Feedforward(3, (4,), 2, activation="Swish", initialiser="xavier", output_initialiser="zeros", key=KEY)
    assert network.settings.activation == "silu" and network.settings.initialiser == "glorot_uniform"
    assert not network.output.weight.any()


def test_skip_starts_as_nothing():
    x = jnp.ones((2, 3))
    with_skip, without = Feedforward(3, (4,), 2, skip=True, key=KEY), Feedforward(3, (4,), 2, key=KEY)
    assert not with_skip.skip.weight.any() and with_skip.skip.bias is None
    assert with_skip(x)[0].shape == without(x)[0].shape


def test_one_size_is_one_layer():
    assert Feedforward(3, 4, 2, key=KEY).settings.hidden == (4,)


def test_output_activation():
    output, _ = Feedforward(3, (4,), 2, output_activation="softmax", key=KEY)(jnp.ones((5, 3)))
    np.testing.assert_allclose(output.sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("options", [
    {"in_features": 0}, {"hidden": (4, 0)}, {"hidden": "64"}, {"hidden": (2.5,)}, {"out_features": 0},
    {"activation": "rellu"}, {"initialiser": "glorrot"}, {"dropout": 1}, {"normalisation": "bach"},
])
def test_settings_errors(options):
    with pytest.raises(SettingsError, match="hint:"):
        Feedforward(**{"in_features": 3, "hidden": (4,), "out_features": 2} | options, key=KEY)


@pytest.mark.parametrize("shape", [(2, 4), (3,), (2, 3, 3)])
def test_shape_errors(shape):
    with pytest.raises(ShapeError, match=r"\(batch, 3\)"):
        Feedforward(3, (4,), 2, key=KEY)(jnp.ones(shape))


def test_build_errors():
    with pytest.raises(SettingsError, match="Unknown network"):
        build({"network": "perceptron"}, key=KEY)
    with pytest.raises(SettingsError, match="does not fit"):
        build({"network": "feedforward", "hidden": []}, key=KEY)
    with pytest.raises(SettingsError, match="networks.load"):
        build(PerExample(jnp.tanh).spec(), key=KEY)
