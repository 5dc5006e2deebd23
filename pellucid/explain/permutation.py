"""Which columns matter: how much worse the answers get when a column is shuffled."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from pellucid.errors import SettingsError

Score = Callable[[Any], float]


@dataclass(frozen=True)
class Importances:
    """How much each column matters, the most important first.

    Attributes:
        columns: names.
        mean: (columns,) how much the score falls when the column is shuffled; mean over the repeats.
        low, high: (columns,) the range that holds 95 % of such shuffles.
        score: of the unshuffled table.
        metric: name of the score.
        repeats: shuffles of each column.
        seconds: what it took.
    """

    columns: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    score: float
    metric: str
    repeats: int
    seconds: float


def permutation_importance(predict: Callable[[Any], Any], table: Any, score: Score, *,
                           columns: Sequence[str | tuple[str, ...]], metric: str = "score", repeats: int = 10,
                           seconds: float | None = None, seed: int = 0) -> Importances:
    """Shuffle one column at a time over held-out rows and see how much the score falls.

    A column keeps its missing values: they move with the shuffled rows. A tuple of names is shuffled as one, for
    columns that say the same. A column may matter and yet show little where another column says the same.

    Args:
        predict: table to whatever `score` takes; called 1 + repeats × columns times.
        table: held-out rows: a polars data frame, a value with such a `frame`, or a dict of arrays (rows, ...).
        score: higher is better; pass the negative of an error.
        columns: which to shuffle.
        metric: what the score is called.
        repeats: shuffles of each column, at least 2.
        seconds: stop after the round that would take longer; at least two rounds are made.
        seed: of the shuffles; each column and repeat has its own, so that fewer repeats are the first of more.

    Source: Breiman (2001), Random forests, section 10; Fisher, Rudin, Dominici (2019), Model reliance.

    Example:
        >>> table = pl.DataFrame({"useful": [0.0, 1.0, 2.0, 3.0], "idle": [1.0, 1.0, 1.0, 2.0]})
        >>> truth = table["useful"].to_numpy()
        >>> found = permutation_importance(lambda t: t["useful"].to_numpy(), table,
        ...                                lambda output: -abs(output - truth).mean(), columns=["useful", "idle"])
        >>> found.columns, bool(found.mean[0] > 0), float(found.mean[1])
        (('useful', 'idle'), True, 0.0)
    """
    if repeats < 2:
        raise SettingsError(f"`repeats` was {repeats!r}; expected at least 2.", "set repeats to 10")
    start = time.perf_counter()
    base = float(score(predict(table)))
    rows = _rows(table)
    rounds: list[list[float]] = []
    while len(rounds) < repeats:
        elapsed = time.perf_counter() - start
        if len(rounds) >= 2 and seconds is not None and elapsed * (1 + 1 / len(rounds)) > seconds:
            break
        rounds.append([base - float(score(predict(shuffled(table, column, _order(rows, index, len(rounds), seed)))))
                       for index, column in enumerate(columns)])
    falls = np.asarray(rounds, dtype=np.float64).reshape(len(rounds), len(columns))
    mean, half = falls.mean(axis=0), student.ppf(0.975, len(rounds) - 1) * falls.std(axis=0, ddof=1)
    order = np.argsort(-mean, kind="stable")
    names = [column if isinstance(column, str) else " + ".join(column) for column in columns]
    return Importances(tuple(names[index] for index in order), mean[order], (mean - half)[order],
                       (mean + half)[order], base, metric, len(rounds), time.perf_counter() - start)


def shuffled(table: Any, column: str | tuple[str, ...], order: np.ndarray) -> Any:
    """`table` with the rows of one column, or of several together, in another order."""
    names = (column,) if isinstance(column, str) else tuple(column)
    if isinstance(table, dict):
        return table | {name: table[name][order] for name in names}
    if isinstance(table, pl.DataFrame):
        return table.with_columns(table.select(names)[order])
    return replace(table, frame=shuffled(table.frame, names, order))


def _rows(table: Any) -> int:
    return len(next(iter(table.values()))) if isinstance(table, dict) else len(table)


def _order(rows: int, column: int, repeat: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, column, repeat]).permutation(rows)
