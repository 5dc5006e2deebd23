"""`pellucid.Regressor`."""
from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from sklearn.base import RegressorMixin
from sklearn.utils.validation import _check_y

from pellucid.core.declared import ESTIMATOR
from pellucid.core.settings import SettingsGroup
from pellucid.estimators.base import Answers, TableEstimator
from pellucid.estimators.signature import RANDOM_STATE, from_settings
from pellucid.estimators.weights import RowWeights
from pellucid.features.targets import fit_number_target

FOR_CLASSES = ("class_weight", "label_smoothing", "positive", "threshold", "costs")
SETTINGS = SettingsGroup(*(one for name, one in ESTIMATOR.items() if name not in FOR_CLASSES), RANDOM_STATE)


@from_settings(SETTINGS)
class Regressor(RegressorMixin, TableEstimator):
    """Networks that predict a number, for tables with numbers, categories, dates and missing values.

    Takes NumPy arrays and data frames (pandas, polars and others). Every setting has a default that suits most
    tables; see docs/settings.md.

    Attributes:
        model_: the trained model: `predict`, `save`, `describe`.
        history_: errors epoch by epoch.
        n_iter_: iterations done.
        n_features_in_, feature_names_in_: as in scikit-learn.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> pellucid.Regressor().fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.3
        True
    """

    _settings = SETTINGS

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """Learn from rows `X` and numbers `y`.

        Args:
            X: a data frame, an array (rows, columns) or a list of rows; NaN and `None` are missing values. An array
                (rows, height, width[, colours]) holds pictures.
            y: (rows,) finite numbers.
            sample_weight: (rows,) at least 0. A row of weight 3 counts as three equal rows; weights that are not whole
                numbers are relative, and count in the error only.

        Returns:
            The estimator itself.

        Raises:
            ValueError: the rows cannot be learned from, or a setting is out of range.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """One more epoch, over these rows only; by one network unless `members` says otherwise.

        Scaling and vocabularies are those of the first call. No rows are held out, so that there are no prediction
        intervals. An earlier `fit` is forgotten.

        Args:
            X, y, sample_weight: as in `fit`.

        Returns:
            The estimator itself.

        Raises:
            ValueError: the rows cannot be learned from.
        """
        return self._partial_fit(X, y, sample_weight)

    def _answers(self, y: Any, weights: RowWeights, classes: np.ndarray | None) -> Answers:
        y = np.asarray(_check_y(y, y_numeric=True, estimator=self), np.float64)
        student = getattr(self, "_student", None)
        target = fit_number_target("y", pl.Series("y", y[weights.rows])) if student is None else student.target
        return target, target.encode(pl.Series("y", y)), weights

    def predict(self, X: Any) -> np.ndarray:
        """Numbers, float64 (rows,); `X` as in `fit`."""
        return self._predictions(X).prediction

    def predict_interval(self, X: Any, coverage: float | None = None) -> np.ndarray:
        """Between which numbers the truth lies.

        Args:
            X: as in `fit`.
            coverage: the share of the intervals that hold the truth, above 0 and below 1; the setting of that name when
                `None`.

        Returns:
            float64 (rows, 2): lower and upper ends.

        Raises:
            ValueError: nothing was held out while learning, as after `partial_fit`.
        """
        predictions = self._covering(X, coverage)
        return np.stack([predictions.lower, predictions.upper], axis=1)
