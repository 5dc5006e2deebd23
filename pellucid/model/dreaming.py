"""Dreams of trained models: what a class, a neuron or a layer of the network for pictures looks for."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from pellucid.core.names import PRETRAINED
from pellucid.errors import DataError, SettingsError, did_you_mean
from pellucid.explain.dream import STEPS, Wish, dream
from pellucid.features._pictures import Form, Unreadable, pixels
from pellucid.features.image import Image
from pellucid.features.inputs import raw_features
from pellucid.model.base import AbstractModel
from pellucid.model.load import load
from pellucid.networks import Composite, pretrained

SIDE, SHOWN, TITLE = 160, 160, 14
"""Pixels of the dreams of published networks, the least side at which a picture is shown, the height of its title."""
MOST = 12
DEPTH = 2 / 3
"""How deep the layer is that dreams of a photograph, where none is named."""


@dataclass(frozen=True, eq=False)
class Dream:
    """Pictures and what they show.

    Args:
        pictures: uint8 (pictures, height, width, channels).
        titles: one for each.
    """

    pictures: np.ndarray
    titles: tuple[str, ...]

    def sheet(self) -> Pillow.Image:
        """All pictures beside each other with their titles, small ones enlarged."""
        count, height, width = self.pictures.shape[:3]
        factor = max(round(SHOWN / min(height, width)), 1)
        across = min(count, 5)
        cell = (width * factor + 4, height * factor + TITLE + 4)
        sheet = Pillow.new("RGB", (cell[0] * across, cell[1] * -(-count // across)), "white")
        draw = ImageDraw.Draw(sheet)
        for place, (picture, title) in enumerate(zip(self.pictures, self.titles, strict=True)):
            left, top = cell[0] * (place % across), cell[1] * (place // across)
            one = Pillow.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).convert("RGB")
            larger = one.resize((width * factor, height * factor), Pillow.Resampling.BICUBIC)
            sheet.paste(larger, (left + 2, top + TITLE))
            draw.text((left + 3, top + 1), title, fill="black")
        return sheet

    def save(self, path: str | Path) -> Path:
        """Write the sheet as a picture file; the ending says of which kind."""
        self.sheet().save(path)
        return Path(path)


def dream_of(model: AbstractModel | str | Path, *, wish: str | None = None, layer: str | None = None,
             neuron: int | None = None, photograph: str | Path | None = None, steps: int = STEPS,
             seed: int = 0) -> Dream:
    """What the network for pictures in a model looks for; with a photograph, what it sees in that.

    Args:
        model: a model that takes pictures, its file, or `"efficientnet-lite0"`.
        wish: a class; for published networks its number. All classes when nothing is named, up to 12.
        layer: as `describe` names it; the output when `None`.
        neuron: of this layer; the whole layer when `None`.
        photograph: a picture file to begin with instead of noise.
        steps: the more, the clearer, at least 1.
        seed: of the noise to begin with.

    Raises:
        SettingsError: the model takes no pictures, or has no such class, layer or neuron.
        DataError: the photograph cannot be read.

    Example:
        >>> dream_of("model.pellucid", wish="sandal").save("sandal.png")  # doctest: +SKIP
    """
    network, state, shape, classes = _network(model)
    asked, titles = _wish(network, state, shape, classes, (wish, layer, neuron), photograph is not None)
    start = None if photograph is None else _photograph(photograph, shape)
    found = dream(network, asked, shape=shape, state=state, photograph=start, steps=steps, seed=seed)
    return Dream(np.round(found * 255).astype(np.uint8), titles)


def _network(model: AbstractModel | str | Path) -> tuple[Any, Any, tuple[int, ...], tuple[str, ...]]:
    """The network, its state, the shape of its pictures, and what its outputs are called."""
    if str(model) in PRETRAINED:
        network = pretrained(str(model), in_shape=(SIDE, SIDE, 3))
        return network, None, network.settings.in_shape, tuple(map(str, range(network.settings.out_features)))
    trained = model if isinstance(model, AbstractModel) else load(model)
    columns, whole, state = raw_features(trained.features), trained.members.network(), trained.members.state()
    place = next((place for place, feature in enumerate(columns) if isinstance(feature, Image)), None)
    if place is None or not isinstance(whole, Composite):
        raise SettingsError("The model takes no pictures, so that it cannot dream.",
                            "train one on a folder of pictures, or name efficientnet-lite0")
    classes = tuple(map(str, getattr(trained, "classes", ()))) if whole.body is None else ()
    return whole.encoders[place], state[place], columns[place].shape, classes


def _wish(network: Any, state: Any, shape: tuple[int, ...], classes: tuple[str, ...],
          named: tuple[str | None, str | None, int | None], awake: bool) -> tuple[Wish, tuple[str, ...]]:
    """What to excite, and the titles of the pictures."""
    wish, layer, neuron = named
    if wish is not None and wish not in classes:
        raise SettingsError(f"The model has no class `{wish}`.", did_you_mean(wish, classes) if classes else
                            "name a layer and a neuron")
    if wish is not None:
        return Wish("output", (classes.index(wish),)), (wish,)
    if layer is None and neuron is None and awake:
        nothing = jnp.zeros((1, *shape))
        shapes = eqx.filter_eval_shape(lambda one, own: one.layer_outputs(nothing, state=own), network, state)
        maps = [name for name, value in shapes.items() if len(value.shape) == 4]
        layer = maps[int(DEPTH * (len(maps) - 1))]
    if layer is not None:
        return Wish(layer, None if neuron is None else (neuron,)), (
            layer if neuron is None else f"{layer}, neuron {neuron}",)
    if neuron is not None:
        return Wish("output", (neuron,)), (classes[neuron] if neuron < len(classes) else f"output {neuron}",)
    if not 0 < len(classes) <= MOST:
        raise SettingsError(f"There are {len(classes)} classes to dream of.",
                            "name one with --class, or a layer and a neuron with --layer and --neuron")
    return Wish("output", tuple(range(len(classes)))), classes


def _photograph(path: str | Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return pixels(str(path), Form(*shape)).astype(np.float32) / 255
    except Unreadable as error:
        raise DataError(f"`{path}` cannot be read: {error}.", "name a picture file") from None
