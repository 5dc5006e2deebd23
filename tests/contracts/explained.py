"""Small untrained models of every task and feature type, with the data that they are asked about."""
from __future__ import annotations

from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import numpy as np
import polars as pl
from PIL import Image
from scipy.io import wavfile

from pellucid.core.declared import TRAIN
from pellucid.core.names import FEATURE_TYPES, UNUSED_TYPES
from pellucid.data.panel import Clock, Roles
from pellucid.data.read import as_table
from pellucid.data.windows import Frame
from pellucid.explain.faithfulness import ModelChecks
from pellucid.features.targets import fit_number_target
from pellucid.model.calibration import Calibration
from pellucid.model.detector import Detector, Ranks, is_visible, visible
from pellucid.model.forecaster import LEVELS, Forecaster, Spread
from pellucid.model.history import History
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.model.recommender import Recommender, Scale
from pellucid.model.verifier import Strangers, Verifier
from pellucid.networks import build
from pellucid.tasks.detect import learn as detecting
from pellucid.tasks.embed import learn as embedding_tasks
from pellucid.tasks.job import Order
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.network import network_spec
from pellucid.tasks.prepare import make_lesson, prepare
from pellucid.tasks.run import Stages
from pellucid.tasks.verify.network import network_spec as verify_spec
from pellucid.training.engine import Watch

ROWS = 12
KINDS = tuple(kind for kind in FEATURE_TYPES if kind not in UNUSED_TYPES)
CHECKED = {"explaining": ModelChecks(0.1, 0.9, 0.5, 0.4, 4).to_json()}
"""What training would have found out."""


def files(folder, ending, write):
    """Paths of one file a row."""
    paths = [str(folder / f"{row}.{ending}") for row in range(ROWS)]
    for row, path in enumerate(paths):
        write(path, np.random.default_rng(row))
    return paths


