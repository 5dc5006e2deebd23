"""What matters overall: how far each column moves the answers, by which way, and which columns act together.

Pure NumPy: rows are known by their numbers, and an `Answers` says what comes out when columns take their cells from
other rows.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pellucid.explain.game import Game, Question
from pellucid.explain.occlusion import occlusion
from pellucid.explain.shapley import MOST_EXACT, shapley

Answers = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""From {column: int (rows,), the rows that its cells come from} to float64 (rows, outputs); columns that are not named
keep their own cells."""

STEPS = 6
"""As in `explain.gradients`, which loads JAX."""
DRAWS = 500
"""Resamples of the rows behind an interval."""
COVERAGE = (2.5, 97.5)
PAIRS = 3
"""Orders of the parts, each with its reverse, where influence is the mean over many rows."""
BINS = 10
LEVELS = 8
PARTNERS = 4
"""Other rows that each row is mixed with to find what acts together."""


@dataclass(frozen=True)
class Influence:
    """How far each column moves the answers, the strongest first.

    Args:
        columns: names.
        mean: float64 (columns,), the mean size of its contributions, in the unit of the answers.
        low, high: the 95 % interval over rows.
        unit: what answers are measured in.
        percent: whether they are shares.
        rows: how many rows were explained.
        method: how.
    """

    columns: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unit: str
    percent: bool
    rows: int
    method: str


@dataclass(frozen=True)
class Effect:
    """How the mean answer changes along one column, all else being as it is.

    Args:
        column: its name.
        values: where along the column, as the cells are written.
        mean, low, high: float64 (values,): the mean answer there, and the 95 % interval over rows.
        ordered: whether the values are points of a scale; else they are levels.
        output: which output is shown.
        positions: float64 (values,), numbers on the scale; `None` for levels.
    """

    column: str
    values: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ordered: bool
    output: int
    positions: np.ndarray | None = None

    @property
    def range(self) -> float:
        """From the lowest to the highest mean answer."""
        return float(self.mean.max() - self.mean.min())


@dataclass(frozen=True)
class Interaction:
    """How far two columns together move the answers beyond what each does alone: a standard deviation, with its 95 %
    interval over rows; `output` is the one that is moved most."""

    columns: tuple[str, str]
    size: float
    low: float
    high: float
    output: int


def influence(questions: Iterable[Question], columns: Sequence[str], *, seed: int = 0) -> Influence | None:
    """The mean size of each column's contributions over some rows.

    A column with several parts counts by the size of their sum. Rows are explained by gradients where these reach the
    parts, else by Shapley values; by leaving out once where a row has more than 60 parts.

    Args:
        questions: one for each row, in order.
        columns: what to rank.
        seed: of orders and resamples.

    Returns:
        `None` where there is no row.
    """
    found, units, methods = [], [], []
    for question in questions:
        game = question.game
        contributions, method = _contributions(game, seed)
        found.append([abs(sum(value for part, value in zip(game.parts, contributions, strict=True)
                              if part.column == column)) for column in columns])
        units.append((game.unit, game.percent))
        methods.append(method)
    if not found:
        return None
    sizes = np.asarray(found, np.float64).reshape(len(found), len(columns))
    mean, (low, high) = sizes.mean(axis=0), _interval(sizes, seed)
    order = np.argsort(-mean, kind="stable")
    unit = units[0][0] if len(set(units)) == 1 else "probability of the predicted class" if units[0][1] else "answer"
    return Influence(tuple(columns[place] for place in order), mean[order], low[order], high[order], unit, units[0][1],
                     len(found), max(set(methods), key=methods.count))


MOST_PARTS = 60


def _contributions(game: Game, seed: int) -> tuple[np.ndarray, str]:
    if game.gradients is not None and not game.single_way:
        return game.gradients(STEPS).contributions, "gradients"
    if len(game) > MOST_PARTS or len(game) <= MOST_EXACT and 2 ** len(game) * game.cost > 4 * asked(game):
        return occlusion(game).contributions, "occlusion"
    return shapley(game, pairs=PAIRS, seed=seed).contributions, "shapley"


def asked(game: Game) -> int:
    """Rows of a network that the contributions of one row take, about."""
    if game.gradients is not None and not game.single_way:
        return 3 * STEPS
    pairs = -(-PAIRS // game.draws) * game.draws
    return 2 * pairs * (len(game) + 1) * game.each


def _interval(sizes: np.ndarray, seed: int) -> np.ndarray:
    """The interval of the mean over rows (rows, columns), by resampling rows: float64 (2, columns)."""
    counts = np.random.default_rng([seed, 1]).multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), DRAWS)
    return np.percentile(counts @ sizes / len(sizes), COVERAGE, axis=0)


