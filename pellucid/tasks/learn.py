"""From encoded rows to a trained, calibrated model: the one place where a network for a table is built and trained."""
from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from pellucid.model.calibration import Calibration, calibrate_classes, calibrate_numbers, left_out, two_columns
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.networks import build
from pellucid.nn import quantile_edges
from pellucid.tasks.linear_start import linear_start
from pellucid.training.compiled import enable_disk_cache
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.loop import Data
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows
from pellucid.training.supervised import Supervised, SupervisedState, plain, supervised
from pellucid.uncertainty.temperature import temper

ONE_HOT_LIMIT = 100
"""Categories of more levels become learned vectors."""
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
        counts: int (rows,) how many equal rows each row stands for; 0 or 1 by its weight when `None`.
    """

    features: tuple[AbstractFeature, ...]
    target: ClassTarget | NumberTarget
    inputs: Mapping[str, np.ndarray]
    answers: np.ndarray
    weight: np.ndarray
    folds: np.ndarray
    counts: np.ndarray | None = None

    @property
    def task(self) -> str:
        """`"classify"` or `"regress"`."""
        return "classify" if isinstance(self.target, ClassTarget) else "regress"

    @property
    def counted(self) -> np.ndarray:
        """The numbers of the rows, each as often as it counts: for quantiles and everything else that is counted."""
        return np.repeat(np.arange(len(self.weight)), self.weight > 0 if self.counts is None else self.counts)


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
    enable_disk_cache()
    with jax.enable_x64(settings["precision"] == "float64"):
        return _learn(lesson, settings, watch)


def _learn(lesson: Lesson, settings: Mapping[str, Any], watch: Watch | None) -> Learned:
    folds = folds_of(settings)
    program, state, spec = start(lesson, settings)
    learns = [np.flatnonzero((lesson.folds != fold) & (lesson.weight > 0)) for fold in folds]
    judges = [np.flatnonzero((lesson.folds == fold) & (lesson.weight > 0)) for fold in folds]
    plan = plan_of(settings, max(map(len, learns)))
    outcome = run(program, state, on_device(lesson, settings), device_rows(learns, judges), plan, watch)
    trained = trained_members(spec, program, outcome)
    outputs = trained.outputs(lesson.inputs).astype(np.float64)
    kept = list(kept_members(lesson, outputs, folds, settings))
    calibration = _calibration(lesson, outputs[kept], tuple(folds[member] for member in kept), settings)
    model = Model(lesson.features, lesson.target, trained.only(kept), calibration,
                  decision={name: settings[name] for name in ("positive", "threshold", "costs")}, settings=settings)
    return Learned(model, replace(outcome, history=outcome.history.only(kept)), plan)


def folds_of(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """The fold that each member leaves out, kind after kind."""
    count, same = settings["members"], settings.get("same_fold", False)
    return tuple(0 if same else member % num_folds(count) for member in range(count)) * len(settings["kinds"])


def kept_members(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...], settings: Mapping[str, Any]) -> range:
    """The members of the kind that errs least on the rows that they left out.

    The first kind is kept unless another is better by more than one standard error of the paired difference.
    """
    count = len(folds) // len(settings["kinds"])
    kinds = [range(start, start + count) for start in range(0, len(folds), count)]
    kept, *others = kinds
    for kind in others:
        better = (_left_out_errors(lesson, outputs[list(kept)], folds[:count])
                  - _left_out_errors(lesson, outputs[list(kind)], folds[:count]))
        if len(better) > 1 and better.mean() > better.std(ddof=1) / np.sqrt(len(better)):
            kept = kind
    return kept


def _left_out_errors(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...]) -> np.ndarray:
    """For each left-out row, times its weight: the negative logarithm of the true class's probability, or the squared
    deviation."""
    classify = lesson.task == "classify"
    answers = temper(two_columns(outputs)) if classify else outputs[..., 0]
    judged, answers = left_out(answers, folds, np.where(lesson.weight > 0, lesson.folds, -1))
    truth = lesson.answers[judged]
    error = -np.log(np.maximum(answers[np.arange(len(judged)), truth], 1e-12)) if classify else (answers - truth) ** 2
    return error * lesson.weight[judged]


def fitted_start(lesson: Lesson, members: Any, folds: tuple[int, ...], dropouts: Sequence[float]) -> Any:
    """`members` with what is set instead of learned: the column dropout of each kind, bin edges, and for numbers a
    linear path that starts at the ridge solution."""
    if members.column_dropout is not None:
        rates = np.repeat(np.asarray(dropouts, np.float32), len(folds) // len(dropouts))
        members = eqx.tree_at(lambda one: one.column_dropout.rate.value, members,
                              jax.device_put(rates.astype(members.column_dropout.rate.value.dtype)))
    if not len(lesson.answers):
        return members
    layer = getattr(members, "number_embedding", None)
    if hasattr(layer, "edges"):
        channels = list(members.embedded_channels)
        edges = quantile_edges(lesson.inputs["numbers"][lesson.counted][:, channels], layer.edges.value.shape[-1] - 1)
        tiled = jax.device_put(np.broadcast_to(edges.astype(layer.edges.value.dtype), layer.edges.value.shape))
        members = eqx.tree_at(lambda one: one.number_embedding.edges.value, members, tiled)
    if lesson.task == "regress" and members.skip is not None and members.body.settings.output_activation == "identity":
        members = linear_start(members, lesson.inputs, lesson.answers,
                               [(lesson.folds != fold) * lesson.weight for fold in folds])
    return members


def start(lesson: Lesson, settings: Mapping[str, Any]) -> tuple[Supervised, SupervisedState, dict[str, Any]]:
    """The program that learns, its members before the first iteration, and the specification of their network."""
    loss, spec = training_loss(lesson, settings), network_spec(lesson, settings)
    folds = folds_of(settings)
    members = build_members(spec, len(folds), settings["precision"], run_key(settings["seed"]))
    members = fitted_start(lesson, members, folds, settings["kinds"])
    optimiser = Optimiser(settings["optimiser"], settings.get("optimiser_options", ()), settings["weight_decay"],
                          settings["clip"])
    return *supervised(members, loss, plain(loss), optimiser), spec


def plan_of(settings: Mapping[str, Any], rows: int) -> Plan:
    """The numbers of a training run on so many rows; L-BFGS takes all of them at once."""
    batch_size = rows if settings["optimiser"] == "lbfgs" else settings["batch_size"]
    return Plan(epochs=settings["epochs"], batch_size=batch_size,
                learning_rate=settings["learning_rate"], schedule=settings["schedule"], seed=settings["seed"],
                patience=settings["patience"], time_limit=settings["time_limit"],
                rates=settings.get("rates", ()))


def on_device(lesson: Lesson, settings: Mapping[str, Any]) -> Data:
    """The rows of a lesson on the device, in the asked-for precision."""
    return device_data(*_typed((dict(lesson.inputs), lesson.answers, lesson.weight), settings["precision"]))


def trained_members(spec: Mapping[str, Any], program: Supervised, outcome: Outcome) -> Members:
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


def network_spec(lesson: Lesson, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The specification of the network for these columns and settings; JSON values."""
    single = losses.losses.canonical(settings["loss"]) == "binary_cross_entropy"
    classes = len(lesson.target.classes) if lesson.task == "classify" else 0
    columns, sources = number_channels(lesson.features)
    embedding = settings["numeric_embedding"] if columns else "none"
    counts = cardinalities(lesson.features)
    spec = {"network": "tabular", "num_numbers": int(lesson.inputs["numbers"].shape[1]), "cardinalities": list(counts),
            "out_features": 1 if single else max(classes, 1),
            "numbers": {"embedding": embedding, "columns": columns, "sources": sources,
                        "bins": settings["bins"]},
            "categories": {"one_hot_limit": ONE_HOT_LIMIT}, "scale": False, "skip": True,
            "column_dropout": max(settings["kinds"]),
            "body": {"hidden": list(settings["hidden"]), "activation": settings["activation"],
                     "output_activation": _output_activation(settings), "bias": settings["bias"],
                     "initialiser": settings["initialiser"], "output_initialiser": "zeros",
                     "dropout": settings["dropout"], "normalisation": settings["layer_normalisation"],
                     "residual": settings["residual"], "first_bias": 0.5 if settings["bias"] else 0.0}}
    joined = eqx.filter_eval_shape(partial(build, spec), key=run_key(0)).body.settings.in_features
    spec["body"]["first_gain"] = math.sqrt(joined / max(len(set(sources)) + len(counts), 1))
    return spec


