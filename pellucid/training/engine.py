"""The host's side of training: it cuts the compiled loop into chunks, and between them looks, draws and saves.

The clock decides only how long a chunk is, when to draw and when to write a checkpoint. All decisions about the
network are taken inside the compiled loop, by iteration.
"""
from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pellucid.errors import SettingsError, StorageError, TrainingError
from pellucid.training.callbacks import Callback
from pellucid.training.checkpoint import Checkpoint, Saved
from pellucid.training.compiled import compiled_chunk, enable_disk_cache
from pellucid.training.cost import PROBE_SECONDS, Cost
from pellucid.training.history import History, Log, Span
from pellucid.training.interrupt import InterruptGuard
from pellucid.training.loop import HISTORY, Carry, Data, Rows, begin, iterations_per_epoch
from pellucid.training.memory import measured_peak, predicted_peak
from pellucid.training.plan import Plan, limits, loop_shape
from pellucid.training.program import Program
from pellucid.training.progress import Progress, Silent

CHUNK_SECONDS = 0.4
PROBE_ITERATIONS = 16
MOST_ITERATIONS = 2**31 - 1
_begin = jax.jit(begin, static_argnums=(0, 1))
Ending = Literal["finished", "early", "time", "interrupted", "callback"]


@dataclass(frozen=True)
class Watch:
    """What looks on: none of it changes what is learned, save that a callback may end training.

    Args:
        progress: draws on the terminal.
        callbacks: called after each epoch, and once before the first one; with any, a chunk is at most one epoch.
        checkpoint: where the state is kept, if anywhere.
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
        predicted_memory: bytes that were predicted to be in use at most, before the first iteration.
        peak_memory: bytes that were in use at most when training ended.
    """

    carry: Carry
    history: History
    ending: Ending
    iterations: int
    seconds: float
    compile_seconds: float
    predicted_seconds: float
    predicted_memory: int
    peak_memory: int


def run(program: Program, state: PyTree, data: Data, rows: Rows, plan: Plan, watch: Watch | None = None) -> Outcome:
    """Train all members to the end of `plan`, or until they stop early, time is up or the user interrupts.

    Raises:
        SettingsError: there are more iterations than can be counted.
        TrainingError: the error was never finite.
    """
    enable_disk_cache()
    return _Run(program, state, data, rows, plan, watch or Watch()).to_the_end()


