"""Decoded files that are kept in memory for a while: a run reads its rows several times."""
from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np

LIMIT = 512 * 2**20
"""Bytes that all kept arrays may take together."""


class Decoded:
    """The arrays used last, up to a number of bytes; may be used by several threads at once.

    Args:
        limit: how many bytes are kept.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> np.ndarray | None:
        """The array of this key, if it is kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, array: np.ndarray) -> None:
        """Keep an array, which nobody may change from now on; those that were not asked for longest go first."""
        if array.nbytes > self.limit // 8:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            self.size += array.nbytes - (0 if before is None else before.nbytes)
            self._kept[key] = array
            while self.size > self.limit:
                self.size -= self._kept.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self.size = 0


def file_key(path: str, *parameters: Hashable) -> tuple[Hashable, ...] | None:
    """A key that changes with the file and with how it is decoded; `None` where there is no such file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return path, status.st_mtime_ns, status.st_size, *parameters


DECODED = Decoded()
"""Shared by all columns of one process."""