def _output_activation(settings: Mapping[str, Any]) -> str:
    """Losses for classes take logits, so that softmax and sigmoid outputs are the loss's own business."""
    name = settings["output_activation"] or "identity"
    return "identity" if losses.losses[settings["loss"]].task == "classify" and name in (
        "softmax", "log_softmax", "sigmoid") else name


def number_channels(features: tuple[AbstractFeature, ...]) -> tuple[list[int], list[int]]:
    """The channels that take many values (yes-or-no channels gain nothing from an embedding), and the column of each
    channel."""
    many, sources = [], []
    for column, feature in enumerate(features):
        for name in feature.numbers:
            if feature.kind in ("number", "date") and name == feature.name:
                many.append(len(sources))
            sources.append(column)
    order = {column: place for place, column in enumerate(dict.fromkeys(sources))}
    return many, [order[column] for column in sources]


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


def _calibration(lesson: Lesson, outputs: np.ndarray, folds: tuple[int, ...],
                 settings: Mapping[str, Any]) -> Calibration:
    """Temperature, sets and intervals from the outputs (members, rows, outputs) on the training rows."""
    row_folds = np.where(lesson.weight > 0, lesson.folds, -1)
    if lesson.task == "classify":
        return calibrate_classes(two_columns(outputs), lesson.answers, folds, row_folds, weight=lesson.weight,
                                 coverage=settings["coverage"])
    target = lesson.target
    predictions = np.clip(target.decode(outputs[..., 0]), target.low, target.high)
    return calibrate_numbers(predictions, target.decode(lesson.answers), folds, row_folds,
                             coverage=settings["coverage"])
