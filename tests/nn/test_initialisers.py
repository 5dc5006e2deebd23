"""Initialisers: their distribution, their fans, their seeds."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pellucid.core.names import INITIALISERS
from pellucid.errors import SettingsError, ShapeError
from pellucid.nn import fans, initialise, initialiser_for, initialisers

SHAPE, FAN_IN, FAN_OUT = (200, 300), 200, 300
UNIFORM = {"glorot_uniform": (6 / (FAN_IN + FAN_OUT)) ** 0.5, "he_uniform": (6 / FAN_IN) ** 0.5,
           "lecun_uniform": (3 / FAN_IN) ** 0.5, "uniform": 0.05}
NORMAL = {"glorot_normal": (2 / (FAN_IN + FAN_OUT)) ** 0.5, "he_normal": (2 / FAN_IN) ** 0.5,
          "lecun_normal": (1 / FAN_IN) ** 0.5, "normal": 0.05}


@functools.lru_cache
def draw(name, shape=SHAPE, seed=0):
    """Starting weights as a flat array."""
    return np.asarray(initialise(name, jax.random.key(seed), shape)).ravel()


def test_the_names_are_those_of_the_settings():
    assert tuple(initialisers) == INITIALISERS


@pytest.mark.parametrize(("name", "limit"), UNIFORM.items())
def test_uniform(name, limit):
    assert stats.kstest(draw(name), stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("name", "deviation"), NORMAL.items())
def test_normal(name, deviation):
    assert stats.kstest(draw(name), stats.norm(0, deviation).cdf).pvalue > 1e-3


def test_truncated_normal():
    values = draw("truncated_normal")
    assert abs(values.std() - 0.05) < 1e-3 and abs(values).max() <= 2 * 0.05 / 0.8796 + 1e-6
    assert stats.kstest(values, stats.truncnorm(-2, 2, scale=0.05 / 0.87962566).cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(40, 30), (30, 40), (3, 3, 8, 20)])
def test_orthogonal(shape):
    matrix = np.asarray(initialise("orthogonal", jax.random.key(1), shape)).reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_constants():
    assert (draw("zeros") == 0).all() and (draw("ones") == 1).all()


@pytest.mark.parametrize("name", INITIALISERS)
def test_seeded_and_typed(name):
    assert (draw(name, (5, 7)) == np.asarray(initialise(name, jax.random.key(0), (5, 7))).ravel()).all()
    if name not in ("zeros", "ones"):
        assert (draw(name, (5, 7)) != draw(name, (5, 7), seed=1)).any()
    with jax.enable_x64(True):
        assert initialise(name, jax.random.key(0), (4, 3), dtype=jnp.float64).dtype == jnp.float64


@pytest.mark.parametrize("name", INITIALISERS)
def test_members_equal_single_draws(name):
    keys = jax.random.split(jax.random.key(3), 4)
    members = jax.vmap(lambda key: initialise(name, key, (5, 7)))(keys)
    np.testing.assert_allclose(members[2], initialise(name, keys[2], (5, 7)), atol=1e-6)


def test_fans():
    assert fans((30, 64)) == (30, 64) and fans((3, 5, 16, 32)) == (240, 480)
    assert fans((7,)) == (7, 7) and fans(()) == (1, 1)
    wide = initialise("lecun_normal", jax.random.key(0), (100, 100), fan_in=10_000)
    assert abs(float(wide.std()) - 0.01) < 1e-3


def test_choice_by_activation():
    assert [initialiser_for(name) for name in ("relu", "selu", "tanh", "identity")] == [
        "he_normal", "lecun_normal", "glorot_uniform", "glorot_uniform"]


def test_errors():
    with pytest.raises(SettingsError, match="glorot"):
        initialise("glorott", jax.random.key(0), (2, 2))
    with pytest.raises(ShapeError):
        initialise("orthogonal", jax.random.key(0), (2,))
