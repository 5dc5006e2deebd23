"""Writing files so that a crash, a kill or a full disk leaves either the old file or the new one, never half."""
from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pellucid.errors import StorageError


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write `content` beside `path`, flush it to the disk, and put it in place in one move.

    Raises:
        StorageError: the disk is full or the folder may not be written; the file at `path` is as it was.
    """
    path = Path(path)
    content = content.encode("utf-8") if isinstance(content, str) else content
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise StorageError(f"Could not write `{path}`: {error.strerror or error}.",
                           "free some disk space or choose a folder that you may write to; "
                           "what was there before is untouched") from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
