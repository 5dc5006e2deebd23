"""Plain methods that every network must be held against: a constant, a linear model, boosted trees.

They see the same encoded columns as the network: the numbers, the categories as codes (one-hot for the linear model,
as categories for the trees), and a plain view of raw columns, such as word counts; see `tasks.plain`.
"""
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from pellucid.features.base import AbstractFeature
from pellucid.model.metrics import row_log_loss
from pellucid.tasks.plain import SPARSE, Block, narrowed, plain_matrix, scaled

STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # C of the logistic regression
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)  # alpha of the ridge regression
MOST_LEVELS = 254  # codes that HistGradientBoosting takes; the vocabulary is by falling count
CHOICE_ROWS = 5_000  # rows on which the strength is chosen
MOST_CELLS = 2e9  # that boosting looks at: rows × columns × classes × iterations
THREADED_CELLS = 1_000_000  # below it one thread is faster, and on a busy machine many times so

LABELS = {
    "majority": "always the most frequent class", "mean": "always the mean", "logistic_regression":
    "logistic regression", "ridge": "ridge regression", "gradient_boosting": "gradient boosting",
}


@dataclass(frozen=True, eq=False)
class Baseline:
    """A fitted plain method.

    Attributes:
        name: "majority", "mean", "logistic_regression", "ridge" or "gradient_boosting".
        seconds: what fitting took, the choice of its strength included.
        estimator: the fitted scikit-learn estimator, on `plain_matrix`.
        classes: how many classes; None for numbers.
        features: how raw columns were encoded.
    """

    name: str
    seconds: float
    estimator: Any = field(repr=False)
    classes: int | None = None
    features: tuple[AbstractFeature, ...] = ()

    @property
    def label(self) -> str:
        """Its name for people."""
        return LABELS[self.name]

    def predict(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """Probabilities (rows, classes), or numbers (rows,), for encoded `inputs`."""
        matrix, _ = plain_matrix(inputs, self.features)
        with _threads(matrix):
            if self.classes is None:
                return np.asarray(self.estimator.predict(matrix), dtype=np.float64)
            probabilities = np.zeros((matrix.shape[0], self.classes))
            probabilities[:, self.estimator.classes_] = self.estimator.predict_proba(matrix)
            return probabilities


def _threads(matrix: Any) -> threadpool_limits:
    """One thread for small work, all for large."""
    cells = matrix.nnz if issparse(matrix) else matrix.shape[0] * matrix.shape[1]
    return threadpool_limits(1 if cells < THREADED_CELLS else None)


def fit_baselines(task: str, inputs: Mapping[str, Any], targets: np.ndarray, *, classes: int | None = None,
                  weight: np.ndarray | None = None, seed: int = 0, names: Sequence[str] | None = None,
                  features: Sequence[AbstractFeature] = ()) -> tuple[Baseline, ...]:
    """Fit the plain methods.

    Args:
        task: "classify" or "regress".
        inputs: {"numbers": (rows, n), "codes": (rows, c)} of the training rows, as encoded for the network; and raw
            "columns", of which the plain methods see a simple view.
        targets: (rows,) class indices, or numbers in the target's units.
        classes: how many classes there are; by default as many as `targets` names.
        weight: (rows,) row weights.
        seed: of the folds and the trees.
        names: which methods; all by default.
        features: how the rows were encoded; needed for raw columns only.

    Returns:
        The constant, the linear model, the boosted trees, in this order.

    Example:
        >>> inputs = {"numbers": np.arange(20.0)[:, None], "codes": np.zeros((20, 0), dtype=np.int32)}
        >>> constant, ridge, boosting = fit_baselines("regress", inputs, np.arange(20.0))
        >>> float(constant.predict(inputs)[0]), bool(abs(ridge.predict(inputs)[0]) < 0.5)
        (9.5, True)
    """
    regress = task == "regress"
    matrix, blocks = plain_matrix(inputs, features)
    targets = np.asarray(targets, dtype=np.float64 if regress else np.int64)
    weight = np.ones(len(targets)) if weight is None else np.asarray(weight, dtype=np.float64)
    classes = None if regress else classes or int(targets.max()) + 1
    several = regress or len(np.unique(targets)) > 1
    makers = {"mean" if regress else "majority": _constant}
    if several:
        makers |= {"ridge" if regress else "logistic_regression": _linear, "gradient_boosting": _boosting}
    fitted = []
    for name, make in makers.items():
        if names is None or name in names:
            start = time.perf_counter()
            with _threads(matrix):
                estimator = make(regress, matrix, blocks, targets, weight, seed)
            fitted.append(Baseline(name, time.perf_counter() - start, estimator, classes, tuple(features)))
    return tuple(fitted)


def _constant(regress: bool, matrix: Any, blocks: Sequence[Block], targets: np.ndarray, weight: np.ndarray,
              seed: int) -> Any:
    """The mean, or the frequencies of the classes: the best answer that looks at no column."""
    estimator = DummyRegressor() if regress else DummyClassifier(strategy="prior")
    return estimator.fit(np.zeros((matrix.shape[0], 1)), targets, sample_weight=weight)


def _linear(regress: bool, matrix: Any, blocks: Sequence[Block], targets: np.ndarray, weight: np.ndarray,
            seed: int) -> Any:
    """One-hot and scaled columns into a ridge or logistic regression, its strength chosen by five folds."""
    columns = scaled(blocks)
    tolerance = 1e-5 if _worded(blocks) else 1e-3  # the gradients of rare words are small
    candidates = [Ridge(alpha=penalty) for penalty in PENALTIES] if regress else [
        LogisticRegression(C=strength, max_iter=500, tol=tolerance) for strength in _strengths(blocks)]
    some = np.random.default_rng(seed).permutation(len(targets))[:CHOICE_ROWS]
    prepared = clone(columns).fit_transform(matrix[some])
    errors = [_held_out_error(candidate, prepared, targets[some], weight[some], seed) for candidate in candidates]
    pipeline = make_pipeline(columns, candidates[int(np.argmin(errors))])
    return _fit_last(pipeline, matrix, targets, weight)


def _strengths(blocks: Sequence[Block]) -> tuple[float, ...]:
    """Words have small weights, so that less shrinkage suits them."""
    return (*STRENGTHS[2:], 100.0) if _worded(blocks) else STRENGTHS


def _worded(blocks: Sequence[Block]) -> bool:
    return any(block.scaling in SPARSE for block in blocks)


def _fit_last(pipeline: Pipeline, matrix: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> Pipeline:
    return pipeline.fit(matrix, targets, **{f"{pipeline.steps[-1][0]}__sample_weight": weight})


def _held_out_error(estimator: Any, matrix: Any, targets: np.ndarray, weight: np.ndarray, seed: int) -> float:
    """The weighted squared error or log loss over five left-out folds, fewer where a class is rarer than that."""
    classify = isinstance(estimator, LogisticRegression)
    folds = min(5, int(np.bincount(targets)[np.unique(targets)].min()) if classify else len(targets))
    if folds < 2:
        return 0.0 if getattr(estimator, "C", getattr(estimator, "alpha", 1.0)) == 1.0 else 1.0
    splitter = (StratifiedKFold if classify else KFold)(folds, shuffle=True, random_state=seed)
    total = 0.0
    for fit_rows, test_rows in splitter.split(targets[:, None], targets):
        fitted = clone(estimator).fit(matrix[fit_rows], targets[fit_rows], sample_weight=weight[fit_rows])
        if classify:
            found = np.searchsorted(fitted.classes_, targets[test_rows])
            errors = row_log_loss(found, fitted.predict_proba(matrix[test_rows]))
        else:
            errors = (fitted.predict(matrix[test_rows]) - targets[test_rows]) ** 2
        total += float(weight[test_rows] @ errors)
    return total


def _boosting(regress: bool, matrix: Any, blocks: Sequence[Block], targets: np.ndarray, weight: np.ndarray,
              seed: int) -> Any:
    """Histogram gradient boosting with native categories; stops early by itself above 10,000 rows.

    Where many rows, columns and classes would take more time than the network, it takes fewer and larger steps.
    """
    maker = HistGradientBoostingRegressor if regress else HistGradientBoostingClassifier
    rows, classes = len(targets), 1 if regress else len(np.unique(targets))
    columns, codes = narrowed(blocks, rows, seed)
    usual = 40 if classes > 10 else 100 if rows < 10_000 else 200
    cells = rows * len(codes) * (classes if classes > 2 else 1)
    iterations = int(np.clip(MOST_CELLS / cells, 40, usual))
    estimator = _Capped(maker(
        learning_rate=min(0.08 * usual / iterations, 0.2), max_iter=iterations,
        max_leaf_nodes=8 if rows < 2_000 else 15 if rows < 10_000 else 31,
        min_samples_leaf=int(np.clip(rows // 10, 2, 20)), l2_regularization=1.0,
        categorical_features=codes if codes.any() else None, random_state=seed), columns, codes)
    return estimator.fit(matrix, targets, weight)


class _Capped:
    """Boosted trees on narrowed columns, with codes up to `MOST_LEVELS`; rarer ones share the last."""

    def __init__(self, estimator: Any, columns: Any, codes: np.ndarray) -> None:
        self.estimator = estimator
        self.columns = columns
        self.codes = codes

    def _cap(self, matrix: np.ndarray) -> np.ndarray:
        return np.where(self.codes, np.minimum(matrix, MOST_LEVELS), matrix) if self.codes.any() else matrix

    def fit(self, matrix: Any, targets: np.ndarray, weight: np.ndarray) -> _Capped:
        """Fit on narrowed columns and capped codes."""
        self.estimator.fit(self._cap(self.columns.fit_transform(matrix)), targets, sample_weight=weight)
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The class indices seen."""
        return self.estimator.classes_

    def predict(self, matrix: Any) -> np.ndarray:
        """Numbers (rows,)."""
        return self.estimator.predict(self._cap(self.columns.transform(matrix)))

    def predict_proba(self, matrix: Any) -> np.ndarray:
        """Probabilities (rows, classes seen)."""
        return self.estimator.predict_proba(self._cap(self.columns.transform(matrix)))