class _Run:
    """The moving parts of one training run."""

    def __init__(self, program: Program, state: PyTree, data: Data, rows: Rows, plan: Plan, watch: Watch) -> None:
        shape = loop_shape(plan, rows)
        self.plan, self.watch, self.data, self.rows = plan, watch, data, rows
        self.per_epoch = int(iterations_per_epoch(rows, shape.batch_size))
        self.total = _countable(self.per_epoch * plan.epochs)
        self.limits = limits(plan, self.total, data.weight.dtype)
        rates = np.array(plan.rates or (1.0,) * shape.members, data.weight.dtype)
        self.carry = _begin(program, shape, state, data, rates)
        self.ending: Ending | None = None
        self.seconds, self.log, self.new = 0.0, Log(self.per_epoch, {}, np.zeros(0)), []
        self._restore()
        start = time.perf_counter()
        self.compiled = compiled_chunk(program, shape, self.carry, data, rows, self.limits)
        self.compile_seconds = time.perf_counter() - start
        self.predicted_memory = predicted_peak(self.compiled.bytes)
        self.cost = Cost(self.total, self.per_epoch, _held_out_share(rows))
        self.last_save = time.perf_counter()
        self.until_save = watch.checkpoint.first if watch.checkpoint else 0.0

    def _restore(self) -> None:
        """Take up what the checkpoint holds. What had ended for good stays so; what was interrupted goes on."""
        watch = self.watch
        saved = watch.checkpoint.read(self.carry) if watch.resume and watch.checkpoint else None
        if saved is None:
            return
        self.carry, self.seconds = saved.carry, saved.elapsed
        self.log = Log(self.per_epoch, saved.members, saved.seconds)
        self.ending = None if saved.ending in ("", "interrupted") else saved.ending

    def to_the_end(self) -> Outcome:
        """Chunk after chunk."""
        self.watch.progress.begin(self.plan.epochs, self.per_epoch)
        try:
            with InterruptGuard() as guard:
                while self.ending is None:
                    self._chunk()
                    self.ending = self._reason_to_end(guard)
                    self._save(final=self.ending is not None)
        except BaseException:
            self._rescue()
            raise
        finally:
            self.watch.progress.close()
        history = self._history()
        self._require_sense(history)
        self.watch.progress.end(self.ending, history)
        return Outcome(self.carry, history, self.ending, self.done, self.seconds, self.compile_seconds,
                       self.cost.predicted, self.predicted_memory, measured_peak())

    @property
    def done(self) -> int:
        """Iterations so far."""
        return int(self.carry.iteration)

    def _chunk(self) -> None:
        first, epochs, begun = self.done, len(self.log.epochs), self.seconds
        stop = min(first + self._length(), self.total, (int(self.carry.epoch) + HISTORY) * self.per_epoch)
        start = time.perf_counter()
        self.carry = jax.block_until_ready(self.compiled.call(
            self.carry, self.data, self.rows, self.limits._replace(stop=jnp.int32(stop))))
        elapsed = time.perf_counter() - start
        self.seconds += elapsed
        self.new = self.log.take(self.carry.history, int(self.carry.epoch) + 1,
                                 Span(first, self.done, begun, self.seconds))
        if self.cost.learn(self.done, self.done - first, len(self.log.epochs) - epochs, elapsed, self.seconds):
            self.watch.progress.predict(self.cost.predicted, self.predicted_memory)
        self.watch.progress.show(self.done, self.log.epochs, self.cost.rate, self.cost.seconds_left(self.done))

    def _length(self) -> int:
        """Iterations of the next chunk: none at first, for the untrained network; then few; then what fits into a
        moment, but no more than one epoch where there are callbacks."""
        if not self.log.epochs:
            return 0
        limited = self.plan.time_limit is not None
        if not self.cost.rate:
            length = 1 if limited else PROBE_ITERATIONS
        else:
            seconds = CHUNK_SECONDS if np.isfinite(self.cost.predicted) else PROBE_SECONDS
            if limited:
                seconds = min(seconds, max(self.plan.time_limit - self.seconds - self.compile_seconds, 0.01))
            length = max(1, int(self.cost.rate * seconds))
        return min(length, self.per_epoch - self.done % self.per_epoch) if self.watch.callbacks else length

    def _reason_to_end(self, guard: InterruptGuard) -> Ending | None:
        wishes = [callback(epoch) for epoch in self.new for callback in self.watch.callbacks]
        if self.done >= self.total and int(self.carry.epoch) >= self.plan.epochs:
            return "finished"
        if bool(np.all(self.carry.stopped)):
            return "early"
        if any(wish is False for wish in wishes):
            return "callback"
        if guard.asked:
            return "interrupted"
        if self.plan.time_limit is not None and self.done and (
                self.seconds + self.compile_seconds >= self.plan.time_limit):
            return "time"
        return None

    def _save(self, final: bool) -> None:
        """Write a checkpoint when it is time to. Training goes on without when the disk is full, and says so."""
        keep, now = self.watch.checkpoint, time.perf_counter()
        if keep is None or not (final or now - self.last_save >= self.until_save):
            return
        try:
            keep.write(Saved(self.carry, self.log.members, self.log.seconds, self.seconds, self.ending or ""))
        except StorageError as error:
            self.watch.progress.warn(error.message)
        self.last_save, self.until_save = time.perf_counter(), keep.seconds

    def _rescue(self) -> None:
        """Keep what was learned when something goes wrong: a callback that raises, a second Ctrl-C."""
        with contextlib.suppress(Exception):  # the carry may be half-way in a chunk; the last checkpoint stays then
            self._save(final=True)

    def _require_sense(self, history: History) -> None:
        if self.done and all(count >= self.done for count in history.failures):
            raise TrainingError(f"The error was not finite in any of the {self.done} iterations.",
                                "look for infinite or very large values in inputs and targets, scale them, or lower "
                                "the learning rate")

    def _history(self) -> History:
        carry = jax.device_get(self.carry._replace(state=(), best=()))
        return History(epochs=tuple(self.log.epochs), members=self.log.members,
                       best_epoch=tuple(int(epoch) for epoch in carry.best_epoch),
                       best_error=tuple(float(error) for error in carry.best_error),
                       failures=tuple(int(count) for count in carry.failures))


def _countable(iterations: int) -> int:
    if iterations > MOST_ITERATIONS:
        raise SettingsError(f"{iterations:,} iterations are more than the {MOST_ITERATIONS:,} that can be counted.",
                            "use fewer epochs or a larger batch size")
    return iterations


def _held_out_share(rows: Rows) -> float:
    """Of all rows that the untrained network is measured on, the share that is measured again after each epoch."""
    held_out, training = int(np.max(rows.held_out_count)), int(np.max(rows.training_count))
    return held_out / max(held_out + training, 1)
