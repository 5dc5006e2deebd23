"""Generator against discriminator: penalties and gradients against a second-order reference, and a ring of modes."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Adversarial
from pellucid.nn import trainable
from pellucid.training.objectives import RelativisticPairing
from pellucid.training.program import Batch

MODES = 8
RANDOM = np.random.default_rng(0)


def two_layers(weights, x, labels):
    """The discriminator for rows, written out: leaky rectifiers, a logit, and the inner product with the class."""
    first, second = x @ weights["a"] + weights["b"], None
    first = np.where(first > 0, first, 0.01 * first)
    second = first @ weights["c"] + weights["d"]
    last = np.where(second > 0, second, 0.01 * second)
    slopes = np.where(first > 0, 1, 0.01), np.where(second > 0, 1, 0.01)
    direction = weights["out"] + weights["vectors"][labels]  # what the logit is of the last layer
    logit = np.sum(last * direction, axis=1) + weights["bias"]
    gradient = ((direction * slopes[1]) @ weights["c"].T * slopes[0]) @ weights["a"].T
    return logit, gradient


def plain_weights(network):
    judge = network.discriminator
    (a, b), (c, d) = ((stage.layer.weight, stage.layer.bias) for stage in judge.hidden)
    names = {"a": a, "b": b, "c": c, "d": d, "out": judge.output.weight[:, 0], "bias": judge.output.bias[0],
             "vectors": judge.vectors}
    return {name: np.asarray(value, np.float64) for name, value in names.items()}


def test_errors_and_their_gradient_are_those_of_the_formula_in_float64():
    with jax.enable_x64(True):
        network = Adversarial((3,), (6, 5), noise=2, classes=2, output="number", key=jax.random.key(0))
        network = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), network)
        real, labels = RANDOM.normal(size=(8, 3)), RANDOM.integers(0, 2, 8)
        weight = np.array([1, 1, 1, 1, 1, 1, 0.5, 0])
        batch = Batch({"values": jnp.asarray(real), "labels": jnp.asarray(labels)}, (), jnp.asarray(weight), None)
        objective, key = RelativisticPairing(penalty=0.7, penalised=0.5, class_pull=0.4), jax.random.key(1)
        parameters, rest = eqx.partition(network, trainable(network))

        def mean_error(parameters):
            assessed = objective.errors(eqx.combine(parameters, rest), batch, state=(), key=key)
            return jnp.sum(assessed.errors * batch.weight) / jnp.sum(batch.weight), assessed

        (value, assessed), gradient = jax.jit(jax.value_and_grad(mean_error, has_aux=True))(parameters)
        made = np.asarray(network.generate(network.noise(key, 8), jnp.asarray(labels)))

        def discriminator_error(weights):
            """Of the discriminator alone, by NumPy, but for the classes, which do not depend on the weights asked."""
            (d_real, slope_real), (d_made, slope_made) = (two_layers(weights, x, labels) for x in (real, made))
            slope = np.sum(slope_real**2 + slope_made**2, axis=1)
            return (np.sum(np.logaddexp(0, d_made - d_real) * weight) / weight.sum()
                    + 0.35 * np.sum((slope * weight)[:4]) / weight[:4].sum()), d_real - d_made, slope

        weights = plain_weights(network)
        _, lead, slope = discriminator_error(weights)
        np.testing.assert_allclose(assessed.also["lead"], lead, rtol=1e-10)
        np.testing.assert_allclose(assessed.also["slope"][:4], slope[:4] * weight.sum() / weight[:4].sum(), rtol=1e-10)
        np.testing.assert_allclose(assessed.also["slope"][4:], 0)
        np.testing.assert_allclose(assessed.also["generator"], np.logaddexp(0, lead), rtol=1e-10)
        # by each kind of weight of the discriminator, against finite differences of the discriminator's own error:
        # a gradient of the generator's error would show here
        for name, found in (("out", gradient.discriminator.output.weight[:, 0]),
                            ("vectors", gradient.discriminator.vectors)):
            way = RANDOM.normal(size=weights[name].shape)
            ahead, behind = (discriminator_error(weights | {name: weights[name] + step * way})[0]
                             for step in (1e-6, -1e-6))
            np.testing.assert_allclose(np.sum(np.asarray(found) * way), (ahead - behind) / 2e-6, rtol=1e-6)
        assert np.isfinite(float(value))
        assert all(np.any(leaf) for leaf in jax.tree.leaves(gradient.generator))


def ring(rows):
    angle = 2 * np.pi * np.arange(rows) / MODES
    places = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (places + RANDOM.normal(size=(rows, 2)) * 0.05).astype(np.float32)


def test_a_ring_of_modes_is_learned_with_all_modes_alive():
    network = Adversarial((2,), (64, 64), noise=4, output="number", key=jax.random.key(0))
    objective = RelativisticPairing(penalty=0.3, penalised=1.0)
    fit = pellucid.fit(network, objective, ring(2000), epochs=250, batch_size=128, average=0.99, learning_rate=2e-3,
                       optimiser="rmsprop", schedule="cosine")
    made = fit.network.sample(1000, key=jax.random.key(1))
    turn = np.arctan2(made[:, 1], made[:, 0]) * MODES / (2 * np.pi)
    mode = np.round(turn).astype(int) % MODES
    centre = 2 * np.stack([np.cos(mode * 2 * np.pi / MODES), np.sin(mode * 2 * np.pi / MODES)], axis=1)
    apart = np.linalg.norm(made - centre, axis=1)
    assert np.bincount(mode, minlength=MODES).min() > 60  # 125 each on average
    assert np.mean(apart < 0.3) > 0.6
    assert {"lead", "slope", "generator", "discriminator"} <= set(fit.history.members)


def test_samples_and_walks_for_images_with_classes():
    network = eqx.filter_jit(lambda key: Adversarial((5, 4, 1), (3,), noise=3, classes=3, key=key))(jax.random.key(0))
    made = network.sample(5, labels=[0, 1, 2, 0, 0], key=jax.random.key(1))
    assert made.shape == (5, 5, 4, 1) and made.min() >= 0 and made.max() <= 1
    np.testing.assert_array_equal(made, network.sample(5, labels=[0, 1, 2, 0, 0], key=jax.random.key(1)))
    way = network.walk(4, labels=(0, 2), key=jax.random.key(2))
    assert way.shape == (4, 5, 4, 1)
    verdict = eqx.filter_jit(network.judge)((made * 255).astype(np.uint8), np.zeros(5, np.int32))
    assert verdict.logit.shape == (5,) and verdict.classes.shape == (5, 3)
    with pytest.raises(ShapeError, match="3 classes"):
        network.sample(2, labels=3, key=jax.random.key(1))
    with pytest.raises(ShapeError, match="no labels"):
        network.judge(made)
    with pytest.raises(SettingsError, match="penalised"):
        RelativisticPairing(penalised=0.0)
    with pytest.raises(SettingsError, match="output"):
        Adversarial((2,), output="pixels", key=jax.random.key(0))
