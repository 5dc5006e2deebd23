"""Whether pictures keep their meaning in a mirror, and recordings at another pitch: cats do, letters do not."""
from __future__ import annotations

import numpy as np

MOST_ROWS = 1500
FEWEST_ROWS = 20
LEAST_SKILL = 0.1
"""Neighbours that tell less than this about the answers say nothing about mirrors."""
MOST_LOST = 0.4
"""Share of the rows whose class may get lost in the mirror."""


def keep_meaning(features: np.ndarray, mirrored: np.ndarray, answers: np.ndarray, classes: int) -> bool:
    """Whether the most similar other picture still tells the answer when a picture is mirrored.

    A class is lost where the neighbours of mirrored pictures name it less than half as often as those of the pictures
    themselves. Where similar pictures say little anyway, as among photographs of things in all positions, mirroring is
    taken as harmless, as it is for most of the world.

    Args:
        features: (rows, numbers) of small copies of the pictures.
        mirrored: the same of the mirrored pictures.
        answers: (rows,) classes, or numbers.
        classes: how many; 0 for numbers.
    """
    rows = np.random.default_rng(0).permutation(len(answers))[:MOST_ROWS]
    if len(rows) < FEWEST_ROWS:
        return False
    features, mirrored, answers = features[rows], mirrored[rows], answers[rows]
    own, turned = answers[_nearest(features, features)], answers[_nearest(mirrored, features)]
    if not classes:
        return _numbers_kept(answers, own, turned)
    chance = np.bincount(answers, minlength=classes) / len(answers)
    lost = told = 0.0
    for label, share in enumerate(chance):
        held = answers == label
        before, after = np.mean(own[held] == label) if held.any() else 0.0, np.mean(turned[held] == label)
        if before > share + LEAST_SKILL:
            told += share
            lost += share * (after < 0.5 * before)
    return not told or lost / told < MOST_LOST


def _numbers_kept(answers: np.ndarray, own: np.ndarray, turned: np.ndarray) -> bool:
    spread = 2 * float(np.var(answers)) or 1.0  # what answers of any two rows differ by, squared
    before, after = (1 - float(np.mean((answers - found) ** 2)) / spread for found in (own, turned))
    return before < LEAST_SKILL or after > 0.5 * before


def _nearest(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each row of `asked`, the nearest row of `known` but the one with its own number."""
    distance = (known ** 2).sum(1) - 2 * asked @ known.T
    np.fill_diagonal(distance, np.inf)
    return distance.argmin(1)
