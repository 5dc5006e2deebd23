"""Belief networks: layers on top of each other, sampling, fine-tuning, training layer by layer."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import BeliefNetwork, RestrictedBoltzmannMachine
from pellucid.training import pretrain_layers
from pellucid.training.objectives import ContrastiveDivergence

BARS = np.kron(np.eye(4), np.ones((16, 3)))[np.random.default_rng(0).permutation(64)].astype(np.float32)


def test_transform_is_machine_after_machine():
    network = BeliefNetwork(5, (4, 3), key=jax.random.key(0))
    rows = np.random.default_rng(1).random((2, 5))
    first = network.machines[0].hidden_probabilities(rows)
    np.testing.assert_allclose(network.transform(rows, depth=1), first)
    np.testing.assert_allclose(network.transform(rows), network.machines[1].hidden_probabilities(first))
    assert network.sample(3, key=jax.random.key(1), steps=2).shape == (3, 5)
    assert network.reconstruct(rows).shape == (2, 5)


def test_the_feedforward_network_starts_from_the_same_features():
    network = BeliefNetwork(5, (4, 3), key=jax.random.key(0))
    made = network.to_feedforward(2, key=jax.random.key(1), dropout=0.1)
    rows = np.random.default_rng(1).random((2, 5)).astype(np.float32)
    np.testing.assert_allclose(made.layer_outputs(jnp.asarray(rows))["hidden 2"], network.transform(rows), rtol=1e-6)
    assert made.settings.out_features == 2 and made.settings.dropout == 0.1


def test_pretraining_raises_the_likelihood_and_a_second_layer_is_taught_by_the_first():
    network = BeliefNetwork(12, (12, 12), key=jax.random.key(0))  # of one size: one compiled program
    learned = pretrain_layers(network, BARS, epochs=200, learning_rate=0.3, batch_size=16)
    before = network.machines[0].centred_on(BARS).log_likelihood(BARS).mean()
    after = learned.network.machines[0].log_likelihood(BARS).mean()
    assert after > before + 3  # four bars: the best possible is log(1/4) = -1.4
    assert len(learned.fits) == 2
    assert np.abs(np.asarray(learned.network.reconstruct(BARS)) - BARS).mean() < 0.25


def test_persistent_chains_and_held_out_rows():
    machine = RestrictedBoltzmannMachine(12, 6, key=jax.random.key(0))
    fit = pellucid.fit(machine, ContrastiveDivergence(persistent=True, chains=16), BARS, validation=BARS, epochs=200,
                       batch_size=16, optimiser="sgd", learning_rate=0.3)
    assert fit.history.epochs[-1].validation_error < fit.history.epochs[0].validation_error
    assert fit.network.log_likelihood(BARS).mean() > machine.log_likelihood(BARS).mean() + 2
    assert fit.state == ()


@pytest.mark.parametrize(("make", "said"), [
    (lambda: RestrictedBoltzmannMachine(0, 3, key=jax.random.key(0)), "visible=0"),
    (lambda: RestrictedBoltzmannMachine(3, 3, visible_kind="gausian", key=jax.random.key(0)), "gaussian"),
    (lambda: RestrictedBoltzmannMachine(30, 40, key=jax.random.key(0)).log_partition(), "estimate_log_partition"),
    (lambda: BeliefNetwork(3, (), key=jax.random.key(0)), "hidden=()"),
    (lambda: ContrastiveDivergence(steps=0), "steps=0"),
    (lambda: ContrastiveDivergence(persistent=3), "persistent=3"),
    (lambda: pretrain_layers(RestrictedBoltzmannMachine(3, 3, key=jax.random.key(0)), BARS), "BeliefNetwork"),
])
def test_wrong_settings_are_told(make, said):
    with pytest.raises(SettingsError) as caught:
        make()
    assert said in str(caught.value)


def test_a_wrong_shape_is_told():
    with pytest.raises(ShapeError, match="12 numbers a row"):
        RestrictedBoltzmannMachine(12, 3, key=jax.random.key(0))(jnp.ones((2, 4, 4)))
