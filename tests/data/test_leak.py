"""Columns that give the target away, and columns that only look like it."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from pellucid.data.check import check_table
from pellucid.data.schema import infer_schema
from pellucid.data.table import Table

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 400)
Y3 = RNG.integers(0, 3, 400)
NUMBER = RNG.normal(size=400)


def leaks(target, **columns):
    table = Table(pl.DataFrame({"y": target, "noise": RNG.normal(size=400), **columns}), "test")
    return [note.column for note in check_table(table, infer_schema(table, "y")) if note.kind == "leak"]


@pytest.mark.parametrize(("target", "column"), [
    (Y, Y + 0.01 * RNG.normal(size=400)), (Y, 1 - Y), (Y, np.where(Y == 1, "paid", "open")),
    (Y, np.array(["a", "b", "c", "d"])[Y * 2 + RNG.integers(0, 2, 400)]),
    (Y, [None if y else 1.5 + i for i, y in enumerate(Y)]),
    (Y3, np.array(["x", "y", "z"])[Y3]), (Y3, Y3 + 0.01 * RNG.random(400)), (NUMBER, 3 * NUMBER - 1),
    (NUMBER, np.exp(NUMBER)), (NUMBER, [f"{x:.6f}" for x in NUMBER]),
])
def test_leaks_are_found(target, column):
    assert leaks(target, x=pl.Series(column, strict=False)) == ["x"]


@pytest.mark.parametrize(("target", "column"), [
    (Y, Y + RNG.normal(size=400)), (Y, [f"w{i % 150}" for i in range(400)]),
    (Y, np.where(RNG.random(400) < 0.95, Y, 1 - Y)),
    (Y3, np.zeros(400) + (np.arange(400) % 2)), (NUMBER, NUMBER + 0.2 * RNG.normal(size=400)),
    (np.arange(400) < 5, (np.arange(400) < 5) * 1.0), (Y, [1e307 * x for x in NUMBER]),
])
def test_what_is_no_leak(target, column):
    assert leaks(target, x=pl.Series(column, strict=False)) == []


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits", "wine", "diabetes"])
def test_honest_tables_have_no_leak(name):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    table = Table(pl.DataFrame({str(name): frame[name].to_numpy() for name in frame.columns}), name)
    assert not [note for note in check_table(table, infer_schema(table, "target")) if note.kind == "leak"]
