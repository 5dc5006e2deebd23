"""Groups of rows that are alike: how many there are, whether chance would make them, and what sets them apart."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import silhouette_score

from pellucid.data.table import Table
from pellucid.features.base import AbstractFeature
from pellucid.model.embedding import Embedding, cells_of, raw_codes
from pellucid.report import words

MOST_GROUPS, FEWEST_ROWS = 10, 5
FITTED, MEASURED = 5000, 1500
SHUFFLES = 9
NEEDED = 0.02
"""Groups have to stand out by so much more than those of shuffled rows."""
LEAST_DEVIATIONS, LEAST_SHARE, LEVEL = 0.5, 0.1, 0.01
MOST_SAID, IN_NAME = 4, 2


@dataclass(frozen=True, eq=False)
class Found:
    """Groups of codes.

    Args:
        centres: (groups, size).
        sharpness: the silhouette: 1 for groups far apart, 0 for none.
        chance: the same of rows whose columns were shuffled, once for each time.
    """

    centres: np.ndarray
    sharpness: float
    chance: tuple[float, ...]

    @property
    def real(self) -> bool:
        """Whether the groups stand out more than any of shuffled rows."""
        return self.sharpness > max(self.chance) + NEEDED


@dataclass(frozen=True)
class Trait:
    """What sets a group apart: a sentence, a few words, and how strongly."""

    sentence: str
    short: str
    strength: float


def find_groups(model: Embedding, rows: np.ndarray, seed: int) -> Found:
    """The number of groups that stand out most, and how much groups in shuffled rows would.

    Args:
        model: gives codes.
        rows: (rows, width) of the training part.
        seed: of all chance.

    Source: silhouette, Rousseeuw 1987; comparison with rows without structure, as Tibshirani, Walther & Hastie 2001.
    """
    generator = np.random.default_rng(seed)
    some = rows[np.sort(generator.permutation(len(rows))[:FITTED])]
    codes = model.codes(some)
    most = min(MOST_GROUPS, len(codes) // FEWEST_ROWS)
    tried = {count: _sharpest(codes, count, seed) for count in range(2, most + 1)}
    if not tried:
        return Found(np.zeros((0, codes.shape[1]), np.float32), 0.0, (0.0,))
    best = max(tried, key=lambda count: tried[count][0])
    chance = []
    for _ in range(SHUFFLES):
        alone = (raw_codes(model.members, _shuffled(model, some, generator)) - model.middle) @ model.turn
        chance.append(_sharpest(alone, best, seed)[0])
    sharpness, centres = tried[best]
    return Found(centres.astype(np.float32), sharpness, tuple(chance))


def _sharpest(codes: np.ndarray, count: int, seed: int) -> tuple[float, np.ndarray]:
    fitted = KMeans(count, n_init=3, random_state=seed).fit(codes)
    if len(np.unique(fitted.labels_)) < 2:
        return -1.0, fitted.cluster_centers_
    size = min(MEASURED, len(codes))
    return float(silhouette_score(codes, fitted.labels_, sample_size=size, random_state=seed)), fitted.cluster_centers_


def _shuffled(model: Embedding, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each feature's columns in an order of rows of their own; of a single feature, each column by itself."""
    sources = model.view.sources
    own = sources if len(np.unique(sources)) > 1 else np.arange(len(sources))
    shuffled = rows.copy()
    for place in np.unique(own):
        shuffled[:, own == place] = rows[generator.permutation(len(rows))][:, own == place]
    return shuffled


