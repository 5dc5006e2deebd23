"""`pellucid change` and `pellucid similar`: words, JSON, and what is told where a user errs."""
from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.data.table import Table
from pellucid.model.examples import keep_examples

from .conftest import assert_user_error


@pytest.fixture
def keeping(model, table, tmp_path):
    """The file of the small classifier, as if it had been trained with --keep-examples."""
    trained, frame = pellucid.load(model), pl.read_csv(table, infer_schema=False)
    examples = keep_examples(Table(frame, "rows"), ["age", "housing", "phone", "lend"], np.arange(len(frame)),
                             np.arange(len(frame)) % 5, (0,) * len(trained.members))
    return replace(trained, examples=examples).save(tmp_path / "keeping.pellucid")


def test_changes_in_words_and_as_json(command, model, table):
    answer = command("change", model, table, "--row", "2")
    assert answer.code == 0 and answer.out.startswith("Row 2: The answer is “") and "What would make it “" in answer.out
    record, = json.loads(command("change", model, table, "--row", "2", "--json").out)
    for one in record["alternatives"]:
        assert one["prediction"] != record["prediction"] and "Had `" in one["sentence"]
        assert " ".join(one["sentence"].split()) in " ".join(answer.out.split())
    assert not record["alternatives"] or "note: Columns that nobody can change" in answer.err


def test_locked_columns_and_the_first_ten(command, model, table):
    answer = command("change", model, table, "--to", "good", "--lock", "age", "--lock", "phone", "--most", "1",
                     "--json")
    records = json.loads(answer.out)
    assert len(records) == 10 and "first 10 of 300 rows" in answer.err
    assert {change["column"] for one in records for way in one["alternatives"] for change in way["changes"]} <= {
        "housing"}
    assert all(one["wanted"] == "“good”" and one["locked"] == ["age", "phone"] for one in records)


def test_similar_rows(command, keeping, table):
    answer = command("similar", keeping, table, "--row", "2")
    assert answer.code == 0 and answer.err == "" and "Most like it" in answer.out and "0.00" in answer.out
    assert "the same in all columns" in answer.out and "Most of this answer comes from" in answer.out
    record, = json.loads(command("similar", keeping, table, "--row", "2", "--count", "5", "--json").out)
    assert len(record["nearest"]) == len(record["influential"]) == 5 and record["row"] == 2


def test_what_cannot_be_done_is_told(command, model, table):
    assert_user_error(command("similar", model, table), "keeps no training rows", "--keep-examples")
    assert_user_error(command("change", model, table, "--row", "300"), "300 rows", "from 0 to 299")
    assert_user_error(command("change", model, table, "--to", "godo"), "none of the classes", "good")
    assert_user_error(command("change", model, table, "--lock", "agee"), "agee", "did you mean `age`?")
    assert_user_error(command("change", model, table, "--at-least", "3"), "is a class, not a number")
