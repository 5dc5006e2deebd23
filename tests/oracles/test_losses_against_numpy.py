"""Losses against independent float64 formulas in NumPy, and against scikit-learn where it has the same."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics

from pellucid import losses

RANDOM = np.random.default_rng(3)
ROWS, CLASSES = 40, 4
OUTPUTS, TARGETS = RANDOM.normal(size=ROWS) * 3, RANDOM.normal(size=ROWS)
LOGITS, LABELS = RANDOM.normal(size=(ROWS, CLASSES)) * 2, RANDOM.integers(0, CLASSES, ROWS)
YES = RANDOM.integers(0, 2, ROWS)
WEIGHT = RANDOM.random(ROWS)
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-OUTPUTS))
TRUE = SHARES[np.arange(ROWS), LABELS]
TRUE_YES = np.where(YES == 1, SIGMOID, 1 - SIGMOID)
R = OUTPUTS - TARGETS

NUMBER_CASES = [
    ("mean_squared", {}, R**2), ("root_mean_squared", {}, R**2), ("arctan", {}, np.arctan(R) ** 2),
    ("absolute", {}, np.abs(R)), ("log_cosh", {}, np.log(np.cosh(R))),
    ("huber", {"delta": 1.5}, np.where(np.abs(R) <= 1.5, R**2 / 2, 1.5 * (np.abs(R) - 0.75))),
    ("quantile", {"tau": 0.9}, np.where(R < 0, -0.9 * R, 0.1 * R)),
]
SMOOTH = 0.9 * np.eye(CLASSES)[LABELS] + 0.1 / CLASSES
CLASS_CASES = [
    ("cross_entropy", {}, -np.log(TRUE)),
    ("cross_entropy", {"label_smoothing": 0.1}, -(SMOOTH * np.log(SHARES)).sum(1)),
    ("cross_entropy", {"class_weights": (1, 2, 3, 4)}, -(LABELS + 1) * np.log(TRUE)),
    ("focal", {}, -((1 - TRUE) ** 2) * np.log(TRUE)), ("focal", {"gamma": 0}, -np.log(TRUE)),
    ("focal", {"gamma": 0.5, "class_weights": (1, 2, 3, 4)}, -(LABELS + 1) * (1 - TRUE) ** 0.5 * np.log(TRUE)),
    ("hinge", {}, np.maximum(0, 1 + np.where(np.eye(CLASSES)[LABELS] > 0, -np.inf, LOGITS).max(1)
                             - LOGITS[np.arange(ROWS), LABELS])),
]
BINARY_CASES = [
    ("binary_cross_entropy", {}, -np.log(TRUE_YES)),
    ("binary_cross_entropy", {"class_weights": (2, 5)}, -np.where(YES == 1, 5, 2) * np.log(TRUE_YES)),
    ("binary_cross_entropy", {"label_smoothing": 0.2}, -0.9 * np.log(TRUE_YES) - 0.1 * np.log(1 - TRUE_YES)),
    ("focal", {"gamma": 2.0, "alpha": 0.25}, -np.where(YES == 1, 0.25, 0.75) * (1 - TRUE_YES) ** 2 * np.log(TRUE_YES)),
    ("hinge", {"margin": 2.0}, np.maximum(0, 2 - (2 * YES - 1) * OUTPUTS)),
]
CASES = ([(*case, OUTPUTS, TARGETS) for case in NUMBER_CASES] + [(*case, LOGITS, LABELS) for case in CLASS_CASES]
         + [(*case, OUTPUTS, YES) for case in BINARY_CASES])


@pytest.mark.parametrize(("name", "parameters", "rows", "outputs", "targets"), CASES)
def test_values_and_gradients(name, parameters, rows, outputs, targets):
    loss, step = losses.get(name, **parameters), 1e-6
    finish = np.sqrt if name == "root_mean_squared" else lambda mean: mean

    @jax.jit
    def all_at_once(outputs, targets, weight, moves):
        ahead, behind = (jax.vmap(lambda move, sign=sign: loss(outputs + sign * move, targets, weight))(moves)
                         for sign in (1, -1))
        return (loss.per_example(outputs, targets), loss(outputs, targets), loss(outputs, targets, weight),
                jax.grad(loss)(outputs, targets, weight), (ahead - behind) / (2 * step))

    moves = (np.arange(outputs.size) == np.arange(0, outputs.size, 7)[:, None]).reshape(-1, *outputs.shape) * step
    with jax.enable_x64(True):
        each, plain, weighted, gradient, slopes = all_at_once(outputs, targets, WEIGHT, moves)
    np.testing.assert_allclose(each, rows, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(plain, finish(rows.mean()), rtol=1e-10)
    np.testing.assert_allclose(weighted, finish((WEIGHT * rows).sum() / WEIGHT.sum()), rtol=1e-10)
    np.testing.assert_allclose(np.ravel(gradient)[::7], slopes, rtol=1e-5, atol=1e-9)
    kind = np.int32 if targets.dtype.kind == "i" else np.float32
    single = jax.jit(loss.per_example)(outputs.astype(np.float32), targets.astype(kind))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, rows, rtol=2e-4, atol=2e-5)


def test_against_scikit_learn():
    with jax.enable_x64(True):
        outputs, targets, weight = jnp.asarray(OUTPUTS), jnp.asarray(TARGETS), jnp.asarray(WEIGHT)
        logits, labels = jnp.asarray(LOGITS), jnp.asarray(LABELS)
        pairs = [
            (losses.mean_squared, metrics.mean_squared_error(TARGETS, OUTPUTS, sample_weight=WEIGHT)),
            (losses.root_mean_squared, metrics.root_mean_squared_error(TARGETS, OUTPUTS, sample_weight=WEIGHT)),
            (losses.absolute, metrics.mean_absolute_error(TARGETS, OUTPUTS, sample_weight=WEIGHT)),
            (losses.get("quantile", tau=0.2),
             metrics.mean_pinball_loss(TARGETS, OUTPUTS, sample_weight=WEIGHT, alpha=0.2)),
        ]
        for loss, expected in pairs:
            np.testing.assert_allclose(loss(outputs, targets, weight), expected, rtol=1e-9)
        np.testing.assert_allclose(losses.cross_entropy(logits, labels, weight),
                                   metrics.log_loss(LABELS, SHARES, sample_weight=WEIGHT), rtol=1e-9)
        np.testing.assert_allclose(losses.hinge(logits, labels, weight),
                                   metrics.hinge_loss(LABELS, LOGITS, sample_weight=WEIGHT), rtol=1e-9)
        np.testing.assert_allclose(losses.hinge(outputs, jnp.asarray(YES)), metrics.hinge_loss(YES, OUTPUTS), rtol=1e-9)
