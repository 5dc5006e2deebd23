"""Help texts, word by word; after a wanted change run the tests with PELLUCID_UPDATE_SNAPSHOTS=1."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

import pellucid
from pellucid.cli.dispatch import COMMANDS

SNAPSHOTS = Path(__file__).parent / "snapshots"
BOX = str.maketrans("│╭╮╰╯─", "      ")


def words_of(help_text: str) -> str:
    """One line a line of help, without frames and runs of blanks."""
    lines = (" ".join(line.translate(BOX).split()) for line in help_text.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


@pytest.mark.parametrize("name", ["", *(command.name for command in COMMANDS)])
def test_help(command, name):
    answer = command(*([name] if name else []), "--help")
    assert answer.code == 0 and answer.err == ""
    file = SNAPSHOTS / f"{name or 'pellucid'}.txt"
    if os.environ.get("PELLUCID_UPDATE_SNAPSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(words_of(answer.out), encoding="utf-8")
    assert words_of(answer.out) == file.read_text(encoding="utf-8")


def test_no_arguments_print_help(command):
    answer = command()
    assert answer.code == 0 and "Usage: pellucid" in answer.out


def test_version(command):
    assert command("--version").out == f"pellucid {pellucid.__version__}\n"
