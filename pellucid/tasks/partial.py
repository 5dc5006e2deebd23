"""Learning in portions: the networks and their optimiser are kept from one portion of rows to the next."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from pellucid.features.base import AbstractFeature
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.model.calibration import Calibration
from pellucid.model.model import Model
from pellucid.tasks.learn import Learned, on_device, plan_of, start, trained_members
from pellucid.tasks.lesson import Lesson
from pellucid.training.engine import run
from pellucid.training.plan import device_rows


class Student:
    """Networks that have learned from some portions of rows.

    Features and target are fitted on the first portion. There are no held-out rows, so the last weights are kept,
    and there is no calibration: probabilities are those of the networks, and no coverage is promised.

    Args:
        lesson: the first portion; it is not learned by this.
        settings: resolved, see `defaults.resolve`.
    """

    def __init__(self, lesson: Lesson, settings: Mapping[str, Any]) -> None:
        self.features: tuple[AbstractFeature, ...] = lesson.features
        self.target: ClassTarget | NumberTarget = lesson.target
        self._settings = {**settings, "schedule": "constant", "epochs": 1, "patience": None,
                          "kinds": settings["kinds"][:1]}
        with jax.enable_x64(settings["precision"] == "float64"):
            self._program, self._state, self._spec = start(lesson, self._settings)
        self._portions = 0

    def learn(self, lesson: Lesson) -> Learned:
        """One epoch over the rows of `lesson`; the model after it.

        Numbers beyond the range of earlier portions widen the range that predictions are held within.
        """
        self._widen(lesson)
        rows = np.flatnonzero(lesson.weight > 0)
        members = self._settings["members"]
        settings = {**self._settings, "seed": (self._settings["seed"] + self._portions) % 2**32}
        with jax.enable_x64(settings["precision"] == "float64"):
            tables, plan = device_rows([rows] * members, [rows[:0]] * members), plan_of(settings, len(rows))
            outcome = run(self._program, self._state, on_device(lesson, settings), tables, plan)
            self._state = jax.device_get(outcome.carry.state)
            trained = trained_members(self._spec, self._program, outcome)
        self._portions += 1
        calibration = Calibration((0,) * members, coverage=settings["coverage"])
        decision = {name: settings[name] for name in ("positive", "threshold", "costs")}
        model = Model(self.features, self.target, trained, calibration, decision=decision, settings=self._settings)
        return Learned(model, outcome, plan)

    def _widen(self, lesson: Lesson) -> None:
        if isinstance(self.target, NumberTarget) and (lesson.weight > 0).any():
            values = self.target.decode(lesson.answers[lesson.weight > 0])
            self.target = replace(self.target, low=min(self.target.low, float(values.min())),
                                  high=max(self.target.high, float(values.max())))

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the program, which is made anew: pytree definitions cannot be pickled."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_program", "_state")} | {
            "leaves": jax.tree.leaves(self._state)}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        leaves = kept.pop("leaves")
        self.__dict__.update(kept)
        empty = {"numbers": np.zeros((0, self._spec["num_numbers"]), np.float32),
                 "codes": np.zeros((0, len(self._spec["cardinalities"])), np.int32)}
        nothing = np.zeros(0, np.float32)
        lesson = Lesson(self.features, self.target, empty, nothing, nothing, nothing)
        with jax.enable_x64(self._settings["precision"] == "float64"):
            self._program, state, _ = start(lesson, self._settings)
        self._state = jax.tree.unflatten(jax.tree.structure(state), leaves)
