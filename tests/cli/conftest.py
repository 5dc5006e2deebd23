"""Running commands inside the test process, and one small model for all tests."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pellucid.cli.dispatch import main

SMALL = ("--epochs", "2", "--members", "1", "--hidden", "4", "--batch-size", "64")
"""Settings that make training quick; nothing is learned."""


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str


def clients(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    """A made-up table: a number, a category, a date, a yes-or-no column, and whether to lend."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    housing = random.choice(["own", "rent", "free"], rows)
    lend = np.where(age / 80 + (housing == "own") + random.normal(0, 0.3, rows) > 1, "good", "bad")
    day = [f"20{2 + index % 5}0-0{1 + index % 9}-1{index % 10}" for index in range(rows)]
    return pl.DataFrame({"age": age, "housing": housing, "since": day, "phone": random.choice(["yes", "no"], rows),
                         "lend": lend})


@pytest.fixture
def command(capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("PELLUCID_DEBUG", raising=False)

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small classifier; beside it the table it was trained on, `clients.csv`."""
    folder = tmp_path_factory.mktemp("trained")
    clients().write_csv(folder / "clients.csv")
    assert main(["train", str(folder / "clients.csv"), "--target", "lend", "--run", str(folder / "run"), "--quiet",
                 "--type", "since=ignore", *SMALL]) == 0
    return folder / "run"


@pytest.fixture
def model(trained: Path) -> Path:
    """The file of the small classifier."""
    return trained / "model.pellucid"


@pytest.fixture
def table(trained: Path) -> Path:
    """The table that the small classifier was trained on."""
    return trained.parent / "clients.csv"


def assert_user_error(answer: Answer, *words: str) -> None:
    """Exit code 2, `error:` and `hint:` on stderr, no traceback, nothing on stdout, and all of `words`."""
    assert answer.code == 2, answer
    lines = answer.err.splitlines()
    assert any(line.startswith("error: ") for line in lines), answer.err
    assert any(line.startswith("hint: ") for line in lines), answer.err
    assert "Traceback" not in answer.err and answer.out == ""
    for word in words:
        assert word in answer.err, (word, answer.err)
