"""Training the networks of a detector: where rows lie, what is usual there, and what is known of anomalies."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.core.keys import run_key
from pellucid.features.inputs import cardinalities, number_names
from pellucid.model.detector import Detector, Ranks, column_matrix, column_surprise, scores_of
from pellucid.model.members import Members
from pellucid.networks import Mixture
from pellucid.tasks.detect.prepare import Lesson, Prepared
from pellucid.tasks.learn import trained_members
from pellucid.tasks.network import build_members
from pellucid.training.compiled import enable_disk_cache
from pellucid.training.descent import descent
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.objectives import Density
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows

WIDTHS = (1.0, 2.0, 4.0)
"""In deviations of a column. Small ones would call rows strange that merely have no close neighbour."""
CLEAN_WIDTHS = (0.3, 0.5, 1.0)
"""Where all training rows are known to be normal, a lack of close neighbours says most."""
FLOOR = 0.3
FEWEST_LEFT_OUT = 20
ENOUGH = 2.0
"""Known normal rows that would be false alarms, from which on p-values speak of known normal rows only."""
TYPICAL_ROWS = 4096
STRETCH = 3.0
"""At most so many times: noise in a direction in which nothing varies is no anomaly."""
PRIOR = 1.0
"""How many normal rows each neuron counts as known before any label is seen."""
DIRECTION_ROWS = 5000
MOST_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained detector and how its training went; `left_out` are the scores of training rows by the members that left
    them out."""

    model: Detector
    outcome: Outcome
    left_out: np.ndarray


def learn(prepared: Prepared, lesson: Lesson, settings: Mapping[str, Any], watch: Watch) -> Learned:
    """Train the members, each without its own fold, and learn from the left-out rows how strange rows usually are.

    Args:
        lesson: encoded training rows.
        settings: resolved.
        watch: progress, callbacks, checkpoint.
    """
    enable_disk_cache()
    with jax.enable_x64(settings["precision"] == "float64"):
        spec, folds = network_spec(lesson, settings), range(settings["members"])
        learns = [np.flatnonzero(lesson.folds != fold) for fold in folds]
        judges = [np.flatnonzero(lesson.folds == fold) for fold in folds]
        members = build_members(spec, settings["members"], settings["precision"], run_key(settings["seed"]))
        members = _fitted_start(members, lesson, learns, settings["seed"])
        optimiser = Optimiser(settings["optimiser"], settings.get("optimiser_options", ()), settings["weight_decay"],
                              settings["clip"])
        program, state = descent(members, Density(FLOOR), optimiser)
        plan = Plan(epochs=settings["epochs"], batch_size=settings["batch_size"], schedule=settings["schedule"],
                    learning_rate=settings["learning_rate"], seed=settings["seed"], patience=settings["patience"],
                    time_limit=settings["time_limit"])
        rows = len(lesson.folds)
        data = device_data(lesson.inputs, np.zeros((rows, 0), np.float32), np.ones(rows, np.float32))
        outcome = run(program, state, data, device_rows(learns, judges), plan, watch)
        trained = _informed(trained_members(spec, program, outcome), lesson, learns)
        return _judged(prepared, lesson, settings, trained, outcome)


