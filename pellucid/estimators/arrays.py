"""What scikit-learn's users pass as `X`, as a table: frames keep names and types, everything else becomes an array."""
from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from pellucid.data.frames import read_frame
from pellucid.data.read import as_table
from pellucid.data.table import Table
from pellucid.errors import DataError

_WORDS = (str, datetime.date, np.datetime64)


def checked_table(estimator: BaseEstimator, X: Any, *, reset: bool) -> Table:
    """`X` as a table, with scikit-learn's checks of shape, feature names and number of features.

    Args:
        estimator: whose `n_features_in_` and `feature_names_in_` are set (`reset`) or compared.
        X: a data frame, an array (rows, columns), or a list of rows; NaN and `None` are missing values. An array (rows,
            height, width[, colours]) holds pictures.
        reset: whether this is the first sight of such data.

    Raises:
        ValueError: not a table of at least one row (two at first), infinite values, other columns than at first.
    """
    least = 2 if reset else 1
    if isinstance(X, np.ndarray) and X.ndim in (3, 4) and X.dtype.kind in "buif":
        X = validate_data(estimator, X, reset=reset, dtype=None, allow_nd=True, ensure_min_samples=least)
        return as_table(X)
    if read_frame(X) is not None and getattr(X, "ndim", 2) == 2:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        table = as_table(X)
        if len(table) < least:
            raise DataError(f"Found array with {len(table)} sample(s) (shape={tuple(X.shape)}) while a minimum of "
                            f"{least} is required.", "pass more rows")
    else:
        worded = _holds_words(X)
        if worded and isinstance(X, (list, tuple)):
            X = np.array(X, dtype=object)
        X = validate_data(estimator, X, reset=reset, dtype=None if worded else "numeric",
                          ensure_all_finite="allow-nan", ensure_min_samples=least)
        table = as_table(X)
    _refuse_infinite(table)
    return table


def _holds_words(X: Any) -> bool:
    """Whether some cell is a word or a date, so that the cells cannot all become numbers."""
    if isinstance(X, (list, tuple)):
        return any(isinstance(cell, _WORDS) for row in X if isinstance(row, (list, tuple, np.ndarray)) for cell in row)
    if not isinstance(X, np.ndarray):
        return False
    return X.dtype.kind in "USM" or (X.dtype == object and any(isinstance(cell, _WORDS) for cell in X.flat))


def _refuse_infinite(table: Table) -> None:
    for name in table.names:
        column = table.column(name)
        if column.dtype.is_float() and bool(column.is_infinite().any()):
            raise DataError(f"Input X contains infinity in column `{name}`.",
                            "replace infinite values; missing ones (NaN) are fine")
