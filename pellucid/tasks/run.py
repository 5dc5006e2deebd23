"""What `pellucid.train` gives back."""
from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.core.files import write_atomically
from pellucid.model.base import AbstractModel
from pellucid.report.html import render, summary
from pellucid.report.result import Result
from pellucid.report.terminal import to_text
from pellucid.training.history import History


@dataclass
class Stages:
    """Seconds of each stage of a run, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time inside the block to the stage `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training run.

    Args:
        folder: where it is kept.
        model: the trained model.
        result: everything the report shows, as plain values.
        metrics: what metrics.json holds.
        history: the errors epoch by epoch.
        ending: "finished", "early", "time", "interrupted" or "callback".
    """

    folder: Path
    model: AbstractModel
    result: Result
    metrics: Mapping[str, Any]
    history: History
    ending: str

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one self-contained HTML file; into the run folder when `path` is `None`."""
        path = Path(path) if path else self.folder / "report.html"
        write_atomically(path, render(self.result))
        return path

    def __str__(self) -> str:
        return to_text(self.result)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}: {self.result.verdict.headline})"

    def _repr_html_(self) -> str:
        return summary(self.result)
