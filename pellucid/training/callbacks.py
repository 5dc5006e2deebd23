"""What may happen after each epoch: users' own functions and experiment trackers."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pellucid.errors import MissingExtraError
from pellucid.training.history import Epoch

Callback = Callable[[Epoch], Any]
"""Called after each epoch with its record; training ends after the epoch for which it returns `False`."""


class TensorBoard:
    """A callback that writes the errors of each epoch for TensorBoard; needs the extra `tracking`.

    Example:
        >>> run = pellucid.train("bank.csv", callbacks=[TensorBoard("logs")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise MissingExtraError.of("tensorboardX", "tracking", "Writing TensorBoard logs") from None
        self._writer = SummaryWriter(str(folder))

    def __call__(self, epoch: Epoch) -> None:
        self._writer.add_scalar("error/training", epoch.training_error, epoch.iteration)
        self._writer.add_scalar("error/validation", epoch.validation_error, epoch.iteration)
        self._writer.flush()
