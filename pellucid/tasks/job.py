"""Jobs besides classifying and regressing: what each takes and gives, so that `pellucid.train` can run any of them."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.core.note import Note
from pellucid.data.table import Table
from pellucid.model.base import AbstractModel
from pellucid.report.result import Result
from pellucid.tasks.run import Stages
from pellucid.training.engine import Ending, Watch
from pellucid.training.history import History


@dataclass(frozen=True, eq=False)
class Order:
    """What a job is asked to do.

    Args:
        table: as read.
        target: the column that was named, if any.
        settings: all declared settings, checked; `None` means "chosen from the data".
        command: how to repeat the run.
        watch: progress, callbacks and checkpoint, for the job's main training.
        stages: where the time of each stage is noted.
        keep: saves a model at once, so that an interruption later loses nothing.
        notes: what was noticed before the job began.
    """

    table: Table
    target: str | None
    settings: Mapping[str, Any]
    command: str
    watch: Watch
    stages: Stages
    keep: Callable[[AbstractModel], None]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class Finished:
    """What a job gives back.

    Args:
        model: with its metrics written in.
        result: everything the report shows.
        metrics: what metrics.json holds.
        history: the errors epoch by epoch, of the main training.
        ending: why that ended.
        settings: resolved.
    """

    model: AbstractModel
    result: Result
    metrics: Mapping[str, Any]
    history: History
    ending: Ending
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A task with a way of its own from a table to a model; the training is the one engine's.

    Args:
        task: one of `core.names.TASKS`.
        run: does it. It raises `DataError` or `SettingsError` for what the user can mend.
        recognise: (table, target) to a reason, as the end of a sentence that begins with "because", if the data ask for
            this task when the user names none; else `None`.
        needs_target: whether a target column is guessed where none is named.
    """

    task: str
    run: Callable[[Order], Finished]
    recognise: Callable[[Table, str | None], str | None]
    needs_target: bool = False
