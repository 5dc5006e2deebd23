"""`pellucid.Classifier`."""
from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from pellucid.core.declared import ESTIMATOR
from pellucid.core.settings import SettingsGroup
from pellucid.data.table import Table
from pellucid.errors import DataError
from pellucid.estimators.base import Answers, TableEstimator
from pellucid.estimators.signature import RANDOM_STATE, from_settings
from pellucid.features.targets import ClassTarget
from pellucid.tasks.prepare import class_weights

SETTINGS = SettingsGroup(*ESTIMATOR.values(), RANDOM_STATE)


@from_settings(SETTINGS)
class Classifier(ClassifierMixin, TableEstimator):
    """Networks that tell classes apart, for tables with numbers, categories, dates and missing values.

    Takes NumPy arrays and data frames (pandas, polars and others). Every setting has a default that suits most
    tables; see docs/settings.md. Probabilities are calibrated on rows that the networks left out.

    Attributes:
        classes_: the labels, sorted.
        model_: the trained model: `predict`, `save`, `describe`.
        history_: errors epoch by epoch.

    Example:
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> pellucid.Classifier().fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.9
        True
    """

    _settings = SETTINGS

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Classifier:
        """Learn from rows `X` (rows, columns) and labels `y` (rows,); `sample_weight` (rows,) of at least 0.

        Raises:
            ValueError: the rows cannot be learned from, or a setting is out of range.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Classifier:
        """One more epoch, over these rows only. Scaling and vocabularies are those of the first call.

        Args:
            X, y, sample_weight: as in `fit`.
            classes: all labels that will ever occur; needed in the first call unless `y` holds them all.
        """
        known = getattr(self, "classes_", None) if hasattr(self, "_student") else None
        every = known if known is not None else classes if classes is not None else y
        return self._partial_fit(X, y, sample_weight, lambda y, rows: self._answers(y, rows, np.unique(every)))

    def _answers(self, y: Any, rows: int, classes: np.ndarray | None = None) -> Answers:
        if y is None:
            raise ValueError("This Classifier requires y to be passed, but the target y is None.")
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if len(y) != rows:
            raise DataError(f"X has {rows} rows, but y has {len(y)} (inconsistent numbers of samples).",
                            "pass one label for each row")
        self.classes_ = np.unique(y) if classes is None else classes
        if len(self.classes_) < 2:
            raise DataError(f"y holds only one class, {self.classes_[0]!r}; a classifier needs at least two.",
                            "add rows of another class")
        codes = np.searchsorted(self.classes_, y)
        if (self.classes_[np.minimum(codes, len(self.classes_) - 1)] != y).any():
            raise DataError("y holds labels that are not among the classes of the first call.",
                            "pass all classes in the first call of partial_fit")
        positive = self._positive()
        labels = tuple(label.item() if isinstance(label, np.generic) else label for label in self.classes_)
        return ClassTarget("y", labels, positive), codes.astype(np.int32)

    def _positive(self) -> Any:
        if self.positive is None or len(self.classes_) != 2:
            return None
        named = [label.item() if isinstance(label, np.generic) else label for label in self.classes_
                 if str(label) == str(self.positive)]
        if not named:
            raise DataError(f"`positive` was {self.positive!r}, which is not among the classes {self.classes_}.",
                            "name one of the classes")
        return named[0]

    def _weights(self, table: Table, answers: np.ndarray, sample_weight: Any, settings: dict[str, Any]) -> np.ndarray:
        weight = super()._weights(table, answers, sample_weight, settings)
        counting = np.unique(answers[weight > 0])
        if len(counting) < 2 and not hasattr(self, "_student"):
            raise DataError("Only one class has rows with a sample weight above zero; a classifier needs at least two.",
                            "give rows of another class some weight")
        if settings["class_weight"] == "balanced":
            weight = weight * class_weights(answers, len(self.classes_)).astype(np.float32)
        return weight

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities, float64 (rows, classes), in the order of `classes_`."""
        return self._predictions(X).probabilities

    def predict(self, X: Any) -> np.ndarray:
        """Labels (rows,): the likeliest class, or the decision by `threshold` or `costs` where given."""
        check_is_fitted(self)
        return self.classes_[self.model_.decide(self.predict_proba(X))]

    def predict_set(self, X: Any, coverage: float | None = None) -> np.ndarray:
        """bool (rows, classes): the classes that cannot be ruled out when `coverage` of the sets hold the truth."""
        return self._predictions(X, coverage).sets
