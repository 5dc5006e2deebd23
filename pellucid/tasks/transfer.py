"""Starting from what another network has learned: the encoder of a Pellucid model, or published weights."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.core.names import PRETRAINED
from pellucid.errors import SettingsError, did_you_mean
from pellucid.features.base import AbstractFeature
from pellucid.features.image import STEP, Image
from pellucid.features.inputs import raw_features
from pellucid.model.load import load
from pellucid.model.members import members_of
from pellucid.networks import Composite, Efficient
from pellucid.networks._rows import PREPARED
from pellucid.networks.efficient import LITE0
from pellucid.networks.pretrained import weights, weights_file, with_weights
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.raw import RawKind, Situation, raw_kinds
from pellucid.tasks.solved import solved_outputs
from pellucid.training.layout import layout_of

SMALLEST, LARGEST = 112, 224
"""The longer side at which a picture is looked at: smaller ones are enlarged, larger ones shrunk."""
MANY = 1000
"""With more pictures, each is kept smaller, so that looking at all of them once takes about a minute."""
STAGES = 6
"""Of EfficientNet-Lite0 without the last: it has seen parts and textures, but not yet decided what animal they are."""
VIEWS = ((2000, ((6, 7), (9, 4), (12, 4), (16, 4))), (20_000, ((9, 2), (12, 2), (16, 2))),
         (1 << 62, ((9, 1), (12, 1), (16, 1))))
"""The layers whose outputs are kept, and in how many rows and columns, by the pictures up to which they are for."""
FAINT = 0.05
"""Features that vary less than this share of the others are not blown up to their size."""
EPOCHS, RATE = 5, 1e-4
"""The output is solved, then learned a little more."""
STEPS, MOST_EPOCHS = 1000, 40
"""Of a network with other columns, too."""
GENTLY = 0.3
"""The part of the learning rate with which weights go on that have learned already."""


class AbstractStart(ABC):
    """Where the encoder of a raw column begins."""

    kind: str
    label: str

    @abstractmethod
    def adapted(self, feature: AbstractFeature, rows: int) -> AbstractFeature:
        """The column in the form that the known layers are used to."""

    @abstractmethod
    def of(self, kind: RawKind) -> RawKind:
        """How such a column is learned from here."""

    @abstractmethod
    def filled(self, encoder: Any) -> Any:
        """The encoder, with a leading member axis, with the known weights."""


@dataclass(frozen=True)
class Photographs(AbstractStart):
    """EfficientNet-Lite0, which has learned 1,000 classes from a million photographs: frozen but for the output."""

    kind: ClassVar[str] = "image"
    label: ClassVar[str] = "EfficientNet-Lite0, which knows photographs; only the output learns"

    def adapted(self, feature: Image, rows: int) -> Image:
        """Pictures up to 224 pixels; those that were small stay as they are."""
        longest = max(feature.original)
        most = float(np.clip(LARGEST * (MANY / max(rows, 1)) ** 0.25, SMALLEST, LARGEST))
        factor = min(longest, most) / max(feature.height, feature.width)
        if factor <= 1:
            return feature
        height, width = (max(round(side * factor / STEP) * STEP, STEP) for side in (feature.height, feature.width))
        return replace(feature, height=height, width=width)

    def of(self, kind: RawKind) -> RawKind:
        """A linear output on frozen features."""
        return replace(kind, encoder=_efficient, training=_briefly, decide=_unchanged, start=_solved, view=None)

    def filled(self, encoder: Efficient) -> Efficient:
        """The published weights, the same in all members."""
        members = len(encoder.output.bias)
        one = with_weights(jax.tree.map(lambda leaf: leaf[0] if eqx.is_array(leaf) else leaf, encoder), weights())
        repeated = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (members, *leaf.shape)), one.frozen)
        dtype = encoder.output.bias.dtype
        return eqx.tree_at(lambda network: network.frozen, encoder,
                           jax.tree.map(lambda leaf: jax.device_put(leaf.astype(dtype)), repeated))


def _efficient(feature: Image, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """The layers up to the last one that is looked at; more places of a picture apart where there are few pictures."""
    longest = max(feature.height, feature.width)
    factor = max(SMALLEST / longest, 1.0)
    size = [max(round(side * factor), 32) for side in (feature.height, feature.width)]
    changed = given.get("augmentation") not in (None, "none")
    augmentation = raw_kinds["image"].encoder(feature, situation, given)["augmentation"] if changed else {}
    return {"network": "efficient", "in_shape": list(feature.shape), "out_features": situation.outputs, "size": size,
            "stages": [list(stage) for stage in LITE0[:STAGES]], "last": 0, "learned": 0,
            "views": [list(view) for view in _views(situation.rows)], "normalisation": "none", "dropout": 0.0,
            "augmentation": augmentation}


def _views(rows: int) -> tuple[tuple[int, int], ...]:
    return next(views for most, views in VIEWS if rows <= most)


def _briefly(feature: Image, situation: Situation) -> dict[str, Any]:
    """Five networks, each of which leaves out a fifth of the pictures; they differ in their outputs only. Beside other
    columns nothing is solved, so that they learn for longer."""
    rows = max(situation.rows, 1)
    recipe = {"batch_size": 32 if rows < MANY else 128, "members": 5, "epochs": EPOCHS}
    if not situation.alone:
        return recipe | {"epochs": int(np.clip(STEPS * recipe["batch_size"] / rows, EPOCHS, MOST_EPOCHS))}
    return recipe | {"learning_rate": RATE, "default_rate": RATE, "weight_decay": 0.0, "clip": None}


def _solved(feature: Image, encoder: Efficient, raw: Mapping[str, np.ndarray], lesson: Lesson,
            weights: Sequence[np.ndarray]) -> Efficient:
    """The output is solved where what it sees is known already."""
    if PREPARED not in raw:
        return encoder
    features = (raw[PREPARED] - np.asarray(encoder.middle.value[0])) / np.asarray(encoder.spread.value[0])
    classes = len(lesson.target.classes) if lesson.task == "classify" else 0
    slopes, bias = solved_outputs(features, lesson.answers, weights, classes, encoder.output.bias.shape[-1])
    dtype = encoder.output.weight.dtype
    return eqx.tree_at(lambda one: (one.output.weight, one.output.bias), encoder,
                       (jax.device_put(slopes.astype(dtype)), jax.device_put(bias.astype(dtype))))


def _unchanged(feature: Image, raw: Mapping[str, np.ndarray], answers: np.ndarray, classes: int,
               given: Mapping[str, Any]) -> dict[str, Any]:
    """Pictures are shown as they are, so that each is looked at once only."""
    return {} if given.get("augmentation") is not None else {"augmentation": "none"}


@dataclass(frozen=True, eq=False)
class FromModel(AbstractStart):
    """The encoder of a trained model: all of its weights but frozen ones go on learning, more gently, but for a new
    output.

    Args:
        label: for people.
        feature: the column it was trained with.
        encoders: of its members.
    """

    label: str
    feature: AbstractFeature
    encoders: tuple[Any, ...]

    @property
    def kind(self) -> str:
        """The feature type that it knows."""
        return self.feature.kind

    def adapted(self, feature: AbstractFeature, rows: int) -> AbstractFeature:
        """As in the model: the same size, range and vocabulary, under the name of the new column."""
        return replace(self.feature.aligned(None), name=feature.name, reason=feature.reason)

    def of(self, kind: RawKind) -> RawKind:
        """The same network with other outputs; of one that is frozen, these are all that learns."""
        frozen = isinstance(self.encoders[0], Efficient)
        kind = Photographs().of(kind) if frozen else replace(kind, start=None)

        def encoder(feature: AbstractFeature, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
            new = kind.encoder(feature, situation, given)
            spec = {**self.encoders[0].spec(), "out_features": situation.outputs}
            return spec | ({"augmentation": new["augmentation"]} if "augmentation" in spec and "augmentation" in new
                           else {})

        def training(feature: AbstractFeature, situation: Situation) -> dict[str, Any]:
            usual = kind.training(feature, situation)
            return usual | {name: GENTLY * usual[name] for name in ("learning_rate", "default_rate") if name in usual}
        return replace(kind, encoder=encoder, training=kind.training if frozen else training)

    def filled(self, encoder: Any) -> Any:
        """Each member begins with one of the model's, wherever a weight has the same name and shape."""
        layout, members = layout_of(encoder, members=True), len(jax.tree.leaves(eqx.filter(encoder, eqx.is_array))[0])
        given = [dict(_named(one)) for one in self.encoders]
        taken = {name for name, shape in zip(layout.names, layout.shapes, strict=True)
                 if name in given[0] and given[0][name].shape == shape and not name.startswith("output.")}

        def fill(path: Any, leaf: Any) -> Any:
            name = _name(path)
            if name not in taken:
                return leaf
            chosen = [given[member % len(given)][name] for member in range(members)]
            return jnp.stack([jnp.asarray(one, leaf.dtype) for one in chosen])
        return jax.tree_util.tree_map_with_path(fill, encoder)


