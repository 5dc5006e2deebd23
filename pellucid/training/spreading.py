"""Labels that spread: what few labelled rows say about all others, along a graph of neighbours."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, diags_array
from sklearn.neighbors import NearestNeighbors

from pellucid.errors import DataError, SettingsError, ShapeError

ROUNDS = 60
NARROW = 2.0
"""How quickly the weight of a neighbour falls with its distance, in parts of that of the last one."""
SHARPER = 2
TINY = 1e-12


class Spread(NamedTuple):
    """What was said of each row.

    Args:
        probabilities: float32 (rows, classes); each row sums to 1; of a labelled row, its class.
        certainty: float32 (rows,), from 0 (all classes alike) to 1; 1 for labelled rows.
    """

    probabilities: np.ndarray
    certainty: np.ndarray


def spread_labels(features: np.ndarray, targets: np.ndarray, *, neighbours: int = 12, reach: float = 0.99,
                  shares: np.ndarray | None = None) -> Spread:
    """Spread the classes of labelled rows over the others: neighbours agree, and class shares are kept.

    Each row is tied to its nearest rows, S = D^-1/2 (W + W') D^-1/2 with w = exp(-2 (distance / distance of the last
    neighbour)²); F <- reach · S F + (1 - reach) · Y is repeated, Y being 1 / (labelled rows of the class) at labelled
    rows. Classes are brought to their shares, and each row's F to probabilities.

    Train a network on these as soft targets with `certainty` as weights, and then go on with `objectives.FewLabels`.

    Args:
        features: (rows, numbers) in which near rows are alike: principal components of pictures, the values of a
            pre-trained network's layer.
        targets: int (rows,) classes from 0 on, -1 without a label.
        neighbours: of each row.
        reach: how far labels spread, from 0 up to, but without, 1; 0.99 suits ten labels a class, 0.9 a hundred.
        shares: (classes,) how frequent the classes are; those of the labelled rows when `None`.

    Raises:
        DataError: no row has a label, or a class has none.
        ShapeError: `features` and `targets` have not the same rows.

    Example:
        >>> line = np.concatenate([np.linspace(0, 1, 20), np.linspace(5, 6, 20)])[:, None]
        >>> known = np.full(40, -1)
        >>> known[[0, 39]] = 0, 1
        >>> spread_labels(line, known, neighbours=3).probabilities.argmax(axis=1).tolist() == [0] * 20 + [1] * 20
        True

    Source: Zhou, Bousquet, Lal, Weston & Schölkopf 2004, "Learning with local and global consistency"; Iscen, Tolias,
    Avrithis & Chum 2019, "Label propagation for deep semi-supervised learning", for the certainty; Zhu, Ghahramani &
    Lafferty 2003, section 4, for the class shares.
    """
    features, targets = np.asarray(features, np.float32), np.asarray(targets)
    if features.ndim != 2 or targets.shape != features.shape[:1]:
        raise ShapeError(f"`spread_labels` got features {features.shape} and targets {targets.shape}; expected "
                         "(rows, numbers) and (rows,).", "pass one row of numbers for each target")
    if not 0 <= reach < 1:
        raise SettingsError(f"`reach` was {reach!r}; expected a number from 0 up to, but without, 1.",
                            "set reach to 0.99")
    known = np.flatnonzero(targets >= 0)
    counts = np.bincount(targets[known], minlength=1)
    if not len(known) or not counts.all():
        raise DataError(f"`spread_labels` got {len(known)} labelled rows with the classes "
                        f"{np.flatnonzero(counts).tolist()}; expected some of each class from 0 on.",
                        "number the classes without gaps, and set the target of rows without a label to -1")
    ties, labels = _ties(features, neighbours), np.zeros((len(targets), len(counts)), np.float32)
    labels[known, targets[known]] = 1 / counts[targets[known]]
    found = labels
    for _ in range(ROUNDS):
        found = reach * (ties @ found) + (1 - reach) * labels
    shares = counts / counts.sum() if shares is None else np.asarray(shares)
    found = (found + TINY) * (shares / (found.sum(axis=0) + TINY)).astype(np.float32)
    found = (found / found.sum(axis=1, keepdims=True)) ** SHARPER
    found /= found.sum(axis=1, keepdims=True)
    found[known] = np.eye(len(counts), dtype=np.float32)[targets[known]]
    entropy = -np.sum(found * np.log(found + TINY), axis=1)
    return Spread(found, np.clip(1 - entropy / max(np.log(len(counts)), TINY), 0, 1).astype(np.float32))


def _ties(features: np.ndarray, neighbours: int) -> csr_array:
    """The normalised graph of nearest rows: (rows, rows)."""
    rows, nearest = len(features), min(neighbours, len(features) - 1)
    distance, place = NearestNeighbors(n_neighbors=nearest + 1, algorithm="brute").fit(features).kneighbors(features)
    own = place == np.arange(rows)[:, None]
    own[~own.any(axis=1), -1] = True  # a row with many copies need not find itself
    distance, place = (array[~own].reshape(rows, nearest) for array in (distance, place))
    weight = np.exp(-NARROW * (distance / np.maximum(distance[:, -1:], TINY)) ** 2).astype(np.float32)
    ties = csr_array((weight.ravel(), (np.repeat(np.arange(rows), nearest), place.ravel())), shape=(rows, rows))
    ties = ties + ties.T
    root = diags_array(1 / np.sqrt(np.maximum(ties.sum(axis=1), TINY))).astype(np.float32)
    return csr_array(root @ ties @ root)