def network_spec(lesson: Lesson, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The specification of the network for these columns; JSON values."""
    columns = lesson.inputs.get("columns", ())
    pixels = [int(np.prod(next(iter(column.values())).shape[1:])) for column in columns]
    return {"network": "mixture", "num_numbers": len(number_names(lesson.features)),
            "cardinalities": list(cardinalities(lesson.features)), "pixels": pixels, "directions": 32,
            "units": settings["hidden"][0], "widths": list(CLEAN_WIDTHS if lesson.clean else WIDTHS), "floor": FLOOR,
            "turned": True}


def _fitted_start(members: Mixture, lesson: Lesson, learns: list[np.ndarray], seed: int) -> Mixture:
    """`members` with scales and directions from the rows, and centres at rows drawn at random, the same for no two."""
    count, generator = len(learns), np.random.default_rng(seed)
    tiled = lambda array, like: jax.device_put(np.broadcast_to(  # noqa: E731
        np.asarray(array, like.dtype), like.shape).copy())
    scales = [_category_scale(codes, levels) for codes, levels in
              zip(lesson.inputs["codes"].T, members.settings.cardinalities, strict=True)]
    members = eqx.tree_at(lambda one: one.category_scale.value, members,
                          tiled(np.array(scales), members.category_scale.value))
    for place, column in enumerate(lesson.inputs.get("columns", ())):
        middle, turn, scale = _directions(next(iter(column.values())), members.settings.kept[place], generator)
        members = eqx.tree_at(lambda one, at=place: (one.middles[at].value, one.turns[at].value), members,
                              (tiled(middle, members.middles[place].value), tiled(turn, members.turns[place].value)))
        every = np.array(members.pixel_scale.value)
        every[:, place] = scale
        members = eqx.tree_at(lambda one: one.pixel_scale.value, members, jax.device_put(every))
    some = generator.permutation(len(lesson.folds))[:DIRECTION_ROWS]
    members = eqx.tree_at(lambda one: tuple(array.value for array in (one.middle, one.turn, one.back)), members, tuple(
        tiled(array, like.value) for array, like in zip(_main_directions(_views(members, lesson.inputs, some)[0]), (
            members.middle, members.turn, members.back), strict=True)))
    units = members.settings.units
    drawn = [generator.choice(rows, units, replace=len(rows) < units) for rows in learns]
    centres = np.array([_views(members, lesson.inputs, rows) for rows in drawn])
    jitter = 0.05 * generator.standard_normal((count, *centres[0].shape))
    return eqx.tree_at(lambda one: one.weight, members, tiled(centres + jitter, members.weight))


def _views(members: Mixture, inputs: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """(views, rows, features): what the first member sees of some rows."""
    network = jax.tree.map(lambda leaf: leaf[0], members)
    some = jax.tree.map(lambda leaf: jnp.asarray(leaf[rows]), dict(inputs))
    return np.asarray(network.views(network.rows(some)))


def _main_directions(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle of the rows, the matrix that turns them to their main directions and stretches these to a variance of
    1, narrow ones no more than so many times, and the one that turns them back."""
    middle = rows.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(np.cov(rows.T, dtype=np.float64).reshape(rows.shape[1], -1))
    stretch = np.minimum(1 / np.sqrt(np.maximum(values, 1e-12)), STRETCH)
    return middle, vectors * stretch, (vectors / stretch).T


def _category_scale(codes: np.ndarray, levels: int) -> float:
    """What makes the total variance of a one-hot category 1."""
    share = np.bincount(codes, minlength=levels) / max(len(codes), 1)
    return float(1 / np.sqrt(max(1 - np.sum(share**2), 1e-3)))


def _directions(pixels: np.ndarray, kept: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray,
                                                                                        np.ndarray]:
    """Middle, main directions, and the scales of the numbers along them and of what they leave out."""
    some = generator.permutation(len(pixels))[:DIRECTION_ROWS]
    flat = pixels[some].reshape(len(some), -1).astype(np.float64) / (255 if pixels.dtype == np.uint8 else 1)
    middle = flat.mean(axis=0)
    centred = flat - middle
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    turn = vectors[:, ::-1][:, :kept]
    along = np.sqrt(max(float(np.mean(values[::-1][:kept])), 1e-6))
    rest = np.sqrt(np.maximum((centred**2).sum(axis=1) - ((centred @ turn)**2).sum(axis=1), 0))
    return middle, turn, np.array([along, max(float(rest.std()), 1e-3)])


def _informed(members: Members, lesson: Lesson, learns: list[np.ndarray]) -> Members:
    """The networks with the share of normal rows among the known ones that each neuron accounts for."""
    known = np.flatnonzero(np.isfinite(lesson.truth))
    if not len(known) or lesson.clean:
        return members
    shares = []
    for member, rows in enumerate(learns):
        own = np.intersect1d(known, rows)
        inputs = jax.tree.map(lambda leaf, own=own: jnp.asarray(leaf[own]), dict(lesson.inputs))
        claim = np.asarray(_claims(members.network(member), inputs))  # (views, known, units)
        normal = (claim * (lesson.truth[own] == 0)[:, None]).sum(axis=1)
        shares.append((normal + PRIOR) / (claim.sum(axis=1) + PRIOR))
    buffers = eqx.tree_at(lambda one: one.normal_share.value, members.buffers,
                          np.array(shares, members.weights.dtype))
    return Members(members.spec, members.layout, members.weights, buffers, members.network_state)


@partial(jax.jit)
def _claims(network: Mixture, inputs: Mapping[str, Any]) -> jax.Array:
    """(views, rows, units): how much of each row every neuron accounts for."""
    return network.claims(network.views(network.rows(inputs)), network.settings.floor)


def _judged(prepared: Prepared, lesson: Lesson, settings: Mapping[str, Any], members: Members,
            outcome: Outcome) -> Learned:
    """The detector: surprise, scores and shares by the rows that each member left out, without known anomalies."""
    surprise = members.outputs(lesson.inputs).astype(np.float64)
    usual = lesson.truth != 1
    scale = np.array([_middle(surprise[member], usual, lesson.folds == member) for member in range(len(members))])
    scores, _ = scores_of(surprise, scale)
    normal = lesson.truth == 0
    reference = normal if normal.sum() * settings["false_alarms"] >= ENOUGH else usual
    own = [scores[member, (lesson.folds == member) & reference] for member in range(len(members))]
    left_out = scores.mean(axis=0)
    for member in range(len(members)):
        left_out = np.where(lesson.folds == member, scores[member], left_out)
    some = np.linspace(0, len(usual) - 1, min(len(usual), TYPICAL_ROWS)).astype(int)
    parts = column_surprise(members, jax.tree.map(lambda leaf: leaf[some], dict(lesson.inputs)),
                            column_matrix(lesson.features, members.spec))
    model = Detector(lesson.features, members, scale, Ranks.fit(own), np.median(parts, axis=0),
                     settings["false_alarms"], prepared.labels, settings=settings)
    return Learned(model, outcome, left_out)


def _middle(surprise: np.ndarray, usual: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(widths, 2): middle and quartile distance of the surprise (rows, widths) of usual left-out rows."""
    rows = usual & own if (usual & own).sum() >= FEWEST_LEFT_OUT else usual
    low, middle, high = np.quantile(surprise[rows], [0.25, 0.5, 0.75], axis=0)
    return np.stack([middle, np.maximum(high - low, 1e-3 * (1 + np.abs(middle)))], axis=1)
