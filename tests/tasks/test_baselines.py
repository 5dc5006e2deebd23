"""The baselines are fair, quick, and stand what tables bring."""
from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from pellucid.tasks.baselines import fit_baselines


def encoded(numbers, codes=None):
    numbers = np.asarray(numbers, dtype=np.float32)
    codes = np.zeros((len(numbers), 0)) if codes is None else codes
    return {"numbers": numbers, "codes": np.asarray(codes, dtype=np.int32)}


def by_name(*arguments, **settings):
    return {baseline.name: baseline for baseline in fit_baselines(*arguments, **settings)}


def test_two_classes():
    inputs, labels = load_breast_cancer(return_X_y=True)
    found = by_name("classify", encoded(inputs[::2]), labels[::2])
    assert list(found) == ["majority", "logistic_regression", "gradient_boosting"]
    areas = {name: roc_auc_score(labels[1::2], baseline.predict(encoded(inputs[1::2]))[:, 1])
             for name, baseline in found.items()}
    assert areas["majority"] == 0.5 and areas["gradient_boosting"] > 0.97
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs[::2], labels[::2])
    assert areas["logistic_regression"] > roc_auc_score(labels[1::2], plain.predict_proba(inputs[1::2])[:, 1]) - 0.005
    assert all(baseline.seconds > 0 and baseline.label for baseline in found.values())


def test_three_classes_of_which_training_has_two():
    inputs, labels = load_iris(return_X_y=True)
    kept = labels != 1
    for baseline in fit_baselines("classify", encoded(inputs[kept]), labels[kept], classes=3):
        probabilities = baseline.predict(encoded(inputs))
        assert probabilities.shape == (150, 3) and (probabilities[:, 1] == 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_numbers():
    inputs, targets = load_diabetes(return_X_y=True)
    found = by_name("regress", encoded(inputs[::2]), targets[::2])
    scores = {name: r2_score(targets[1::2], baseline.predict(encoded(inputs[1::2]))) for name, baseline in
              found.items()}
    with threadpool_limits(1):
        default = HistGradientBoostingRegressor().fit(inputs[::2], targets[::2])  # ours is 0.03 better over five folds
    assert scores["mean"] <= 0 and scores["ridge"] > 0.4
    assert scores["gradient_boosting"] > r2_score(targets[1::2], default.predict(inputs[1::2])) - 0.05


def test_categories_are_one_hot_for_the_linear_model_and_native_for_the_trees():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 8, (400, 1))
    effect = np.array([3, -1, 4, -1, 5, -9, 2, 6.0])
    targets = effect[codes[:, 0]] + 0.1 * generator.standard_normal(400)
    found = by_name("regress", encoded(np.zeros((400, 0)), codes), targets)
    assert all(r2_score(targets, found[name].predict(encoded(np.zeros((400, 0)), codes))) > 0.95
               for name in ("ridge", "gradient_boosting"))


def test_ten_thousand_levels_and_codes_never_seen():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 10_000, (500, 2))
    labels = (codes[:, 0] % 2).astype(int)
    for baseline in fit_baselines("classify", encoded(generator.standard_normal((500, 1)), codes), labels):
        assert np.isfinite(baseline.predict(encoded(np.zeros((3, 1)), np.full((3, 2), 20_000)))).all()


@pytest.mark.parametrize("rows", [8, 12])
def test_few_rows_and_a_class_of_one(rows):
    generator = np.random.default_rng(0)
    labels = np.array([0] * (rows - 1) + [1])
    for baseline in fit_baselines("classify", encoded(generator.standard_normal((rows, 3))), labels):
        assert np.isfinite(baseline.predict(encoded(np.zeros((2, 3))))).all()
    for baseline in fit_baselines("regress", encoded(generator.standard_normal((rows, 3))), labels):
        assert np.isfinite(baseline.predict(encoded(np.zeros((2, 3))))).all()


def test_one_class_or_no_columns_leave_the_constant():
    assert [baseline.name for baseline in fit_baselines("classify", encoded(np.zeros((5, 1))), np.zeros(5))] == [
        "majority"]
    found = fit_baselines("regress", encoded(np.zeros((20, 0))), np.arange(20))
    assert all(baseline.predict(encoded(np.zeros((2, 0)))).shape == (2,) for baseline in found)


def test_row_weights_reach_every_method():
    inputs = encoded(np.zeros((40, 1)))
    targets, weight = np.repeat([0.0, 1.0], 20), np.repeat([1.0, 3.0], 20)
    for baseline in fit_baselines("regress", inputs, targets, weight=weight):
        np.testing.assert_allclose(baseline.predict(inputs), 0.75, atol=0.01)


def test_same_seed_same_answers_and_quick():
    generator = np.random.default_rng(0)
    inputs = encoded(generator.standard_normal((1000, 9)), generator.integers(0, 5, (1000, 3)))
    labels = (inputs["numbers"][:, 0] + generator.standard_normal(1000) > 0).astype(int)
    start = time.perf_counter()
    first = fit_baselines("classify", inputs, labels, seed=3)
    assert time.perf_counter() - start < 20  # about one second alone on the machine
    for one, other in zip(first, fit_baselines("classify", inputs, labels, seed=3), strict=True):
        np.testing.assert_array_equal(one.predict(inputs), other.predict(inputs))
    assert [baseline.name for baseline in fit_baselines("classify", inputs, labels, names=["majority"])] == ["majority"]
