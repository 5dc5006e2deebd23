"""The mixture against SciPy, in both views, and what its columns add up to."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import pellucid
from pellucid import objectives
from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Mixture

ROWS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    return Mixture(3, units=4, widths=(0.5, 2.0), turned=True, key=jax.random.key(0))


def by_scipy(network, rows, width, view=0):
    scale = np.sqrt(np.exp(network.spread[view]) + width**2)
    each = norm.logpdf(rows[:, None], np.asarray(network.weight[view]), scale).sum(axis=2)
    return -logsumexp(each - np.log(len(network.weight[view])), axis=1)


def test_surprise_is_that_of_scipy(network):
    output, _ = network(ROWS)
    expected = [by_scipy(network, ROWS, width, view) for view in (0, 1) for width in (0.5, 2.0)]
    np.testing.assert_allclose(output, np.stack(expected, axis=1), rtol=1e-5)


def test_columns_of_a_single_neuron_add_up_to_half_the_squared_distance():
    network = Mixture(3, units=1, widths=(0.5,), key=jax.random.key(0))
    found = network.column_surprise(ROWS, np.eye(3, dtype=np.float32))
    expected = 0.5 * (ROWS - np.asarray(network.weight[0])) ** 2 / (1 + 0.25)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_it_learns_where_rows_lie():
    generator = np.random.default_rng(1)
    rows = np.concatenate([generator.normal(size=(200, 2)) * 0.3 + 3, generator.normal(size=(200, 2)) * 0.3 - 3])
    network = Mixture(2, units=4, key=jax.random.key(0))
    fit = pellucid.fit(network, objectives.Density(0.3), rows.astype(np.float32), epochs=20, batch_size=100,
                       learning_rate=0.05, optimiser="adam")
    inside, between = (fit.network.surprise(jnp.array([place], jnp.float32), 0.3).mean() for place in ([3, 3], [0, 0]))
    assert inside + 3 < between


def test_bad_sizes_are_told(network):
    with pytest.raises(ShapeError, match="rows of 3 numbers, got 2"):
        network(ROWS[:, :2])
    with pytest.raises(SettingsError, match="width"):
        Mixture(3, widths=(0.0,), key=jax.random.key(0))
    with pytest.raises(SettingsError, match="no inputs"):
        Mixture(0, key=jax.random.key(0))