def _named(network: Any) -> list[tuple[str, Any]]:
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(network, eqx.is_array))
    return [(_name(path), leaf) for path, leaf in leaves]


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")


def open_start(name: str | None) -> AbstractStart | None:
    """What a new network may start from, by the name of published weights or the path of a model; `None` for `None`.

    Raises:
        SettingsError: there is no such file and no such name, or the model has no encoder.
        MissingExtraError: the package with the weights is not installed.
        ModelFileError: the model cannot be read.
    """
    if name is None:
        return None
    if str(name).strip().lower().replace("_", "-") in PRETRAINED:
        weights_file()  # says at once what is lacking
        return Photographs()
    path = Path(name)
    if not path.is_file():
        raise SettingsError(f"`start` was `{name}`: neither a file nor one of {', '.join(PRETRAINED)}.",
                            did_you_mean(str(name), PRETRAINED))
    return _model_start(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _model_start(path: str, changed: int) -> FromModel:
    model = load(path)
    columns, networks = raw_features(model.features), [model.members.network(one) for one in range(len(model.members))]
    if not columns or not isinstance(networks[0], Composite):
        raise SettingsError(f"The model `{path}` has no encoder of pictures, recordings or the like to start from.",
                            "start from a model that was trained with such a column by `pellucid train`")
    return FromModel(f"the encoder of `{columns[0].name}` in {path}", columns[0],
                     tuple(network.encoders[0] for network in networks))


def kind_of(feature: AbstractFeature, settings: Mapping[str, Any]) -> RawKind:
    """How a raw column is learned: from the beginning, or from where the settings say."""
    start, kind = open_start(settings.get("start")), raw_kinds[feature.kind]
    return kind if start is None or start.kind != feature.kind else start.of(kind)


def adapted(features: Sequence[AbstractFeature], settings: Mapping[str, Any],
            rows: int) -> tuple[AbstractFeature, ...]:
    """The columns, raw ones in the form that the start is used to.

    Raises:
        SettingsError: no column is of the type that the start knows.
    """
    start = open_start(settings.get("start"))
    if start is None:
        return tuple(features)
    if not any(feature.is_raw and feature.kind == start.kind for feature in features):
        raise SettingsError(f"`start` was `{settings['start']}`, which knows columns of the type {start.kind}; the "
                            "data have none.", "leave --from out, or start from a model of such data")
    return tuple(start.adapted(feature, rows) if feature.is_raw and feature.kind == start.kind else feature
                 for feature in features)


def with_knowledge(lesson: Lesson, members: Any, spec: Mapping[str, Any],
                   settings: Mapping[str, Any]) -> tuple[Lesson, Any]:
    """The members with what they start from, and the lesson as it looks behind layers that never change."""
    start = open_start(settings.get("start"))
    if start is None or not isinstance(members, Composite):
        return lesson, members
    for place, feature in enumerate(raw_features(lesson.features)):
        if feature.kind == start.kind:
            members = eqx.tree_at(lambda one, place=place: one.encoders[place], members,
                                  start.filled(members.encoders[place]))
    if not members.prepares or not len(lesson.answers):
        return lesson, members
    lesson = replace(lesson, inputs=members_of(spec, members).prepared(lesson.inputs))
    return lesson, evened(lesson, members)


def evened(lesson: Lesson, members: Composite) -> Composite:
    """`members` whose frozen features are brought to mean 0 and spread 1 over the rows of the lesson."""
    for place, column in enumerate(lesson.inputs["columns"]):
        if PREPARED not in column:
            continue
        features = column[PREPARED].astype(np.float64)
        middle, spread = features.mean(axis=0), features.std(axis=0)
        spread = spread + FAINT * max(float(spread.mean()), 1e-12)
        like = members.encoders[place].middle.value
        put = [jax.device_put(np.broadcast_to(one, like.shape).astype(like.dtype)) for one in (middle, spread)]
        members = eqx.tree_at(lambda one, place=place: (one.encoders[place].middle.value,
                                                        one.encoders[place].spread.value), members, tuple(put))
    return members
