"""Columns joined to arrays."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pellucid.data.table import Table
from pellucid.errors import DataError
from pellucid.features.inputs import cardinalities, code_names, encode_inputs, number_names
from pellucid.features.recognise import fit_feature

FRAME = pl.DataFrame({"age": [20.0, None, 40.0], "colour": ["red", "blue", "red"], "id": ["a", "b", "c"],
                      "own": [True, False, True]})
KINDS = {"age": "number", "colour": "category", "id": "identifier", "own": "boolean"}
FEATURES = tuple(fit_feature(name, FRAME[name], kind=kind) for name, kind in KINDS.items())


def test_arrays_in_feature_order():
    inputs = encode_inputs(FEATURES, Table(FRAME, "test"))
    assert number_names(FEATURES) == ("age", "age is missing", "own")
    assert cardinalities(FEATURES) == (3,) and code_names(FEATURES) == ("colour",)
    assert inputs.arrays["numbers"].tolist() == [[-1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert inputs.arrays["codes"].tolist() == [[1], [2], [1]]
    assert inputs.missing[:, 0].tolist() == [False, True, False] and len(inputs) == 3
    assert inputs.arrays["numbers"].dtype == np.float32 and inputs.arrays["codes"].dtype == np.int32


def test_what_was_counted_is_said():
    frame = pl.DataFrame({"own": [True], "colour": ["violet"], "age": ["abc"], "more": [1]})
    notes = encode_inputs(FEATURES, Table(frame, "test")).notes
    assert [(note.kind, note.column, note.count) for note in notes] == [
        ("unreadable", "age", 1), ("unseen", "colour", 1)]
    assert "1 of 1 cells of `age` cannot be read as a number" in notes[0].message


def test_lacking_columns_are_named_and_the_nearest_suggested():
    with pytest.raises(DataError, match="lack columns `age`, `colour`"):
        encode_inputs(FEATURES, Table(FRAME.select("own"), "test"))
    with pytest.raises(DataError, match="most like `colour` is `color`"):
        encode_inputs(FEATURES, Table(FRAME.rename({"colour": "color"}), "test"))


def test_columns_that_encode_to_nothing_may_be_absent():
    assert len(encode_inputs(FEATURES, Table(FRAME.drop("id"), "test"))) == 3


def test_no_features_and_no_rows():
    inputs = encode_inputs((), Table(FRAME, "test"))
    assert inputs.arrays["numbers"].shape == (3, 0) and inputs.arrays["codes"].shape == (3, 0)
    assert encode_inputs(FEATURES, Table(FRAME.head(0), "test")).arrays["numbers"].shape == (0, 3)
