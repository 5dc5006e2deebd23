"""Decoded files that are kept in memory for a while: a run reads its rows several times."""
from __future__ import annotations

import hashlib
import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Cell = str | bytes
Value = TypeVar("Value")
Answer = TypeVar("Answer")
LIMIT = 512 * 2**20
"""Bytes that all kept values may take together."""
AT_ONCE = 64
MOST_THREADS = 8


class Decoded:
    """The values used last, up to a number of bytes; may be used by several threads at once.

    Args:
        limit: how many bytes are kept.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Any:
        """The value of this key if it is kept, else `None`."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of so many bytes, which nobody may change from now on; those that were not asked for longest
        go first."""
        if size > self.limit // 8:
            return
        with self._lock:
            self.size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = value, size
            while self.size > self.limit:
                self.size -= self._kept.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self.size = 0


KEPT = Decoded()
"""Shared by all columns of one process."""


def decoded(cells: Sequence[Cell | None], read: Callable[[Cell], tuple[Value, int]],
            parameters: Hashable = ()) -> list[Value | None]:
    """What `read` makes of each cell, in threads, from memory where the same file was read before.

    Args:
        cells: paths, or the bytes of files; `None` gives `None`.
        read: from a cell to its value and the bytes that this takes. It raises nothing.
        parameters: of `read`, so that values for other parameters are not confused.
    """
    def one(cell: Cell | None) -> Value | None:
        if cell is None:
            return None
        key = _key(cell, parameters)
        found = None if key is None else KEPT.get(key)
        if found is None:
            found, size = read(cell)
            if key is not None:
                KEPT.put(key, found, size)
        return found

    return in_threads(one, cells)


def in_threads(act: Callable[[Any], Answer], items: Sequence[Any]) -> list[Answer]:
    """`act` on each item, in order; decoders let other threads run meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a file is named by Pellucid itself
        if len(items) <= AT_ONCE:
            return [act(item) for item in items]
        pieces = [items[start:start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]
        with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
            return [one for piece in pool.map(lambda piece: [act(item) for item in piece], pieces) for one in piece]


def _key(cell: Cell, parameters: Hashable) -> Hashable | None:
    """A key that changes with the file and with how it is decoded; `None` where there is no such file."""
    if isinstance(cell, bytes):
        return hashlib.blake2b(cell, digest_size=16).digest(), parameters
    try:
        status = os.stat(cell)
    except (OSError, ValueError):
        return None
    return cell, status.st_mtime_ns, status.st_size, parameters
