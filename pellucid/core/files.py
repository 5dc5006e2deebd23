"""Writing files so that a crash, a kill or a full disk leaves either the old file or the new one, never half."""
from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pellucid.errors import StorageError

_SUFFIX = ".part"


def write_atomically(path: str | Path, content: bytes | str, *, make_folder: bool = False) -> None:
    """Write `content` beside `path`, flush it to the disk, and put it in place in one move.

    Args:
        path: the file.
        content: all of it; text is written as UTF-8.
        make_folder: whether to make the folder when it is missing.

    Raises:
        StorageError: the disk is full or the folder may not be written; the file at `path` is as it was.
    """
    path = Path(path)
    content = content.encode("utf-8") if isinstance(content, str) else content
    temporary = None
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=_SUFFIX,
                                         delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        raise StorageError(f"Could not write `{path}`: {error.strerror or error}.",
                           "free some disk space or choose a folder that you may write to; "
                           "what was there before is untouched") from error


def remove_leftovers(path: str | Path) -> None:
    """Remove what writers of `path` left behind when they were killed."""
    path = Path(path)
    for leftover in path.parent.glob(f".{path.name}.*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
