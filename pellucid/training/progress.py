"""Progress of training on a terminal: epoch, iteration, error, delta, learning speed and time left; on stderr."""
from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from pellucid.training.history import Epoch, History


class Progress(Protocol):
    """What the engine tells while it trains."""

    def tell(self, message: str) -> None:
        """What is about to be done."""

    def begin(self, epochs: int, per_epoch: int) -> None:
        """Training is about to start: at most `epochs` epochs of `per_epoch` iterations."""

    def predict(self, seconds: float, memory: int) -> None:
        """Training will take so many seconds at most, and so many bytes of memory."""

    def show(self, iteration: int, epochs: list[Epoch], rate: float, seconds_left: float) -> None:
        """A chunk ended after `iteration` iterations, at `rate` iterations per second."""

    def warn(self, message: str) -> None:
        """Something went wrong that does not stop training."""

    def close(self) -> None:
        """Nothing more will be drawn, whether training ended well or not."""

    def end(self, ending: str, history: History) -> None:
        """Training ended well."""


class Silent:
    """Says nothing."""

    def tell(self, message: str) -> None:
        """Nothing."""

    def begin(self, epochs: int, per_epoch: int) -> None:
        """Nothing."""

    def predict(self, seconds: float, memory: int) -> None:
        """Nothing."""

    def show(self, iteration: int, epochs: list[Epoch], rate: float, seconds_left: float) -> None:
        """Nothing."""

    def warn(self, message: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def end(self, ending: str, history: History) -> None:
        """Nothing."""


def describe_error(epochs: list[Epoch]) -> str:
    """The last error and its delta to the epoch before, in words for one line."""
    last = epochs[-1]
    value = last.validation_error if np.isfinite(last.validation_error) else last.training_error
    text = f"error {value:.4g}"
    if len(epochs) > 1:
        before = epochs[-2]
        delta = value - (before.validation_error if np.isfinite(before.validation_error) else before.training_error)
        text += f" ({delta:+.1e})"
    return text


class Terminal:
    """A bar on an interactive terminal; a line every few seconds elsewhere.

    Args:
        console: where to draw; stderr by default, so that data on stdout stay clean.
        every: seconds between lines where there is no interactive terminal.
    """

    def __init__(self, console: Console | None = None, every: float = 10.0) -> None:
        self.console = console or Console(stderr=True)
        self.every = every
        self._bar: RichProgress | None = None
        self._said = time.monotonic()

    def tell(self, message: str) -> None:
        """Say it."""
        self._print(message)

    def begin(self, epochs: int, per_epoch: int) -> None:
        """Draw an empty bar."""
        self._total, self._said = epochs * per_epoch, time.monotonic()
        self._print(f"training: at most {_count(epochs, 'epoch')} of {_count(per_epoch, 'iteration')}")
        if self.console.is_terminal:
            self._bar = RichProgress(TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(),
                                     TextColumn("{task.fields[error]}"), TextColumn("{task.fields[speed]}"),
                                     TimeRemainingColumn(), console=self.console, transient=True)
            self._task = self._bar.add_task("iteration", total=self._total, error="", speed="")
            self._bar.start()

    def predict(self, seconds: float, memory: int) -> None:
        """Say what training will cost."""
        self._print(f"predicted: at most {_duration(seconds)}, less if the error stops falling, and "
                    f"{memory / 1e6:,.0f} MB of memory")

    def _print(self, text: str) -> None:
        self.console.print(text, style="dim", highlight=False, soft_wrap=True)

    def show(self, iteration: int, epochs: list[Epoch], rate: float, seconds_left: float) -> None:
        """Move the bar."""
        if not epochs or not rate:  # the untrained network has no speed
            return
        error, speed = describe_error(epochs), f"{rate:,.0f}/s"
        if self._bar:
            self._bar.update(self._task, completed=iteration, error=f"epoch {epochs[-1].epoch} {error}", speed=speed)
        elif time.monotonic() - self._said >= self.every:
            self._said = time.monotonic()
            self.console.print(f"epoch {epochs[-1].epoch}, iteration {iteration} of {self._total}: {error}, "
                               f"{speed}, at most {_duration(seconds_left)} left", highlight=False)

    def warn(self, message: str) -> None:
        """Say what went wrong."""
        self.console.print(f"warning: {message}", style="yellow", highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def end(self, ending: str, history: History) -> None:
        """Say how it ended."""
        last = history.epochs[-1]
        words = {"finished": "all epochs done", "early": "the error stopped falling", "time": "the time limit is up",
                 "interrupted": "interrupted; what was learned is kept", "callback": "a callback asked for it"}
        self._print(f"trained: {last.epoch + 1} epochs, {last.iteration} iterations in {_duration(last.seconds)}: "
                    f"{words[ending]}")


def _duration(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "an unknown time"
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
