"""The search for changes on games whose best changes are known, against trying everything."""
from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pellucid.explain.counterfactual import Options, find_changes


def steps(count: int, *, ordered: bool = True) -> Options:
    places = np.arange(count)
    return Options(places.astype(float) if ordered else (places > 0).astype(float), np.sign(places) * ordered,
                   np.unique([*places[1::3], count - 1]))


@pytest.mark.parametrize("seed", range(8))
def test_fewest_then_smallest_as_by_trying_everything(seed):
    random = np.random.default_rng(seed)
    options = [steps(7), steps(5, ordered=False), steps(6), steps(4, ordered=False)]
    gains = [np.concatenate([[0], random.normal(0, 1, len(one.costs) - 1)]) for one in options]
    gains = [np.sort(gain) - np.sort(gain)[0] if one.sides.any() else gain
             for gain, one in zip(gains, options, strict=True)]
    everything = np.array(list(product(*[range(len(one.costs)) for one in options])))
    worth = sum(gain[everything[:, column]] for column, gain in enumerate(gains))
    goal = np.quantile(worth, 0.8)

    def ask(rows):
        near = sum(gain[rows[:, column]] for column, gain in enumerate(gains)) - goal
        return near, near >= 0
    ranked = sorted((int((row > 0).sum()), sum(one.costs[place] for one, place in zip(options, row, strict=True)))
                    for row in everything[worth >= goal])
    found = find_changes(options, ask, most=4, count=3)
    first = (int((found[0] > 0).sum()), sum(one.costs[place] for one, place in zip(options, found[0], strict=True)))
    assert first[0] == ranked[0][0] and first[1] <= ranked[0][1] + 1
    assert all(ask(row[None])[1][0] for row in found)


def test_alternatives_bring_new_columns_and_needless_changes_are_taken_back():
    options = [steps(40)] * 5

    def ask(rows):
        near = np.maximum(rows[:, 0] / 17, rows[:, 1:3].sum(axis=1) / 50) - 1
        return near, near >= 0
    found = find_changes(options, ask, count=3)
    assert [row.tolist() for row in found][0] == [17, 0, 0, 0, 0]
    assert len(found) == 2 and found[1][[0, 3, 4]].sum() == 0 and found[1].sum() == 50


def test_three_changes_by_the_beam_and_none_where_there_is_none():
    options = [steps(3, ordered=False)] * 12

    def ask(rows, least=3):
        near = (rows[:, :4] == 2).sum(axis=1) - float(least)
        return near, near >= 0
    assert (find_changes(options, ask, most=3, count=1)[0] > 0).sum() == 3
    assert find_changes(options, ask, most=2) == []
    assert find_changes(options, lambda rows: ask(rows, 5), most=3) == []
    assert len(find_changes(options, ask, most=3, budget=20)) > 0
