"""`--risk` and `--coverage-group` on the command line."""
from __future__ import annotations

import json

from .conftest import SMALL, assert_user_error


def test_predict_says_unsure(command, model, table):
    answer = command("predict", model, table, "--risk", "0.001", "--quiet", "--json")
    assert answer.code == 0
    assert {row["answer"] for row in json.loads(answer.out)} == {"unsure"}
    heard = command("predict", model, table, "--risk", "0.001")
    assert "warning: No answer is given" in heard.err


def test_without_a_risk_there_is_no_answer_column_but_likeness(command, model, table):
    answer = command("predict", model, table, "--quiet")
    header = answer.out.splitlines()[0].split(",")
    assert "answer" not in header and header[-2:] == ["unlikeness", "p_value"]


def test_a_bad_risk_is_told(command, model, table):
    assert_user_error(command("predict", model, table, "--risk", "1.5"), "1.5")


def test_groups_in_evaluate_and_metrics(command, table, tmp_path):
    answer = command("train", table, "--target", "lend", "--coverage-group", "housing", "--run", tmp_path / "run",
                     "--type", "since=ignore", "--quiet", *SMALL)
    assert answer.code == 0, answer.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert set(metrics["promise"]["groups"]) == {"free", "own", "rent"} == set(metrics["groups"]["rates"])
    assert "How groups of “housing” fare" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    found = json.loads(command("evaluate", tmp_path / "run" / "model.pellucid", table, "--json").out)
    assert set(found["promise"]["groups"]) == {"free", "own", "rent"}
    assert "rent" in command("evaluate", tmp_path / "run" / "model.pellucid", table).out


def test_an_unknown_column_of_groups_is_told(command, table):
    assert_user_error(command("train", table, "--target", "lend", "--coverage-group", "hosing"), "hosing", "housing")
