"""What happened in training, epoch by epoch."""
from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

COLUMNS = ("epoch", "iteration", "training_error", "validation_error", "seconds")


@dataclass(frozen=True)
class Epoch:
    """One row of the record. Epoch -1 is the untrained network; epoch 0 is the first pass over the data.

    Args:
        epoch: the counter, from -1.
        iteration: how many iterations were done when it ended.
        training_error: mean over the members of the error on the training rows while they were learned.
        validation_error: the same on the held-out rows; NaN without any.
        seconds: since the start of training.
    """

    epoch: int
    iteration: int
    training_error: float
    validation_error: float
    seconds: float


@dataclass(frozen=True)
class Span:
    """A stretch of training: from an iteration to another, and the seconds of training at both ends."""

    first: int
    last: int
    begin: float
    end: float

    def at(self, iterations: np.ndarray) -> np.ndarray:
        """The seconds at `iterations`, as if all took the same time."""
        share = (iterations - self.first) / max(self.last - self.first, 1) if self.last > self.first else 1.0
        return self.begin + np.broadcast_to(share, iterations.shape) * (self.end - self.begin)


@dataclass(frozen=True)
class History:
    """All epochs of a run, and the same numbers for each member.

    Args:
        epochs: one entry an epoch, the untrained network first.
        members: measurement name to an array (epochs, members), such as `"error"` and `"validation_error"`.
        best_epoch: the epoch whose weights each member kept.
        best_error: its held-out error.
        failures: how many steps of each member were not finite, and were not taken.
    """

    epochs: tuple[Epoch, ...] = ()
    members: dict[str, np.ndarray] = field(default_factory=dict)
    best_epoch: tuple[int, ...] = ()
    best_error: tuple[float, ...] = ()
    failures: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.epochs)

    def only(self, members: Sequence[int]) -> History:
        """The record of some of the members."""
        chosen = np.asarray(members)
        columns = {name: values[:, chosen] for name, values in self.members.items()}
        training, validation = (mean_over_members(columns[name]) for name in ("error", "validation_error"))
        epochs = tuple(replace(epoch, training_error=float(training[row]), validation_error=float(validation[row]))
                       for row, epoch in enumerate(self.epochs))

        def pick(values: tuple) -> tuple:
            return tuple(values[member] for member in chosen)

        return History(epochs, columns, pick(self.best_epoch), pick(self.best_error), pick(self.failures))

    def to_csv(self) -> str:
        """The record as comma-separated text: epoch, iteration, training error, validation error, seconds."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.epochs:
            writer.writerow([row.epoch, row.iteration, _number(row.training_error), _number(row.validation_error),
                             f"{row.seconds:.3f}"])
        return out.getvalue()


class Log:
    """The record of a run as it grows: the host takes it out of the compiled loop, epoch by epoch.

    Args:
        per_epoch: iterations in an epoch.
        members: measurement name to an array (epochs, members): what is known already, of a run that is resumed.
        seconds: the end of each of these epochs.
    """

    def __init__(self, per_epoch: int, members: Mapping[str, np.ndarray], seconds: np.ndarray) -> None:
        self._per_epoch = per_epoch
        self._members = {name: [values] for name, values in members.items()}
        self.epochs: list[Epoch] = []
        self._append(members, seconds)

    def take(self, buffers: Mapping[str, np.ndarray], count: int, span: Span) -> list[Epoch]:
        """Note the rows up to `count`, found in `buffers` at their numbers modulo the buffers' length.

        Returns:
            What is new.
        """
        before = len(self.epochs)
        if count <= before:
            return []
        rows = np.arange(before, count)
        new = {name: np.asarray(buffer)[rows % len(buffer)] for name, buffer in buffers.items()}
        for name, values in new.items():
            self._members.setdefault(name, []).append(values)
        self._append(new, span.at(rows * self._per_epoch))
        return self.epochs[before:]

    def _append(self, members: Mapping[str, np.ndarray], seconds: np.ndarray) -> None:
        errors = [mean_over_members(members[name]) for name in ("error", "validation_error")] if members else [[], []]
        for training, validation, second in zip(*errors, seconds, strict=True):
            row = len(self.epochs)
            self.epochs.append(Epoch(row - 1, row * self._per_epoch, float(training), float(validation),
                                     float(second)))

    @property
    def members(self) -> dict[str, np.ndarray]:
        """Each measurement of all epochs: (epochs, members)."""
        return {name: np.concatenate(values) for name, values in self._members.items()}

    @property
    def seconds(self) -> np.ndarray:
        """The end of each epoch, in seconds of training."""
        return np.array([epoch.seconds for epoch in self.epochs], np.float64)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.8g}"


def mean_over_members(values: np.ndarray) -> np.ndarray:
    """The mean over members of (epochs, members), leaving out what is not a number; NaN where nothing is left."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
