"""Layers: values, statistics, states, errors."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import nn
from pellucid.errors import SettingsError, ShapeError
from pellucid.nn.numeric import quantile_edges

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)


def rows(*shape):
    return jnp.asarray(RANDOM.normal(size=shape), jnp.float32)


def test_dense_is_a_weighted_sum():
    layer, x = nn.Dense(4, 3, activation="tanh", key=KEY), rows(5, 4)
    layer = eqx.tree_at(lambda layer: layer.bias, layer, rows(3))
    np.testing.assert_allclose(layer(x), np.tanh(np.asarray(x) @ np.asarray(layer.weight) + np.asarray(layer.bias)),
                               rtol=1e-5, atol=1e-6)
    assert nn.Dense(4, 3, bias=False, key=KEY).bias is None


def test_dense_start():
    layer = nn.Dense(300, 400, initialiser="he_normal", gain=2.0, bias_deviation=0.5, key=KEY)
    assert abs(float(layer.weight.std()) - 2 * (2 / 300) ** 0.5) < 2e-3 and abs(float(layer.bias.std()) - 0.5) < 0.06
    assert not nn.Dense(3, 4, key=KEY).bias.any()


@pytest.mark.parametrize("make", [
    lambda: nn.Dense(0, 3, key=KEY), lambda: nn.Dense(3, 2.5, key=KEY), lambda: nn.Dense(3, 2, activation="r", key=KEY),
    lambda: nn.Dropout(1.0), lambda: nn.Dropout(-0.1), lambda: nn.BatchNormalisation(2, momentum=1.5),
    lambda: nn.Embedding(0, 2, key=KEY), lambda: nn.PeriodicEmbedding(2, variant="x", key=KEY),
    lambda: nn.PeriodicEmbedding(2, deviation=0.0, key=KEY),
    lambda: nn.Dropout(0.5)(rows(2, 2), key=None, training=True),
    lambda: nn.PiecewiseLinearEmbedding([[0, 1]], size=2), lambda: nn.Hidden(2, 2, normalisation="b", key=KEY),
])
def test_settings_errors(make):
    with pytest.raises(SettingsError, match="hint:"):
        make()


def test_shape_errors():
    with pytest.raises(ShapeError, match=r"expected x of shape \(\.\.\., 4\), got \(2, 3\)"):
        nn.Dense(4, 3, key=KEY)(rows(2, 3))
    with pytest.raises(ShapeError):
        nn.PiecewiseLinearEmbedding([1.0, 2.0])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_statistics(rate):
    x = jnp.ones((400, 250))
    y = np.asarray(nn.Dropout(rate)(x, key=KEY, training=True))
    kept = y != 0
    error = (rate * (1 - rate) / kept.size) ** 0.5
    assert abs(kept.mean() - (1 - rate)) < 4 * error
    np.testing.assert_allclose(y[kept], 1 / (1 - rate), rtol=1e-6)
    for shift in (1, 2, 250):  # neighbours, and the same neuron of neighbouring rows, are independent
        assert abs(np.corrcoef(kept.ravel()[shift:], kept.ravel()[:-shift])[0, 1]) < 4 / kept.size**0.5


def test_dropout_masks_of_different_keys_are_independent():
    masks = [np.asarray(nn.Dropout(0.5)(jnp.ones((100, 100)), key=jax.random.fold_in(KEY, step), training=True)).ravel()
             for step in range(12)]
    correlations = np.corrcoef(masks)[np.triu_indices(12, 1)]
    assert abs(correlations).max() < 4.5 / 100 and len({mask.tobytes() for mask in masks}) == 12


def test_dropout_rests_outside_of_training():
    x = rows(3, 4)
    assert nn.Dropout(0.5)(x, key=KEY, training=False) is x and nn.Dropout(0.0)(x, key=None, training=True) is x


def test_layer_normalisation():
    layer, x = nn.LayerNormalisation(6), rows(4, 6) * 3 + 5
    y = np.asarray(layer(x))
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(1), 1, atol=1e-4)


def test_batch_normalisation_ignores_padding():
    layer, x = nn.BatchNormalisation(3), rows(8, 3) * 2 + 1
    padded = jnp.concatenate([x, x[:1].repeat(4, 0) * 100])
    weight = jnp.asarray([1.0] * 8 + [0.0] * 4)
    y, state = layer(x, state=layer.initial_state(), training=True)
    z, padded_state = layer(padded, state=layer.initial_state(), training=True, weight=weight)
    np.testing.assert_allclose(y, z[:8], rtol=1e-4, atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4), state, padded_state)


def test_batch_normalisation_counts_repeated_rows_like_weights():
    layer, x = nn.BatchNormalisation(3), rows(4, 3)
    weight = jnp.asarray([3.0, 1.0, 1.0, 2.0])
    y, _ = layer(x, state=layer.initial_state(), training=True, weight=weight)
    z, _ = layer(jnp.repeat(x, jnp.asarray([3, 1, 1, 2]), axis=0), state=layer.initial_state(), training=True)
    np.testing.assert_allclose(y[0], z[0], rtol=1e-4, atol=1e-5)


def test_batch_normalisation_follows_the_data():
    layer = nn.BatchNormalisation(2, momentum=0.9)
    state = layer.initial_state()
    for _ in range(200):
        _, state = layer(rows(64, 2) * 3 + 7, state=state, training=True)
    np.testing.assert_allclose(state["mean"], 7, atol=0.5)
    np.testing.assert_allclose(state["variance"], 9, rtol=0.15)
    y, after = layer(rows(5, 2), state=state, training=False)
    assert after is state
    first = layer(jnp.full((4, 2), 5.0), state=layer.initial_state(), training=True)[1]
    np.testing.assert_allclose(first["mean"], 5.0)  # no bias towards the start values


def test_batch_normalisation_gradient_with_one_row_or_no_weight_is_finite():
    layer = nn.BatchNormalisation(2)
    for weight in (jnp.ones(1), jnp.zeros(1)):
        gradient = jax.grad(lambda x, weight=weight: jnp.sum(layer(x, state=layer.initial_state(), training=True,
                                                                   weight=weight)[0] ** 2))(rows(1, 2))
        assert np.isfinite(gradient).all()


def test_embedding():
    layer = nn.Embedding(5, 3, key=KEY)
    assert not layer.vectors[0].any() and layer(jnp.asarray([[1, 4]])).shape == (1, 2, 3)
    np.testing.assert_array_equal(layer(jnp.asarray([3])), layer.vectors[3:4])
    np.testing.assert_array_equal(layer(jnp.asarray([-1, 5, 99])), np.zeros((3, 3)))
    gradient = jax.grad(lambda layer: jnp.sum(layer(jnp.asarray([2, 2, 4]))))(layer).vectors
    np.testing.assert_array_equal(gradient.sum(1), [0, 0, 6, 0, 3])
    np.testing.assert_array_equal(nn.Embedding(5, 3, missing=False, key=KEY).vectors[1:], layer.vectors[1:])
    assert nn.Embedding(5, 3, missing=False, key=KEY).vectors[0].all()


def test_embedding_size():
    assert nn.embedding_size(2) == 2 and nn.embedding_size(10**6) == 50
    assert nn.embedding_size(50) < nn.embedding_size(500)


def test_one_hot():
    layer = nn.OneHot((3, 1, 5, 2))
    assert layer.channels == (1, 0, 4, 1) and layer.out_features == 6
    y = layer(jnp.asarray([[1, 0, 4, 1], [2, 0, 1, 0], [0, 0, 0, 1]]))
    np.testing.assert_array_equal(y, [[-1, 0, 0, 0, 1, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]])


def test_periodic_embedding():
    x = rows(5, 2)
    pbld = nn.PeriodicEmbedding(2, size=4, frequencies=6, key=KEY)
    y = np.asarray(pbld(x)).reshape(5, 2, 4)
    assert pbld.out_features == 8
    np.testing.assert_array_equal(y[:, :, 0], x)
    waves = np.cos(2 * np.pi * np.asarray(x)[:, :, None] * np.asarray(pbld.frequency) + np.asarray(pbld.phase))
    mixed = np.einsum("bfi,fio->bfo", waves, np.asarray(pbld.mix.weight)) + np.asarray(pbld.mix.bias)
    np.testing.assert_allclose(y[:, :, 1:], mixed, atol=1e-5)
    plr = nn.PeriodicEmbedding(2, size=3, frequencies=6, variant="plr", key=KEY)
    assert plr(x).shape == (5, 6) and plr.out_features == 6 and (plr(x) >= 0).all()


def test_waves_stay_exact_far_out():
    x = jnp.asarray([[-300.0], [-7.25], [0.0], [1e-4], [123.456]])
    layer = nn.PeriodicEmbedding(1, size=2, frequencies=3, key=KEY)
    angle = 2 * np.pi * np.asarray(x, np.float64)[:, :, None] * np.asarray(layer.frequency, np.float64)
    waves = np.cos(angle + np.asarray(layer.phase, np.float64))
    mixed = np.einsum("bfi,fio->bfo", waves, np.asarray(layer.mix.weight, np.float64))[:, 0, 0]
    np.testing.assert_allclose(np.asarray(layer(x))[:, 1], mixed + np.asarray(layer.mix.bias)[0, 0], atol=2e-4)


def test_piecewise_linear_embedding():
    layer = nn.PiecewiseLinearEmbedding([[0, 1, 3], [2, 2, 4]], raw=False)
    y = layer(jnp.asarray([[-1.0, 1.0], [0.5, 3.0], [2.0, 9.0]]))
    np.testing.assert_allclose(y, [[-1, -1, 0, -1], [0, -1, 0, 0], [1, 0, 0, 1]])
    assert layer.out_features == 4 and nn.PiecewiseLinearEmbedding([[0, 1, 3]]).out_features == 3
    mixed = nn.PiecewiseLinearEmbedding([[0, 1, 3], [2, 2, 4]], size=5, key=KEY)
    assert mixed(rows(3, 2)).shape == (3, 12) and mixed.out_features == 12


def test_quantile_edges():
    values = np.column_stack([np.arange(101.0), np.ones(101), np.full(101, np.nan)])
    values[0, 0] = np.inf
    edges = quantile_edges(values, 4)
    np.testing.assert_allclose(edges, [[1, 25.75, 50.5, 75.25, 100], [1] * 5, [0] * 5])


@pytest.mark.parametrize("normalisation", ["none", "layer", "batch"])
def test_residual_block_adds_to_its_input(normalisation):
    block, x = nn.Residual(4, 4, normalisation=normalisation, key=KEY), rows(6, 4)
    silent = eqx.tree_at(lambda block: (block.second.weight, block.second.bias), block,
                         (jnp.zeros((4, 4)), jnp.zeros(4)))
    y, _ = silent(x, state=block.initial_state(), key=None, training=False)
    np.testing.assert_array_equal(y, x)
    assert nn.Residual(4, 6, key=KEY)(x, state=None, key=None, training=False)[0].shape == (6, 6)


def test_scale_starts_as_nothing():
    x = rows(3, 4)
    np.testing.assert_array_equal(nn.Scale(4)(x), x)


def test_trainable_leaves_out_buffers_and_integers():
    module = {"layer": nn.PiecewiseLinearEmbedding([[0, 1]], size=2, key=KEY), "count": jnp.arange(3), "name": "x"}
    marks = nn.trainable(module)
    assert marks["layer"].edges.value is False and marks["layer"].mix.weight and not marks["count"]
    assert marks["name"] is False
    weights, rest = eqx.partition(module, marks)
    assert weights["layer"].edges.value is None and rest["layer"].edges.value is not None
    abstract = nn.trainable(jax.eval_shape(lambda: nn.Scale(3)))
    assert abstract.factor is True
