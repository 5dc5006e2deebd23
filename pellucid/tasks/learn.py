"""From encoded rows to a trained, calibrated model: the one place where a network for a table is trained."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from pellucid import losses
from pellucid.core.keys import run_key
from pellucid.errors import SettingsError
from pellucid.features.inputs import encodes_alone, raw_features
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.tasks.left_out import calibration_of, errs_less, kept_members, unlikeness_of
from pellucid.tasks.lesson import Lesson, folds_of
from pellucid.tasks.network import build_members, fitted_start, network_spec
from pellucid.tasks.places import with_places
from pellucid.tasks.transfer import kind_of, with_knowledge
from pellucid.training.compiled import enable_disk_cache
from pellucid.training.descent import Descent, DescentState, descent
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.loop import Data
from pellucid.training.objectives import AbstractObjective, Blended, Supervised
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import SMALLEST_TILE, TILE, Plan, device_data, device_rows

DECIDING = ("positive", "threshold", "costs", "risk")


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model and how its training went."""

    model: Model
    outcome: Outcome
    plan: Plan


def learn(lesson: Lesson, settings: Mapping[str, Any], watch: Watch | None = None) -> Learned:
    """Train the members, each without its own fold, and calibrate them on what they left out.

    Args:
        lesson: encoded rows.
        settings: resolved, see `defaults.resolve`.
        watch: progress, callbacks, checkpoint.

    Raises:
        SettingsError: the loss does not fit the task.
    """
    enable_disk_cache()
    with jax.enable_x64(settings["precision"] == "float64"):
        return _learn(lesson, settings, watch)


def try_out(lesson: Lesson, settings: Mapping[str, Any]) -> Outcome:
    """How the training of the members goes; no model is made of them."""
    enable_disk_cache()
    with jax.enable_x64(settings["precision"] == "float64"):
        return _trained(lesson, settings, None).outcome


@dataclass(frozen=True, eq=False)
class _Trained:
    """Members, the fold that each left out, how their training went and was planned, the lesson as it looks behind
    layers that never change, and the settings."""

    members: Members
    folds: tuple[int, ...]
    outcome: Outcome
    plan: Plan
    lesson: Lesson
    settings: Mapping[str, Any]

    def outputs(self) -> np.ndarray:
        """(members, rows, outputs), float64: of those rows that some member left out; zeros for the others."""
        asked = np.flatnonzero(np.isin(self.lesson.folds, self.folds))
        answers = self.members.outputs(jax.tree.map(lambda leaf: leaf[asked], dict(self.lesson.inputs)))
        outputs = np.zeros((len(answers), len(self.lesson.answers), answers.shape[2]))
        outputs[:, asked] = answers
        return outputs


def _trained(lesson: Lesson, settings: Mapping[str, Any], watch: Watch | None) -> _Trained:
    folds = folds_of(settings)
    program, state, spec, lesson = begin(lesson, settings)
    learns = [np.flatnonzero((lesson.folds != fold) & (lesson.weight > 0)) for fold in folds]
    judges = [np.flatnonzero((lesson.folds == fold) & (lesson.weight > 0)) for fold in folds]
    tile = max(SMALLEST_TILE, settings["batch_size"]) if program.members_in_turn else None
    plan = plan_of(settings, max(map(len, learns)), tile)
    size = row_sizes(program, lesson)
    outcome = run(program, state, on_device(lesson, settings, size), device_rows(learns, _by_size(judges, size)), plan,
                  watch)
    return _Trained(trained_members(spec, program, outcome), folds, outcome, plan, lesson, settings)


def _learn(lesson: Lesson, settings: Mapping[str, Any], watch: Watch | None) -> Learned:
    found = _trained(lesson, settings, watch)
    found, outputs = _best_kind(found, found.outputs())
    if found.outcome.ending == "finished":
        found, outputs = _with_rival(*_with_places(found, outputs), watch or Watch())
    lesson, settings = found.lesson, found.settings
    model = Model(lesson.features, lesson.target, found.members,
                  calibration_of(lesson, outputs, found.folds, settings),
                  decision={name: settings.get(name) for name in DECIDING}, settings=settings,
                  unlikeness=unlikeness_of(lesson, found.members, found.folds))
    return Learned(model, found.outcome, found.plan)


