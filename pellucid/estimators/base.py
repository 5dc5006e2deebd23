"""What classifier and regressor share: tables and arrays in, scikit-learn's contract out."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from pellucid.core.settings import SettingsGroup
from pellucid.data.schema import fit_features, infer_schema
from pellucid.data.split import duplicate_groups, fold_rows
from pellucid.data.table import Table
from pellucid.errors import DataError
from pellucid.estimators.arrays import checked_table
from pellucid.estimators.weights import RowWeights, row_weights
from pellucid.explain.changes import Changes
from pellucid.explain.explanation import Explanation
from pellucid.explain.similar import Similar
from pellucid.features.inputs import cardinalities, encode_inputs, is_used, number_names
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.model.predictions import Predictions
from pellucid.networks.describe import Description
from pellucid.tasks.defaults import DEFAULT_NORMALISE, TableSize, decided, resolve
from pellucid.tasks.keeping import with_examples
from pellucid.tasks.learn import Learned, learn
from pellucid.tasks.lesson import Lesson, num_folds
from pellucid.tasks.partial import Student

Answers = tuple[ClassTarget | NumberTarget, np.ndarray, RowWeights]


class TableEstimator(BaseEstimator):
    """An ensemble of networks for a table, as a scikit-learn estimator.

    A subclass gives `_settings`, and `_answers(y, weights, classes)`: the target, the encoded answers of all rows, and
    the weights of the rows in the error.

    Attributes:
        model_: the trained `pellucid` model, once fitted.
        history_: errors epoch by epoch.
        n_iter_: iterations done.
        n_features_in_, feature_names_in_: as in scikit-learn.
    """

    _settings: SettingsGroup

    def _checked_settings(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in self._settings}
        if given.get("positive") is not None:
            given["positive"] = str(given["positive"])
        state = given.pop("random_state")
        if state is not None:
            given["seed"] = int(check_random_state(state).randint(2**31)) if hasattr(state, "randint") else state
        checked = self._settings.check(given)
        del checked["random_state"]
        return checked

    def _table(self, X: Any, *, reset: bool) -> Table:
        """`X` as a table whose columns are named as in `fit`: arrays and frames may take each other's place."""
        table = checked_table(self, X, reset=reset)
        if reset:
            self._names = table.names
        return replace(table, frame=table.frame.rename(dict(zip(table.names, self._names, strict=True))))

    def _portion(self, X: Any, y: Any, sample_weight: Any, *, reset: bool,
                 classes: np.ndarray | None = None) -> tuple[Table, Answers]:
        table = self._table(X, reset=reset)
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        check_consistent_length(X, y)
        return table, self._answers(y, row_weights(sample_weight, len(table)), classes)

    def _answers(self, y: Any, weights: RowWeights, classes: np.ndarray | None) -> Answers:
        raise NotImplementedError

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        self.__dict__.pop("_student", None)
        settings = self._checked_settings()
        table, answers = self._portion(X, y, sample_weight, reset=True)
        lesson, chosen = _lesson(table, answers, settings)
        learned = learn(lesson, chosen)
        if settings["keep_examples"]:
            learned = with_examples(learned, _with_answers(table, lesson), np.arange(len(table)), lesson)
        self.n_iter_ = learned.outcome.iterations
        return self._keep(learned)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: np.ndarray | None = None) -> Any:
        settings = self._checked_settings()
        student: Student | None = getattr(self, "_student", None)
        table, answers = self._portion(X, y, sample_weight, reset=student is None, classes=classes)
        if student is None:
            lesson, chosen = _lesson(table, answers, settings | {"members": settings["members"] or 1})
            student, self.n_iter_ = Student(lesson, chosen), 0
        target, codes, weights = answers
        inputs, folds = encode_inputs(student.features, table).arrays, np.zeros(len(table), np.int64)
        learned = student.learn(Lesson(student.features, target, inputs, codes, weights.weight, folds, weights.counts))
        self._student = student
        self.n_iter_ += learned.outcome.iterations
        return self._keep(learned)

    def _keep(self, learned: Learned) -> Any:
        self.model_, self.history_ = learned.model, learned.outcome.history
        return self

    def _predictions(self, X: Any, coverage: float | None = None) -> Predictions:
        check_is_fitted(self)
        return self.model_.predict(self._table(X, reset=False), coverage=coverage)

    def _covering(self, X: Any, coverage: float | None) -> Predictions:
        """Predictions with sets or intervals."""
        predictions = self._predictions(X, coverage)
        if self.model_.calibration.conformal is None:
            raise DataError("No coverage can be promised: no rows were held out while learning.",
                            "use `fit`, which holds out rows, instead of `partial_fit`")
        return predictions

    def explain(self, X: Any, *, instead_of: Any = None, method: str | None = None,
                faithfulness: bool = True) -> list[Explanation]:
        """Why the prediction of each row of `X` is what it is; see `Model.explain`.

        Args:
            X: as in `fit`.
            instead_of: a class; the predicted class is explained rather than this one.
            method: `"gradients"`, `"shapley"` or `"occlusion"`; chosen for the network when `None`.
            faithfulness: whether each explanation is tested.
        """
        check_is_fitted(self)
        return self.model_.explain(self._table(X, reset=False), instead_of=instead_of, method=method,
                                   faithfulness=faithfulness)

    def changes(self, X: Any, **wishes: Any) -> list[Changes]:
        """What would change the prediction of each row of `X`: `to` a class, `at_least` or `at_most` a number, `locked`
        columns, `most` columns together, how many `alternatives`; see `Model.changes`."""
        check_is_fitted(self)
        return self.model_.changes(self._table(X, reset=False), **wishes)

    def similar(self, X: Any, *, count: int = 3) -> list[Similar]:
        """For each row of `X` the `count` training rows most like it in the learned space, and those that most
        influenced its answer; fit with `keep_examples=True`. See `Model.similar`."""
        check_is_fitted(self)
        return self.model_.similar(self._table(X, reset=False), count=count)

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
        tags.input_tags.categorical = True
        return tags


