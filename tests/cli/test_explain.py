"""`pellucid explain`: words, JSON, a page, and what is told where a user errs."""
from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def model(trained):
    return trained / "model.pellucid"


@pytest.fixture
def table(trained):
    return trained.parent / "clients.csv"


def test_one_row_in_words(command, model, table):
    answer = command("explain", model, table, "--row", "2")
    assert answer.code == 0 and answer.err == ""
    assert answer.out.startswith("Row 2: Why “") and "probability of “" in answer.out
    assert "age = " in answer.out and "housing = " in answer.out and "\nsum" in answer.out
    assert "Method: gradients: " in answer.out and "All 3 parts sum to" in answer.out


def test_the_first_ten_or_all(command, model, table):
    few = command("explain", model, table, "--json")
    assert len(json.loads(few.out)) == 10 and "first 10 of 300 rows" in few.err
    every = command("explain", model, table, "--json", "--every-row", "--quiet")
    records = json.loads(every.out)
    assert [one["row"] for one in records] == list(range(300)) and every.err == ""
    assert records[:10] == json.loads(few.out)
    assert set(records[0]) >= {"prediction", "asked", "whole", "empty", "parts", "sum_of_parts", "completeness",
                               "method", "faithfulness"}


def test_one_class_rather_than_another(command, model, table):
    record, = json.loads(command("explain", model, table, "--row", "0", "--instead-of", "bad", "--json").out)
    assert record["asked"] == "good" and record["instead_of"] == "bad" and "less that of “bad”" in record["unit"]


def test_a_page(command, model, table):
    answer = command("explain", model, table, "--html", "why.html")
    assert answer.code == 0 and answer.out == "" and "10 explained rows in `why.html`" in answer.err
    page = Path("why.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 10 and "<script" not in page and "clients.csv" in page


@pytest.mark.parametrize(("arguments", "words"), [
    (("--row", "300"), ("`--row` was 300", "0 to 299")),
    (("--row", "-1"), ("`row` was -1", "at least 0")),
    (("--instead-of", "goood"), ("`instead_of` was 'goood'", "did you mean `good`")),
    (("--method", "shaply"), ("shaply", "shapley")),
])
def test_what_is_wrong_is_told(command, model, table, arguments, words):
    answer = command("explain", model, table, *arguments)
    assert answer.code == 2 and answer.out == ""
    assert answer.err.startswith("error: ") and "hint: " in answer.err
    for word in words:
        assert word in answer.err