def _best_kind(found: _Trained, outputs: np.ndarray) -> tuple[_Trained, np.ndarray]:
    """Those members whose kind errs least on left-out rows, and their outputs."""
    kept = list(kept_members(found.lesson, outputs, found.folds, found.settings))
    outcome = replace(found.outcome, history=found.outcome.history.only(kept))
    kinds = (found.settings["kinds"][kept[0] // len(kept)],)
    return replace(found, members=found.members.only(kept), folds=tuple(found.folds[member] for member in kept),
                   outcome=outcome, settings={**found.settings, "kinds": kinds}), outputs[kept]


def _with_places(found: _Trained, outputs: np.ndarray) -> tuple[_Trained, np.ndarray]:
    """With a network over places beside a single encoder, where left-out rows say so."""
    members, lesson = with_places(found.members, outputs, found.lesson, found.folds, found.settings,
                                  lambda table, chosen: _learn(table, chosen, None).model.members)
    if members is found.members:
        return found, outputs
    found = replace(found, members=members, lesson=lesson)
    return found, found.outputs()


def _with_rival(found: _Trained, outputs: np.ndarray, watch: Watch) -> tuple[_Trained, np.ndarray]:
    """What was trained, or the members of a second training with another embedding of numbers, where they err less on
    left-out rows."""
    if not found.settings.get("rival"):
        return found, outputs
    watch.progress.tell(f"once more, with a {found.settings['rival']} embedding of numbers; left-out rows choose")
    rival = _trained(found.lesson, {**found.settings, "numeric_embedding": found.settings["rival"]},
                     Watch(watch.progress))
    if rival.outcome.ending != "finished":
        return found, outputs
    answers = rival.outputs()
    return (rival, answers) if errs_less(found.lesson, answers, outputs, found.folds) else (found, outputs)


def row_sizes(program: Descent, lesson: Lesson) -> np.ndarray | None:
    """The length of each row, where the network says that rows of like length are best put in one batch."""
    network = program.layout.static
    return network.row_sizes(lesson.inputs) if hasattr(network, "row_sizes") else None


def _by_size(rows: list[np.ndarray], size: np.ndarray | None) -> list[np.ndarray]:
    """Rows that are measured, those of like length side by side."""
    return rows if size is None else [own[np.argsort(size[own], kind="stable")] for own in rows]


def start(lesson: Lesson, settings: Mapping[str, Any]) -> tuple[Descent, DescentState, dict[str, Any]]:
    """The program that learns, its members before the first iteration, and the specification of their network."""
    return begin(lesson, settings)[:3]


def begin(lesson: Lesson, settings: Mapping[str, Any]) -> tuple[Descent, DescentState, dict[str, Any], Lesson]:
    """What `start` gives, and the lesson as it looks behind layers that never change."""
    loss, spec = training_loss(lesson, settings), network_spec(lesson, settings)
    folds = folds_of(settings)
    members = build_members(spec, len(folds), settings["precision"], run_key(settings["seed"]))
    lesson, members = with_knowledge(lesson, members, spec, settings)
    members = fitted_start(lesson, members, folds, settings)
    optimiser = Optimiser(settings["optimiser"], settings.get("optimiser_options", ()), settings["weight_decay"],
                          settings["clip"])
    return *descent(members, _objective(lesson, loss, settings), optimiser, settings.get("average", 0.0)), spec, lesson


def _objective(lesson: Lesson, loss: losses.AbstractLoss, settings: Mapping[str, Any]) -> AbstractObjective:
    """What the members learn for: the loss, unless a raw column alone has more to teach."""
    if encodes_alone(lesson.features):
        feature = raw_features(lesson.features)[0]
        special = kind_of(feature, settings).objective
        found = None if special is None else special(feature, lesson, loss)
        if found is not None:
            return found
        if settings.get("mixup") and kind_of(feature, settings).blends:
            return Blended(loss, settings["mixup"])
    return Supervised(loss)


def plan_of(settings: Mapping[str, Any], rows: int, tile: int | None = None) -> Plan:
    """The numbers of a training run on so many rows, `tile` of which are measured together; L-BFGS learns from all of
    them at once."""
    batch_size = rows if settings["optimiser"] == "lbfgs" else settings["batch_size"]
    return Plan(epochs=settings["epochs"], batch_size=batch_size, tile=TILE if tile is None else tile,
                learning_rate=settings["learning_rate"], schedule=settings["schedule"], seed=settings["seed"],
                patience=settings["patience"], time_limit=settings["time_limit"],
                rates=settings.get("rates", ()))


def on_device(lesson: Lesson, settings: Mapping[str, Any], size: np.ndarray | None = None) -> Data:
    """The rows of a lesson on the device, in the asked-for precision."""
    return device_data(*_typed((dict(lesson.inputs), lesson.answers, lesson.weight), settings["precision"]), size=size)


def trained_members(spec: Mapping[str, Any], program: Descent, outcome: Outcome) -> Members:
    """The networks with their best weights, on the host."""
    (weights, network_state), buffers = jax.device_get((outcome.carry.best, outcome.carry.state.buffers))
    return Members(spec, program.layout, weights, buffers, network_state)


def _typed(tree: PyTree, precision: str) -> PyTree:
    """Numbers in the asked-for precision; integers as they are."""
    return jax.tree.map(lambda leaf: leaf.astype(precision) if leaf.dtype.kind == "f" else leaf, tree)


def training_loss(lesson: Lesson, settings: Mapping[str, Any]) -> losses.AbstractLoss:
    """The error function that the settings name, with its parameters.

    Raises:
        SettingsError: it is for the other task, or binary where there are more classes.
    """
    name = settings["loss"]
    if not losses.fits(name, lesson.task):
        fitting = ", ".join(f"`{one}`" for one in losses.losses if losses.fits(one, lesson.task))
        noun = "classes" if lesson.task == "classify" else "numbers"
        raise SettingsError(f"The loss `{name}` does not fit the target `{lesson.target.name}`, which holds {noun}.",
                            f"choose one of {fitting}, or set the task")
    if losses.losses.canonical(name) == "binary_cross_entropy" and len(lesson.target.classes) > 2:
        raise SettingsError(f"The loss `binary_cross_entropy` is for two classes; `{lesson.target.name}` has "
                            f"{len(lesson.target.classes)}.", "choose `cross_entropy`")
    smoothing = settings["label_smoothing"] or 0.0
    smooths = "label_smoothing" in getattr(losses.losses[name], "__dataclass_fields__", {})
    if smoothing and not smooths:
        raise SettingsError(f"The loss `{name}` cannot smooth labels.", "leave label_smoothing out, or choose "
                            "`cross_entropy`")
    return losses.get(name, label_smoothing=smoothing) if smooths else losses.get(name)