def _lesson(table: Table, answers: Answers, settings: Mapping[str, Any]) -> tuple[Lesson, dict[str, Any]]:
    """Features fitted on the rows that count, all rows encoded and dealt to folds."""
    target, codes, weights = answers
    target = replace(target, name=_free_name(target.name, table))
    counted = weights.rows
    seen = table if (weights.counts == 1).all() else table.take(counted)
    schema = infer_schema(seen, (), settings["types"])
    features = fit_features(schema, seen, normalise=settings["normalise"] or DEFAULT_NORMALISE)
    width = len(number_names(features)) + sum(cardinalities(features))
    if not any(map(is_used, features)):
        reasons = "; ".join(f"`{one.name}`: {one.reason}" for one in features[:5])
        raise DataError(f"No column of X can be learned from ({reasons}).",
                        "add columns whose values differ, or give their types with `types`")
    chosen = resolve(settings, TableSize(len(counted), width, len(getattr(target, "classes", ()))), features)
    folds = np.zeros(len(table), np.int64)
    folds[counted] = _folds(seen, [column.name for column in schema.features if column.used], codes[counted], chosen)
    inputs = encode_inputs(features, table).arrays
    classes = len(getattr(target, "classes", ()))
    chosen = decided(features, inputs, codes, classes, chosen)
    return Lesson(features, target, inputs, codes, weights.weight, folds, weights.counts), chosen


def _free_name(name: str, table: Table) -> str:
    """The name of the answers: not that of a column of X."""
    while name in table.names:
        name += "_"
    return name


def _with_answers(table: Table, lesson: Lesson) -> Table:
    """The columns of X and the answers."""
    answers = pl.Series(lesson.target.name, lesson.target.decode(lesson.answers).tolist())
    return replace(table, frame=table.frame.with_columns(answers))


def _folds(table: Table, names: list[str], answers: np.ndarray, chosen: Mapping[str, Any]) -> np.ndarray:
    """The fold of each row; equal rows are kept together."""
    duplicates = duplicate_groups(table, names)
    folds = min(num_folds(chosen, len(table)), len(np.unique(duplicates)))
    if folds < 2:
        raise DataError(f"Found array with {len(table)} sample(s) of which {folds} differ in X, while a minimum of 2 "
                        "is required.", "pass more rows")
    return fold_rows(len(table), folds=folds, seed=chosen["seed"], target=answers, duplicates=duplicates)