def cells(kind, folder):
    """A column of `ROWS` cells."""
    generator = np.random.default_rng(0)
    made = {
        "number": lambda: generator.normal(size=ROWS).round(3).tolist(),
        "category": lambda: ["red", "green", "blue"] * (ROWS // 3),
        "boolean": lambda: [True, False, True] * (ROWS // 3),
        "date": lambda: [f"2024-{1 + row:02}-0{1 + row % 9}" for row in range(ROWS)],
        "text": lambda: [f"a very {word} film, number {row}" for row in range(ROWS // 2) for word in ("good", "bad")],
        "image": lambda: files(folder, "png", lambda path, own: Image.fromarray(
            own.integers(0, 255, (12, 12)).astype(np.uint8)).save(path)),
        "audio": lambda: files(folder, "wav", lambda path, own: wavfile.write(
            path, 4000, own.integers(-9000, 9000, 1200).astype(np.int16))),
        "video": lambda: files(folder, "npy", lambda path, own: np.save(
            path, own.integers(0, 255, (3, 8, 8, 3)).astype(np.uint8))),
        "series": lambda: [" ".join(map(str, own)) for own in generator.integers(0, 99, (ROWS, 12)).tolist()],
        "molecule": lambda: ["CCO", "CCN", "CC(=O)O", "c1ccccc1"] * (ROWS // 4),
        "molecule_3d": lambda: ["CCO", "CCN", "CC(=O)O", "c1ccccc1"] * (ROWS // 4),
        "tree": lambda: ["(1 (1 good) (0 (0 not) (0 bad)))", "(0 (0 bad) (1 good))"] * (ROWS // 2),
    }
    return made[kind]()


def table_of(kinds, folder):
    """A column of each kind, named like it, and a target of words and one of numbers."""
    columns = {}
    for kind in kinds:
        (folder / kind).mkdir()
        columns[f"the {kind}"] = cells(kind, folder / kind)
    return pl.DataFrame(columns | {"word": ["yes", "no", "perhaps"] * (ROWS // 3),
                                   "amount": np.arange(float(ROWS)).tolist()})


def members_of(spec, count=2):
    """Networks with random weights, also where training would start from zeros."""
    like = eqx.filter_eval_shape(partial(build, spec), key=jax.random.key(0))
    state = eqx.filter_jit(lambda: build(spec, key=jax.random.key(0)).initial_state())()
    network = eqx.filter_jit(lambda key: eqx.filter(build(spec, key=key), eqx.is_array))(jax.random.key(0))
    named = {}
    for name, tree in (("network", network), ("state", state)):
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            named[f"{name}.{jax.tree_util.keystr(path, simple=True, separator='.')}"] = np.stack([leaf] * count)
    assert like is not None
    members, generator = Members.from_tensors(spec, named), np.random.default_rng(0)
    return replace(members, weights=(members.weights + 0.1 * generator.normal(size=members.weights.shape)).astype(
        np.float32))


def settings_of(frame, **others):
    types = {name: name.removeprefix("the ") for name in frame.columns if name.startswith("the ")}
    return TRAIN.check({"types": types, "members": 2, "hidden": (4,), **others})


def table_model(frame):
    """A model of classes."""
    prepared = prepare(as_table(frame), "word", settings_of(frame))
    lesson, settings = make_lesson(prepared, np.arange(ROWS), settings_of(frame))
    members = members_of(network_spec(lesson, settings))
    return Model(lesson.features, lesson.target, members, Calibration((0, 1)), settings=settings, about=CHECKED)


def of_numbers(model, frame):
    """A model of numbers with the same networks, which are compiled already: its number is their first output."""
    return replace(model, target=fit_number_target("amount", frame["amount"]))


def detector(frame):
    """A detector of whatever it can see in the table."""
    frame = frame.drop("word", "amount")
    prepared = prepare(as_table(frame.with_columns(y=pl.Series(range(ROWS)))), "y", settings_of(frame))
    lesson, settings = make_lesson(prepared, np.arange(ROWS), settings_of(frame))
    seen = Lesson(lesson.features, lesson.target, visible(lesson.features, lesson.inputs), lesson.answers,
                  lesson.weight, lesson.folds)
    spec = detecting.network_spec(_Clean(seen), settings)
    members = members_of(spec)
    outputs = members.outputs(seen.inputs).astype(np.float64)
    scale = np.stack([np.median(outputs, axis=1), np.ones_like(outputs[:, 0])], axis=2)
    columns = sum(map(is_visible, lesson.features))
    return Detector(lesson.features, members, scale, Ranks.fit([np.arange(9.0), np.arange(9.0)]),
                    np.zeros((outputs.shape[2], columns)), settings=settings, about=CHECKED)


def embedding(frame):
    """Codes of whatever they can be made of, with two groups."""
    frame = frame.drop("word", "amount")
    settings = embedding_tasks.resolve(settings_of(frame, task="embed", epochs=1), ROWS)
    order = Order(as_table(frame), None, settings_of(frame, task="embed"), "", Watch(), Stages(), print)
    model = embedding_tasks.learn(embedding_tasks.prepare(order), settings, Watch()).model
    return model.with_groups(model.known[:2], [{"name": name, "rows": ROWS // 2} for name in ("one", "other")])


class _Clean:
    """A lesson all of whose rows are normal."""

    clean = True

    def __init__(self, lesson):
        self.features, self.inputs = lesson.features, lesson.inputs


def forecaster():
    """A forecaster, and the past of a series."""
    frame = Frame(8, 2, ("year",), False, 1.0)
    spec = {"network": "tabular", "num_numbers": 10, "cardinalities": [], "out_features": 2 * len(LEVELS),
            "numbers": {"embedding": "none"}, "scale": False, "skip": True, "body": {"hidden": [4]}}
    past = pl.DataFrame({"day": [f"2024-01-{day:02}" for day in range(1, 16)],
                         "sales": np.random.default_rng(0).normal(size=15).tolist()})
    model = Forecaster(Roles("day", "sales"), Clock("seconds", 86_400.0, 1704067200.0, True), frame, 1, 1.0,
                       Spread(np.sort(np.random.default_rng(0).random((2, 400))), np.array([50, 50])),
                       members_of(spec), about=CHECKED)
    return model, past


def recommender():
    """A recommender, and a user to ask about."""
    generator, names = np.random.default_rng(0), [f"film {number}" for number in range(8)]
    history = History.of(["Ada", "Bob"], names, 8, user=np.array([0, 0, 0, 1, 1]), item=np.array([1, 3, 5, 0, 2]),
                         ratings=generator.normal(size=5).astype(np.float32), moment=np.arange(5))
    members = members_of({"network": "factorisation", "items": 8, "size": 4, "heads": ["rating", "ranking"]})
    model = Recommender(members, history, Scale("stars", 3.0, 1.0, 1.0, 5.0, 4.0), ("user", "film"),
                        Calibration((0, 1)), 6, about=CHECKED)
    return model, pl.DataFrame({"user": ["Ada", "Bob"], "film": ["film 7", "film 7"]})


def verifier(frame):
    """A verifier of pictures with two people enrolled."""
    pictures = frame.select("the image", name=pl.Series(["Ada", "Bob", "Cleo"] * (ROWS // 3)))
    prepared = prepare(as_table(pictures), "name", settings_of(pictures))
    lesson, _ = make_lesson(prepared, np.arange(ROWS), settings_of(pictures))
    members = members_of(verify_spec(lesson.features[0].shape))
    model = Verifier(lesson.features, "name", Strangers.fit(np.linspace(0, 0.5, 50)), 0.1, members, about=CHECKED)
    return model.enrol(pictures), pictures
