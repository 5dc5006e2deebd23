"""What classifier and regressor share: tables and arrays in, scikit-learn's contract out."""
from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from pellucid.core.settings import SettingsGroup
from pellucid.data.frames import read_frame
from pellucid.data.read import as_table
from pellucid.data.schema import Schema, fit_features, infer_schema
from pellucid.data.split import duplicate_groups, fold_rows
from pellucid.data.table import Table
from pellucid.errors import DataError
from pellucid.features.inputs import cardinalities, encode_inputs, number_names
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.model.model import Model
from pellucid.model.predictions import Predictions
from pellucid.networks.describe import Description
from pellucid.tasks.defaults import DEFAULT_NORMALISE, TableSize, resolve
from pellucid.tasks.learn import Learned, Lesson, learn, num_folds
from pellucid.tasks.partial import Student

Answers = tuple[ClassTarget | NumberTarget, np.ndarray]


class TableEstimator(BaseEstimator):
    """An ensemble of networks for a table, as a scikit-learn estimator.

    Attributes:
        model_: the trained `pellucid` model, once fitted.
        history_: errors epoch by epoch.
        n_features_in_, feature_names_in_: as in scikit-learn.
    """

    _settings: SettingsGroup

    def _checked_settings(self) -> dict[str, Any]:
        given = self._settings.check({name: getattr(self, name) for name in self._settings})
        state = self.random_state
        if state is not None:
            given["seed"] = int(check_random_state(state).randint(2**31)) if not isinstance(state, int) else state
        del given["random_state"]
        return given

    def _table(self, X: Any, *, reset: bool) -> Table:
        """`X` as a table: frames keep their names and types, everything else becomes an array."""
        if read_frame(X) is not None:
            validate_data(self, X, reset=reset, skip_check_array=True)
            table = as_table(X)
            _refuse_infinite(table)
            if len(table) == 0:
                raise DataError("Found array with 0 sample(s) while a minimum of 1 is required.", "pass some rows")
            return table
        X = validate_data(self, X, reset=reset, dtype=None if _holds_words(X) else "numeric",
                          ensure_all_finite="allow-nan", ensure_min_samples=1)
        return as_table(X)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        settings = self._checked_settings()
        table = self._table(X, reset=True)
        target, answers = self._answers(y, len(table))
        weight = self._weights(table, answers, sample_weight, settings)
        lesson, chosen = _lesson(table, target, answers, weight, settings)
        learned = learn(lesson, chosen)
        return self._keep(learned.model, learned)

    def _keep(self, model: Model, learned: Learned) -> Any:
        self.model_, self.history_ = model, learned.outcome.history
        self.n_iter_ = learned.outcome.iterations
        return self

    def _weights(self, table: Table, answers: np.ndarray, sample_weight: Any, settings: dict[str, Any]) -> np.ndarray:
        if sample_weight is None:
            return np.ones(len(table), np.float32)
        weight = _check_sample_weight(sample_weight, np.zeros((len(table), 1)), dtype=np.float64,
                                      ensure_non_negative=True)
        if not weight.any():
            raise DataError("All sample weights are zero; expected at least one above zero.", "leave them out")
        return (weight / weight[weight > 0].mean()).astype(np.float32)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, answers_of: Any) -> Any:
        first = not hasattr(self, "_student")
        settings = self._checked_settings()
        table = self._table(X, reset=first)
        target, answers = answers_of(y, len(table))
        weight = self._weights(table, answers, sample_weight, settings)
        if first:
            lesson, chosen = _lesson(table, target, answers, weight, settings | {"members": settings["members"] or 1})
            self._student = Student(lesson, chosen)
        inputs = encode_inputs(self._student.features, table).arrays
        folds = np.zeros(len(table), np.int64)
        self.model_ = self._student.learn(Lesson(self._student.features, target, inputs, answers, weight, folds))
        return self

    def _predictions(self, X: Any, coverage: float | None = None) -> Predictions:
        check_is_fitted(self)
        return self.model_.predict(self._table(X, reset=False), coverage=coverage)

    def describe(self) -> Description:
        """The trained network in a table: layers, neurons, synapses, shapes, memory."""
        check_is_fitted(self)
        return self.model_.describe()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags


def _holds_words(X: Any) -> bool:
    array = X if hasattr(X, "dtype") else None
    if array is None and isinstance(X, (list, tuple)):
        array = np.asarray(X, dtype=object) if X and isinstance(X[0], (list, tuple)) else np.zeros(0)
    if array is None or getattr(array, "dtype", None) is None or not hasattr(array, "flat"):
        return False
    return array.dtype.kind in "US" or (array.dtype == object and any(isinstance(cell, str) for cell in array.flat))


def _refuse_infinite(table: Table) -> None:
    for name in table.names:
        column = table.column(name)
        if column.dtype.is_float() and bool(column.is_infinite().any()):
            raise DataError(f"Input X contains infinity in column `{name}`.",
                            "replace infinite values; missing ones (NaN) are fine")


def _lesson(table: Table, target: ClassTarget | NumberTarget, answers: np.ndarray, weight: np.ndarray,
            settings: dict[str, Any]) -> tuple[Lesson, dict[str, Any]]:
    """Features fitted on the rows that count, all rows encoded and dealt to folds."""
    counting = np.flatnonzero(weight > 0)
    schema: Schema = infer_schema(table, (), settings["types"])
    some = table if len(counting) == len(table) else table.take(counting)
    features = fit_features(schema, some, normalise=settings["normalise"] or DEFAULT_NORMALISE)
    inputs = encode_inputs(features, table).arrays
    classes = len(target.classes) if isinstance(target, ClassTarget) else 0
    width = len(number_names(features)) + sum(cardinalities(features))
    chosen = resolve(settings, TableSize(len(counting), width, classes))
    duplicates = duplicate_groups(table, [column.name for column in schema.features if column.used])
    most = min(num_folds(chosen["members"]), len(np.unique(duplicates)))
    folds = np.zeros(len(table), np.int64) if most < 2 else fold_rows(
        len(table), folds=most, seed=chosen["seed"], target=answers, duplicates=duplicates)
    return Lesson(features, target, inputs, answers, weight, folds), chosen
