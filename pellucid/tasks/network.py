"""The network for a table: its specification from columns and settings, and its members before the first iteration."""
from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid import losses
from pellucid.core.keys import run_key
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import cardinalities, encodes_alone, raw_features
from pellucid.networks import Composite, build
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.linear_start import linear_start
from pellucid.tasks.raw import Situation
from pellucid.tasks.transfer import kind_of

ONE_HOT_LIMIT = 100
"""Categories of more levels become learned vectors."""


def network_spec(lesson: Lesson, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The specification of the network for these columns and settings; JSON values."""
    single = losses.losses.canonical(settings["loss"]) == "binary_cross_entropy"
    classes = len(lesson.target.classes) if lesson.task == "classify" else 0
    outputs, raw = 1 if single else max(classes, 1), raw_features(lesson.features)
    if not raw:
        return _table_spec(lesson, settings, outputs, [])
    alone, rows = encodes_alone(lesson.features), len(lesson.answers)
    kinds = [kind_of(feature, settings) for feature in raw]
    encoders = [kind.encoder(feature, Situation(rows, outputs if alone else kind.width, alone, classes), settings)
                for kind, feature in zip(kinds, raw, strict=True)]
    widths = [kind.width for kind in kinds]
    return {"network": "composite", "encoders": encoders, "names": [feature.name for feature in raw],
            "body": None if alone else _table_spec(lesson, settings, outputs, widths)}


def _table_spec(lesson: Lesson, settings: Mapping[str, Any], outputs: int, codes: Sequence[int]) -> dict[str, Any]:
    """The network for numbers and categories; `codes` are the lengths of what encoders add to the numbers."""
    columns, sources = number_channels(lesson.features)
    embedding = settings["numeric_embedding"] if columns else "none"
    counts = cardinalities(lesson.features)
    first = max(sources, default=-1) + 1
    sources += [first + place for place, width in enumerate(codes) for _ in range(width)]
    spec = {"network": "tabular", "num_numbers": len(sources), "cardinalities": list(counts), "out_features": outputs,
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


def fitted_start(lesson: Lesson, members: Any, folds: tuple[int, ...], settings: Mapping[str, Any]) -> Any:
    """`members` with what is set instead of learned: the column dropout of each kind, bin edges, and for numbers a
    linear path that starts at the ridge solution."""
    dropouts = settings["kinds"]
    if isinstance(members, Composite):
        if members.body is None:
            return _fitted_encoder(lesson, members, folds, settings)
        return eqx.tree_at(lambda one: one.body, members, _fitted_body(lesson, members.body, folds, dropouts))
    members = _fitted_body(lesson, members, folds, dropouts)
    if lesson.task == "regress" and len(lesson.answers) and members.skip is not None \
            and members.body.settings.output_activation == "identity":
        members = linear_start(members, lesson.inputs, lesson.answers,
                               [(lesson.folds != fold) * lesson.weight for fold in folds])
    return members


def _fitted_encoder(lesson: Lesson, members: Composite, folds: tuple[int, ...],
                    settings: Mapping[str, Any]) -> Composite:
    """`members` of a single encoder, with what its kind of column fits instead of learning it."""
    feature, = raw_features(lesson.features)
    fit = kind_of(feature, settings).start
    if fit is None or not len(lesson.answers):
        return members
    weights = [(lesson.folds != fold) * lesson.weight for fold in folds]
    return eqx.tree_at(lambda one: one.encoders[0], members,
                       fit(feature, members.encoders[0], lesson.inputs["columns"][0], lesson, weights))


def _fitted_body(lesson: Lesson, members: Any, folds: tuple[int, ...], dropouts: Sequence[float]) -> Any:
    """`members`, networks for tables, with column dropout and bin edges."""
    if members.column_dropout is not None:
        rates = np.repeat(np.asarray(dropouts, np.float32), len(folds) // len(dropouts))
        members = eqx.tree_at(lambda one: one.column_dropout.rate.value, members,
                              jax.device_put(rates.astype(members.column_dropout.rate.value.dtype)))
    if not len(lesson.answers):
        return members
    layer = getattr(members, "number_embedding", None)
    if hasattr(layer, "edges"):
        numbers = lesson.inputs["numbers"][lesson.counted][:, list(members.embedded_channels)]
        members = eqx.tree_at(lambda one: one.number_embedding, members, layer.fitted(numbers))
    return members
