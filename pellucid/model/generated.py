"""How good generated examples are: their distance to real ones, and whether all classes are among them. Plain NumPy."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.errors import ShapeError

ALIVE = 0.2
"""A class is alive when it turns up at least this often, measured by how often it was asked for."""


@dataclass(frozen=True)
class Coverage:
    """Which classes a generator draws, as a classifier sees it.

    Args:
        asked: how often each class was asked for, or is expected.
        found: how often the classifier found it.
        right: how often it found it where it was asked for.
    """

    asked: tuple[int, ...]
    found: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def agreement(self) -> float:
        """The share of examples that were found to be what was asked for."""
        return sum(self.right) / max(sum(self.asked), 1)

    @property
    def alive(self) -> int:
        """How many of the classes asked for turn up at least a fifth as often as asked."""
        return sum(found >= ALIVE * asked > 0 for asked, found in zip(self.asked, self.found, strict=True))


def class_coverage(asked: np.ndarray, found: np.ndarray, classes: int) -> Coverage:
    """Count asked and found classes.

    Args:
        asked: (examples,) integer classes that the generator was asked for.
        found: (examples,) the classes that a separately trained classifier sees.
        classes: how many there are.

    Raises:
        ShapeError: the two differ in length.

    Example:
        >>> coverage = class_coverage(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), 2)
        >>> coverage.agreement, coverage.alive
        (0.75, 2)
    """
    asked, found = np.asarray(asked), np.asarray(found)
    if asked.shape != found.shape or asked.ndim != 1:
        raise ShapeError(f"`class_coverage` got asked of shape {asked.shape} and found of shape {found.shape}; "
                         "expected two flat arrays of one length.", "pass one class an example in both")
    counts = [np.bincount(codes, minlength=classes).tolist() for codes in (asked, found, asked[asked == found])]
    return Coverage(*map(tuple, counts))


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """The Fréchet distance between two clouds of features, each taken for a normal distribution.

    `|m_a - m_b|² + tr(C_a + C_b - 2 (C_a^½ C_b C_a^½)^½)`, in float64; 0 for equal means and covariances. Small samples
    give a distance above 0 even from one source: compare with that of two real samples of the same sizes.

    Source: Dowson & Landau 1982, equation 4; Heusel et al. 2017 for its use on generated images.

    Args:
        features_a: (rows, features), at least 2 rows.
        features_b: (other rows, features).

    Raises:
        ShapeError: the two differ in their features, or have fewer than 2 rows.

    Example:
        >>> cloud = np.random.default_rng(0).normal(size=(500, 3))
        >>> round(frechet_distance(cloud, cloud + [1, 0, 2]), 6)
        5.0
    """
    a, b = (np.asarray(features, np.float64) for features in (features_a, features_b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ShapeError(f"`frechet_distance` got features of shape {a.shape} and {b.shape}; expected two arrays "
                         "(rows, features) of at least 2 rows.", "pass what one layer of one classifier gives for both")
    first, second = (np.cov(cloud, rowvar=False).reshape(a.shape[1], a.shape[1]) for cloud in (a, b))
    root = _square_root(first)
    shared = np.linalg.eigvalsh(root @ second @ root)
    spread = np.trace(first) + np.trace(second) - 2 * np.sum(np.sqrt(np.maximum(shared, 0)))
    shift = a.mean(axis=0) - b.mean(axis=0)
    return float(max(shift @ shift + spread, 0.0))


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive semi-definite matrix; rounding below 0 is taken for 0."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
