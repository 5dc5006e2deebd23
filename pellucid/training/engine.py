"""The host's side of training: it cuts the compiled loop into chunks, and between them looks, draws and saves.

The clock decides only how long a chunk is, when to draw and when to write a checkpoint. All decisions about the
network are taken inside the compiled loop, by iteration.
"""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pellucid.training.callbacks import Callback
from pellucid.training.checkpoint import Checkpoint
from pellucid.training.compiled import compiled_chunk, peak_bytes
from pellucid.training.history import Epoch, History, mean_over_members
from pellucid.training.interrupt import InterruptGuard
from pellucid.training.loop import Carry, Data, Rows, begin, iterations_per_epoch
from pellucid.training.plan import Plan, limits, loop_shape
from pellucid.training.program import Program
from pellucid.training.progress import Progress, Silent

CHUNK_SECONDS = 0.4
_begin = jax.jit(begin, static_argnums=(0, 1))
Ending = Literal["finished", "early", "time", "interrupted", "callback"]


@dataclass(frozen=True)
class Watch:
    """What looks on: none of it changes what is learned, save that a callback may end training.

    Args:
        progress: draws on the terminal.
        callbacks: called after each epoch; with any, a chunk is one epoch.
        checkpoint: where the carry is kept, if anywhere.
        resume: go on from the checkpoint when there is one.
    """

    progress: Progress = field(default_factory=Silent)
    callbacks: tuple[Callback, ...] = ()
    checkpoint: Checkpoint | None = None
    resume: bool = False


@dataclass(frozen=True)
class Outcome:
    """What training came to.

    Args:
        carry: the final carry, on the device.
        history: epoch by epoch.
        ending: why it ended.
        iterations: how many were done.
        seconds: of training, without compilation; over all runs when resumed.
        compile_seconds: of compilation.
        predicted_seconds: what was predicted from the first iterations, for all epochs.
        peak_bytes: memory of the compiled program.
    """

    carry: Carry
    history: History
    ending: Ending
    iterations: int
    seconds: float
    compile_seconds: float
    predicted_seconds: float
    peak_bytes: int


def run(program: Program, state: PyTree, data: Data, rows: Rows, plan: Plan, watch: Watch | None = None) -> Outcome:
    """Train all members to the end of `plan`, or until they stop early, time is up or the user interrupts."""
    return _Run(program, state, data, rows, plan, watch or Watch()).to_the_end()


class _Run:
    """The moving parts of one training run."""

    def __init__(self, program: Program, state: PyTree, data: Data, rows: Rows, plan: Plan, watch: Watch) -> None:
        shape = loop_shape(plan, rows)
        self.plan, self.watch, self.data, self.rows = plan, watch, data, rows
        self.per_epoch = int(iterations_per_epoch(rows, shape.batch_size))
        self.total = self.per_epoch * plan.epochs
        self.limits = limits(plan, self.total)
        rates = np.array(plan.rates or (1.0,) * shape.members, data.weight.dtype)
        self.carry = _begin(program, shape, state, data, rates)
        self.seconds, self.epochs, self.predicted = 0.0, [], float("nan")
        if watch.resume and watch.checkpoint and (found := watch.checkpoint.read(self.carry)):
            self.carry, self.seconds = found
        start = time.perf_counter()
        self.executable = compiled_chunk(program, shape, self.carry, data, rows, self.limits)
        self.compile_seconds = time.perf_counter() - start
        self.rate = 0.0  # iterations per second
        self.saved = time.perf_counter()

    def to_the_end(self) -> Outcome:
        """Chunk after chunk."""
        self.watch.progress.begin(self.plan.epochs, self.per_epoch, peak_bytes(self.executable))
        ending: Ending | None = None
        with InterruptGuard() as guard:
            while ending is None:
                self._chunk()
                ending = self._ending(guard)
                self._save(final=ending is not None)
        history = self._history()
        self.watch.progress.end(ending, history)
        return Outcome(self.carry, history, ending, int(self.carry.iteration), self.seconds, self.compile_seconds,
                       self.predicted, peak_bytes(self.executable))

    def _chunk(self) -> None:
        done = int(self.carry.iteration)
        stop = min(done + self._length(), self.total)
        start = time.perf_counter()
        self.carry = jax.block_until_ready(self.executable(
            self.carry, self.data, self.rows, self.limits._replace(stop=jnp.int32(stop))))
        elapsed = time.perf_counter() - start
        self.seconds += elapsed
        trained = int(self.carry.iteration) - done
        if trained:
            self.rate = trained / max(elapsed, 1e-9)
            if done and np.isnan(self.predicted):  # the first chunk is short and holds one-off costs
                self.predicted = (self.total - done - trained) / self.rate + self.seconds
        self._look()

    def _length(self) -> int:
        """Iterations of the next chunk: one epoch for callbacks, else what fits into a moment."""
        if self.watch.callbacks:
            return self.per_epoch
        if not self.rate:
            return max(1, min(self.per_epoch, 16))
        seconds = CHUNK_SECONDS
        if self.plan.time_limit is not None:
            seconds = min(seconds, max(self.plan.time_limit - self.seconds, 0.01))
        return max(1, int(self.rate * seconds))

    def _look(self) -> None:
        """Take note of the epochs that ended in this chunk."""
        before, now = len(self.epochs), int(self.carry.epoch) + 1
        if now > before:
            buffers = {name: np.asarray(self.carry.history[name])[:now] for name in ("error", "validation_error")}
            training, validation = (mean_over_members(buffers[name]) for name in ("error", "validation_error"))
            for row in range(before, now):
                self.epochs.append(Epoch(row - 1, row * self.per_epoch, float(training[row]), float(validation[row]),
                                         self.seconds))
        left = (self.total - int(self.carry.iteration)) / self.rate if self.rate else float("nan")
        self.new = self.epochs[before:]
        self.watch.progress.show(int(self.carry.iteration), self.epochs, self.rate, left)

    def _ending(self, guard: InterruptGuard) -> Ending | None:
        wishes = [callback(epoch) for epoch in self.new for callback in self.watch.callbacks]
        if bool(np.all(self.carry.stopped)) and int(self.carry.iteration) < self.total:
            return "early"
        if int(self.carry.iteration) >= self.total and int(self.carry.epoch) >= self.plan.epochs:
            return "finished"
        if any(wish is False for wish in wishes):
            return "callback"
        if guard.asked:
            return "interrupted"
        if self.plan.time_limit is not None and self.seconds + self.compile_seconds >= self.plan.time_limit:
            return "time"
        return None

    def _save(self, final: bool) -> None:
        keep = self.watch.checkpoint
        if keep and (final or time.perf_counter() - self.saved >= keep.seconds):
            keep.write(self.carry, self.seconds)
            self.saved = time.perf_counter()

    def _history(self) -> History:
        carry, count = jax.device_get(self.carry), len(self.epochs)
        return History(epochs=tuple(self.epochs),
                       members={name: buffer[:count] for name, buffer in carry.history.items()},
                       best_epoch=tuple(int(epoch) for epoch in carry.best_epoch),
                       best_error=tuple(float(error) for error in carry.best_error),
                       failures=tuple(int(count) for count in carry.failures))
