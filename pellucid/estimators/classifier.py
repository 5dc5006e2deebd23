"""`pellucid.Classifier`."""
from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_is_fitted

from pellucid.core.declared import ESTIMATOR
from pellucid.core.settings import Setting, SettingsGroup
from pellucid.errors import DataError
from pellucid.estimators.base import Answers, TableEstimator
from pellucid.estimators.signature import RANDOM_STATE, from_settings
from pellucid.estimators.weights import RowWeights, class_factors
from pellucid.features.targets import ClassTarget
from pellucid.model.decision import cost_matrix, decide

CLASS_WEIGHT = Setting("class_weight", "mapping", None, "`balanced` gives every class the same total weight; or "
                       "{label: weight}.", words=("none", "balanced"))
"""As everywhere in scikit-learn; elsewhere `class_weight` is only a word."""
SETTINGS = SettingsGroup(*(CLASS_WEIGHT if one.name == "class_weight" else one for one in ESTIMATOR.values()),
                         RANDOM_STATE)


@from_settings(SETTINGS)
class Classifier(ClassifierMixin, TableEstimator):
    """Networks that tell classes apart, for tables with numbers, categories, dates and missing values.

    Takes NumPy arrays and data frames (pandas, polars and others). Every setting has a default that suits most
    tables; see docs/settings.md. Probabilities are calibrated on rows that the networks left out.

    Attributes:
        classes_: the labels, sorted.
        model_: the trained model: `predict`, `save`, `describe`.
        history_: errors epoch by epoch.
        n_iter_: iterations done.
        n_features_in_, feature_names_in_: as in scikit-learn.

    Example:
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> pellucid.Classifier().fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.9
        True
    """

    _settings = SETTINGS

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Classifier:
        """Learn from rows `X` and labels `y`.

        Args:
            X: a data frame, an array (rows, columns) or a list of rows; NaN and `None` are missing values. An array
                (rows, height, width[, colours]) holds pictures.
            y: (rows,) labels: text, numbers or truth values.
            sample_weight: (rows,) at least 0. A row of weight 3 counts as three equal rows; weights that are not whole
                numbers are relative, and count in the error only.

        Returns:
            The estimator itself.

        Raises:
            ValueError: the rows cannot be learned from, or a setting is out of range.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Classifier:
        """One more epoch, over these rows only; by one network unless `members` says otherwise.

        Scaling and vocabularies are those of the first call. No rows are held out, so that probabilities are those of
        the networks, uncalibrated, and there are no prediction sets. An earlier `fit` is forgotten.

        Args:
            X, y, sample_weight: as in `fit`.
            classes: all labels that will ever occur; needed in the first call unless `y` holds them all.

        Returns:
            The estimator itself.

        Raises:
            ValueError: the rows cannot be learned from, or `y` holds a label that is none of the classes.
        """
        first = not hasattr(self, "_student")
        if not first and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise DataError(f"`classes={classes!r}` are not the same as in the first call of partial_fit, "
                            f"{self.classes_!r}.", "leave classes out after the first call")
        every = self.classes_ if not first else None if classes is None else np.unique(classes)
        return self._partial_fit(X, y, sample_weight, every)

    def _answers(self, y: Any, weights: RowWeights, classes: np.ndarray | None) -> Answers:
        y = _labels(y)
        self.classes_ = np.unique(y) if classes is None else classes
        if len(self.classes_) < 2:
            raise DataError(f"y holds only one class, {plain_label(self.classes_[0])!r}; a classifier needs two.",
                            "add rows of another class")
        codes = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1).astype(np.int32)
        if (self.classes_[codes] != y).any():
            raise DataError("y holds labels that are not among the classes of the first call.",
                            "pass all classes in the first call of partial_fit")
        if len(np.unique(codes[weights.weight > 0])) < 2 and classes is None:
            raise DataError("Only one class has rows with a sample weight above zero; a classifier needs at least two.",
                            "give rows of another class some weight")
        target = ClassTarget("y", tuple(plain_label(label) for label in self.classes_), self._positive())
        self._check_rule(target.classes)
        return target, codes, weights.times(class_factors(self.class_weight, codes, self.classes_, weights.weight))

    def _check_rule(self, classes: tuple[Any, ...]) -> None:
        """Tell a rule of decision that does not fit the classes before anything is trained."""
        costs = None if self.costs is None else cost_matrix(self.costs, classes)
        decide(np.zeros((0, len(classes))), costs=costs, threshold=self.threshold)

    def _positive(self) -> Any:
        if self.positive is None:
            return None
        if len(self.classes_) > 2:
            raise DataError(f"`positive` was {self.positive!r}, but there are {len(self.classes_)} classes; a positive "
                            "class is for two.", "leave `positive` out")
        named = [plain_label(label) for label in self.classes_ if str(label) == str(self.positive)]
        if not named:
            raise DataError(f"`positive` was {self.positive!r}, which is not among the classes {self.classes_}.",
                            "name one of the classes")
        return named[0]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities, float64 (rows, classes), in the order of `classes_`; `X` as in `fit`."""
        return self._predictions(X).probabilities

    def predict(self, X: Any) -> np.ndarray:
        """Labels (rows,): the likeliest class, or the decision by `threshold` or `costs` where given."""
        check_is_fitted(self)
        return self.classes_[self.model_.decide(self.predict_proba(X))]

    def predict_set(self, X: Any, coverage: float | None = None) -> np.ndarray:
        """The classes that cannot be ruled out.

        Args:
            X: as in `fit`.
            coverage: the share of the sets that hold the truth, above 0 and below 1; the setting of that name when
                `None`.

        Returns:
            bool (rows, classes), at least one true in each row, in the order of `classes_`.

        Raises:
            ValueError: nothing was held out while learning, as after `partial_fit`.
        """
        return self._covering(X, coverage).sets


def _labels(y: Any) -> np.ndarray:
    """`y` as one array of labels that can be sorted."""
    y = _check_y(y)
    if y.dtype == object and any(label is None for label in y):
        raise DataError("Input y contains NaN or None.", "leave out rows without a label")
    check_classification_targets(y)
    return y


def plain_label(label: Any) -> Any:
    """A label as a plain Python value."""
    return label.item() if isinstance(label, np.generic) else label
