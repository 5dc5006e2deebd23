"""Dreams: the pictures excite what they were made for; layers and neurons that are not there are told."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError
from pellucid.explain.dream import Wish, dream
from pellucid.networks import Convolutional

SHAPE = (12, 12, 3)


@pytest.fixture(scope="module")
def network():
    return Convolutional(SHAPE, (4,), 3, residual=True, key=jax.random.key(1))


def test_each_picture_excites_its_neuron(network):
    before = dream(network, Wish("output", (0, 1, 2)), shape=SHAPE, steps=1)
    after = dream(network, Wish("output", (0, 1, 2)), shape=SHAPE, steps=40)
    assert after.shape == (3, *SHAPE) and after.min() >= 0 and after.max() <= 1
    first, last = (np.diag(network(jnp.asarray(pictures))[0]) for pictures in (before, after))
    assert (last > first).all()
    np.testing.assert_array_equal(after, dream(network, Wish("output", (0, 1, 2)), shape=SHAPE, steps=40))


def test_a_photograph_stays_itself(network):
    network = jax.tree.map(lambda leaf: np.asarray(leaf) if hasattr(leaf, "dtype") else leaf, network)  # as in a model
    photograph = np.random.default_rng(0).uniform(0.2, 0.8, SHAPE).astype(np.float32)
    found = dream(network, Wish("hidden 1"), shape=SHAPE, state=network.initial_state(), photograph=photograph,
                  steps=1)[0]
    assert np.corrcoef(found.ravel(), photograph.ravel())[0, 1] > 0.9
    with pytest.raises(SettingsError, match="of shape"):
        dream(network, Wish("hidden 1"), shape=SHAPE, photograph=photograph[:5])


def test_what_is_not_there(network):
    with pytest.raises(SettingsError, match="no layer `hiden 1`"):
        dream(network, Wish("hiden 1"), shape=SHAPE)
    with pytest.raises(SettingsError, match="no neuron 3"):
        dream(network, Wish("output", (3,)), shape=SHAPE)