def scale_effect(answers: Answers, column: str, values: np.ndarray, *, seed: int = 0,
                 bins: int = BINS) -> Effect | None:
    """Accumulated local effects of a column of numbers: rows are moved only to the ends of their own bin, so that no
    row is asked about that could not be. The mean over the rows is the mean answer.

    Args:
        answers: see `Answers`.
        column: its name.
        values: float64 (rows,), NaN where a cell holds none.
        seed: of resamples.
        bins: of equally many rows each, at most.

    Returns:
        `None` where there are fewer than two different values.

    Source: Apley, Zhu 2020, Visualizing the effects of predictor variables in black box supervised learning models.
    """
    known = np.flatnonzero(np.isfinite(values))
    ranked = known[np.argsort(values[known], kind="stable")]
    if not len(known) or values[ranked[0]] == values[ranked[-1]]:
        return None
    ends = ranked[np.unique(np.round(np.linspace(0, len(ranked) - 1, bins + 1)).astype(int))]
    _, first = np.unique(values[ends], return_index=True)
    edges = ends[first]  # rows whose cells stand for the ends of the bins
    own = np.clip(np.searchsorted(values[edges], values, side="left"), 1, len(edges) - 1)
    own = np.where(np.isfinite(values), own, 1)
    step = answers({column: edges[own]}) - answers({column: edges[own - 1]})
    base = answers({})
    member = (own[:, None] == np.arange(1, len(edges))) & np.isfinite(values)[:, None]

    def curve(counts: np.ndarray) -> np.ndarray:
        """(edges, outputs) from how often each row counts."""
        weight = member * counts[:, None]
        steps = (weight.T @ step) / np.maximum(weight.sum(axis=0), 1e-12)[:, None]
        path = np.concatenate([np.zeros((1, step.shape[1])), np.cumsum(steps, axis=0)])
        middle = (weight.sum(axis=0)[:, None] * (path[1:] + path[:-1]) / 2).sum(axis=0) / max(weight.sum(), 1e-12)
        return path - middle + counts @ base / counts.sum()

    mean, output, low, high = _shown(curve, len(values), seed)
    named = tuple(f"{values[edge]:.4g}".replace("-", "−") for edge in edges)
    return Effect(column, named, mean, low, high, True, output, values[edges])


def level_effect(answers: Answers, column: str, levels: Sequence[str | None], *, seed: int = 0) -> Effect | None:
    """Partial dependence on a column of levels: the mean answer if all rows had this level.

    Args:
        answers: see `Answers`.
        column: its name.
        levels: of each row, `None` where there is no value; the eight most frequent are shown.
        seed: of resamples.

    Returns:
        `None` where there are fewer than two different levels.

    Source: Friedman 2001, Greedy function approximation, section 8.
    """
    places: dict[str, list[int]] = {}
    for row, level in enumerate(levels):
        if level is not None:
            places.setdefault(level, []).append(row)
    shown = sorted(places, key=lambda level: (-len(places[level]), level))[:LEVELS]
    if len(shown) < 2:
        return None
    found = np.stack([answers({column: np.full(len(levels), places[level][0])}) for level in shown])

    def curve(counts: np.ndarray) -> np.ndarray:
        return np.tensordot(found, counts, axes=(1, 0)) / counts.sum()

    mean, output, low, high = _shown(curve, len(levels), seed)
    order = np.argsort(-mean, kind="stable")
    return Effect(column, tuple(shown[place] for place in order), mean[order], low[order], high[order], False, output)


def _shown(curve: Callable[[np.ndarray], np.ndarray], rows: int, seed: int) -> tuple[
        np.ndarray, int, np.ndarray, np.ndarray]:
    """The curve of the output that moves most, and its interval over rows."""
    whole = curve(np.ones(rows))
    moved = np.ptp(whole, axis=0)
    output = len(moved) - 1 if len(moved) == 2 else int(moved.argmax())
    counts = np.random.default_rng([seed, 2]).multinomial(rows, np.full(rows, 1 / rows), DRAWS // 2)
    low, high = np.percentile([curve(one)[:, output] for one in counts.astype(np.float64)], COVERAGE, axis=0)
    return whole[:, output], output, low, high


def interactions(answers: Answers, columns: Sequence[str], rows: int, *, seed: int = 0,
                 partners: int = PARTNERS) -> tuple[Interaction, ...]:
    """How much the effect of one column depends on another, for each pair, the strongest first.

    Each row gets one column, the other, and both from another row: what both do, less what each does, is zero where
    columns only add up. Its size is the root of the total interaction index, `√(E[Δ²] / 4)`: the standard deviation of
    all that needs both columns.

    Args:
        answers: see `Answers`.
        columns: the strongest ones; asks 1 + k + k(k-1)/2 times `partners` answers for each row.
        rows: how many there are.
        seed: of other rows and resamples.
        partners: other rows for each row.

    Source: Liu, Owen 2006, Estimating mean dimensionality of analysis of variance decompositions; Fruth, Roustant,
    Kuhnt 2014, Total interaction index.
    """
    pairs = list(combinations(columns, 2))
    if rows < 2 or not pairs:
        return ()
    generator, base, other = np.random.default_rng([seed, 3]), answers({}), np.empty(rows, np.int64)
    squares = np.zeros((len(pairs), *base.shape))
    for _ in range(partners):
        order = generator.permutation(rows)
        other[order] = np.roll(order, 1)  # no row is its own partner
        alone = {column: answers({column: other}) for column in columns}
        for place, (first, second) in enumerate(pairs):
            both = answers({first: other, second: other})
            squares[place] += (base - alone[first] - alone[second] + both) ** 2 / (4 * partners)
    found = []
    for pair, own in zip(pairs, squares, strict=True):
        output = own.shape[1] - 1 if own.shape[1] == 2 else int(own.mean(axis=0).argmax())
        low, high = np.sqrt(_interval(own[:, output, None], seed)[:, 0])
        found.append(Interaction(pair, float(np.sqrt(own[:, output].mean())), float(low), float(high), output))
    return tuple(sorted(found, key=lambda one: -one.size))
