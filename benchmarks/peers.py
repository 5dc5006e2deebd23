"""scikit-learn's models, each as a careful user would set it up for a data frame of mixed columns.

Four peers: `linear`, `forest`, `boosting` and `network`. All of them take numbers and text in one frame,
with missing cells, and have scikit-learn's defaults but for what is written here.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

# Raise this when a setting below changes: recorded results of another version are not used again.
SETTINGS_VERSION = "2026.1"

FOREST_TREES = 300
RIDGE_PENALTIES = np.logspace(-2, 4, 13)

Task = Literal["classification", "regression"]


def _filled(*, scaled: bool) -> ColumnTransformer:
    """Numbers: the median where missing and a column that says so; categories: one column each."""
    numbers: list[BaseEstimator] = [SimpleImputer(strategy="median", add_indicator=True)]
    if scaled:
        numbers.append(StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(*numbers), make_column_selector(dtype_include="number")),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                make_column_selector(dtype_exclude="number"),
            ),
        ]
    )


def _as_categories(frame: pd.DataFrame) -> pd.DataFrame:
    text = frame.select_dtypes(exclude="number").columns
    return frame.astype(dict.fromkeys(text, "category"))


def linear(task: Task, num_jobs: int, seed: int) -> Pipeline:
    """Logistic regression with C=1, or ridge regression with its penalty chosen by leave-one-out."""
    del num_jobs, seed
    if task == "classification":
        return make_pipeline(_filled(scaled=True), LogisticRegression(C=1.0, max_iter=2000))
    return make_pipeline(_filled(scaled=True), RidgeCV(alphas=RIDGE_PENALTIES))


def forest(task: Task, num_jobs: int, seed: int) -> Pipeline:
    """A random forest of 300 trees, otherwise scikit-learn's defaults."""
    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return make_pipeline(_filled(scaled=False), kind(FOREST_TREES, n_jobs=num_jobs, random_state=seed))


def boosting(task: Task, num_jobs: int, seed: int) -> Pipeline:
    """Histogram gradient boosting with its own handling of categories and missing cells.

    Its number of threads is OpenMP's, which OMP_NUM_THREADS sets.
    """
    del num_jobs
    kind = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
    return make_pipeline(
        FunctionTransformer(_as_categories), kind(categorical_features="from_dtype", random_state=seed)
    )


def network(task: Task, num_jobs: int, seed: int) -> Pipeline:
    """scikit-learn's multi-layer perceptron on scaled inputs; a regression's target is scaled too."""
    del num_jobs
    if task == "classification":
        return make_pipeline(_filled(scaled=True), MLPClassifier(random_state=seed))
    regressor = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    return make_pipeline(_filled(scaled=True), regressor)


PEERS: dict[str, Callable[[Task, int, int], Pipeline]] = {
    "linear": linear,
    "forest": forest,
    "boosting": boosting,
    "network": network,
}
