"""The two sides of an adversarial network: one makes examples up, the other judges how real they look."""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.networks.parts import Part
from pellucid.nn import Convolution, Dense, LayerNormalisation
from pellucid.nn._random import subkeys
from pellucid.nn.activations import activate
from pellucid.nn.normalisation import normalisation_layer

REACH, STRIDE = 4, 2  # a window that is a multiple of its stride writes every pixel equally often
JUDGING = 128  # neurons of the discriminator's last layer where inputs have positions


class Verdict(NamedTuple):
    """What a discriminator says.

    Args:
        logit: (batch,) above 0 when it takes an example for real.
        classes: (batch, classes) logits of what the example shows; `None` without classes.
    """

    logit: jax.Array
    classes: jax.Array | None


class Stage(eqx.Module):
    """A layer, normalisation and activation."""

    layer: Dense | Convolution
    normalisation: LayerNormalisation | None
    activation: str = eqx.field(static=True)

    def __init__(self, layer: Dense | Convolution, activation: str, normalisation: str = "none") -> None:
        self.layer, self.activation = layer, activation
        self.normalisation = normalisation_layer(normalisation, layer.out_features)

    def __call__(self, x: jax.Array) -> jax.Array:
        """What its neurons give."""
        total = self.layer(x)
        return activate(self.activation, total if self.normalisation is None else self.normalisation(total))


class Generator(eqx.Module):
    """From noise, and a class, to an example.

    For inputs without positions: dense layers. Else a dense layer gives the smallest maps, and each transposed
    convolution doubles their sides.

    Args:
        settings: an `AdversarialSettings`.
        key: the random key for the starting weights.
    """

    stem: Stage | None
    hidden: tuple[Stage, ...]
    output: Dense | Convolution
    settings: Any = eqx.field(static=True)

    def __init__(self, settings: Any, *, key: jax.Array) -> None:
        self.settings = settings
        keys = subkeys(key, len(settings.hidden) + 2)
        known, positions, options = settings.noise + settings.classes, settings.positions, {"initialiser": "he_normal"}
        finish = lambda layer: Stage(layer, settings.activation, settings.normalisation)  # noqa: E731
        if not positions:
            sizes = (known, *settings.hidden)
            self.stem, self.hidden = None, tuple(
                finish(Dense(before, after, **options, key=own))
                for before, after, own in zip(sizes[:-1], sizes[1:], keys, strict=False))
            self.output = Dense(sizes[-1], settings.in_shape[0], key=keys[-1])
            return
        smallest = math.prod(settings.smallest)
        self.stem = Stage(Dense(known, smallest * settings.hidden[0], **options, key=keys[-2]), "identity")
        options |= {"stride": STRIDE, "transposed": True}
        window = (REACH,) * len(positions)
        self.hidden = tuple(
            finish(Convolution(before, after, window, **options, key=own))
            for before, after, own in zip(settings.hidden[:-1], settings.hidden[1:], keys, strict=False))
        self.output = Convolution(settings.hidden[-1], settings.in_shape[-1], window, **options, key=keys[-1])

    def layers(self, known: jax.Array) -> dict[str, jax.Array]:
        """What each layer gives for (batch, noise + classes) numbers; the last one is `"output"`."""
        settings, values = self.settings, known
        named = {}
        if self.stem is not None:
            maps = self.stem(values).reshape(-1, *settings.smallest, settings.hidden[0])
            values = named["stem"] = activate(settings.activation, maps)
        for number, stage in enumerate(self.hidden, 1):
            values = named[f"hidden {number}"] = stage(values)
        cut = tuple(slice(side) for side in settings.positions)
        example = self.output(values)[(slice(None), *cut)]
        named["output"] = jax.nn.sigmoid(example) if settings.output == "share" else example
        return named

    def parts(self) -> tuple[Part, ...]:
        """Its layers, from depth 1 on."""
        settings, rows = self.settings, []
        shape = (settings.noise + settings.classes,)
        if self.stem is not None:
            shape = (*settings.smallest, settings.hidden[0])
            rows.append(Part("stem", "hidden", math.prod(shape), settings.activation, self.stem, shape=shape))
        for number, stage in enumerate(self.hidden, 1):
            rows.append(_stage_part(f"hidden {number}", stage, shape))
            shape = rows[-1].shape
        ending = "sigmoid" if settings.output == "share" else "identity"
        last = settings.in_shape
        rows.append(Part("output", "output", math.prod(last), ending, self.output, shape=last,
                         uses=_uses(self.output, shape), kind=_kind(self.output)))
        return tuple(rows)


