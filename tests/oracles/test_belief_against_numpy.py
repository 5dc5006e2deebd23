"""Restricted Boltzmann machines against NumPy by enumeration, the classical update, and scikit-learn."""
import itertools
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

from pellucid.networks import RestrictedBoltzmannMachine
from pellucid.training.objectives import ContrastiveDivergence
from pellucid.training.program import Batch

RANDOM = np.random.default_rng(4)
WEIGHT, VISIBLE, HIDDEN = RANDOM.normal(size=(5, 4)), RANDOM.normal(size=5), RANDOM.normal(size=4)
ROWS = RANDOM.random((7, 5))
STATES = np.array(list(itertools.product((0.0, 1.0), repeat=5)))
HIDDEN_STATES = np.array(list(itertools.product((0.0, 1.0), repeat=4)))


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def machine_of(kind="binary"):
    made = RestrictedBoltzmannMachine(5, 4, visible_kind=kind, key=jax.random.key(0))
    return eqx.tree_at(lambda m: (m.weight, m.visible_bias, m.hidden_bias), made,
                       tuple(jnp.asarray(array) for array in (WEIGHT, VISIBLE, HIDDEN)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def energies(visible, hidden):
    return -visible @ VISIBLE[:, None] - (hidden @ HIDDEN)[None] - visible @ WEIGHT @ hidden.T


def test_probabilities_energies_and_likelihood_by_enumeration():
    joint, one = energies(ROWS, HIDDEN_STATES), HIDDEN_STATES[[3] * 7]

    @jax.jit
    def computed(machine):
        return (machine.free_energy(ROWS), machine.hidden_probabilities(ROWS), machine.energy(ROWS, one),
                machine.visible_means(HIDDEN_STATES), machine.log_partition(), machine.log_likelihood(STATES))

    free, hidden, energy, visible, total, likelihood = computed(machine_of())
    np.testing.assert_allclose(free, -np.log(np.exp(-joint).sum(1)), rtol=1e-10)
    shares = np.exp(-joint) / np.exp(-joint).sum(1, keepdims=True)
    np.testing.assert_allclose(hidden, shares @ HIDDEN_STATES, rtol=1e-10)
    np.testing.assert_allclose(energy, joint[:, 3], rtol=1e-10)
    given = np.exp(-energies(STATES, HIDDEN_STATES))
    np.testing.assert_allclose(visible, (given / given.sum(0)).T @ STATES, rtol=1e-10)
    np.testing.assert_allclose(total, np.log(given.sum()), rtol=1e-10)
    np.testing.assert_allclose(np.exp(likelihood).sum(), 1, rtol=1e-10)


@pytest.mark.parametrize("kind", ["binary", "gaussian"])
def test_annealed_importance_sampling_comes_near_the_exact_sum(kind):
    machine = machine_of(kind)
    estimate = machine.estimate_log_partition(key=jax.random.key(1), temperatures=400)
    assert estimate.low < machine.log_partition() < estimate.high and estimate.high - estimate.low < 0.5


def test_gaussian_log_partition_by_integration():
    machine = machine_of("gaussian")
    pull = HIDDEN_STATES @ WEIGHT.T + VISIBLE  # a normal distribution of variance 1 for each hidden state
    logs = HIDDEN_STATES @ HIDDEN + 0.5 * np.sum(pull**2, 1) - 0.5 * VISIBLE @ VISIBLE + 2.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(machine.log_partition(), np.log(np.exp(logs).sum()), rtol=1e-10)
    np.testing.assert_allclose(machine.free_energy(ROWS), 0.5 * np.sum((ROWS - VISIBLE)**2, 1)
                               - np.sum(np.log1p(np.exp(HIDDEN + ROWS @ WEIGHT)), 1), rtol=1e-10)


def test_the_same_features_and_free_energy_as_scikit_learn():
    peer = BernoulliRBM(n_components=4).fit(np.round(ROWS))
    peer.components_, peer.intercept_hidden_, peer.intercept_visible_ = WEIGHT.T, HIDDEN, VISIBLE
    np.testing.assert_allclose(machine_of().hidden_probabilities(ROWS), peer.transform(ROWS), rtol=1e-10)
    np.testing.assert_allclose(machine_of().free_energy(ROWS), peer._free_energy(ROWS), rtol=1e-10)


@pytest.mark.parametrize("kind", ["binary", "gaussian"])
@pytest.mark.parametrize("persistent", [False, True])
def test_the_gradient_is_the_classical_update(kind, persistent):
    machine = machine_of(kind)
    objective = ContrastiveDivergence(steps=2, persistent=persistent, chains=3)
    weight = np.array([1, 2, 0.5, 1, 1, 3, 0])
    state, key = objective.start_state(machine), jax.random.key(5)

    @partial(jax.grad, has_aux=True)
    def gradient_of(machine):
        assessed = objective.errors(machine, Batch(ROWS, None, weight, None), state=state, key=key)
        sampled = machine.gibbs(state if persistent else ROWS, key=key, steps=2)
        return jnp.sum(assessed.errors * weight) / np.sum(weight), (assessed.state, sampled)

    gradient, (after, sampled) = jax.jit(gradient_of)(machine)
    if persistent:
        np.testing.assert_array_equal(after, sampled)
    share = weight / weight.sum()
    sampled_share = np.full(3, 1 / 3) if persistent else share

    def statistics(visible, share):
        hidden = sigmoid(visible @ WEIGHT + HIDDEN)
        return (share[:, None] * visible).T @ hidden, share @ visible, share @ hidden

    for name, seen, made in zip(("weight", "visible_bias", "hidden_bias"), statistics(ROWS, share),
                                statistics(sampled, sampled_share), strict=True):
        np.testing.assert_allclose(getattr(gradient, name), made - seen, rtol=1e-8, atol=1e-10, err_msg=name)


def test_gibbs_sampling_keeps_the_machine_in_its_own_distribution():
    machine = machine_of()
    shares = np.exp(energies(STATES, HIDDEN_STATES) * -1).sum(1)
    shares = shares / shares.sum()
    start = STATES[RANDOM.choice(len(STATES), 20_000, p=shares)]
    sampled = np.asarray(jax.jit(lambda machine: machine.gibbs(start, key=jax.random.key(2), steps=3))(machine))
    np.testing.assert_allclose(sampled.mean(0), shares @ STATES, atol=0.015)
    np.testing.assert_allclose(np.cov(sampled.T), np.cov(STATES.T, aweights=shares, ddof=0), atol=0.015)
