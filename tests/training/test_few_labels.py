"""Learning from few labels or none: two moons, groups that only views reveal, hidden numbers, padded rows."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.networks import Feedforward, Pretraining, start_from
from pellucid.training.objectives import Contrastive, FewLabels, Masked, Views
from pellucid.training.objectives.contrastive import contrasts
from pellucid.training.program import Batch

RANDOM = np.random.default_rng(0)


def made(views, inputs, seed):
    """Views in one compiled call."""
    return jax.tree.map(np.asarray, jax.jit(views.__call__)(inputs, jax.random.key(seed)))


def two_moons(rows):
    """Two half circles, one inside the other."""
    classes = RANDOM.integers(0, 2, rows)
    angle = RANDOM.random(rows) * np.pi
    places = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = np.where(classes[:, None] == 0, places, [1, 0.5] - places)
    return (places + RANDOM.normal(size=(rows, 2)) * 0.1).astype(np.float32), classes.astype(np.int32)


def test_few_labels_and_many_rows_beat_the_labels_alone():
    inputs, classes = two_moons(1400)
    test, answers, inputs, classes = inputs[1000:], classes[1000:], inputs[:1000], classes[:1000]
    known = np.concatenate([np.flatnonzero(classes == which)[:4] for which in (0, 1)])
    targets = np.full(1000, -1, np.int32)
    targets[known] = classes[known]
    network = Feedforward(2, (32, 32), 2, key=jax.random.key(0))
    alone = pellucid.fit(network, "cross_entropy", (inputs[known], classes[known]), epochs=200, batch_size=8)
    objective = FewLabels(weak=Views(noise=0.05), strong=Views(noise=0.25), labelled=8, certainty=0.7)
    both = pellucid.fit(network, objective, (inputs, targets), epochs=300, batch_size=100)
    right = [np.mean(fit.predict(test).argmax(axis=1) == answers) for fit in (alone, both)]
    assert right[0] < 0.95 and right[1] > right[0] + 0.03 and right[1] > 0.97
    assert both.history.members["used"][-1] > 0.8


def test_labelled_rows_may_be_changed_otherwise():
    network = Feedforward(2, (), 2, key=jax.random.key(0))
    rows, classes = np.eye(2, dtype=np.float32), np.array([0, 1], np.int32)
    errors = {}
    for changed in (None, Views(noise=0.0)):
        objective = FewLabels(weak=Views(noise=0.0), strong=Views(noise=5.0), changed_labelled=changed, labelled=64,
                              certainty=0.99)
        prepared = objective.prepare(rows, np.array([0, -1]), np.ones(2, np.float32), 0)
        batch = Batch(jnp.asarray(rows), classes, jnp.ones(2), jnp.arange(2), prepared.shared)
        errors[changed] = [float(objective.errors(network, batch, state=objective.start_state(network),
                                                  key=jax.random.key(seed)).also["labelled"][0]) for seed in range(2)]
    assert errors[None][0] != errors[None][1]
    plain = float(-jax.nn.log_softmax(network(jnp.eye(2)[:1])[0])[0, 0])
    np.testing.assert_allclose(errors[Views(noise=0.0)], plain, rtol=1e-5)


def test_contrast_finds_the_groups_that_views_keep():
    # what sets rows of one group apart drowns in the noise of a view; the group does not
    groups = RANDOM.integers(0, 2, 512)
    signs = np.array([1, -1, 1, 1, -1, 1, -1, -1])
    inputs = (0.3 * RANDOM.normal(size=(512, 8)) + np.where(groups[:, None] == 0, signs, -signs)).astype(np.float32)
    first, second = jax.random.split(jax.random.key(0))
    network = Pretraining(Feedforward(8, (32,), 4, key=first), 4, (), 8, key=second)
    fit = pellucid.fit(network, Contrastive(Views(noise=1.0), temperature=0.5), inputs, epochs=60, batch_size=128,
                       learning_rate=3e-3)
    assert fit.history.epochs[-1].training_error < 5.0  # log(255) = 5.5 by chance, log(127) = 4.8 by the group alone
    codes = fit.predict(inputs)
    codes = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    near = codes @ codes.T
    same = groups[:, None] == groups
    assert near[same].mean() > near[~same].mean() + 0.5
    start = start_from(Feedforward(8, (32,), 2, key=jax.random.key(3)), fit.network.encoder)
    assert start.own == ("output.bias", "output.weight")
    np.testing.assert_array_equal(start.network.hidden[0].dense.weight, fit.network.encoder.hidden[0].dense.weight)
    with pytest.raises(ShapeError, match="no weights"):
        start_from(Feedforward(3, (7,), 2, key=jax.random.key(3)), fit.network.encoder)


def test_contrasts_are_the_cross_entropy_and_padded_rows_are_no_rivals():
    outputs = RANDOM.normal(size=(10, 4))
    weight = np.array([1, 1, 1, 1, 0.0] * 2)
    errors, found = contrasts(jnp.asarray(outputs), jnp.asarray(weight), 0.3)
    few = np.concatenate([outputs[:4], outputs[5:9]])
    units = few / np.linalg.norm(few, axis=1, keepdims=True)
    scores = units @ units.T / 0.3
    np.fill_diagonal(scores, -np.inf)
    partner = (np.arange(8) + 4) % 8
    expected = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(8), partner]
    valid = np.array([0, 1, 2, 3, 5, 6, 7, 8])
    np.testing.assert_allclose(np.asarray(errors)[valid], expected, rtol=2e-5)
    assert np.isfinite(np.asarray(errors)).all()  # also of padded rows, whose weight is 0


def test_masked_numbers_are_filled_in_from_the_others():
    code = RANDOM.normal(size=(600, 1))
    inputs = (code @ np.ones((1, 6)) + 0.1 * RANDOM.normal(size=(600, 6))).astype(np.float32)
    first, second = jax.random.split(jax.random.key(0))
    network = Pretraining(Feedforward(6, (32,), 16, key=first), 16, (), 6, key=second)
    fit = pellucid.fit(network, Masked(0.3), inputs, epochs=40, batch_size=100, learning_rate=3e-3)
    assert fit.history.epochs[-1].training_error < 0.25  # 1 when the others are not used


def test_hidden_patches_of_images_and_of_tables():
    objective = Masked(0.5, patch=2)
    images, where = objective.hide(jnp.ones((3, 5, 4, 2)), jax.random.key(0))
    assert images.shape == (3, 5, 4, 2) and not np.any(np.asarray(images)[np.asarray(where)])
    blocks = np.asarray(where)[:, :4].reshape(3, 2, 2, 2, 2, 2)
    assert np.all(blocks == blocks[:, :, :1, :, :1, :1])
    rows, where = Masked(0.5, fill="row").hide(jnp.arange(12.0).reshape(4, 3), jax.random.key(0))
    assert np.all(np.asarray(rows) % 3 == np.arange(3))  # only from the same column


def test_views_of_images_keep_what_they_show():
    images = np.zeros((64, 9, 8, 1), np.uint8)
    images[:, 4, 2] = 255
    moved = made(Views(flip=0.5, shift=2), images, 0)
    assert moved.shape == (64, 9, 8, 1) and np.all(moved.sum(axis=(1, 2, 3)) == 1)
    rows, columns = np.nonzero(moved[..., 0])[1:]
    assert set(rows) == {2, 3, 4, 5, 6} and set(columns) == set(range(8))
    erased = made(Views(erase=0.6, contrast=0.2), np.ones((200, 10, 10, 1), np.float32), 1)
    assert 0.6 < np.mean(erased > 0) < 0.98 and 0.79 < erased[erased > 0].min() < erased.max() < 1.21
    table = {"numbers": np.arange(40.0).reshape(20, 2), "codes": np.arange(20)[:, None] + 100}
    swapped = made(Views(swap=0.5), table, 2)
    assert swapped["codes"].dtype == jnp.int32 and set(swapped["codes"].ravel()) <= set(range(100, 120))
    assert 0.3 < np.mean(swapped["numbers"] != table["numbers"]) < 0.7
    with pytest.raises(ShapeError, match="images"):
        Views(shift=1)(np.ones((3, 4)), jax.random.key(0))
    with pytest.raises(SettingsError, match="erase"):
        Views(erase=1.5)


def test_wrong_targets_and_padded_rows():
    objective = FewLabels(weak=Views(), strong=Views(), labelled=4, certainty=0.0)
    inputs, ones = np.ones((6, 2), np.float32), np.ones(6, np.float32)
    for targets in (np.full(6, -1), np.zeros(6, int), np.array([-2, 0, 1, 0, 1, -1])):
        with pytest.raises(DataError, match="-1"):
            objective.prepare(inputs, targets, ones, 0)
    network = Feedforward(2, (4,), 3, key=jax.random.key(0))
    prepared = objective.prepare(inputs, np.array([0, 0, 1, -1, -1, -1]), ones, 0)
    np.testing.assert_allclose(prepared.shared["shares"], [2 / 3, 1 / 3])
    state = objective.start_state(network)
    batch = Batch(jnp.asarray(inputs), jnp.asarray(prepared.targets), jnp.asarray([1, 1, 1, 1, 0, 0.0]), None,
                  jax.tree.map(jnp.asarray, prepared.shared))
    assessed = eqx.filter_jit(objective.errors)(network, batch, state=state, key=jax.random.key(1))
    assert assessed.errors.shape == (6,) and np.isfinite(np.asarray(assessed.errors)).all()
    assert jax.tree.structure(assessed.state) == jax.tree.structure(state)
    measured = objective.measure(network, batch, state=state, key=jax.random.key(1))
    np.testing.assert_array_equal(measured.amount, [1, 1, 1, 0, 0, 0])