def describe(table: Table, group: np.ndarray, features: tuple[AbstractFeature, ...], count: int,
             target: str | None = None) -> list[list[Trait]]:
    """For each group what sets it apart, the strongest first; asked of rows that the groups were not made from.

    Only what would be a chance in a hundred, counted over all comparisons, is said.

    Args:
        table: the rows.
        group: (rows,) the group of each.
        features: the columns.
        count: how many groups.
        target: a column that the groups know nothing of.
    """
    traits: list[list[Trait]] = [[] for _ in range(count)]
    level = LEVEL / max(count * len(features), 1)
    for feature in features:
        if feature.kind not in ("number", "category", "boolean", "text"):
            continue
        kind, cells = cells_of(table, feature)
        for own, found in enumerate(traits):
            inside = group == own
            if FEWEST_ROWS <= inside.sum() < len(inside):
                found += (_numbers(feature.name, cells, inside, level) if kind == "numbers" else
                          _texts(feature.name, cells, inside, level) if feature.kind == "text" else
                          _levels(feature.name, cells, inside, level))
    if target is not None:
        cells = np.array([str(cell) for cell in table.column(target).cast(str).fill_null("").to_list()])
        for own, found in enumerate(traits):
            inside = group == own
            if len(np.unique(cells)) <= 50 and FEWEST_ROWS <= inside.sum() < len(inside):
                found += [Trait(f"{one.sentence}, which was not learned from", one.short, one.strength)
                          for one in _levels(target, cells, inside, level)]
    return [sorted(found, key=lambda one: -one.strength)[:MOST_SAID] for found in traits]


def _numbers(name: str, values: np.ndarray, inside: np.ndarray, level: float) -> list[Trait]:
    own, others = values[inside & np.isfinite(values)], values[~inside & np.isfinite(values)]
    spread = float(np.nanstd(values))
    if len(own) < FEWEST_ROWS or len(others) < FEWEST_ROWS or spread == 0:
        return []
    away = float(own.mean() - others.mean())
    error = math.sqrt(own.var() / len(own) + others.var() / len(others))
    if abs(away) < LEAST_DEVIATIONS * spread or _chance(away / max(error, 1e-12)) > level:
        return []
    which = "high" if away > 0 else "low"
    means = f"{words.number(own.mean())} on average, {words.number(others.mean())} elsewhere"
    return [Trait(f"`{name}` is {which}: {means}", f"{which} {name}", abs(away) / spread)]


def _levels(name: str, cells: np.ndarray, inside: np.ndarray, level: float) -> list[Trait]:
    """The value that is most frequent in the group beyond its share elsewhere."""
    shares = {word: (float(np.mean(cells[inside] == word)), float(np.mean(cells[~inside] == word)))
              for word in np.unique(cells[inside]) if word}
    if not shares:
        return []
    word = max(shares, key=lambda one: shares[one][0] - shares[one][1])
    here, there = shares[word]
    if here - there < LEAST_SHARE or _share_chance(here, there, inside) > level:
        return []
    short = word if name.lower() in word.lower() else f"{name} {word}"
    return [Trait(f"`{name}` is {word} in {words.percent(here)} of its rows, in {words.percent(there)} elsewhere",
                  short, 2 * (here - there))]


def _texts(name: str, cells: np.ndarray, inside: np.ndarray, level: float) -> list[Trait]:
    """The word that is most frequent in the group beyond its share elsewhere."""
    counter = CountVectorizer(binary=True, max_features=2000, min_df=FEWEST_ROWS, token_pattern=r"(?u)\b\w{3,}\b")
    try:
        held = counter.fit_transform(cells)
    except ValueError:  # no word occurs often enough
        return []
    here, there = (np.asarray(held[rows].mean(axis=0))[0] for rows in (np.flatnonzero(inside), np.flatnonzero(~inside)))
    place = int(np.argmax(here - there))
    if here[place] - there[place] < LEAST_SHARE or _share_chance(here[place], there[place], inside) > level:
        return []
    word = counter.get_feature_names_out()[place]
    own, others = float(here[place]), float(there[place])
    return [Trait(f"`{name}` holds “{word}” in {words.percent(own)} of its rows, in {words.percent(others)} elsewhere",
                  f"“{word}”", 2 * (own - others))]


def _share_chance(here: float, there: float, inside: np.ndarray) -> float:
    own, others = inside.sum(), (~inside).sum()
    both = (here * own + there * others) / (own + others)
    error = math.sqrt(max(both * (1 - both) * (1 / own + 1 / others), 1e-12))
    return _chance((here - there) / error)


def _chance(deviations: float) -> float:
    """How often chance alone leads as far from the middle of a bell curve, to either side."""
    return math.erfc(abs(deviations) / math.sqrt(2))


def name_of(traits: list[Trait], number: int, others: list[str]) -> str:
    """A short name of a group, unlike those of the others."""
    name = ", ".join(one.short for one in traits[:IN_NAME]) or f"group {number + 1}"
    return name if name not in others else f"{name} ({number + 1})"
