"""`pellucid.Regressor`."""
from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from sklearn.base import RegressorMixin
from sklearn.utils.validation import _check_y

from pellucid.core.declared import ESTIMATOR
from pellucid.core.settings import SettingsGroup
from pellucid.errors import DataError
from pellucid.estimators.base import Answers, TableEstimator
from pellucid.estimators.signature import RANDOM_STATE, from_settings
from pellucid.features.targets import NumberTarget, fit_number_target

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

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> pellucid.Regressor().fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.3
        True
    """

    _settings = SETTINGS

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """Learn from rows `X` (rows, columns) and numbers `y` (rows,); `sample_weight` (rows,) of at least 0.

        Raises:
            ValueError: the rows cannot be learned from, or a setting is out of range.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """One more epoch, over these rows only. Scaling and vocabularies are those of the first call."""
        return self._partial_fit(X, y, sample_weight, self._answers)

    def _answers(self, y: Any, rows: int) -> Answers:
        if y is None:
            raise ValueError("This Regressor requires y to be passed, but the target y is None.")
        y = np.asarray(_check_y(y, y_numeric=True, estimator=self), np.float64)
        if len(y) != rows:
            raise DataError(f"X has {rows} rows, but y has {len(y)} (inconsistent numbers of samples).",
                            "pass one number for each row")
        known: NumberTarget | None = getattr(getattr(self, "_student", None), "target", None)
        target = known or fit_number_target("y", pl.Series("y", y))
        return target, ((y - target.center) / target.scale).astype(np.float32)

    def predict(self, X: Any) -> np.ndarray:
        """Numbers, float64 (rows,)."""
        return self._predictions(X).prediction

    def predict_interval(self, X: Any, coverage: float | None = None) -> np.ndarray:
        """float64 (rows, 2): lower and upper ends such that `coverage` of the intervals hold the truth."""
        predictions = self._predictions(X, coverage)
        return np.stack([predictions.lower, predictions.upper], axis=1)
