"""Training the networks of a forecast: a linear path that starts at the ridge solution, and layers beside it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from pellucid import losses
from pellucid.core.keys import run_key
from pellucid.data.windows import Frame, Windows
from pellucid.model.forecaster import LEVELS, middle_and_half, network_inputs
from pellucid.model.members import Members
from pellucid.tasks.learn import trained_members
from pellucid.tasks.linear_start import ridge
from pellucid.tasks.network import build_members
from pellucid.training.descent import descent
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.objectives import Supervised
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows

PENALTY = 10.0


@dataclass(frozen=True, eq=False)
class Learned:
    """Trained networks, and how training went.

    Args:
        members: the networks.
        outcome: of the engine.
        scores: (windows, horizon) of the left-out windows: how far the truth lay off, in parts of the spread.
    """

    members: Members
    outcome: Outcome
    scores: np.ndarray


def learn(windows: Windows, frame: Frame, settings: Mapping[str, Any], watch: Watch) -> Learned:
    """Train `members` networks, each without its own block of time, and judge them on what they left out.

    Args:
        windows: of the training part, all of whose future lies inside of it.
        frame: how they were cut.
        settings: resolved.
        watch: progress, callbacks, checkpoint.
    """
    blocks = blocks_of(windows.origin, settings["members"])
    targets = windows.scaled(windows.future, frame)
    whole = np.isfinite(targets).all(axis=1)
    targets = np.where(np.isfinite(targets), targets, 0.0).astype(np.float32)
    learns = [_apart(windows, blocks, member, frame, whole) for member in range(settings["members"])]
    judges = [np.flatnonzero((blocks == member) & whole) for member in range(settings["members"])]
    spec = _spec(windows, frame, settings)
    members = build_members(spec, settings["members"], "float32", run_key(settings["seed"]))
    members = _linear_start(members, windows.numbers, targets, learns)
    loss = losses.get("quantile", tau=LEVELS)
    optimiser = Optimiser(settings["optimiser"], (), settings["weight_decay"], settings["clip"])
    program, state = descent(members, Supervised(loss), optimiser)
    plan = Plan(epochs=settings["epochs"], batch_size=settings["batch_size"], learning_rate=settings["learning_rate"],
                schedule=settings["schedule"], seed=settings["seed"], patience=settings["patience"],
                time_limit=settings["time_limit"])
    data = device_data(network_inputs(windows), targets, np.ones(len(windows), np.float32))
    outcome = run(program, state, data, device_rows(learns, judges), plan, watch)
    trained = trained_members(spec, program, outcome)
    return Learned(trained, outcome, _scores(trained, windows, blocks, frame))


def blocks_of(origin: np.ndarray, count: int) -> np.ndarray:
    """The block of time of each window, 0 to count - 1: neighbours in time stay together."""
    low, high = int(origin.min()), int(origin.max())
    return np.minimum((origin - low) * count // max(high - low + 1, 1), count - 1)


def _apart(windows: Windows, blocks: np.ndarray, member: int, frame: Frame, whole: np.ndarray) -> np.ndarray:
    """The windows that a member learns: none of its block, and none whose future reaches into it."""
    own = windows.origin[blocks == member]
    low, high = (own.min(), own.max()) if len(own) else (0, -1)
    far = (windows.origin < low - frame.horizon) | (windows.origin > high + frame.horizon)
    chosen = np.flatnonzero((blocks != member) & whole & far)
    return chosen if len(chosen) else np.flatnonzero((blocks != member) & whole)


def _spec(windows: Windows, frame: Frame, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"network": "tabular", "num_numbers": windows.numbers.shape[1], "cardinalities": [],
            "out_features": frame.horizon * len(LEVELS), "numbers": {"embedding": "none"}, "scale": False, "skip": True,
            "body": {"hidden": list(settings["hidden"]), "activation": settings["activation"],
                     "dropout": settings["dropout"], "output_initialiser": "zeros"}}


def _linear_start(members: Any, numbers: np.ndarray, targets: np.ndarray, learns: list[np.ndarray]) -> Any:
    """The linear path at the ridge solution of each member's rows, for all quantiles; their distances from it as
    biases."""
    slopes, biases = [], []
    for rows in learns:
        weight = np.zeros(len(numbers))
        weight[rows] = 1.0
        solved = [ridge(numbers.astype(np.float64), column, weight, PENALTY) for column in targets.T]
        slope = np.stack([one for one, _ in solved], axis=1)
        level = np.array([offset for _, offset in solved])
        residual = targets[rows] - numbers[rows] @ slope - level
        spread = np.quantile(residual, LEVELS, axis=0).T  # (horizon, quantiles)
        slopes.append(np.repeat(slope, len(LEVELS), axis=1))
        biases.append((level[:, None] + spread).reshape(-1))
    put = lambda values, like: jax.device_put(np.array(values).astype(like.dtype).reshape(like.shape))  # noqa: E731
    members = eqx.tree_at(lambda one: one.skip.weight, members, put(slopes, members.skip.weight))
    return eqx.tree_at(lambda one: one.body.output.bias, members, put(biases, members.body.output.bias))


def _scores(trained: Members, windows: Windows, blocks: np.ndarray, frame: Frame) -> np.ndarray:
    """|truth - median| in parts of the network's spread, of each window by the member that left it out."""
    outputs = trained.outputs(network_inputs(windows)).astype(np.float64)
    own = outputs[blocks, np.arange(len(windows))].reshape(len(windows), frame.horizon, len(LEVELS))
    middle, half = middle_and_half(own)
    return np.abs(windows.scaled(windows.future, frame) - middle) / half



