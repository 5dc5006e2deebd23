"""A network over places beside a trained encoder, where left-out rows say that it knows what the encoder missed."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import jax
import numpy as np
import polars as pl
from jaxtyping import Array
from scipy.optimize import minimize

from pellucid.core.note import Note
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import encodes_alone, raw_features
from pellucid.features.types import Number
from pellucid.model.calibration import left_out, two_columns
from pellucid.model.members import Members, tile_of
from pellucid.networks._rows import sole
from pellucid.networks.places import View
from pellucid.tasks.defaults import TableSize, resolve
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.transfer import kind_of
from pellucid.uncertainty.temperature import log_softmax

Learning = Callable[[Lesson, Mapping[str, Any]], Members]
FEWEST_ROWS = 300
"""With fewer rows nothing is added: those that are left out could not tell."""
ERRORS, LEAST = 2.0, 0.1
"""By how many standard errors, and by what part, the error of left-out rows must be lower to need two networks."""
FOLDS, MOST = 5, 20.0
OF_LEARNING = ("seed", "members", "loss", "label_smoothing", "precision", "coverage", "time_limit", "same_fold")
"""Settings that both networks share."""


def with_places(trained: Members, outputs: np.ndarray, lesson: Lesson, folds: tuple[int, ...],
                settings: Mapping[str, Any], learned: Learning) -> tuple[Members, Lesson]:
    """`trained`, with a network over places beside the encoder where left-out rows say so, and the lesson, whose raw
    column then knows what is usual at each place; otherwise both as they were.

    How much of the encoder and how much of the places counts is fitted to the left-out rows, each fifth of them judged
    by a fit to the others. Where places alone do no worse than the encoder or both, they answer alone: the encoder
    would add chance, and blur the reasons. Both answer where that is clearly better than the encoder alone.

    Args:
        trained: the members.
        outputs: (members, rows, outputs) of the members on left-out rows.
        lesson: encoded rows.
        folds: the fold that each member left out.
        settings: resolved.
        learned: trains as many members on a table, each without the same fold.
    """
    view = _view_of(lesson, settings)
    if view is None:
        return trained, lesson
    seen = _seen(view, lesson.inputs["columns"][0])
    moments = _moments(seen)
    table = {"numbers": (seen - moments[0]) / moments[1], "codes": np.zeros((len(seen), 0), np.int32)}
    features = tuple(Number.fit(f"place {place}", pl.Series(column)) for place, column in enumerate(seen.T))
    tables = learned(replace(lesson, features=features, inputs=table), _settings(lesson, features, settings))
    counted = np.where(lesson.weight > 0, lesson.folds, -1)
    judged, deep = left_out(outputs, folds, counted)
    _, placed = left_out(tables.outputs({name: array[judged] for name, array in table.items()}), folds, counted[judged])
    shares = _shares(deep, placed, lesson.answers[judged], lesson.weight[judged])
    if shares is None:
        return trained, lesson
    usual = tuple(feature.aligned(seen[lesson.weight > 0]) if feature.is_raw else feature
                  for feature in lesson.features)
    return _joined(trained, view, tables, shares, moments), replace(lesson, features=usual)


def places_note(members: Members, features: Sequence[AbstractFeature]) -> tuple[Note, ...]:
    """What a user should know of a network that also learned what stands where."""
    if "path" not in members.spec:
        return ()
    feature, = raw_features(features)
    how = ("better with a network that has weights for each place beside the encoder",
           "at least as well by a network that has weights for each place, so it answers alone")
    return (Note("places", f"It matters what stands at which place of `{feature.name}`: left-out rows are answered "
                 f"{how[members.spec['path']['alone']]}.", feature.name),)


def _view_of(lesson: Lesson, settings: Mapping[str, Any]) -> View | None:
    """What to see of a single raw column whose places may mean something; `None` elsewhere, for few rows, and where
    outputs are bent so that two cannot be added."""
    if not encodes_alone(lesson.features) or (lesson.weight > 0).sum() < FEWEST_ROWS:
        return None
    if settings["output_activation"] not in (None, "identity"):
        return None
    feature, = raw_features(lesson.features)
    view = kind_of(feature, settings).view
    return None if view is None else view(feature)


def _settings(lesson: Lesson, features: tuple[Number, ...], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a table with a column for each place."""
    classes = len(lesson.target.classes) if lesson.task == "classify" else 0
    given = {name: settings[name] for name in OF_LEARNING if settings.get(name) is not None}
    return resolve(given | {"numeric_embedding": "none"}, TableSize(len(lesson.answers), len(features), classes),
                   features)


