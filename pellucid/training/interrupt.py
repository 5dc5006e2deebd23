"""Ctrl-C as a wish, not an accident: training ends after the current chunk and keeps what it learned."""
from __future__ import annotations

import signal
import threading
from types import FrameType


class InterruptGuard:
    """While entered, the first Ctrl-C (or polite kill) only sets `asked`; a second one interrupts at once.

    Signals can be caught in the main thread alone; elsewhere the guard does nothing.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> InterruptGuard:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
