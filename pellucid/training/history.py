"""What happened in training, epoch by epoch."""
from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

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

    def to_csv(self) -> str:
        """The record as comma-separated text: epoch, iteration, training error, validation error, seconds."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.epochs:
            writer.writerow([row.epoch, row.iteration, _number(row.training_error), _number(row.validation_error),
                             f"{row.seconds:.3f}"])
        return out.getvalue()


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.8g}"


def mean_over_members(values: np.ndarray) -> np.ndarray:
    """The mean over members of (epochs, members), leaving out what is not a number; NaN where nothing is left."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
