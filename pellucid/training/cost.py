"""What training will cost, learned from its first moments."""
from __future__ import annotations


class Cost:
    """Seconds per iteration and per epoch's end, and what they come to.

    The first call, which only measures the untrained network, tells what measuring costs. The second one is short and
    holds one-off costs; from the third on, the rate is known well enough to predict.

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
        self._measuring = 0.0
        self._known_chunks = 0

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
        stepping = max(elapsed - epochs * self._measuring, 0.5 * elapsed)
        self.rate = iterations / max(stepping, 1e-9)
        self._known_chunks += 1
        if self._known_chunks != 2:
            return False
        self.predicted = seconds + self.seconds_left(done)
        return True

    def seconds_left(self, done: int) -> float:
        """Seconds for the iterations that are left; NaN while unknown."""
        if not self.rate:
            return float("nan")
        left = self._total - done
        return left / self.rate + left / max(self._per_epoch, 1) * self._measuring
