"""Training the networks that recognise again."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from pellucid.core.keys import run_key
from pellucid.model.members import Members
from pellucid.networks import Embedder
from pellucid.networks.embedder import telling_apart
from pellucid.tasks.learn import trained_members
from pellucid.tasks.network import build_members
from pellucid.training.descent import descent
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.objectives import Identities, Views
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows

TILE = 256
LONGEST_SIDE = 64
CELL = 7
FEATURE_TILE = 64


@dataclass(frozen=True, eq=False)
class Learned:
    """Trained networks, and how training went.

    Args:
        whole: the network that learned from all identities: the one that answers.
        parts: those that left out a fold each: they say how alike strangers are.
        outcome: of the engine.
    """

    whole: Members
    parts: Members
    outcome: Outcome


def learn(pixels: np.ndarray, identities: np.ndarray, folds: np.ndarray, settings: Mapping[str, Any],
          watch: Watch) -> Learned:
    """Train a network without the identities of each fold, and one on all identities.

    Args:
        pixels: uint8 (pictures, height, width, channels).
        identities: (pictures,) integers.
        folds: (pictures,) the fold of each; pictures of one identity share it.
        settings: resolved.
        watch: progress, callbacks, checkpoint.
    """
    count = int(folds.max()) + 2
    learns = [np.flatnonzero(folds != member) for member in range(count)]
    judges = [np.flatnonzero(folds == member) for member in range(count)]
    spec = network_spec(pixels.shape[1:])
    members = build_members(spec, count, "float32", run_key(settings["seed"]))
    shift = max(round(min(pixels.shape[1:3]) / 24), 1)
    members = _started(members, pixels, identities, learns, shift, settings["mirror"])
    views = Views(flip=0.5 * settings["mirror"], shift=shift, stretch=0.05, contrast=0.2)
    program, state = descent(members, Identities(views), Optimiser(settings["optimiser"], (), settings["weight_decay"],
                                                                   settings["clip"]))
    plan = Plan(epochs=settings["epochs"], batch_size=settings["batch_size"], learning_rate=settings["learning_rate"],
                schedule=settings["schedule"], seed=settings["seed"], patience=settings["patience"],
                time_limit=settings["time_limit"], tile=TILE)
    data = device_data({"pixels": pixels}, identities.astype(np.int32), np.ones(len(pixels), np.float32))
    outcome = run(program, state, data, device_rows(learns, judges), plan, watch)
    trained = trained_members(spec, program, outcome)
    return Learned(trained.only([count - 1]), trained.only(range(count - 1)), outcome)


def network_spec(shape: tuple[int, ...]) -> dict[str, Any]:
    """Pictures are brought to about 64 pixels; the point is as long as what it is made of."""
    shrink = max(round(max(shape[:2]) / LONGEST_SIDE), 1)
    cell = min(CELL, max(min(shape[:2]) // shrink // 4, 1))
    like = Embedder(shape, 1, shrink=shrink, cell=cell, key=jax.random.key(0))
    rows, columns = like.settings.grid
    return {"network": "embedder", "in_shape": list(shape), "out_features": rows * columns * like.settings.directions,
            "shrink": shrink, "cell": cell}


def _started(members: Any, pixels: np.ndarray, identities: np.ndarray, learns: list[np.ndarray], shift: int,
             mirror: bool) -> Any:
    """The dense layers at what tells the identities of each member's rows apart, wherever in the picture they are."""
    one = jax.tree.map(lambda leaf: leaf[0] if eqx.is_array(leaf) else leaf, members)
    features = np.stack([features_of(one, copy) for copy in moved_copies(pixels, shift, mirror)])
    solved = [telling_apart(features[:, rows].reshape(-1, features.shape[2]), np.tile(identities[rows], len(features)))
              for rows in learns]
    put = lambda values, like: jax.device_put(np.array(values).astype(like.dtype))  # noqa: E731
    weight, bias = members.output.weight, members.output.bias
    return eqx.tree_at(lambda network: (network.output.weight, network.output.bias), members,
                       (put([slopes for slopes, _ in solved], weight), put([offset for _, offset in solved], bias)))


def moved_copies(pixels: np.ndarray, shift: int, mirror: bool) -> list[np.ndarray]:
    """The pictures as they are, moved in four directions, and mirrored."""
    wide = np.pad(pixels, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
    height, width = pixels.shape[1:3]
    places = ((0, 1), (2, 1), (1, 0), (1, 2))
    moved = [wide[:, down * shift:down * shift + height, across * shift:across * shift + width]
             for down, across in places]
    return [pixels, *moved, *([pixels[:, :, ::-1]] if mirror else [])]


def features_of(network: Embedder, pixels: np.ndarray) -> np.ndarray:
    """What the dense layer sees, float32 (pictures, features)."""
    forward, pieces = eqx.filter_jit(lambda own, tile: own.features(tile)), []
    for start in range(0, len(pixels), FEATURE_TILE):
        tile = pixels[start:start + FEATURE_TILE]
        filled = np.concatenate([tile, np.repeat(tile[:1], FEATURE_TILE - len(tile), axis=0)])
        pieces.append(np.asarray(forward(network, filled))[:len(tile)])
    return np.concatenate(pieces)
