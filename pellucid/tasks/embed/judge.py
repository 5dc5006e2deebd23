"""What codes are worth: whether the nearest rows know what was hidden, beside principal components."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pellucid.features.targets import ClassTarget, fit_class_target, fit_number_target, recognise_target
from pellucid.features.values import as_text
from pellucid.model.embedding import ASKED, nearest, raw_codes
from pellucid.tasks.embed.learn import Learned, Prepared, principal

MOST_COLUMNS = 20
MOST_ROWS = 5000
RESAMPLES = 400
LABELS = {"principal_components": "principal components", "columns": "the columns themselves"}
Coder = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Hidden:
    """Something that was hidden from the codes.

    Args:
        name: a column.
        classes: how many, 0 for numbers.
        train, test: classes, or numbers; those of rows that have none are NaN.
        place: among the features; -1 for a column that codes are never made from.
    """

    name: str
    classes: int
    train: np.ndarray
    test: np.ndarray
    place: int = -1


@dataclass(frozen=True, eq=False)
class Evidence:
    """How well neighbours agreed on what was hidden.

    Args:
        names: of what was hidden.
        errors: by method, (hidden, test rows): squared errors, or 0 and 1 for classes; NaN where nothing is known.
        base: (hidden, test rows): the same of the mean or the most frequent class.
        explained: by method, the share of the test rows' variance that is given back from the code.
    """

    names: tuple[str, ...]
    errors: Mapping[str, np.ndarray]
    base: np.ndarray
    explained: Mapping[str, float] = field(default_factory=dict)

    def agreement(self, method: str, rows: np.ndarray | None = None) -> float:
        """1 where neighbours are always right, 0 where they are no better than the mean or the most frequent class;
        the mean over all that was hidden."""
        pick = slice(None) if rows is None else rows
        return float(np.mean(self.each(method, pick)))

    def each(self, method: str, pick: slice | np.ndarray = slice(None)) -> np.ndarray:
        """The same for each hidden thing."""
        lost, chance = (np.nansum(one[:, pick], axis=1) for one in (self.errors[method], self.base))
        return np.clip(1 - lost / np.maximum(chance, 1e-12), -1, 1)

    def difference(self, other: str, seed: int) -> tuple[float, float]:
        """95 % interval of how much better the network is than another method, by drawing test rows anew."""
        generator, count = np.random.default_rng(seed), self.base.shape[1]
        found = [self.agreement("network", rows) - self.agreement(other, rows)
                 for rows in (generator.integers(0, count, count) for _ in range(RESAMPLES))]
        return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def judge(prepared: Prepared, learned: Learned) -> Evidence | None:
    """Hide a column, find the nearest training rows by the rest, and ask them; `None` where nothing can be hidden.

    With a target it alone is asked for; else each column in turn, of those that are numbers or words.
    """
    if not len(prepared.test):
        return None
    some = slice(0, MOST_ROWS)
    train, test = learned.train[:MOST_ROWS * 4], learned.test[some]
    hidden = _target(prepared) if prepared.target is not None else _columns(prepared, learned)
    hidden = [Hidden(one.name, one.classes, one.train[:len(train)], one.test[some], one.place) for one in hidden]
    turn, members = principal(learned.train), learned.model.members
    ways: dict[str, Coder] = {"network": lambda rows: raw_codes(members, rows),
                              "principal_components": lambda rows: rows @ turn, "columns": lambda rows: rows}
    errors = {name: [] for name in ways}
    base = []
    for one in hidden:
        seen = [part if one.place < 0 else learned.model.view.without(part, one.place) for part in (train, test)]
        for name, way in ways.items():
            errors[name].append(_errors(one, *(way(part) for part in seen)))
        base.append(_error(one, _usual(one)))
    variance = max(float(np.square(test).sum()), 1e-12)
    back = members.outputs({"rows": test})[0]
    explained = {"network": 1 - float(np.square(test - back).sum()) / variance,
                 "principal_components": 1 - float(np.square(test - test @ turn @ turn.T).sum()) / variance}
    return Evidence(tuple(one.name for one in hidden), {name: np.array(found) for name, found in errors.items()},
                    np.array(base), explained)


def _errors(one: Hidden, known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(test rows,): how wrong the answer of the nearest training rows is that have one."""
    there = np.isfinite(one.train)
    _, places = nearest(asked, known[there], ASKED)
    answers = one.train[there][places]
    if not one.classes:
        return _error(one, answers.mean(axis=1))
    votes = (answers[:, :, None] == np.arange(one.classes)).sum(axis=1)
    return _error(one, votes.argmax(axis=1))


def _error(one: Hidden, said: np.ndarray | float) -> np.ndarray:
    wrong = np.where(one.test == said, 0.0, 1.0) if one.classes else (one.test - said) ** 2
    return np.where(np.isfinite(one.test), wrong, np.nan)


def _usual(one: Hidden) -> float:
    there = one.train[np.isfinite(one.train)]
    return float(np.bincount(there.astype(int)).argmax() if one.classes else there.mean())


def _columns(prepared: Prepared, learned: Learned) -> list[Hidden]:
    """The columns that can be hidden: numbers by their scaled values, words and truth values by their codes."""
    found = []
    for place, feature in enumerate(learned.model.features):
        if feature.kind not in ("number", "category", "boolean") or len(found) == MOST_COLUMNS:
            continue
        one = [feature.encode(prepared.table.take(rows).column(feature.name)) for rows in (prepared.train,
                                                                                           prepared.test)]
        if feature.kind == "category":
            values, classes = [part.codes[:, 0].astype(np.float64) for part in one], feature.cardinality
        else:
            values = [part.numbers[:, 0].astype(np.float64) for part in one]
            classes = 2 if feature.kind == "boolean" else 0
        values = [np.where(part.missing, np.nan, own) for part, own in zip(one, values, strict=True)]
        if classes == 2:
            values = [np.where(np.isnan(own), np.nan, own > 0.5) for own in values]
        if np.nanvar(values[0]) > 0 and np.isfinite(values[1]).any():
            found.append(Hidden(feature.name, classes, *values, place))
    return found if len([one for one in learned.model.features if one.numbers or one.cardinality or one.is_raw]) > 1 \
        else []


def _target(prepared: Prepared) -> list[Hidden]:
    """The target, which codes are never made from."""
    column = prepared.table.column(prepared.target)
    task, _ = recognise_target(prepared.target, column, None)
    if task == "classify":
        classes: ClassTarget = fit_class_target(prepared.target, column)
        codes = classes.encode(column).astype(np.float64)
        truth, count = np.where(codes < 0, np.nan, codes), len(classes.classes)
    else:
        truth, count = fit_number_target(prepared.target, column).read(column), 0
    train, test = truth[prepared.train], truth[prepared.test]
    usable = np.isfinite(test).any() and np.isfinite(train).any() and as_text(column).n_unique() > 1
    return [Hidden(prepared.target, count, train, test)] if usable else []
