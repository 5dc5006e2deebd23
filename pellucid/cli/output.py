"""Where answers go: data to standard output or a file, words to stderr."""
from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, RenderableType

from pellucid.cli.trouble import say
from pellucid.core.note import Note
from pellucid.errors import StorageError
from pellucid.model.card import plain_values

WIDTH = 110
"""Columns of text where output goes to a file or a pipe."""


def print_json(value: Any) -> None:
    """JSON on standard output; numbers that are not finite are `null`."""
    print(json.dumps(plain_values(value), ensure_ascii=False, indent=2))


def print_pretty(*parts: RenderableType) -> None:
    """Tables and sentences on standard output."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH)
    for part in parts:
        console.print(part)


def say_notes(notes: Iterable[Note], *, everything: bool = False) -> None:
    """Warnings on stderr, and with `everything` the other notes too."""
    for note in notes:
        if note.severity == "warning":
            say("warning", note.message, "yellow")
        elif everything:
            say("note", note.message, "cyan")


@contextlib.contextmanager
def writing(path: str | None) -> Iterator[TextIO]:
    """Standard output, or the file `path`, which appears only when it is complete.

    Raises:
        StorageError: the file cannot be written; what was there before is as it was.
    """
    if path is None:
        yield sys.stdout
        return
    place, temporary = Path(path), None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=place.parent, prefix=f".{place.name}.",
                                         delete=False) as file:
            temporary = file.name
            yield file  # type: ignore[misc]
        os.chmod(temporary, 0o644)
        os.replace(temporary, place)
        temporary = None
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"Could not write `{path}`: {error.strerror or error}.",
                           "free some disk space or name a file that you may write") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
