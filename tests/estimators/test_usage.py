"""The estimators in the company that they are kept in: pipelines, searches, data frames, pickles."""
from __future__ import annotations

import copy
import inspect
import io
import pickle
from datetime import datetime, timedelta

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid import Classifier, DataError, Regressor, SettingsError


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """Every type of column, with missing cells."""
    generator = np.random.default_rng(1)
    number = generator.normal(size=120)
    return pd.DataFrame({
        "number": np.where(generator.random(120) < 0.1, np.nan, number),
        "whole": pd.array(generator.integers(0, 9, 120), dtype="Int64").copy(),
        "kind": pd.Categorical(generator.choice(["a", "b", "c"], 120)),
        "word": pd.array(generator.choice(["red", "green"], 120), dtype="string"),
        "object": generator.choice(np.array(["x", "y", None], dtype=object), 120),
        "flag": pd.array(generator.random(120) < 0.5, dtype="boolean"),
        "day": [datetime(2020, 1, 1) + timedelta(days=int(day)) for day in generator.integers(0, 999, 120)],
        "answer": np.where(number > 0, "yes", "no"),
    }).mask(generator.random((120, 8)) < [0, 0.1, 0, 0.1, 0, 0.1, 0, 0])


@pytest.fixture(scope="module")
def fitted(rows) -> Classifier:
    return Classifier(members=2, epochs=4, hidden=(8,), learning_rate=0.01, column_dropout=0.0).fit(*rows)


def test_signatures_are_the_declared_settings():
    for kind in (Classifier, Regressor):
        parameters = inspect.signature(kind).parameters
        assert {name: one.default for name, one in parameters.items()} == kind._settings.defaults
        assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in parameters.values())
        assert set(kind().get_params()) == set(kind._settings)
        assert all(f"{name}: " in kind.__init__.__doc__ for name in parameters)
    for only_classes in ("class_weight", "positive", "threshold", "costs", "label_smoothing"):
        assert only_classes in Classifier._settings and only_classes not in Regressor._settings


def test_unknown_parameter():
    with pytest.raises(TypeError, match="hiden"):
        Classifier(hiden=(3,))
    with pytest.raises(ValueError, match="hiden"):
        Classifier().set_params(hiden=(3,))


def test_clone_and_set_params(quick):
    hidden = [4, 4]
    one = Classifier(**quick | {"hidden": hidden})
    assert one.hidden is hidden  # kept as given
    assert clone(one).get_params() == one.get_params()
    assert one.set_params(epochs=7).epochs == 7


def test_pipeline_and_cross_validation(rows, quick):
    pipeline = make_pipeline(StandardScaler(), Classifier(**quick | {"epochs": 40}))
    assert cross_val_score(pipeline, *rows, cv=3).mean() > 0.8


def test_grid_search_in_two_processes(rows, quick):
    search = GridSearchCV(Classifier(**quick), {"learning_rate": [0.001, 0.03]}, cv=2, n_jobs=2).fit(*rows)
    assert search.best_params_ in ({"learning_rate": 0.001}, {"learning_rate": 0.03})
    assert search.best_estimator_.predict(rows[0]).shape == (120,)


def to_polars(frame: pd.DataFrame) -> pl.DataFrame:
    plain = {name: [None if pd.isna(cell) else cell for cell in column] for name, column in frame.items()}
    return pl.DataFrame(plain).with_columns(pl.col("kind").cast(pl.Categorical))


@pytest.mark.parametrize("library", (lambda frame: frame, to_polars), ids=("pandas", "polars"))
def test_frames_of_mixed_columns(mixed, quick, library):
    X, y = library(mixed.drop(columns="answer")), mixed["answer"]
    one = Classifier(**quick | {"epochs": 40}).fit(X, y)
    assert list(one.feature_names_in_) == list(mixed.columns[:-1])
    assert {feature.name: feature.kind for feature in one.model_.features} == {
        "number": "number", "whole": "number", "kind": "category", "word": "category", "object": "category",
        "flag": "boolean", "day": "date"}
    assert one.classes_.tolist() == ["no", "yes"]
    assert one.score(X, y) > 0.8
    assert one.predict(X[:3]).tolist() == one.predict(X)[:3].tolist()


def test_columns_must_be_those_of_the_fit(mixed, quick):
    X, y = mixed[["number", "whole"]], mixed["answer"]
    one = Classifier(**quick).fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        one.predict(X[["whole", "number"]])
    with pytest.raises(ValueError, match="feature names should match"):
        one.predict(X[["whole"]])
    with pytest.raises(ValueError, match="feature names should match"):
        one.predict(X.assign(more=1))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        answers = one.predict(X.to_numpy(float, na_value=np.nan))
    assert answers.tolist() == one.predict(X).tolist()


def test_fitted_on_an_array_asked_with_a_frame(fitted, rows):
    X, _ = rows
    with pytest.warns(UserWarning, match="has feature names"):
        answers = fitted.predict_proba(pd.DataFrame(X, columns=["c", "b", "a"]))
    np.testing.assert_array_equal(answers, fitted.predict_proba(X))


def test_object_array_of_words(quick):
    words = np.array([["red", 1.0], ["blue", None], ["red", 3.0], [None, 4.0]] * 30, dtype=object)
    one = Classifier(**quick).fit(words, ["a", "b", "a", "b"] * 30)
    assert [feature.kind for feature in one.model_.features] == ["category", "number"]
    assert one.predict(words.tolist()).tolist() == one.predict(words).tolist()


@pytest.mark.parametrize("labels", (np.array([False, True]), np.array(["no", "yes"]), np.array([3.0, 5.0]),
                                    np.array([-1, 1], np.int8), np.array(["no", "yes"], object)))
