"""`pellucid.train` for recognising again: learn from some identities, judge on others, set the threshold."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.data.schema import fit_features, infer_schema
from pellucid.errors import DataError, SettingsError
from pellucid.features.image import Image
from pellucid.features.inputs import Inputs, encode_inputs
from pellucid.features.values import as_text
from pellucid.model.verifier import Strangers, Verifier, side_by_side
from pellucid.tasks.job import Finished, Job, Order
from pellucid.tasks.verify.network import Learned, learn
from pellucid.tasks.verify.telling import Evidence, tell
from pellucid.tasks.verify.trials import run_trials

FEWEST = 4
"""Identities with two pictures and more that are needed to learn from."""
MEMBERS = 4
STEPS = 60
"""The start is nearly all of it: more steps learn the known identities by heart; see docs/decisions.md."""


def prepare(order: Order) -> tuple[Image, Inputs, np.ndarray, list[Note]]:
    """The pictures of the table, readable and named ones only, and whose they are.

    Raises:
        DataError: there is no column of pictures, or there are too few identities with two pictures.
    """
    table, identity = order.table, order.target
    schema = infer_schema(table, identity, order.settings["types"])
    pictures = [column.name for column in schema.features if column.kind == "image"]
    if not pictures:
        kinds = ", ".join(f"`{column.name}` ({column.kind})" for column in schema.features[:5])
        raise DataError(f"Verifying needs a column of pictures; there are {kinds or 'no other columns'}.",
                        "give a folder with one sub-folder for each person or thing")
    feature = next(one for one in fit_features(schema, table) if isinstance(one, Image) and one.name == pictures[0])
    inputs = encode_inputs((feature,), table)
    names = as_text(table.column(identity).cast(str)).fill_null("").to_numpy().astype(object)
    good = np.flatnonzero(~inputs.missing[:, 0] & (names != ""))
    known, codes, counts = np.unique(names[good].astype(str), return_inverse=True, return_counts=True)
    notes = [*order.notes, *table.notes, *inputs.notes]
    alone = known[counts == 1]
    if len(alone):
        shown = ", ".join(f"`{name}`" for name in alone[:5]) + (", …" if len(alone) > 5 else "")
        notes.append(Note("one_picture", f"{len(alone):,} of {len(known):,} identities have a single picture, from "
                          f"which it cannot be learned what changes between pictures: {shown}.", identity, len(alone),
                          "warning"))
    if (counts > 1).sum() < FEWEST:
        raise DataError(f"Only {(counts > 1).sum()} identities have two pictures and more; at least {FEWEST} are "
                        "needed to learn what tells them apart.",
                        "add pictures; new people can be enrolled with one each")
    arrays = {"columns": ({"pixels": inputs.arrays["columns"][0]["pixels"][good]},)}
    return feature, Inputs(arrays, inputs.missing[good]), codes, notes


def resolve(settings: Mapping[str, Any], pictures: int) -> dict[str, Any]:
    """All settings with every `None` filled in."""
    batch = settings["batch_size"] or 64
    recipe = {"optimiser": "adamw", "learning_rate": 1e-5, "weight_decay": 0.0, "schedule": "warm_cosine",
              "members": MEMBERS, "batch_size": batch, "epochs": int(np.clip(STEPS * batch / max(pictures, 1), 3, 60))}
    asked = {name: value for name, value in settings.items() if value is not None}
    if asked.get("learning_rate") == "find":
        raise SettingsError("`learning_rate` was 'find', which verifying cannot do.", "pass a number")
    return {**settings, **recipe, **asked, "mirror": settings.get("augmentation") != "characters"}


def run(order: Order) -> Finished:
    """Train and judge; see `Job`."""
    with order.stages.timed("reading"):
        feature, inputs, identities, notes = prepare(order)
    settings = resolve(order.settings, len(identities))
    strangers = _held_out(identities, settings["test_size"], settings["seed"])
    learned, tested = np.flatnonzero(~strangers), np.flatnonzero(strangers)
    pixels = inputs.arrays["columns"][0]["pixels"]
    settings["members"] = int(np.clip(settings["members"], 2, len(np.unique(identities[learned])) // 2))
    folds = _folds(identities[learned], settings["members"], settings["seed"])
    with order.stages.timed("training"):
        trained = learn(pixels[learned], identities[learned], folds, settings, order.watch)
    strangers = Strangers.fit(_left_out_likeness(trained, pixels[learned], identities[learned], folds,
                                                 settings["seed"]))
    model = Verifier((feature,), str(order.target), strangers, settings["false_accepts"], trained.whole,
                     settings=settings)
    order.keep(model)
    with order.stages.timed("judging"):
        evidence = _evidence(model, pixels[tested], identities[tested], settings)
    return tell(order, tuple(notes), model, evidence, trained, (len(learned), len(tested)))


def _held_out(identities: np.ndarray, share: float, seed: int) -> np.ndarray:
    """bool (pictures,): those of identities that are kept for the test; at least three identities, or none."""
    everyone = np.unique(identities)
    count = round(share * len(everyone))
    count = 0 if share == 0 or len(everyone) < 2 * FEWEST else max(count, 3)
    return np.isin(identities, np.random.default_rng(seed).permutation(everyone)[:count])


def _folds(identities: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The fold of each picture; pictures of one identity share it."""
    everyone, place = np.unique(identities, return_inverse=True)
    return (np.random.default_rng(seed + 1).permutation(len(everyone)) % count)[place]


def _left_out_likeness(trained: Learned, pixels: np.ndarray, identities: np.ndarray, folds: np.ndarray,
                       seed: int) -> np.ndarray:
    """How alike examples are to other identities than their own, among those that each network did not learn."""
    outputs = trained.parts.outputs({"pixels": pixels})
    found = [run_trials(side_by_side(outputs[member:member + 1, folds == member]), identities[folds == member],
                        seed=seed) for member in range(len(trained.parts))]
    kept = [one.impostor for one in found if one is not None]
    return np.concatenate(kept) if kept else np.zeros(0)


def _evidence(model: Verifier, pixels: np.ndarray, identities: np.ndarray, settings: Mapping[str, Any]) -> Evidence:
    if not len(pixels):
        return Evidence(None, None)
    points = side_by_side(model.members.outputs({"pixels": pixels}))
    return Evidence(run_trials(points, identities, seed=settings["seed"]),
                    run_trials(raw_pixels(pixels), identities, seed=settings["seed"]))


def raw_pixels(pixels: np.ndarray) -> np.ndarray:
    """Pixels without their mean, of length 1: the plain method."""
    rows = pixels.reshape(len(pixels), -1).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)




VERIFY = Job("verify", run, lambda table, target: None, needs_target=True)
