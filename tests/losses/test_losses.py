"""Losses: names, shapes, stability, parameters."""
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import losses
from pellucid.core.names import LOSSES
from pellucid.errors import SettingsError, ShapeError

CLASSES = ("cross_entropy", "binary_cross_entropy", "focal", "hinge")


def case(name):
    if name in ("cross_entropy", "focal", "hinge"):
        return jnp.asarray([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]]), jnp.asarray([0, 1])
    return jnp.asarray([0.3, -1.2]), jnp.asarray([1.0, 0.0])


def test_the_names_are_those_of_the_settings():
    assert tuple(losses.losses) == LOSSES
    assert all(losses.losses[name].name == name and getattr(losses, name) is losses.losses[name] for name in LOSSES)


def test_tasks():
    assert [name for name in LOSSES if losses.fits(name, "classify")] == [
        "binary_cross_entropy", "cross_entropy", "focal", "hinge"]
    assert losses.fits("mse", "regress") and not losses.fits(losses.cross_entropy, "regress")


@pytest.mark.parametrize("name", LOSSES)
def test_hashable_equal_and_jit(name):
    loss, (outputs, targets) = losses.get(name), case(name)
    assert loss == losses.losses[name] and hash(loss) == hash(losses.losses[name])
    assert dataclasses.replace(loss) == loss
    np.testing.assert_allclose(jax.jit(loss)(outputs, targets), loss(outputs, targets), rtol=1e-6)
    assert loss.per_example(outputs, targets).shape == (2,) and loss(outputs, targets).shape == ()


@pytest.mark.parametrize("name", LOSSES)
def test_rows_of_weight_0_do_not_count(name):
    loss, (outputs, targets) = losses.get(name), case(name)
    wild = jnp.concatenate([outputs, outputs[:1] * 1e3])
    more = jnp.concatenate([targets, targets[:1]])
    both = jax.jit(jax.value_and_grad(loss))
    value, gradient = both(wild, more, np.array([1, 1, 0], np.float32))
    np.testing.assert_allclose(value, jax.jit(loss)(outputs, targets), rtol=1e-6)
    assert np.isfinite(gradient).all() and not np.asarray(gradient[2]).any()
    value, gradient = both(wild, more, np.zeros(3, np.float32))  # a batch of padding only
    assert float(value) < 1e-5 and np.isfinite(gradient).all()


@pytest.mark.parametrize("name", LOSSES)
def test_extreme_outputs_stay_finite(name):
    outputs, targets = case(name)
    both = jax.jit(jax.value_and_grad(losses.losses[name]))
    for size in (0.0, 1e-20, 1e4, 1e15):
        value, gradient = both(np.asarray(outputs) * np.float32(size), targets)
        assert np.isfinite(value) and np.isfinite(gradient).all()


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_focal_gradient_at_certainty(gamma):
    loss = losses.get("focal", gamma=gamma)
    assert np.isfinite(jax.jit(jax.grad(loss))(jnp.asarray([[200.0, -200.0]]), jnp.asarray([0]))).all()


def test_focal_without_focus_is_the_cross_entropy():
    outputs, targets = case("focal")
    np.testing.assert_allclose(losses.get("focal", gamma=0)(outputs, targets), losses.cross_entropy(outputs, targets),
                               rtol=1e-6)


def test_root_of_zero_has_a_finite_gradient():
    zero = jnp.zeros(3)
    value, gradient = jax.value_and_grad(losses.root_mean_squared)(zero, zero)
    assert abs(float(value)) < 1e-5 and np.isfinite(gradient).all()


def test_arctan_is_bounded_and_never_above_squared():
    r = jnp.linspace(-100, 100, 1001)
    rows = losses.arctan.per_example(r, jnp.zeros_like(r))
    assert (rows <= (np.pi / 2) ** 2).all() and (rows <= losses.mean_squared.per_example(r, jnp.zeros_like(r))).all()


def test_log_cosh_far_out_and_near_zero():
    np.testing.assert_allclose(losses.log_cosh(jnp.asarray([1e6]), jnp.zeros(1)), 1e6 - np.log(2), rtol=1e-6)
    np.testing.assert_allclose(losses.log_cosh(jnp.asarray([1e-4]), jnp.zeros(1)), 5e-9, rtol=1e-5)
    r = jnp.append(jnp.linspace(-30, 30, 601), jnp.asarray([-1.0, 1.0]))  # where its two formulas meet
    gradient = jax.jit(jax.vmap(jax.grad(lambda r: losses.log_cosh(r[None], jnp.zeros(1)))))(r)
    np.testing.assert_allclose(gradient, np.tanh(r), atol=2e-6)


