"""Schemas: types, targets, overrides."""
from __future__ import annotations

import json

import polars as pl
import pytest

from pellucid.data.schema import fit_features, infer_schema
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError

TABLE = Table(pl.DataFrame({"age": ["20", "30", "x40", ""] * 10, "own": ["yes", "no", "yes", None] * 10,
                            "id": [str(i) for i in range(40)], "fixed": ["1"] * 40}), "test")


def test_columns():
    schema = infer_schema(TABLE, "own")
    assert [column.kind for column in schema.columns] == ["category", "boolean", "identifier", "ignore"]
    assert schema.targets == ("own",) and [c.name for c in schema.features] == ["age", "id", "fixed"]
    age = schema.column("age")
    assert (age.missing, age.distinct, age.used, age.examples) == (10, 3, True, ("20", "30", "x40"))
    assert not schema.column("id").used


def test_overrides_are_kept_and_said():
    schema = infer_schema(TABLE, ["own"], {"age": "numeric", "id": "ignore"})
    age = schema.column("age")
    assert age.kind == "number" and age.overridden and "as asked for (category by itself" in age.reason
    assert fit_features(schema, TABLE)[0].encode(TABLE.column("age")).counts == {"missing": 10, "unreadable": 10}


def test_several_targets():
    assert infer_schema(TABLE, ["own", "age"]).targets == ("own", "age")


def test_unknown_names():
    with pytest.raises(DataError, match="no target column `owm`.*\n.*did you mean `own`"):
        infer_schema(TABLE, "owm")
    with pytest.raises(DataError, match="did you mean `age`"):
        infer_schema(TABLE, overrides={"agee": "number"})
    with pytest.raises(SettingsError, match="feature type `numbr`"):
        infer_schema(TABLE, overrides={"age": "numbr"})


def test_columns_can_be_left_out():
    schema = infer_schema(TABLE, "own").leave_out({"age": "used as the time of the rows"})
    assert schema.column("age").kind == "ignore" and schema.column("age").reason == "used as the time of the rows"


def test_json():
    record = json.loads(json.dumps(infer_schema(TABLE, "own").to_json()))
    assert record["targets"] == ["own"] and record["columns"][0]["name"] == "age"
