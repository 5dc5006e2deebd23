"""A row of weight 3 is three equal rows; class weights are sample weights."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid import Classifier, DataError, Regressor, SettingsError
from pellucid.estimators.weights import class_factors, row_weights

ALL_AT_ONCE = {"precision": "float64", "column_dropout": 0.0, "batch_size": 10_000, "members": 1, "epochs": 120,
               "hidden": (8,), "learning_rate": 0.01}
"""Settings under which chance plays no part: every iteration takes all rows."""


def weighted_and_repeated(kind: type, target: np.ndarray, X: np.ndarray, weight: np.ndarray) -> tuple:
    repeated = np.repeat(np.arange(len(X)), weight)
    return (kind(**ALL_AT_ONCE).fit(X, target, sample_weight=weight),
            kind(**ALL_AT_ONCE).fit(X[repeated], target[repeated]))


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 3))
    answers = X[:, 0] * X[:, 1] + X[:, 2] / 2 + generator.normal(size=60) * 0.3
    return X, answers, generator.integers(0, 4, size=60)


def test_weights_of_a_classifier_equal_repeated_rows(table):
    X, answers, weight = table
    one, other = weighted_and_repeated(Classifier, np.digitize(answers, [-0.4, 0.4]), X, weight)
    assert np.ptp(one.predict_proba(X)) > 0.2  # it has learned something
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-9)
    np.testing.assert_array_equal(one.predict_set(X), other.predict_set(X))
    np.testing.assert_allclose(one.model_.members.weights, other.model_.members.weights, atol=1e-9)


def test_weights_of_a_regressor_equal_repeated_rows(table):
    X, answers, weight = table
    one, other = weighted_and_repeated(Regressor, answers, X, weight)
    assert one.score(X, answers) > 0.3
    np.testing.assert_allclose(one.predict(X), other.predict(X), atol=1e-9)
    np.testing.assert_allclose(one.predict_interval(X), other.predict_interval(X), atol=1e-9)


def test_row_weights():
    whole = row_weights([0, 3, 1], 3)
    assert whole.weight.tolist() == [0, 3, 1] and whole.rows.tolist() == [1, 1, 1, 2]
    relative = row_weights([0.0, 1.5, 0.5], 3)
    assert relative.weight.tolist() == [0, 1.5, 0.5] and relative.rows.tolist() == [1, 2]
    assert row_weights([1e9, 2e9, 0], 3).rows.tolist() == [0, 1]  # too many to be meant as rows
    assert row_weights(None, 2).rows.tolist() == [0, 1]


@pytest.mark.parametrize("weight", ([1, 1], [1, -1, 1], [0, 0, 0], [1, np.nan, 1], [[1], [1], [1]]))
def test_impossible_weights(weight):
    with pytest.raises(ValueError, match=r"[Ww]eight|NaN"):
        row_weights(weight, 3)


def test_class_factors():
    codes, classes, ones = np.array([0, 0, 0, 1]), np.array(["no", "yes"]), np.ones(4)
    balanced = class_factors("balanced", codes, classes, ones)
    assert balanced[:3].sum() == pytest.approx(balanced[3]) and balanced.mean() == pytest.approx(1)
    assert class_factors({"yes": 5}, codes, classes, ones).tolist() == [1, 1, 1, 5]
    assert class_factors(None, codes, classes, ones).tolist() == class_factors("none", codes, classes, ones).tolist()
    with pytest.raises(SettingsError, match="not among the classes"):
        class_factors({"yess": 5}, codes, classes, ones)
    with pytest.raises(SettingsError, match="at least 0"):
        class_factors({"yes": -5}, codes, classes, ones)


def test_a_class_without_weight_is_no_class(rows, quick):
    X, y = rows
    with pytest.raises(DataError, match="Only one class"):
        Classifier(**quick).fit(X, y, sample_weight=y)
