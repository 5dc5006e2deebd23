"""From a table to a network that gives codes: which columns are looked at, and how it is trained."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from pellucid.core.keys import run_key
from pellucid.core.note import Note
from pellucid.data.check import FEWEST_ROWS, check_table
from pellucid.data.same import equal_rows
from pellucid.data.schema import Schema, fit_features, infer_schema
from pellucid.data.split import split_rows
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import encode_inputs
from pellucid.model.embedding import NEIGHBOURS as NAMED
from pellucid.model.embedding import Embedding, lost, nearest, raw_codes, usual_of
from pellucid.model.members import Members
from pellucid.model.view import KINDS, View, can_view
from pellucid.tasks.job import Order
from pellucid.tasks.learn import trained_members
from pellucid.tasks.network import build_members
from pellucid.training.compiled import enable_disk_cache
from pellucid.training.descent import descent
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.objectives import Reconstruction
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows

NORMALISE = "asinh"
FEW_ROWS = 100
"""Smaller tables keep no rows for a test."""
HELD_OUT = 0.1
LABELS = ("label", "class", "target")
ENOUGH, LARGEST, SMALLEST = 0.8, 16, 2
"""A code keeps so much of the variance in its linear part, with so many numbers at most and at least."""
MASKED = 0.2
STEPS = 1500
MOST_KNOWN = 20_000
"""Training rows whose codes are kept."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table with its roles decided; `train` and `test` are row numbers."""

    table: Table
    schema: Schema
    target: str | None
    notes: tuple[Note, ...]
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model, how training went, and the rows that it saw: (rows, width) of the training and the test part."""

    model: Embedding
    outcome: Outcome
    train: np.ndarray
    test: np.ndarray


def prepare(order: Order) -> Prepared:
    """Decide the roles of the columns, and which rows are kept for the test.

    Raises:
        DataError: too few rows, or no column to learn from.
    """
    table, settings = order.table, order.settings
    if len(table) < FEWEST_ROWS:
        raise DataError(f"{table.source} has {len(table)} row{'s' * (len(table) != 1)}; at least {FEWEST_ROWS} are "
                        "needed to see what is alike.", "add rows: some hundreds give a useful result")
    target = order.target or (next((name for name in LABELS if name in table.names), None)
                              if table.files is not None else None)
    roles = {settings[name]: f"it is the {word} column" for name, word in (("time_column", "time"),
             ("group_column", "group")) if settings[name]}
    schema = infer_schema(table, () if target is None else (target,), settings["types"])
    notes = [] if target is None else [Note("judge", f"`{target}` only judges; nothing is learned from it.", target)]
    blind = {column.name: f"columns of the type {column.kind} are not looked at" for column in schema.features
             if column.used and column.kind not in KINDS}
    if target is not None:
        roles[target] = "it judges and is never learned from"
    schema = schema.leave_out(blind | roles)
    notes += [Note("left_out", f"`{name}` is left out: {reason}.", name, severity="warning")
              for name, reason in blind.items()]
    if not any(column.used for column in schema.columns):
        raise DataError("No column is left to learn from.", "; ".join(
            f"`{column.name}` is {column.kind}: {column.reason}" for column in schema.columns[:5]))
    rows, share = np.arange(len(table)), settings["test_size"]
    train, test = rows, rows[:0]
    if share > 0 and len(rows) >= FEW_ROWS:
        split = split_rows(len(rows), seed=settings["seed"], test=share, duplicates=equal_rows(table, schema))
        train, test = split.train, split.test
    return Prepared(table, schema, target, (*notes, *check_table(table, schema)), train, test)


def resolve(settings: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """All settings with every `None` filled in.

    Raises:
        SettingsError: a rate that has to be found, or an optimiser that takes all rows at once.
    """
    asked = {name: value for name, value in settings.items() if value is not None}
    if asked.get("learning_rate") == "find" or asked.get("optimiser") == "lbfgs":
        raise SettingsError("Learning codes takes neither learning_rate='find' nor optimiser='lbfgs'.",
                            "leave both out, or pass a number and another optimiser")
    batch = asked.get("batch_size") or int(np.clip(2 ** round(np.log2(max(rows, 16) / 16)), 16, 256))
    recipe = {"hidden": (128,), "activation": "relu", "optimiser": "adam", "learning_rate": 1e-3, "weight_decay": 0.0,
              "schedule": "one_cycle", "epochs": max(-(-STEPS * batch // max(rows, 1)), 5), "members": 1,
              "batch_size": batch, "normalise": NORMALISE, "dropout": 0.0}
    return {**settings, **recipe, **asked, "members": 1}


def learn(prepared: Prepared, settings: Mapping[str, Any], watch: Watch) -> Learned:
    """Train a denoising autoencoder: of each row a part is hidden, and the whole row is to be given back.

    Its linear paths start at the principal components, so that it begins where these end.
    """
    enable_disk_cache()
    table = prepared.table.take(prepared.train)
    features = fit_features(prepared.schema, table, normalise=settings["normalise"])
    if not any(map(can_view, features)):
        raise DataError("No column is left to learn from in the training rows.", "give columns that vary")
    arrays = encode_inputs(features, table).arrays
    view = View.fit(features, arrays)
    rows = view.rows(features, arrays)
    test = view.rows(features, encode_inputs(features, prepared.table.take(prepared.test)).arrays)
    turn = principal(rows)
    spec = {"network": "autoencoder", "in_features": rows.shape[1], "hidden": list(settings["hidden"]),
            "code": turn.shape[1], "activation": settings["activation"], "dropout": settings["dropout"], "skip": True}
    members = _started(build_members(spec, 1, "float32", run_key(settings["seed"])), turn)
    optimiser = Optimiser(settings["optimiser"], settings.get("optimiser_options", ()), settings["weight_decay"],
                          settings["clip"])
    program, state = descent(members, Reconstruction(MASKED, "masking"), optimiser)
    plan = Plan(epochs=settings["epochs"], batch_size=settings["batch_size"], schedule=settings["schedule"],
                learning_rate=settings["learning_rate"], seed=settings["seed"], patience=settings["patience"],
                time_limit=settings["time_limit"])
    order = np.random.default_rng(settings["seed"]).permutation(len(rows))
    apart = max(round(HELD_OUT * len(rows)), 1)
    data = device_data({"rows": rows}, np.zeros((len(rows), 0), np.float32), np.ones(len(rows), np.float32))
    outcome = run(program, state, data, device_rows([np.sort(order[apart:])], [np.sort(order[:apart])]), plan, watch)
    trained = trained_members(spec, program, outcome)
    return Learned(_model(prepared, features, view, trained, rows, settings), outcome, rows, test)


def principal(rows: np.ndarray) -> np.ndarray:
    """(width, size): as many main directions as keep enough of the variance."""
    values, vectors = np.linalg.eigh(np.cov(rows.T, dtype=np.float64).reshape(rows.shape[1], -1))
    kept = np.cumsum(values[::-1]) / max(values.sum(), 1e-12)
    size = int(np.clip(np.searchsorted(kept, ENOUGH) + 1, SMALLEST, LARGEST))
    return vectors[:, ::-1][:, :min(size, rows.shape[1])]


def _started(members: Any, turn: np.ndarray) -> Any:
    """`members` whose linear paths are the main directions and back, and whose hidden layers say nothing yet."""
    def put(array: np.ndarray, like: Any) -> jax.Array:
        return jax.device_put(np.broadcast_to(array, like.shape).astype(like.dtype))
    for half, own in (("encoder", turn), ("decoder", turn.T)):
        members = eqx.tree_at(lambda one, half=half: (getattr(one, half).skip.weight, getattr(one, half).output.weight),
                              members, (put(own, getattr(members, half).skip.weight),
                                        put(np.zeros(1), getattr(members, half).output.weight)))
    return members


def _model(prepared: Prepared, features: tuple[AbstractFeature, ...], view: View, trained: Members, rows: np.ndarray,
           settings: Mapping[str, Any]) -> Embedding:
    """The model with the codes of the training rows, turned to their main directions; without groups."""
    codes = raw_codes(trained, rows)
    middle = codes.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(codes.T, dtype=np.float64).reshape(codes.shape[1], -1))
    turn = vectors[:, ::-1].astype(np.float32)
    some = np.sort(np.random.default_rng(0).permutation(len(codes))[:MOST_KNOWN])
    known = ((codes - middle) @ turn)[some]
    usual = [usual_of(nearest(known, known, NAMED, own=True)[0]), usual_of(lost(trained, rows))]
    return Embedding(features, trained, view, middle, turn, known, prepared.train[some].astype(np.int64),
                     np.array(usual), np.zeros((0, codes.shape[1]), np.float32),
                     target=prepared.target, settings=settings)