def test_quantile_finds_quantiles():
    targets = jnp.asarray(np.random.default_rng(0).normal(size=2001), jnp.float32)
    candidates = jnp.linspace(-3, 3, 1201)
    for tau in (0.1, 0.5, 0.8):
        loss = losses.get("quantile", tau=tau)
        errors = jax.jit(jax.vmap(lambda c, loss=loss: loss(jnp.full_like(targets, c), targets)))(candidates)
        assert abs(float(candidates[jnp.argmin(errors)]) - float(jnp.quantile(targets, tau))) < 0.02
    both = losses.get("quantile", tau=[0.1, 0.8])
    rows = both.per_example(jnp.stack([targets * 0, targets * 0 + 1], 1), targets[:, None])
    single = [losses.get("quantile", tau=tau).per_example(jnp.full_like(targets, value), targets)
              for tau, value in ((0.1, 0.0), (0.8, 1.0))]
    np.testing.assert_allclose(rows, (single[0] + single[1]) / 2, rtol=1e-5, atol=1e-6)


def test_columns_and_flat_arrays_fit_without_broadcasting():
    flat, column = jnp.asarray([1.0, 2.0, 4.0]), jnp.asarray([[1.0], [2.0], [4.0]])
    for name in ("mean_squared", "absolute", "huber", "quantile"):
        assert float(losses.losses[name](column, flat)) == 0 == float(losses.losses[name](flat, column))
    np.testing.assert_allclose(losses.binary_cross_entropy(column, jnp.asarray([1, 0, 1])),
                               losses.binary_cross_entropy(flat, jnp.asarray([1, 0, 1])))


@pytest.mark.parametrize(("name", "outputs", "targets"), [
    ("mean_squared", (3, 2), (3,)), ("mean_squared", (3,), (4,)), ("cross_entropy", (3,), (3,)),
    ("binary_cross_entropy", (3, 2), (3,)), ("hinge", (3, 4), (3, 5)),
])
def test_shape_errors(name, outputs, targets):
    with pytest.raises(ShapeError, match=f"`{name}` got outputs"):
        losses.losses[name](jnp.zeros(outputs), jnp.zeros(targets))


def test_float_targets_are_no_classes():
    with pytest.raises(ShapeError, match="float32"):
        losses.cross_entropy(jnp.zeros((2, 3)), jnp.zeros(2))


@pytest.mark.parametrize(("name", "parameters"), [
    ("huber", {"delta": 0}), ("quantile", {"tau": 1.0}), ("quantile", {"tau": ()}), ("focal", {"gamma": -1}),
    ("cross_entropy", {"label_smoothing": 1.0}), ("cross_entropy", {"class_weights": (1, -1)}),
    ("binary_cross_entropy", {"class_weights": (1, 2, 3)}), ("hinge", {"margin": 0}),
    ("focal", {"alpha": 2.0}), ("focal", {"alpha": 0.2, "class_weights": (1, 2)}), ("huber", {"dleta": 1}),
    ("arctan", {"x": 1}), ("cross_entropi", {}),
])
def test_settings_errors(name, parameters):
    with pytest.raises(SettingsError, match="hint:"):
        losses.get(name, **parameters)


def test_class_weights_of_another_number_of_classes():
    with pytest.raises(ShapeError, match="3 class weights for 2"):
        losses.get("cross_entropy", class_weights=(1, 2, 3))(jnp.zeros((1, 2)), jnp.asarray([0]))


def test_balanced_weights_have_mean_1_over_rows():
    weights = losses.balanced_weights([30, 10])
    assert abs(30 * weights[0] + 10 * weights[1] - 40) < 1e-9 and losses.balanced_weights([3, 0])[1] == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_steps_leaves_out_padding(smoothing):
    loss = losses.get("cross_entropy", label_smoothing=smoothing)
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(3, 4, 5)))
    targets = jnp.asarray([[0, 4, 2, 1], [3, -1, 1, -1], [-1, -1, -1, -1]])
    rows = [loss(outputs[row][targets[row] >= 0], targets[row][targets[row] >= 0]) for row in range(2)]
    np.testing.assert_allclose(loss.per_example(outputs, targets), [*rows, 0], rtol=1e-6)
    flat = loss(outputs[targets >= 0], targets[targets >= 0])
    np.testing.assert_allclose(loss(outputs, targets), flat, rtol=1e-6)
