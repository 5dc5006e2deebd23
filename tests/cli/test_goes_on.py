"""Input that is odd but usable: a warning that counts, and the command goes on."""
from __future__ import annotations

from pathlib import Path

import polars as pl

from .conftest import SMALL, clients


def test_ragged_rows(command):
    lines = clients().write_csv().splitlines()
    lines[5] += ",extra,words"
    lines[9] = lines[9].rsplit(",", 1)[0]
    Path("bank.csv").write_text("\n".join(lines))
    answer = command("train", "bank.csv", "--target", "age", *SMALL)
    said = " ".join((answer.out + answer.err).split())
    assert answer.code == 0 and "warning: 2 of 300 rows do not have 5 cells" in said


def test_a_batch_larger_than_the_data(command):
    clients().write_csv("bank.csv")
    answer = command("train", "bank.csv", "--target", "lend", *SMALL[:-1], "5000")
    assert answer.code == 0 and "batch size 5000" in " ".join((answer.out + answer.err).split())


def test_extra_and_reordered_columns(command, model, table):
    plain = command("predict", model, table).out
    frame = clients().with_columns(shoes=pl.lit(42))
    frame.select(reversed(frame.columns)).write_csv("new.csv")
    answer = command("predict", model, "new.csv")
    assert answer.code == 0 and answer.out == plain
    assert "1 column that training did not have is left out: `shoes`" in answer.err


def test_unseen_categories(command, model):
    clients(20).with_columns(housing=pl.lit("castle")).write_csv("new.csv")
    answer = command("predict", model, "new.csv")
    assert answer.code == 0 and "housing" in answer.err and "20" in answer.err


def test_infinite_values(command, model):
    text = clients(20).write_csv().splitlines()
    text[3] = "inf," + text[3].split(",", 1)[1]
    Path("new.csv").write_text("\n".join(text))
    answer = command("predict", model, "new.csv")
    assert answer.code == 0 and "age" in answer.err and "infinite" in answer.err


def test_infinite_values_while_training(command):
    text = clients().write_csv().splitlines()
    text[3] = "inf," + text[3].split(",", 1)[1]
    Path("bank.csv").write_text("\n".join(text))
    answer = command("train", "bank.csv", "--target", "lend", *SMALL)
    assert answer.code == 0 and "infinite" in answer.out + answer.err


def test_nothing_to_resume(command):
    clients().write_csv("bank.csv")
    answer = command("train", "bank.csv", "--target", "lend", "--resume", "--run", "other", *SMALL)
    assert answer.code == 0 and "warning: There was no run to resume in `other`" in answer.out + answer.err


def test_quiet_says_nothing(command, model):
    clients(20).with_columns(housing=pl.lit("castle")).write_csv("new.csv")
    assert command("predict", model, "new.csv", "--quiet").err == ""
