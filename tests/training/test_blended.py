"""Blending rows and their answers."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import losses
from pellucid.errors import SettingsError
from pellucid.training.objectives import Blended
from pellucid.training.program import Batch


class Passing:
    """Gives the first two numbers of each row, and remembers what it was given."""

    def __call__(self, inputs, *, state, key, training, weight=None):
        self.seen = inputs
        return inputs["pixels"][:, 0], state


def test_rows_and_answers_are_blended_in_the_same_shares():
    network, pixels = Passing(), np.zeros((3, 1, 2), np.uint8)
    pixels[0, 0, 0] = 255
    batch = Batch({"pixels": jnp.asarray(pixels), "codes": jnp.arange(3)}, jnp.array([0, 1, 1]), jnp.ones(3),
                  jnp.arange(3))
    loss = losses.get("cross_entropy")
    found = Blended(loss, 0.4).errors(network, batch, state=(), key=jax.random.key(0))
    own = network.seen["pixels"][0, 0, 0]
    neighbour = network.seen["pixels"][1, 0, 0]
    assert 0.6 < own < 1 and 0 < neighbour < 0.4 and network.seen["codes"].tolist() == [0, 1, 2]
    outputs = network.seen["pixels"][:, 0]
    expected = (1 - neighbour) * loss.per_example(outputs, batch.targets)[1] + neighbour * loss.per_example(
        outputs, jnp.array([0, 0, 0]))[1]
    np.testing.assert_allclose(found.errors[1], expected, rtol=1e-5)
    measured = Blended(loss, 0.4).measure(network, batch._replace(inputs={"pixels": batch.inputs["pixels"] / 255}),
                                          state=(), key=None)
    assert measured.errors.shape == (3,) and network.seen["pixels"][0, 0, 0] == 1


@pytest.mark.parametrize("most", [0.0, 0.6])
def test_shares_out_of_range(most):
    with pytest.raises(SettingsError, match="Blended"):
        Blended(losses.get("cross_entropy"), most)