def _seen(view: View, column: Mapping[str, np.ndarray]) -> np.ndarray:
    """float32 (rows, numbers): what the view gives, tile by tile."""
    rows, size, pieces = len(next(iter(column.values()))), tile_of(column), []
    for start in range(0, rows, size):
        own = np.minimum(np.arange(start, start + size), rows - 1)
        tile = {name: array[own] for name, array in column.items()}
        pieces.append(np.asarray(_view(view, tile))[:rows - start])
    return np.concatenate(pieces).astype(np.float32)


@partial(jax.jit, static_argnums=0)
def _view(view: View, column: Mapping[str, Array]) -> Array:
    return view(sole(column))


def _moments(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = seen.std(axis=0)
    return seen.mean(axis=0), np.where(spread > 1e-6, spread, 1).astype(seen.dtype)


def _shares(deep: np.ndarray, placed: np.ndarray, answers: np.ndarray,
            weight: np.ndarray) -> tuple[float, float] | None:
    """How much of the encoder and of the places counts, at least 0, by left-out rows; `None` for the encoder alone."""
    number, everywhere = answers.dtype.kind == "f", np.arange(len(answers))
    both = (deep, placed) if number else (two_columns(deep), two_columns(placed))
    doubt = 1 / (len(answers) + 2)  # that no row was answered wrongly does not make the next one sure

    def errors(shares: np.ndarray, rows: np.ndarray) -> np.ndarray:
        mixed = shares[0] * both[0][rows] + shares[1] * both[1][rows]
        if number:
            return weight[rows] * (mixed[:, 0] - answers[rows]) ** 2
        logs = log_softmax(mixed)
        right = logs[np.arange(len(rows)), answers[rows]]
        return -weight[rows] * ((1 - doubt) * right + doubt * logs.mean(axis=1))

    def fitted(rows: np.ndarray, used: tuple[int, int]) -> np.ndarray:
        return minimize(lambda shares: errors(shares, rows).mean(), np.array(used) / sum(used),
                        bounds=[(0.0, MOST * one) for one in used], method="L-BFGS-B").x

    def judged(used: tuple[int, int]) -> np.ndarray:
        """The error of each row by a fit to rows of other folds."""
        found, part = np.empty(len(answers)), everywhere % FOLDS
        for one in range(FOLDS):
            found[part == one] = errors(fitted(everywhere[part != one], used), everywhere[part == one])
        return found

    mixed, encoder, alone = judged((1, 1)), judged((1, 0)), judged((0, 1))
    if alone.mean() <= encoder.mean() and not _clearly_less(mixed, alone):
        used = (0, 1)
    elif _clearly_less(mixed, encoder) and mixed.mean() <= (1 - LEAST) * encoder.mean():
        used = (1, 1)
    else:
        return None
    deep_share, placed_share = fitted(everywhere, used)
    return float(deep_share), float(placed_share)


def _clearly_less(one: np.ndarray, other: np.ndarray) -> bool:
    gain = other - one
    return bool(gain.mean() > ERRORS * gain.std() / np.sqrt(len(gain)))


def _joined(trained: Members, view: View, tables: Members, shares: tuple[float, float],
            moments: tuple[np.ndarray, np.ndarray]) -> Members:
    """The members with the path, and so much of what either gives; an encoder that counts for nothing stays as it is,
    for others to begin with."""
    own, dtype, alone = dict(trained.tensors()), trained.weights.dtype, shares[0] == 0
    table = {f"network.path.table.{name.removeprefix('network.')}": array for name, array in tables.tensors().items()
             if name.startswith("network.")}
    ends = [(shares[1], table, ("body.output.weight", "body.output.bias", "skip.weight"))]
    ends += [] if alone else [(shares[0], own, ("encoders.0.output.weight", "encoders.0.output.bias"))]
    for share, tensors, last in ends:
        for name in tensors:
            if name.endswith(last):
                tensors[name] = (share * tensors[name]).astype(dtype)
    for name, array in zip(("middle", "spread"), moments, strict=True):
        table[f"network.path.{name}.value"] = np.tile(array.astype(dtype), (len(trained), 1))
    path = {"view": asdict(view), "table": dict(tables.spec), "alone": alone}
    return Members.from_tensors({**trained.spec, "path": path}, own | table)
