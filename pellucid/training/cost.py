"""What training will cost, learned from its first moments."""
from __future__ import annotations

import math

PROBE_SECONDS = 0.05
"""How long training is watched before its cost is predicted."""


class Cost:
    """Seconds per iteration and per epoch's end, and what they come to.

    The first call, which only measures the untrained network, tells what measuring costs; it matters where epochs are
    long. The first iterations hold one-off costs; the rate is trusted from the first chunk on that takes a moment.

    Args:
        total: iterations in all.
        per_epoch: iterations in an epoch.
        share: of the rows measured in the first call, those that are measured after each epoch.
    """

    def __init__(self, total: int, per_epoch: int, share: float) -> None:
        self.rate = 0.0
        """Iterations per second; 0 while unknown."""
        self.predicted = float("nan")
        """Seconds for all iterations, as first predicted; NaN while unknown."""
        self._total, self._per_epoch, self._share = total, per_epoch, share
        self._measuring = self._per_end = 0.0
        self._chunks = 0

    def learn(self, done: int, iterations: int, epochs: int, elapsed: float, seconds: float) -> bool:
        """Take note of a chunk.

        Args:
            done: iterations so far.
            iterations, epochs: done and ended in this chunk.
            elapsed: seconds that it took.
            seconds: of training so far.

        Returns:
            Whether there is a prediction now that there was not before.
        """
        if not iterations:
            self._measuring = elapsed * self._share
            return False
        self.rate = iterations / max(elapsed, 1e-9)
        self._per_end = 0.0 if epochs else self._measuring  # else it is in the rate already
        self._chunks += 1
        left = self.seconds_left(done)
        if not math.isnan(self.predicted) or self._chunks < 2 or elapsed < PROBE_SECONDS / 2 < left:
            return False
        self.predicted = seconds + left
        return True

    def seconds_left(self, done: int) -> float:
        """Seconds for the iterations that are left; NaN while unknown."""
        if not self.rate:
            return float("nan")
        left = self._total - done
        return left / self.rate + left / max(self._per_epoch, 1) * self._per_end
