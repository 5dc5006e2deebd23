"""`pellucid.fit`: every optimiser learns, decay and clipping do what they say, odd input is told."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pellucid
from pellucid.core.names import OPTIMISERS
from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.losses import losses
from pellucid.training.descent import descent, one_member
from pellucid.training.objectives import Supervised
from pellucid.training.optimisers import Optimiser, optimisers
from pellucid.training.program import Batch, Moment


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_learns(tiny, toy, name):
    """Steps of the program that `fit` trains by, without what is around them, which is the same for all."""
    rate = {"adadelta": 1.0, "lbfgs": 1.0, "lion": 0.01}.get(name, 0.05)
    program, state = descent(one_member(tiny(hidden=())), Supervised(losses["mean_squared"]), Optimiser(name))
    batch = Batch(*toy, np.ones(120, np.float32), np.arange(120))

    @jax.jit
    def errors(state):
        def step(state, iteration):
            state, measured = program.step(state, batch, Moment(jax.random.key(0), iteration, iteration, rate))
            return state, measured["error"][0] / measured["error"][1]
        return jax.lax.scan(step, jax.tree.map(lambda leaf: leaf[0], state), jnp.arange(150))[1]

    found = np.asarray(errors(state))
    assert found[-1] < (1e-6 if name == "lbfgs" else 0.5) * found[0] and np.isfinite(found).all()


@pytest.mark.parametrize("name", ["lbfgs", "adamw"])
def test_fit_learns(tiny, toy, name):
    rate = 1.0 if name == "lbfgs" else 0.05
    fit = pellucid.fit(tiny(hidden=()), "mean_squared", toy, optimiser=name, learning_rate=rate, weight_decay=0.0,
                       epochs=60, batch_size=40)
    errors = [epoch.training_error for epoch in fit.history.epochs]
    assert errors[-1] < 0.5 * errors[0] and fit.history.failures == (0,)
    if name == "lbfgs":
        assert errors[-1] < 1e-6 and fit.history.epochs[-1].iteration == 60


def test_names_and_optimisers_agree():
    assert tuple(optimisers) == OPTIMISERS


def test_adam_is_optax_adam():
    ours, theirs = Optimiser("adam", (("b2", 0.99),)).direction(), optax.scale_by_adam(b2=0.99)
    weights = jnp.zeros(5)
    one, other = ours.init(weights), theirs.init(weights)
    for step in range(20):
        gradient = jnp.sin(jnp.arange(5.0) * (step + 1)) * 10.0 ** jnp.arange(-6, 4, 2)
        first, one = ours.update(gradient, one)
        second, other = theirs.update(gradient, other)
        np.testing.assert_allclose(first, second, rtol=2e-5)


def test_weight_decay_leaves_biases_alone(tiny):
    x = np.zeros((8, 3), np.float32)  # no gradient reaches the weights
    network = tiny()
    fit = pellucid.fit(network, "mean_squared", (x, np.zeros((8, 1))), optimiser="sgd", learning_rate=0.1,
                       weight_decay=0.5, epochs=3, batch_size=8)
    before, after = network.hidden[0].dense, fit.network.hidden[0].dense
    np.testing.assert_allclose(after.weight, before.weight * 0.95**3, rtol=1e-5)
    np.testing.assert_array_equal(after.bias, before.bias)


def test_a_clipped_step_is_no_longer_than_allowed(tiny, toy):
    network = tiny(hidden=())
    fit = pellucid.fit(network, "mean_squared", (toy[0], 1000 * toy[1]), optimiser="sgd", learning_rate=1.0, clip=0.01,
                       epochs=1, batch_size=120)
    moved = jax.tree.map(lambda a, b: np.asarray(a - b).ravel(), (fit.network.output.weight, fit.network.output.bias),
                         (network.output.weight, network.output.bias))
    assert np.linalg.norm(np.concatenate(moved)) == pytest.approx(0.01, rel=1e-3)


def test_the_running_average_of_the_weights_is_kept(tiny, toy):
    settings = {"optimiser": "sgd", "learning_rate": 0.05, "batch_size": 120}

    def after(epochs, **more):
        fit = pellucid.fit(tiny(hidden=()), "mean_squared", toy, **settings, **more, epochs=epochs)
        return np.asarray(fit.network.output.weight)

    expected = after(0)
    for step in range(5):
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * after(step + 1)
    np.testing.assert_allclose(after(5, average=0.5), expected, rtol=1e-5)


def test_divergence_is_survived_and_told(tiny, toy):
    fit = pellucid.fit(tiny(hidden=()), "mean_squared", toy, validation=toy, optimiser="sgd", learning_rate=900.0,
                       epochs=40, batch_size=8)
    assert fit.history.failures[0] > 0
    assert np.isfinite(fit.predict(toy[0])).all()
    assert any("not finite" in sentence for sentence in fit.diagnosis)


def test_validation_chooses_the_weights(tiny, toy):
    x, y = toy
    held_out = (x[80:], y[80:])
    fit = pellucid.fit(tiny(), "mean_squared", (x[:80], y[:80]), validation=held_out, epochs=10, patience=3,
                       optimiser="adam", learning_rate=0.05)
    best = fit.history.best_error[0]
    assert np.mean((fit.predict(held_out[0]) - held_out[1]) ** 2) == pytest.approx(best, rel=1e-4)
    assert best == pytest.approx(min(epoch.validation_error for epoch in fit.history.epochs))


@pytest.mark.parametrize("key", [0, 7, 2**40, -1, np.int64(3)])
def test_keys_and_integers_are_seeds(tiny, toy, key):
    assert pellucid.fit(tiny(hidden=()), "mean_squared", toy, key=key, epochs=1).ending == "finished"


def test_equal_keys_give_equal_weights(tiny, toy):
    fits = [pellucid.fit(tiny(hidden=()), "mean_squared", toy, key=key, epochs=2)
            for key in (jax.random.key(1), jax.random.key(1), jax.random.key(2))]
    weights = [np.asarray(fit.network.output.weight) for fit in fits]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


@pytest.mark.parametrize(("change", "error", "words"), [
    (lambda x, y: (x[:50], y), ShapeError, "rows"),
    (lambda x, y: (x, y, np.ones(3)), ShapeError, "rows"),
    (lambda x, y: x, ShapeError, "expected .inputs, targets"),
    (lambda x, y: (x[:, :2], y), ShapeError, "in_features"),
    (lambda x, y: (np.where(x > 2, np.nan, x), y), DataError, "not finite"),
    (lambda x, y: (x, y * np.inf), DataError, "not finite"),
    (lambda x, y: (x * 1e30 * 1e30, y), DataError, "not finite"),
    (lambda x, y: (x, y, np.zeros(120)), DataError, "weights"),
    (lambda x, y: (x, y, -np.ones(120)), DataError, "weights"),
])
@pytest.mark.filterwarnings("ignore:overflow")
def test_odd_data_are_told(tiny, toy, change, error, words):
    with pytest.raises(error, match=words):
        pellucid.fit(tiny(), "mean_squared", change(np.asarray(toy[0], np.float64), toy[1]), epochs=1)


@pytest.mark.parametrize("settings", [
    {"epochs": -1}, {"batch_size": 0}, {"optimiser": "adamm"}, {"learning_rate": 0}, {"learning_rate": "find"},
    {"epoch": 3}, {"schedule": "cosin"}, {"clip": -1}, {"patience": 0}, {"weight_decay": -1}])
def test_odd_settings_are_told(tiny, toy, settings):
    with pytest.raises(SettingsError) as caught:
        pellucid.fit(tiny(), "mean_squared", toy, **settings)
    assert caught.value.hint


def test_batch_statistics_ignore_padding():
    """5 rows in batches of 4 leave a batch of one row and three copies at weight 0: the error must stay finite."""
    rng = np.random.default_rng(0)
    network = pellucid.networks.Feedforward(3, (4,), 1, normalisation="batch", key=jax.random.key(0))
    fit = pellucid.fit(network, "mean_squared", (rng.normal(size=(5, 3)), rng.normal(size=(5, 1))), epochs=3,
                       batch_size=4)
    assert fit.history.failures == (0,) and np.isfinite(fit.predict(np.zeros((2, 3), np.float32))).all()
