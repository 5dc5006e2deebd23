"""Encoded columns as one matrix for the plain methods: numbers, codes, and a simple view of each raw column."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack, issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import raw_features
from pellucid.tasks.raw import raw_kinds

COMPONENTS = 64  # of each wide block, for trees
SPARSE = ("tf_idf", "none")
NARROW = 200  # blocks of up to so many columns are given to trees as they are


class UsedColumns(TransformerMixin, BaseEstimator):
    """The columns of a sparse matrix that hold anything in the rows it was fitted on; at least one."""

    def fit(self, X: Any, y: Any = None) -> UsedColumns:
        """Look for them."""
        used = np.flatnonzero(np.diff(csc_array(X).indptr)) if issparse(X) else np.arange(X.shape[1])
        self.columns_ = used if len(used) else np.zeros(1, np.int64)
        return self

    def transform(self, X: Any) -> Any:
        """Take them."""
        return X[:, self.columns_]


class Components(TransformerMixin, BaseEstimator):
    """The main components of a wide block; zeros where it has not as many.

    Args:
        count: how many.
        seed: of the random directions that they are found by.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed

    def fit(self, X: Any, y: Any = None) -> Components:
        """Find them."""
        self.found_ = TruncatedSVD(min(self.count, X.shape[1]), random_state=self.seed).fit(X)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(rows, count)."""
        found = self.found_.transform(X)
        return np.pad(found, ((0, 0), (0, self.count - found.shape[1])))


@dataclass(frozen=True)
class Block:
    """Columns of a plain matrix that belong together.

    Args:
        scaling: `"standard"`, `"codes"`, `"tf_idf"` for counts, or `"none"` for weights that are scaled already.
        start, stop: the columns.
    """

    scaling: str
    start: int
    stop: int

    @property
    def columns(self) -> np.ndarray:
        """The numbers of the columns."""
        return np.arange(self.start, self.stop)

    @property
    def width(self) -> int:
        """How many columns."""
        return self.stop - self.start


def plain_matrix(inputs: Mapping[str, Any],
                 features: Sequence[AbstractFeature] = ()) -> tuple[Any, tuple[Block, ...]]:
    """One matrix (rows, columns), and what its columns are; sparse only where there are raw columns.

    Args:
        inputs: encoded rows: `"numbers"`, `"codes"`, and `"columns"` where there are raw ones.
        features: how they were encoded; needed for raw columns only.
    """
    numbers, codes = np.asarray(inputs["numbers"], np.float64), np.asarray(inputs["codes"])
    parts = [("standard", numbers), ("codes", codes.astype(np.float64))]
    for feature, raw in zip(raw_features(features), inputs.get("columns", ()), strict=False):
        kind = raw_kinds[feature.kind]
        parts.append((kind.scaling, kind.plain(raw)))
    parts = [(name, part) for name, part in parts if part.shape[1]]
    blocks, start = [], 0
    for name, part in parts:
        blocks.append(Block(name, start, start + part.shape[1]))
        start += part.shape[1]
    if not parts:
        return np.zeros((len(numbers), 1)), (Block("standard", 0, 1),)
    sparse = any(issparse(part) for _, part in parts)
    joined = hstack([csr_array(part) for _, part in parts], format="csr") if sparse else np.concatenate(
        [part for _, part in parts], axis=1)
    return joined, tuple(blocks)


def scaled(blocks: Sequence[Block]) -> ColumnTransformer:
    """What the linear method sees: scaled numbers, one-hot codes, weighted words."""
    sparse = any(block.scaling in SPARSE for block in blocks)
    return ColumnTransformer([(f"{block.scaling} {block.start}", _scaler(block, sparse), block.columns)
                              for block in blocks], sparse_threshold=0.2)


def _scaler(block: Block, sparse: bool) -> Any:
    """A sparse matrix cannot be centred, and what is rare in it should not count for more."""
    if block.scaling == "codes":
        return OneHotEncoder(handle_unknown="ignore", max_categories=200)
    if not sparse:
        return StandardScaler()
    if block.scaling == "standard":
        return StandardScaler(with_mean=False) if block.width <= NARROW else MaxAbsScaler()
    return make_pipeline(UsedColumns(), _weights(block))


def _weights(block: Block) -> Any:
    return TfidfTransformer(sublinear_tf=True) if block.scaling == "tf_idf" else "passthrough"


def narrowed(blocks: Sequence[Block], rows: int, seed: int) -> tuple[Any, np.ndarray]:
    """What trees see: wide blocks by their main components, the others as they are; and which columns are codes."""
    transformers, codes = [], []
    for block in blocks:
        if block.width <= NARROW:
            transformers.append((f"{block.scaling} {block.start}", "passthrough", block.columns))
            codes += [block.scaling == "codes"] * block.width
        else:
            scaler = MaxAbsScaler() if block.scaling == "standard" else _weights(block)
            count = max(min(COMPONENTS, rows - 1, block.width - 1), 1)
            steps = make_pipeline(UsedColumns(), scaler, Components(count, seed))
            transformers.append((f"{block.scaling} {block.start}", steps, block.columns))
            codes += [False] * count
    return ColumnTransformer(transformers, sparse_threshold=0.0), np.array(codes)