def test_labels_keep_their_type(rows, quick, labels):
    X, y = rows
    one = Classifier(**quick).fit(X, labels[y])
    assert one.classes_.dtype == labels.dtype and one.classes_.tolist() == labels.tolist()
    assert one.predict(X).dtype == labels.dtype
    assert one.score(X, labels[y]) >= 0.4


def test_many_classes(rows, quick):
    X, _ = rows
    y = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-0.5, 0.5])]
    one = Classifier(**quick | {"epochs": 40}).fit(X, y)
    assert one.classes_.tolist() == ["high", "low", "middle"]
    assert one.score(X, y) > 0.7
    np.testing.assert_allclose(one.predict_proba(X).sum(axis=1), 1)


def test_prediction_sets_and_intervals(fitted, rows, quick):
    X, y = rows
    narrow, wide = fitted.predict_set(X, coverage=0.5), fitted.predict_set(X, coverage=0.99)
    assert narrow.shape == (120, 2) and narrow.any(axis=1).all()
    assert (wide | ~narrow).all()
    one = Regressor(**quick).fit(X, X[:, 0] + X[:, 1])
    ends = one.predict_interval(X)
    assert ends.shape == (120, 2) and (ends[:, 0] <= ends[:, 1]).all()
    assert np.mean((ends[:, 0] <= X[:, 0] + X[:, 1]) & (X[:, 0] + X[:, 1] <= ends[:, 1])) >= 0.85
    with pytest.raises(ValueError, match="coverage"):
        one.predict_interval(X, coverage=1.5)


@pytest.mark.parametrize("again", (lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy), ids=("pickle", "copy"))
def test_copies_predict_the_same(fitted, rows, again):
    np.testing.assert_array_equal(again(fitted).predict_proba(rows[0]), fitted.predict_proba(rows[0]))


def test_joblib_file(fitted, rows):
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).predict_proba(rows[0]), fitted.predict_proba(rows[0]))


def test_seeds(rows, quick):
    proba = lambda **more: Classifier(**quick | more).fit(*rows).predict_proba(rows[0])  # noqa: E731
    first = proba(seed=1)
    np.testing.assert_array_equal(first, proba(seed=1))
    np.testing.assert_array_equal(first, proba(random_state=1))
    np.testing.assert_array_equal(first, proba(random_state=np.int64(1), seed=5))
    assert not np.array_equal(first, proba(seed=2))
    np.testing.assert_array_equal(proba(random_state=np.random.RandomState(3)),
                                  proba(random_state=np.random.RandomState(3)))


def test_partial_fit_goes_on_after_pickling(rows, quick):
    X, y = rows
    one = Classifier(**quick).partial_fit(X[:60], y[:60], classes=[0, 1, 2])
    assert one.classes_.tolist() == [0, 1, 2] and one.predict_proba(X).shape == (120, 3)
    other = pickle.loads(pickle.dumps(one))
    for _ in range(3):
        one, other = one.partial_fit(X[60:], y[60:]), other.partial_fit(X[60:], y[60:])
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    for wrong in ({"y": y[60:] + 5}, {"y": y[60:], "classes": [0, 1]}):
        with pytest.raises(DataError, match="first call"):
            one.partial_fit(X[60:], **wrong)
    with pytest.raises(DataError, match="held out"):
        one.predict_set(X)


def test_partial_fit_of_numbers_learns_beyond_the_first_portion(rows, quick):
    X, _ = rows
    y = 10 * np.sort(X[:, 0])
    X = X[np.argsort(X[:, 0])]
    one = Regressor(**quick | {"learning_rate": 0.03}).partial_fit(X[:60], y[:60])
    assert one.predict(X).max() <= y[:60].max()
    for _ in range(30):
        one.partial_fit(X[60:], y[60:])
    assert one.predict(X).max() > y[:60].max()
    assert one.n_iter_ == 31


def test_fit_forgets_earlier_portions(rows, quick):
    X, y = rows
    one = Classifier(**quick).partial_fit(X[:60], y[:60], classes=[0, 1, 2]).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), Classifier(**quick).fit(X, y).predict_proba(X))


def test_shown_in_a_notebook(fitted):
    assert "Classifier" in fitted._repr_html_()
    assert "epochs" in repr(Classifier(epochs=3))
    assert "Synapses" in str(fitted.describe()) or "synapses" in str(fitted.describe())


def test_similar_cases_are_shown_where_rows_are_kept(fitted, rows, quick):
    X, y = rows
    with pytest.raises(SettingsError, match="keeps no training rows"):
        fitted.similar(X[:1])
    for labels in (y, y.astype(bool), np.array(["no", "yes"])[y]):
        found = Classifier(**quick, keep_examples=True).fit(X, labels).similar(X[:2], count=2)
        assert [one.nearest[0].row for one in found] == [0, 1] and len(found[0].nearest) == 2
        assert found[0].nearest[0].answer == labels[0] and found[0].nearest[0].distance == pytest.approx(0, abs=1e-5)


def test_a_column_may_bear_the_name_of_the_answers(rows):
    numbers = pl.DataFrame({"y": rows[0][:, 0], "y_": rows[0][:, 1]})
    model = Regressor(members=2, epochs=2, keep_examples=True).fit(numbers, rows[0][:, 2])
    found = model.similar(numbers[:1], count=1)[0]
    assert found.nearest[0].answer == pytest.approx(rows[0][0, 2], abs=1e-5)


def test_predictions_are_explained(fitted, rows):
    found = fitted.explain(rows[0][:3], instead_of=1, faithfulness=False)
    assert [one.instead_of for one in found] == [1, 1, 1] and {one.asked for one in found} == {0}
    assert [part.name for part in found[0].parts] == ["x0", "x1", "x2"]
    assert found[0].contributions.sum() == pytest.approx(found[0].difference, abs=0.01)
