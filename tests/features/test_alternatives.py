"""What a cell could have held: within the training values, of the column's type, read back as it was meant."""
from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from pellucid.features.alternatives import MOST_FINE, alternatives
from pellucid.features.base import AbstractFeature
from pellucid.features.recognise import fit_feature, recognise

RANDOM = np.random.default_rng(0)
COLUMNS = {
    "whole": pl.Series("a", RANDOM.integers(18, 80, 300)),
    "euros": pl.Series("a", np.round(RANDOM.lognormal(3, 1, 300), 2)),
    "comma": pl.Series("a", [f"{value:.1f}".replace(".", ",") for value in RANDOM.normal(5, 2, 300)]),
    "huge": pl.Series("a", RANDOM.lognormal(0, 9, 300)),
    "few": pl.Series("a", RANDOM.choice([1.0, 2.5, 4.0], 300)),
    "word": pl.Series("a", RANDOM.choice(["own", "rent", "free"], 300)),
    "truth": pl.Series("a", RANDOM.choice(["Yes", "No"], 300)),
    "flag": pl.Series("a", RANDOM.choice([True, False], 300)),
    "day": pl.Series("a", [f"{1 + place % 28:02}.03.20{10 + place % 12}" for place in range(300)]),
    "date": pl.Series("a", [datetime.date(2000 + place % 20, 1, 1) for place in range(300)]),
    "clock": pl.Series("a", [datetime.datetime(2020, 1, 1, place % 24, place % 60) for place in range(300)]),
}


def fitted(column: pl.Series) -> AbstractFeature:
    return fit_feature("a", column, kind=recognise("a", column).kind)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("missing", [False, True])
def test_they_are_valid_and_read_back(name, missing):
    column = COLUMNS[name]
    feature = fitted(column)
    cell = column[:1] if not missing else pl.Series("a", [None], dtype=column.dtype)
    found = alternatives(feature, cell)
    assert found is not None and found.cells.dtype == column.dtype
    assert len(found.cells) == len(found.costs) == len(found.sides) <= MOST_FINE + 2
    assert found.costs[0] == 0 and (found.costs[1:] > 0).all() and (found.coarse > 0).all() and len(found.coarse)
    assert found.cells[1:].n_unique() == len(found.cells) - 1 and found.cells[0] not in found.cells[1:].to_list()
    encoded = feature.encode(found.cells[1:])
    assert not encoded.missing.any() and (encoded.codes > 0).all()
    if feature.numbers and feature.kind in ("number", "date"):
        inside = feature.encode(column).numbers[:, 0]
        assert encoded.numbers[:, 0].min() >= inside.min() - 1e-6
        assert encoded.numbers[:, 0].max() <= inside.max() + 1e-6


def test_they_are_written_like_the_column():
    told = {name: alternatives(fitted(column), column[:1]).cells[1:].to_list()
            for name, column in COLUMNS.items()}
    assert all(isinstance(value, int) for value in told["whole"]) and len(told["whole"]) > 40
    assert all("," in value for value in told["comma"])
    assert set(told["few"]) < {1.0, 2.5, 4.0} and len(told["few"]) == 2
    assert told["truth"] == ["No" if COLUMNS["truth"][0] == "Yes" else "Yes"]
    assert all(len(value) == 10 and value[2] == "." for value in told["day"])


def test_a_word_stays_among_the_known_ones_and_pictures_are_left_alone():
    feature = fitted(COLUMNS["word"])
    assert set(alternatives(feature, pl.Series("a", ["a castle"])).cells[1:]) == {"own", "rent", "free"}
    assert alternatives(fit_feature("a", COLUMNS["word"], kind="ignore"), COLUMNS["word"][:1]) is None
