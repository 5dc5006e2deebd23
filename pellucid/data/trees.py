"""Files of labelled trees, one a line in Penn bracket form such as `(3 (2 good) (2 film))`."""
from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from pellucid.core.note import Note
from pellucid.errors import DataError
from pellucid.features.trees import (
    Tree,
    parse_trees,
    read_tree,
    root_labels,
    tree_arrays,
    tree_labels,
    vocabulary,
)

__all__ = ["Tree", "are_trees", "parse_trees", "read_trees", "root_labels", "tree_arrays", "tree_labels", "tree_table",
           "vocabulary"]

LOOKED_AT = 100  # lines
ENOUGH = 0.5
NAMED = 5
_BEGINNING = re.compile(r"\(\s*[^\s()]+\s*[^\s)]")


def are_trees(text: str) -> bool:
    """Whether most of the first lines of a text begin and end as trees do."""
    lines = [line.strip() for line in text[:1 << 16].split("\n")[:LOOKED_AT + 1]]
    lines = [line for line in (lines[:-1] if len(lines) > 1 else lines) if line]
    good = sum(line.endswith(")") and _BEGINNING.match(line) is not None for line in lines)
    return bool(lines) and good >= ENOUGH * len(lines) and any(isinstance(read_tree(line), Tree) for line in lines)


def tree_table(text: str, source: str) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """A tree a line as a table with a column `tree` and the label of each root as `label`; empty lines are passed over.

    Lines that are no whole tree have no label; a note counts and names them.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = [read_tree(line) for _, line in lines]
    bad = [f"line {number} {reason}" for (number, _), reason in zip(lines, found, strict=True)
           if isinstance(reason, str)]
    labels = [None if isinstance(tree, str) else tree.labels[-1] for tree in found]
    frame = pl.DataFrame({"tree": [line for _, line in lines], "label": labels},
                         schema={"tree": pl.String, "label": pl.String})
    if not bad:
        return frame, ()
    named = "; ".join(bad[:NAMED]) + ("; …" if len(bad) > NAMED else "")
    message = f"{len(bad):,} of {len(lines):,} lines of `{source}` are no whole tree: {named}."
    return frame, (Note("broken_trees", message, "tree", len(bad), "warning"),)


def read_trees(path: str | Path) -> list[Tree]:
    """The trees of a file in Penn bracket form, one a line; empty lines are passed over.

    Raises:
        DataError: when the file is not UTF-8 text, or a line is not one whole tree.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"`{path}` cannot be read as UTF-8 text: {error}.",
                        "check the path and the encoding") from error
    return parse_trees(lines)


