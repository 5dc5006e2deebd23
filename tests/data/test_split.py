"""Splits and folds."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.split import duplicate_groups, fold_rows, join_groups, split_rows
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError

RNG = np.random.default_rng(0)
CLASSES = (RNG.random(1000) < 0.3).astype(np.int32)


def test_classes_keep_their_shares():
    split = split_rows(1000, seed=1, target=CLASSES)
    assert len(split.test) == 200 and abs(CLASSES[split.test].mean() - CLASSES.mean()) < 0.005
    folds = fold_rows(1000, folds=5, seed=1, target=CLASSES)
    assert np.bincount(folds).tolist() == [200] * 5
    positives = [int(CLASSES[folds == fold].sum()) for fold in range(5)]
    assert max(positives) - min(positives) <= 1


def test_numbers_keep_their_distribution():
    target = RNG.lognormal(size=1000)
    split = split_rows(1000, seed=1, target=target)
    for share in (0.1, 0.5, 0.9):
        assert abs(np.mean(target[split.test] < np.quantile(target, share)) - share) < 0.02


def test_the_seed_decides():
    one, same, other = (split_rows(1000, seed=seed, target=CLASSES) for seed in (1, 1, 2))
    assert np.array_equal(one.test, same.test) and not np.array_equal(one.test, other.test)
    assert np.array_equal(fold_rows(99, folds=3, seed=5), fold_rows(99, folds=3, seed=5))


def test_duplicates_never_straddle():
    inputs = RNG.integers(0, 700, 1000)
    groups = duplicate_groups(Table(pl.DataFrame({"x": inputs, "y": CLASSES}), "test"), ["x"])
    assert len(np.unique(groups)) == len(np.unique(inputs))
    split = split_rows(1000, seed=1, target=CLASSES, duplicates=groups)
    assert not set(inputs[split.train]) & set(inputs[split.test]) and abs(len(split.test) - 200) <= 2
    folds = fold_rows(1000, folds=5, seed=1, target=CLASSES, duplicates=groups)
    assert all(len(np.unique(folds[inputs == value])) == 1 for value in np.unique(inputs))
    assert np.ptp(np.bincount(folds)) <= 4


def test_too_few_different_rows_straddle_with_a_note():
    split = split_rows(100, seed=0, duplicates=np.arange(100) % 2)
    assert len(split.test) == 20 and [note.kind for note in split.notes] == ["duplicates_straddle"]


def test_groups_never_straddle_even_if_they_are_large():
    groups = np.arange(1000) // 500
    split = split_rows(1000, seed=0, groups=groups)
    assert len(split.test) == 500 and len(np.unique(groups[split.test])) == 1
    groups = RNG.integers(0, 12, 1000)
    folds = fold_rows(1000, folds=5, seed=1, target=CLASSES, groups=groups, duplicates=np.arange(1000))
    assert all(len(np.unique(folds[groups == group])) == 1 for group in range(12))
    with pytest.raises(DataError, match="1 group cannot"):
        split_rows(1000, seed=0, groups=np.zeros(1000))


def test_groups_and_duplicates_are_joined():
    assert join_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist() == [0, 0, 0, 1]


def test_time_puts_the_latest_last():
    times = RNG.permutation(100).astype(float)
    split = split_rows(100, seed=0, times=times)
    assert times[split.train].max() < times[split.test].min() and len(split.test) == 20
    folds = fold_rows(100, folds=4, seed=0, times=times)
    assert [times[folds == fold].min() for fold in range(4)] == [0, 25, 50, 75]


def test_rows_of_one_moment_stay_together():
    times = np.repeat(np.arange(10.0), 10)
    split = split_rows(100, seed=0, test=0.25, times=times)
    assert not set(times[split.train]) & set(times[split.test]) and len(split.test) == 30
    assert [note.kind for note in split_rows(10, seed=0, times=np.zeros(10)).notes] == ["one_moment"]
    assert len(np.unique(fold_rows(10, folds=3, seed=0, times=np.zeros(10)))) == 3


def test_rows_without_a_time_are_the_earliest():
    split = split_rows(10, seed=0, times=np.array([np.nan, *range(9)]))
    assert 0 in split.train and split.notes[0].count == 1


def test_classes_of_one_row_stay_in_training():
    target = np.array([0] * 30 + [1] * 30 + [2, 3])
    split = split_rows(62, seed=0, target=target)
    assert {60, 61} <= set(split.train) and split.notes[0].kind == "single_row_class" and split.notes[0].count == 2


def test_bad_arguments():
    with pytest.raises(SettingsError, match="between 0 and 1"):
        split_rows(10, seed=0, test=1.5)
    with pytest.raises(SettingsError, match="by time and by group"):
        split_rows(10, seed=0, times=np.arange(10.0), groups=np.arange(10))
    with pytest.raises(SettingsError, match="at least 2"):
        fold_rows(10, folds=1, seed=0)
    with pytest.raises(DataError, match="cannot be"):
        split_rows(1, seed=0)
    with pytest.raises(DataError, match="3 rows"):
        fold_rows(3, folds=5, seed=0)


@settings(max_examples=150, deadline=None)
@given(rows=st.integers(5, 60), classes=st.integers(1, 8), different=st.integers(1, 60), folds=st.integers(2, 5),
       seed=st.integers(0, 99), numeric=st.booleans())
def test_every_row_has_exactly_one_place(rows, classes, different, folds, seed, numeric):
    generator = np.random.default_rng(seed)
    target = generator.integers(0, classes, rows)
    target = target.astype(float) if numeric else target
    duplicates = generator.integers(0, different, rows)
    split = split_rows(rows, seed=seed, target=target, duplicates=duplicates)
    assert sorted([*split.train, *split.test]) == list(range(rows)) and len(split.train) and len(split.test)
    numbers = fold_rows(rows, folds=folds, seed=seed, target=target, duplicates=duplicates)
    assert set(numbers) == set(range(folds))
    if not split.notes:
        assert not set(duplicates[split.train]) & set(duplicates[split.test])
