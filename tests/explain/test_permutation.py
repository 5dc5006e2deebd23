"""Permutation importance finds what matters, the same for a seed, within its time."""
from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from pellucid.errors import SettingsError
from pellucid.explain.permutation import permutation_importance, shuffled


@dataclass(frozen=True)
class Framed:
    frame: pl.DataFrame
    source: str = "test"

    def __len__(self):
        return len(self.frame)


GENERATOR = np.random.default_rng(0)
FRAME = pl.DataFrame({"strong": GENERATOR.standard_normal(300), "weak": GENERATOR.standard_normal(300),
                      "idle": GENERATOR.standard_normal(300)})
TRUTH = (3 * FRAME["strong"] + FRAME["weak"]).to_numpy()


def predict(table):
    frame = table if isinstance(table, pl.DataFrame) else table.frame
    return (3 * frame["strong"] + frame["weak"]).to_numpy()


def score(outputs):
    return -float(np.sqrt(np.mean((outputs - TRUTH) ** 2)))


def test_ranking_and_intervals():
    found = permutation_importance(predict, Framed(FRAME), score, columns=FRAME.columns, metric="-rmse", seed=1)
    assert found.columns == ("strong", "weak", "idle") and found.repeats == 10 and found.metric == "-rmse"
    assert found.mean[0] == pytest.approx(3 * np.sqrt(2), rel=0.2) and found.mean[2] == 0
    assert (found.low <= found.mean).all() and (found.mean <= found.high).all() and found.low[1] > 0


def test_same_seed_same_result():
    def run(seed):
        return permutation_importance(predict, FRAME, score, columns=FRAME.columns, repeats=3, seed=seed).mean
    np.testing.assert_array_equal(run(0), run(0))
    assert (run(0)[:2] != run(1)[:2]).all()


def test_fewer_repeats_are_the_first_of_more():
    def scores(repeats):
        seen = []
        permutation_importance(predict, FRAME, lambda outputs: seen.append(score(outputs)) or seen[-1],
                               columns=FRAME.columns, repeats=repeats)
        return seen
    assert scores(4)[:7] == scores(2)


def test_missing_values_move_with_their_rows_and_groups_stay_together():
    frame = pl.DataFrame({"a": [1, None, 3, None], "b": [10, 20, 30, 40], "c": [1, 2, 3, 4]})
    moved = shuffled(frame, ("a", "b"), np.array([3, 0, 1, 2]))
    assert moved.to_dict(as_series=False) == {"a": [None, 1, None, 3], "b": [40, 10, 20, 30], "c": [1, 2, 3, 4]}
    arrays = shuffled({"a": np.arange(3), "b": np.arange(3)}, "a", np.array([2, 0, 1]))
    assert arrays["a"].tolist() == [2, 0, 1] and arrays["b"].tolist() == [0, 1, 2]


def test_a_slow_model_gets_fewer_repeats():
    def slow(table):
        time.sleep(0.01)
        return predict(table)
    found = permutation_importance(slow, FRAME, score, columns=FRAME.columns, repeats=50, seconds=0.15)
    assert 2 <= found.repeats <= 5 and np.isfinite(found.low).all()


def test_no_columns_and_too_few_repeats():
    assert permutation_importance(predict, FRAME, score, columns=[]).columns == ()
    with pytest.raises(SettingsError, match="repeats"):
        permutation_importance(predict, FRAME, score, columns=["weak"], repeats=1)
