"""Metrics against scikit-learn, and on rows that lack a class."""
from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as scikit

from pellucid.core.names import TASKS
from pellucid.errors import SettingsError, ShapeError
from pellucid.model.metrics import evaluate, higher_is_better, main_metric, measure, metrics, metrics_of


def example(classes, rows=200, seed=0):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes), rows)
    labels = np.array([generator.choice(classes, p=row) for row in probabilities])
    return labels, probabilities


def test_two_classes_equal_scikit_learn():
    labels, probabilities = example(2)
    predicted = probabilities.argmax(axis=1)
    expected = {
        "roc_auc": scikit.roc_auc_score(labels, probabilities[:, 1]),
        "accuracy": scikit.accuracy_score(labels, predicted),
        "balanced_accuracy": scikit.balanced_accuracy_score(labels, predicted),
        "average_precision": scikit.average_precision_score(labels, probabilities[:, 1]),
        "f1": scikit.f1_score(labels, predicted),
        "log_loss": scikit.log_loss(labels, probabilities),
        "brier": scikit.brier_score_loss(labels, probabilities[:, 1]),
    }
    found = evaluate("classify", labels, probabilities)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert 0 <= found["expected_calibration_error"] <= 1


def test_the_positive_class_may_be_the_first():
    labels, probabilities = example(2)
    assert measure("average_precision", labels, probabilities, positive=0) == pytest.approx(
        scikit.average_precision_score(labels == 0, probabilities[:, 0]))
    assert measure("f1", labels, probabilities, positive=0) == pytest.approx(
        scikit.f1_score(labels, probabilities.argmax(axis=1), pos_label=0))


def test_several_classes_equal_scikit_learn():
    labels, probabilities = example(4)
    predicted = probabilities.argmax(axis=1)
    expected = {
        "roc_auc": scikit.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"),
        "balanced_accuracy": scikit.balanced_accuracy_score(labels, predicted),
        "f1": scikit.f1_score(labels, predicted, average="macro"),
        "log_loss": scikit.log_loss(labels, probabilities),
        "brier": scikit.brier_score_loss(labels, probabilities),
    }
    found = evaluate("classify", labels, probabilities)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_numbers_equal_scikit_learn():
    generator = np.random.default_rng(0)
    targets = generator.standard_normal(50)
    outputs = targets + generator.standard_normal(50)
    assert evaluate("regress", targets, outputs) == pytest.approx({
        "rmse": scikit.root_mean_squared_error(targets, outputs), "mae": scikit.mean_absolute_error(targets, outputs),
        "median_absolute_error": scikit.median_absolute_error(targets, outputs),
        "r2": scikit.r2_score(targets, outputs)})


def test_a_class_that_no_row_has_is_left_out():
    labels, probabilities = example(4)
    kept = labels != 2
    found = evaluate("classify", labels[kept], probabilities[kept])
    assert all(value is not None and np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_of_one_class_have_no_ranking(classes):
    found = evaluate("classify", np.zeros(5, dtype=int), np.full((5, classes), 1 / classes))
    assert found["roc_auc"] is None and found["average_precision"] is None
    assert all(value is not None for name, value in found.items() if name not in ("roc_auc", "average_precision"))


def test_undefined_values_are_none():
    assert evaluate("regress", np.ones(3), np.zeros(3))["r2"] is None
    assert set(evaluate("regress", np.zeros(0), np.zeros(0)).values()) == {None}
    assert set(evaluate("regress", np.zeros(1), np.array([np.nan])).values()) == {None}


def test_certain_and_wrong_is_finite():
    assert measure("log_loss", [1], [[1.0, 0.0]]) == pytest.approx(-np.log(1e-15))


def test_main_metrics_and_directions():
    assert [main_metric("classify"), main_metric("classify", 3), main_metric("regress")] == [
        "roc_auc", "accuracy", "rmse"]
    assert higher_is_better("roc_auc") and not higher_is_better("log_loss") and not higher_is_better("rmse")
    assert {name for task in TASKS for name in metrics_of(task)} == set(metrics)
    with pytest.raises(SettingsError):
        main_metric("dream")
    with pytest.raises(SettingsError, match="accuracy"):
        measure("acuracy", [0], [[1.0, 0.0]])
    with pytest.raises(ShapeError):
        measure("accuracy", [0, 1], [[1.0, 0.0]])
