"""The trained network as the report shows it: its layers, a drawing, the weights of its first layer by name."""
from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import numpy as np

from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import number_names
from pellucid.features.types import Category
from pellucid.model.model import Model
from pellucid.networks.describe import describe
from pellucid.networks.drawing import draw
from pellucid.networks.naming import first_weights, joined_names
from pellucid.networks.tabular import Tabular
from pellucid.report.canvas import as_svg
from pellucid.report.result import NetworkPicture
from pellucid.tasks.lesson import Lesson

DEAD_ROWS = 512
MOST_NAMES = 400


def level_names(features: tuple[AbstractFeature, ...]) -> list[tuple[str, ...]]:
    """A name for each code of each category column, such as "housing = own"; code 0 is "other"."""
    named = []
    for feature in features:
        if isinstance(feature, Category):
            words = ("other", *("missing" if word is None else word for word in feature.vocabulary))
            named.append(tuple(f"{feature.name} = {word}" for word in words))
    return named


def network_picture(lesson: Lesson, model: Model) -> NetworkPicture:
    """One of the members, described and drawn."""
    network = model.members.network()
    description = describe(network)
    header, *rows = description.cells()
    named = isinstance(network, Tabular)
    names = joined_names(network, number_names(lesson.features), level_names(lesson.features)) if named else ()
    outputs = [str(label) for label in model.classes] or [model.target.name]
    figure = draw(network, input_names=[feature.name for feature in lesson.features], output_names=outputs)
    first = first_weights(network) if named else None
    shown = first is not None and len(names) == len(first) <= MOST_NAMES
    members = f" {len(model.members)} such networks answer together." if len(model.members) > 1 else ""
    return NetworkPicture(header, tuple(rows), description.summary + members, as_svg(figure),
                          np.asarray(first) if shown else None, tuple(names) if shown else ())


def dead_share(lesson: Lesson, model: Model) -> float:
    """The share of hidden neurons of the first member that give the same value for every row."""
    inputs = jax.tree.map(lambda leaf: leaf[:DEAD_ROWS], dict(lesson.inputs))
    network, state = model.members.network(), model.members.state()
    shapes = eqx.filter_eval_shape(lambda one, rows, own: one.layer_outputs(rows, state=own), network, inputs, state)
    names = tuple(name for name, value in shapes.items() if name.startswith("hidden") and value.ndim == 2)
    hidden = [np.asarray(value) for value in _outputs(network, inputs, state, names)] if names else []
    if not hidden or len(hidden[0]) < 2:
        return 0.0
    return float(np.concatenate([np.ptp(value, axis=0) < 1e-6 for value in hidden]).mean())


@eqx.filter_jit
def _outputs(network: Any, inputs: Any, state: Any, names: tuple[str, ...]) -> list[jax.Array]:
    """What these layers give; one program instead of one for each operation."""
    layers = network.layer_outputs(inputs, state=state)
    return [layers[name] for name in names]
