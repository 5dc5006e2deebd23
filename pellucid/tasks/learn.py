"""From encoded rows to a trained, calibrated model: the one place where a network for a table is built and trained."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pellucid import losses
from pellucid.core.keys import run_key
from pellucid.errors import SettingsError
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import cardinalities
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.model.calibration import Calibration, calibrate_classes, calibrate_numbers, two_columns
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.networks import build
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows
from pellucid.training.supervised import plain, supervised

FOLDS_OF_ONE = 5
"""A single network leaves out one of so many folds."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Encoded training rows.

    Args:
        features: how the inputs were encoded.
        target: how the answers were encoded.
        inputs: `"numbers"` float32 (rows, n), `"codes"` int32 (rows, c).
        answers: int32 (rows,) classes, or float32 (rows,) standardised numbers.
        weight: (rows,) how much each row counts, at least 0.
        folds: (rows,) the fold of each row, from 0.
    """

    features: tuple[AbstractFeature, ...]
    target: ClassTarget | NumberTarget
    inputs: Mapping[str, np.ndarray]
    answers: np.ndarray
    weight: np.ndarray
    folds: np.ndarray

    @property
    def task(self) -> str:
        """`"classify"` or `"regress"`."""
        return "classify" if isinstance(self.target, ClassTarget) else "regress"


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model and how its training went."""

    model: Model
    outcome: Outcome
    plan: Plan


def num_folds(members: int) -> int:
    """How many folds the rows are dealt to for so many members."""
    return FOLDS_OF_ONE if members == 1 else members


def learn(lesson: Lesson, settings: Mapping[str, Any], watch: Watch | None = None) -> Learned:
    """Train the members, each without its own fold, and calibrate them on what they left out.

    Args:
        lesson: encoded rows.
        settings: resolved, see `defaults.resolve`.
        watch: progress, callbacks, checkpoint.

    Raises:
        SettingsError: the loss does not fit the task.
    """
    with jax.enable_x64(settings["precision"] == "float64"):
        return _learn(lesson, settings, watch)


def _learn(lesson: Lesson, settings: Mapping[str, Any], watch: Watch | None) -> Learned:
    loss = training_loss(lesson, settings)
    spec = network_spec(lesson, settings)
    count = settings["members"]
    same = settings.get("same_fold", False)
    folds = tuple(0 if same else member % num_folds(count) for member in range(count))
    members = build_members(spec, count, settings["precision"], run_key(settings["seed"]))
    optimiser = Optimiser(settings["optimiser"], settings.get("optimiser_options", ()), settings["weight_decay"],
                          settings["clip"])
    program, state = supervised(members, loss, plain(loss), optimiser)
    learns = [np.flatnonzero((lesson.folds != fold) & (lesson.weight > 0)) for fold in folds]
    judges = [np.flatnonzero((lesson.folds == fold) & (lesson.weight > 0)) for fold in folds]
    full = optimiser.name == "lbfgs"
    plan = Plan(epochs=settings["epochs"], batch_size=max(map(len, learns)) if full else settings["batch_size"],
                learning_rate=settings["learning_rate"], schedule=settings["schedule"], seed=settings["seed"],
                patience=settings["patience"], time_limit=settings["time_limit"], rates=settings.get("rates", ()))
    data = device_data(*_typed((dict(lesson.inputs), lesson.answers, lesson.weight), settings["precision"]))
    outcome = run(program, state, data, device_rows(learns, judges), plan, watch)
    (weights, network_state), buffers = jax.device_get((outcome.carry.best, outcome.carry.state.buffers))
    trained = Members(spec, program.layout, weights, buffers, network_state)
    model = Model(lesson.features, lesson.target, trained, _calibration(lesson, trained, folds, settings),
                  decision={name: settings[name] for name in ("positive", "threshold", "costs")}, settings=settings)
    return Learned(model, outcome, plan)


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


def network_spec(lesson: Lesson, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The specification of the network for these columns and settings; JSON values."""
    single = losses.losses.canonical(settings["loss"]) == "binary_cross_entropy"
    classes = len(lesson.target.classes) if lesson.task == "classify" else 0
    columns = continuous_channels(lesson.features)
    embedding = settings["numeric_embedding"] if columns else "none"
    return {"network": "tabular", "num_numbers": int(lesson.inputs["numbers"].shape[1]),
            "cardinalities": list(cardinalities(lesson.features)), "out_features": 1 if single else max(classes, 1),
            "numbers": {"embedding": embedding, "columns": columns, "size": 4 if embedding == "periodic" else None},
            "categories": {}, "scale": False, "skip": True,
            "body": {"hidden": list(settings["hidden"]), "activation": settings["activation"],
                     "output_activation": _output_activation(settings), "bias": settings["bias"],
                     "initialiser": settings["initialiser"], "output_initialiser": "zeros",
                     "dropout": settings["dropout"], "normalisation": settings["layer_normalisation"],
                     "residual": settings["residual"]}}


def _output_activation(settings: Mapping[str, Any]) -> str:
    """Losses for classes take logits, so that softmax and sigmoid outputs are the loss's own business."""
    name = settings["output_activation"] or "identity"
    return "identity" if losses.losses[settings["loss"]].task == "classify" and name in (
        "softmax", "log_softmax", "sigmoid") else name


def continuous_channels(features: tuple[AbstractFeature, ...]) -> list[int]:
    """Positions of the number channels that take many values: yes-or-no channels gain nothing from an embedding."""
    channels, position = [], 0
    for feature in features:
        for name in feature.numbers:
            if feature.kind in ("number", "date") and name == feature.name:
                channels.append(position)
            position += 1
    return channels


def build_members(spec: Mapping[str, Any], count: int, precision: str, key: jax.Array) -> Any:
    """`count` networks with starting weights of their own, as one with a leading member axis."""
    like = eqx.filter_eval_shape(partial(build, spec), key=key)
    static = eqx.filter(like, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct), inverse=True)
    return eqx.combine(_starting_arrays(json.dumps(spec, sort_keys=True), count, precision, key), static)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _starting_arrays(spec: str, count: int, precision: str, key: jax.Array) -> Any:
    def one(own: jax.Array) -> Any:
        return eqx.filter(build(json.loads(spec), key=own), eqx.is_array)
    members = jax.vmap(one)(jax.random.split(jax.random.fold_in(key, 2**31 - 1), count))
    return jax.tree.map(lambda leaf: leaf.astype(precision) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf,
                        members)


def _calibration(lesson: Lesson, members: Members, folds: tuple[int, ...], settings: Mapping[str, Any]) -> Calibration:
    outputs = members.outputs(lesson.inputs).astype(np.float64)
    row_folds = np.where(lesson.weight > 0, lesson.folds, -1)
    if lesson.task == "classify":
        return calibrate_classes(two_columns(outputs), lesson.answers, folds, row_folds, weight=lesson.weight,
                                 coverage=settings["coverage"])
    truth = lesson.target.decode(lesson.answers)
    return calibrate_numbers(lesson.target.decode(outputs[..., 0]), truth, folds, row_folds,
                             coverage=settings["coverage"])
