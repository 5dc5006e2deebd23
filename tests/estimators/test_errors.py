"""What cannot be learned from is a ValueError that says what was expected."""
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid import Classifier, Regressor


@pytest.mark.parametrize(("settings", "words"), (
    ({"activation": "rellu"}, "did you mean `relu`"),
    ({"loss": "cross_entropi"}, "did you mean `cross_entropy`"),
    ({"optimiser": "adamm"}, "did you mean `adam"),
    ({"epochs": -3}, "`epochs` was -3; expected an integer at least 1"),
    ({"batch_size": 0}, "`batch_size` was 0"),
    ({"hidden": "wide"}, "`hidden` was 'wide'"),
    ({"random_state": -1}, "`seed` was -1"),
    ({"random_state": "one"}, "`seed` was 'one'"),
    ({"class_weight": "equal"}, "`class_weight` was 'equal'"),
    ({"class_weight": {7: 1.0}}, "not among the classes"),
    ({"loss": "huber"}, "does not fit the target"),
    ({"positive": "maybe"}, "not among the classes"),
    ({"costs": {0: {1: 5}}}, "cost"),
    ({"types": {"x9": "category"}}, "no column `x9`"),
    ({"types": {"x0": "categorry"}}, "did you mean"),
))
def test_settings(rows, settings, words):
    with pytest.raises(ValueError, match=words):
        Classifier(**settings).fit(*rows)


def test_a_positive_class_is_for_two(rows):
    with pytest.raises(ValueError, match="3 classes"):
        Classifier(positive=1).fit(rows[0], np.arange(120) % 3)


@pytest.mark.parametrize("kind", (Classifier, Regressor))
def test_inputs(rows, kind):
    X, y = rows
    one = kind()
    infinite = X.copy()
    infinite[3, 1] = np.inf
    for wrong in (infinite, pd.DataFrame(infinite), infinite.astype(object)):
        with pytest.raises(ValueError, match="infinity"):
            one.fit(wrong, y)
    for labels, words in ((y[:-1], "inconsistent numbers of samples"), (None, "requires y"),
                          (np.where(y, np.nan, 1.0), "NaN"), (np.stack([y, y], axis=1), r"1d array|y should be")):
        with pytest.raises(ValueError, match=words):
            one.fit(X, labels)
    with pytest.raises(ValueError, match="2D array"):
        one.fit(y, y)
    for nothing in (X[:0], pd.DataFrame(X)[:0]):
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            one.fit(nothing, y[:0])
    with pytest.raises(ValueError, match=r"1 sample"):
        one.fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="more than one column named"):
        one.fit(pd.DataFrame(X, columns=["a", "b", "a"]), y)
    with pytest.raises(ValueError, match="No column of X can be learned from"):
        one.fit(np.ones_like(X), y)


def test_classes(rows):
    X, y = rows
    with pytest.raises(ValueError, match="only one class"):
        Classifier().fit(X, np.zeros(120))
    with pytest.raises(ValueError, match="Unknown label type"):
        Classifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="NaN or None"):
        Classifier().fit(X, np.where(y, "a", None))


def test_numbers(rows):
    X, _ = rows
    with pytest.raises(ValueError, match="infinity|too large"):
        Regressor().fit(X, np.full(120, np.inf))
    with pytest.raises(ValueError, match="could not convert|numeric"):
        Regressor().fit(X, np.full(120, "word"))


def test_not_fitted(rows):
    with pytest.raises(ValueError, match="not fitted yet"):
        Classifier().predict(rows[0])
    with pytest.raises(ValueError, match="not fitted yet"):
        Regressor().describe()
