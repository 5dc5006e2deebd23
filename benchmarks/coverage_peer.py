"""Sets and intervals by MAPIE from predictions that Pellucid made; run by coverage.py in the peers' environment.

    python benchmarks/coverage_peer.py predictions.npz

Prints one JSON object: for each kind of MAPIE's scores and each promised coverage, the coverage and the mean size.
"""
import json
import sys
import warnings

import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.regression import CrossConformalRegressor, SplitConformalRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import PredefinedSplit

LEVELS = np.round(np.arange(0.80, 0.981, 0.02), 2).tolist()
NUMBER_LEVELS = [0.84, 0.87, 0.9, 0.93]


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose rows are its probabilities."""

    def __init__(self, classes=2):
        self.classes = classes

    def fit(self, X, y):
        self.classes_ = np.arange(self.classes)
        self.is_fitted_ = True
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return np.asarray(X).argmax(axis=1)


class GivenNumber(RegressorMixin, BaseEstimator):
    """A regressor whose rows are (its prediction,)."""

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


class GivenMembers(RegressorMixin, BaseEstimator):
    """A regressor whose rows are (fold, what each member predicts): fitted without a fold, it is the member that left
    it out; fitted with all of them, the mean of the members."""

    def fit(self, X, y):
        lacking = set(range(X.shape[1] - 1)) - set(X[:, 0].astype(int).tolist())
        self.column_ = lacking.pop() if len(lacking) == 1 else None
        return self

    def predict(self, X):
        members = np.asarray(X)[:, 1:]
        return members.mean(axis=1) if self.column_ is None else members[:, self.column_]


def classes(split):
    held, labels, test, truth = (split[name] for name in ("held", "labels", "test", "truth"))
    given = Given(held.shape[1]).fit(held, labels)
    found = {}
    for score in ("lac", "aps", "raps", "top_k"):
        if held.shape[1] == 2 and score != "lac":
            continue  # MAPIE has only this one for two classes
        conformal = SplitConformalClassifier(given, confidence_level=LEVELS, conformity_score=score, random_state=0)
        sets = conformal.conformalize(held, labels).predict_set(test)[1]
        found[score] = [(float(sets[np.arange(len(truth)), truth, level].mean()),
                         float(sets[:, :, level].sum(axis=1).mean()),
                         float((sets[:, :, level].sum(axis=1) == 0).mean())) for level in range(len(LEVELS))]
    return found


def numbers(split):
    held, labels, test, truth = (split[name] for name in ("held", "labels", "test", "truth"))
    found = {}
    for score in ("absolute", "gamma") if min(held.min(), labels.min(), test.min()) > 0 else ("absolute",):
        conformal = SplitConformalRegressor(GivenNumber().fit(held, labels), confidence_level=NUMBER_LEVELS,
                                            conformity_score=score)
        ends = conformal.conformalize(held[:, None], labels).predict_interval(test[:, None])[1]
        found[score] = ends
    rows = np.column_stack([split["folds"], split["held_members"]])
    plus = CrossConformalRegressor(GivenMembers(), confidence_level=NUMBER_LEVELS, method="plus",
                                   cv=PredefinedSplit(split["folds"]))
    plus.fit_conformalize(rows, labels)
    found["absolute, CV+"] = plus.predict_interval(np.column_stack([np.zeros(len(test)), split["test_members"]]))[1]
    return {name: [(float(np.mean((ends[:, 0, level] <= truth) & (truth <= ends[:, 1, level]))),
                    float(np.mean(ends[:, 1, level] - ends[:, 0, level])), 0.0) for level in range(len(NUMBER_LEVELS))]
            for name, ends in found.items()}


def main():
    warnings.filterwarnings("ignore")
    arrays = np.load(sys.argv[1])
    splits = {}
    for name in arrays.files:
        number, _, field = name.partition(".")
        splits.setdefault(number, {})[field] = arrays[name]
    found = {}
    for split in splits.values():
        for score, values in (classes if split["held"].ndim == 2 else numbers)(split).items():
            found.setdefault(score, []).append(values)
    print(json.dumps({score: {"levels": LEVELS if len(values[0]) == len(LEVELS) else NUMBER_LEVELS,
                              "mean": np.mean(values, axis=0).tolist()} for score, values in found.items()}))


if __name__ == "__main__":
    main()
