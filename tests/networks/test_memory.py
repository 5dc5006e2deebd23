"""Memories: what they hold, recall from damage, and their energies."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.networks import Memory

RANDOM = np.random.default_rng(0)
SIGNS = RANDOM.choice((-1.0, 1.0), (6, 80))
IMAGES = RANDOM.random((50, 4, 5)).astype(np.float32)


def flipped(patterns, share):
    return np.where(RANDOM.random(patterns.shape) < share, -patterns, patterns)


@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("rule", ["hebbian", "pseudo_inverse"])
def test_classical_rules_repair_few_random_patterns(rule, update):
    memory = Memory(80, rule=rule, update=update).store(SIGNS)
    np.testing.assert_array_equal(memory.recall(flipped(SIGNS, 0.1)), SIGNS)


def test_weights_are_those_of_the_textbook():
    hebbian = Memory(80, rule="hebbian").store(SIGNS[:2]).store(SIGNS[2:])
    np.testing.assert_allclose(hebbian.weight, sum(np.outer(p, p) for p in SIGNS) / 80, atol=1e-6)
    projection = Memory(80, rule="pseudo_inverse").store(SIGNS[:4]).store(SIGNS[3:])
    np.testing.assert_allclose(projection.weight, np.linalg.pinv(SIGNS) @ SIGNS, atol=1e-5)


def test_only_the_pseudo_inverse_holds_patterns_that_are_alike():
    base = RANDOM.choice((-1.0, 1.0), (1, 80))
    alike = np.where(RANDOM.random((20, 80)) < 0.2, -base, base)
    held = {rule: (np.asarray(Memory(80, rule=rule).store(alike).recall(alike)) == alike).all(1).mean()
            for rule in ("hebbian", "pseudo_inverse")}
    assert held["pseudo_inverse"] == 1 and held["hebbian"] < 0.2


@pytest.mark.parametrize("rule", ["hebbian", "pseudo_inverse"])
def test_the_asynchronous_update_is_one_neuron_after_the_other(rule):
    memory = Memory(80, rule=rule, steps=1).store(SIGNS)
    weight = np.array(memory.weight)
    np.fill_diagonal(weight, 0)
    start = RANDOM.choice((-1.0, 1.0), (3, 80))
    states, energies = start.copy(), []
    for neuron in range(80):
        states[:, neuron] = np.sign(states @ weight[:, neuron])
        energies.append(-0.5 * np.einsum("ri,ij,rj->r", states, weight, states))
    np.testing.assert_array_equal(memory.recall(start), states)
    np.testing.assert_allclose(memory.energy(states), energies[-1], rtol=1e-4)
    assert (np.diff(energies, axis=0) < 1e-9).all()


def test_known_neurons_are_held():
    memory = Memory(80, rule="hebbian").store(SIGNS)
    known = np.arange(80) < 30
    np.testing.assert_array_equal(memory.recall(np.where(known, SIGNS, RANDOM.normal(size=SIGNS.shape)),
                                                known=known), SIGNS)


def test_modern_recall_repairs_and_completes():
    memory = Memory(20, beta=10.0).store(IMAGES)
    noisy = 0.8 * IMAGES + 0.1 + 0.05 * RANDOM.normal(size=IMAGES.shape)
    np.testing.assert_allclose(memory.recall(noisy), IMAGES, atol=1e-3)
    known = np.zeros((4, 5), bool)
    known[:, :3] = True
    np.testing.assert_allclose(memory.recall(np.where(known, IMAGES, -9), known=known), IMAGES, atol=1e-3)


def test_the_modern_update_and_energy_by_the_formula():
    memory = Memory(20, beta=2.0, steps=1, standardise=False).store(IMAGES)
    rows, flat = RANDOM.random((3, 20)), IMAGES.reshape(50, 20)
    distances = np.square(rows[:, None] - flat).sum(2)
    shares = np.exp(-distances)
    np.testing.assert_allclose(memory.recall(rows), shares / shares.sum(1, keepdims=True) @ flat, rtol=1e-5)
    np.testing.assert_allclose(memory.energy(rows), -np.log(shares.sum(1)) / 2, rtol=1e-5)
    falls = [memory.energy(rows)]
    for _ in range(4):
        rows = memory.recall(rows)
        falls.append(memory.energy(rows))
    assert (np.diff(falls, axis=0) < 1e-5).all()


def test_with_patterns_of_one_length_the_modern_update_is_attention():
    flat = IMAGES.reshape(50, 20)
    flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    rows = RANDOM.normal(size=(3, 20)).astype(np.float32)
    np.testing.assert_allclose(Memory(20, beta=3.0, steps=1, standardise=False).store(flat).recall(rows),
                               jax.nn.softmax(3.0 * rows @ flat.T) @ flat, rtol=1e-5)


def test_a_standardising_memory_compares_by_shape():
    flat, rows = IMAGES.reshape(50, 20), RANDOM.random((3, 20))
    shapes, own = ((each - each.mean(1, keepdims=True)) / each.std(1, keepdims=True) for each in (flat, rows))
    memory = Memory(20, beta=0.3, steps=1).store(IMAGES)
    np.testing.assert_allclose(memory.recall(rows), jax.nn.softmax(0.3 * own @ shapes.T) @ flat, rtol=1e-4)
    np.testing.assert_allclose(memory.recall(5 * rows - 3), memory.recall(rows), rtol=1e-4)


def test_a_row_is_recalled_alike_in_any_company():
    memory = Memory(80, rule="hebbian").store(SIGNS)
    start = flipped(SIGNS, 0.4)
    np.testing.assert_array_equal(memory.recall(start)[:1], memory.recall(start[:1]))


@pytest.mark.parametrize(("error", "make", "said"), [
    (SettingsError, lambda: Memory(4, rule="hebb"), "hebbian"),
    (SettingsError, lambda: Memory(4, patterns=3), "key"),
    (SettingsError, lambda: Memory(4, beta=0), "beta=0"),
    (DataError, lambda: Memory(4, rule="hebbian").store(jnp.zeros((2, 4))), "8 values other than -1 and 1"),
    (ShapeError, lambda: Memory(4).recall(jnp.zeros((2, 4))), "holds no patterns"),
    (ShapeError, lambda: Memory(4).store(jnp.zeros((2, 5))), "4 numbers a row"),
])
def test_mistakes_are_told(error, make, said):
    with pytest.raises(error) as caught:
        make()
    assert said in str(caught.value)