class Discriminator(eqx.Module):
    """From an example, and a class, to a verdict.

    The generator mirrored: strided convolutions and a dense layer, or dense layers alone; without normalisation, so
    that each row is judged by itself. The class enters by the inner product of a learned vector with the last layer.

    Source: Miyato & Koyama 2018, "cGANs with projection discriminator", for the inner product.

    Args:
        settings: an `AdversarialSettings`.
        key: the random key for the starting weights.
    """

    hidden: tuple[Stage, ...]
    output: Dense
    vectors: jax.Array | None  # (classes, features)
    naming: Dense | None
    settings: Any = eqx.field(static=True)

    def __init__(self, settings: Any, *, key: jax.Array) -> None:
        self.settings = settings
        keys, widths, stages = subkeys(key, len(settings.hidden) + 4), settings.hidden[::-1], []
        before, options = settings.in_shape[-1], {"initialiser": "he_normal"}
        for after, own in zip(widths, keys, strict=False):
            layer = Dense(before, after, **options, key=own)
            if settings.positions:
                window = (REACH,) * len(settings.positions)
                layer = Convolution(before, after, window, stride=STRIDE, **options, key=own)
            stages.append(Stage(layer, settings.activation))
            before = after
        if settings.positions:
            flat = math.prod(settings.smallest) * before
            stages.append(Stage(Dense(flat, JUDGING, **options, key=keys[-4]), settings.activation))
            before = JUDGING
        self.hidden, self.output = tuple(stages), Dense(before, 1, key=keys[-3])
        self.vectors = self.naming = None
        if settings.classes:
            self.vectors = Dense(before, settings.classes, bias=False, key=keys[-2]).weight.T
            self.naming = Dense(before, settings.classes, key=keys[-1])

    def layers(self, examples: jax.Array) -> dict[str, jax.Array]:
        """What each hidden layer gives."""
        values = 2 * examples - 1 if self.settings.output == "share" else examples
        named = {}
        for number, stage in enumerate(self.hidden, 1):
            if isinstance(stage.layer, Dense):
                values = values.reshape(len(values), -1)
            values = named[f"discriminator, hidden {number}"] = stage(values)
        return named

    def __call__(self, examples: jax.Array, labels: jax.Array | None = None) -> Verdict:
        """Judge examples, (batch, …) numbers, against their classes, (batch,) integers or (batch, classes) shares."""
        last = list(self.layers(examples).values())[-1]
        logit = self.output(last)[:, 0]
        if self.vectors is None:
            return Verdict(logit, None)
        vectors = self.vectors[labels] if labels.ndim == 1 else labels @ self.vectors
        return Verdict(logit + jnp.sum(last * vectors, axis=1), self.naming(last))

    def parts(self) -> tuple[Part, ...]:
        """Its layers, behind those of the generator."""
        shape, rows = self.settings.in_shape, []
        for number, stage in enumerate(self.hidden, 1):
            rows.append(_stage_part(f"discriminator, hidden {number}", stage, shape))
            shape = rows[-1].shape
        rows.append(Part("discriminator, real", "output", 1, "identity", (self.output, self.vectors), shape=(1,)))
        if self.naming is not None:
            classes = self.settings.classes
            rows.append(Part("discriminator, class", "output", classes, "identity", self.naming, shape=(classes,)))
        return tuple(rows)


def _stage_part(name: str, stage: Stage, shape: tuple[int, ...]) -> Part:
    layer = stage.layer
    after = layer.out_shape(shape) if isinstance(layer, Convolution) else (layer.out_features,)
    return Part(name, "hidden", math.prod(after), stage.activation, stage, shape=after, uses=_uses(layer, shape),
                kind=_kind(layer))


def _uses(layer: Dense | Convolution, shape: tuple[int, ...]) -> int:
    """How often each weight is multiplied: once for every place that the window is put to."""
    if isinstance(layer, Dense):
        return 1
    places = shape if layer.transposed else layer.out_shape(shape)
    return math.prod(places[:-1])


def _kind(layer: Dense | Convolution) -> str:
    return "convolution" if isinstance(layer, Convolution) else "dense"
