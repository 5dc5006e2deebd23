"""Activation functions: names, ranges, derivatives, warnings."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.core.names import ACTIVATIONS
from pellucid.errors import SettingsError
from pellucid.nn import activate, activations, range_warning

VECTOR = ("softmax", "log_softmax")
GRID = np.concatenate([np.linspace(-9.03, 9.04, 200), [-50.0, -1e-3, 1e-3, 50.0]])


def test_the_names_are_those_of_the_settings():
    assert tuple(activations) == ACTIVATIONS


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in VECTOR])
def test_derivative_is_the_gradient(name):
    with jax.enable_x64(True):
        entry, x = activations[name], jnp.asarray(GRID)
        np.testing.assert_allclose(entry.derivative(x), jax.jit(jax.vmap(jax.grad(entry.function)))(x),
                                   rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", VECTOR)
def test_derivative_of_a_vector_function_is_the_diagonal(name):
    with jax.enable_x64(True):
        entry, x = activations[name], jnp.asarray([0.3, -2.0, 1.5])
        np.testing.assert_allclose(entry.derivative(x), jnp.diagonal(jax.jacobian(entry.function)(x)), rtol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_range_holds_and_is_reached(name):
    entry = activations[name]
    values = np.asarray(entry.function(jnp.asarray(np.linspace(-30, 30, 6001)))
                        if name not in VECTOR else entry.function(jnp.asarray(np.linspace(-30, 30, 7))))
    assert values.min() >= entry.low - 1e-5 and values.max() <= entry.high + 1e-5
    if np.isfinite(entry.low):
        assert values.min() < entry.low + 0.05
    if np.isfinite(entry.high):
        assert values.max() > entry.high - 0.05


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_extreme_inputs_stay_finite_in_value_and_gradient(name):
    if name == "exponential":
        pytest.skip("the exponential function overflows, as it must")
    x = jnp.asarray([-1e4, -100.0, 0.0, 100.0, 1e4])
    assert np.isfinite(activate(name, x)).all()
    assert np.isfinite(jax.jit(jax.grad(lambda x: jnp.sum(jnp.tanh(activate(name, x) / 1e4))))(x)).all()


def test_every_entry_is_documented():
    for entry in activations.values():
        assert entry.formula and entry.derivative_formula and entry.note.endswith((".", ")"))


def test_aliases_and_unknown_names():
    assert activations["Linear"] is activations["identity"] and activations["leaky relu"].name == "leaky_relu"
    with pytest.raises(SettingsError, match="did you mean.*sigmoid"):
        activate("sigmod", jnp.ones(1))


@pytest.mark.parametrize(("name", "low", "high", "warns"), [
    ("sigmoid", -3, 5, True), ("sigmoid", 0, 1, False), ("tanh", -1, 1, False), ("tanh", 0, 2, True),
    ("relu", -0.1, 5, True), ("relu", 0, 1e9, False), ("identity", -1e30, 1e30, False), ("softplus", -1, 1, True),
])
def test_range_warning(name, low, high, warns):
    warning = range_warning(name, low, high)
    assert (warning is not None) == warns
    if warns:
        assert name in warning and f"{low:.4g}" in warning and f"{high:.4g}" in warning
