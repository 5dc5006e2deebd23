"""The adversarial network: a generator that learned to make examples up by deceiving a discriminator."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError, ShapeError, did_you_mean
from pellucid.networks._rows import shares
from pellucid.networks.opponents import STRIDE, Discriminator, Generator, Verdict
from pellucid.networks.parts import Part, Parts
from pellucid.nn import activations
from pellucid.nn._checks import whole_number
from pellucid.nn._random import normal, subkeys, words

OUTPUTS = ("share", "number")
NORMALISATIONS = ("none", "layer")
TILE = 256
PADDED = 64  # a tile's rows are filled up to a multiple of this
Labels = jax.Array | np.ndarray | Sequence[int] | int | None


@dataclass(frozen=True)
class AdversarialSettings:
    """What an `Adversarial` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_shape: tuple[int, ...]
    hidden: tuple[int, ...]
    noise: int = 64
    classes: int = 0
    output: str = "share"
    activation: str = "leaky_relu"
    normalisation: str = "none"

    def __post_init__(self) -> None:
        for name in ("in_shape", "hidden"):
            given = getattr(self, name)
            sizes = (given,) if isinstance(given, int) else tuple(given)
            object.__setattr__(self, name, tuple(whole_number("Adversarial", name, size) for size in sizes))
            if not sizes:
                raise SettingsError(f"`Adversarial` got {name}={given!r}; expected at least one size.",
                                    "pass in_shape=(28, 28, 1) and hidden=(64, 32), for example")
        whole_number("Adversarial", "noise", self.noise)
        whole_number("Adversarial", "classes", self.classes, 0)
        object.__setattr__(self, "activation", activations.canonical(self.activation))
        for name, choices in (("output", OUTPUTS), ("normalisation", NORMALISATIONS)):
            if getattr(self, name) not in choices:
                raise SettingsError(f"`Adversarial` got {name}={getattr(self, name)!r}; expected one of "
                                    f"{', '.join(choices)}.", did_you_mean(str(getattr(self, name)), choices))

    @property
    def positions(self) -> tuple[int, ...]:
        """The axes over which a window slides: height and width of images, none for plain rows of numbers."""
        return self.in_shape[:-1]

    @property
    def smallest(self) -> tuple[int, ...]:
        """The sides of the smallest maps."""
        shrink = STRIDE ** len(self.hidden)
        return tuple(-(-side // shrink) for side in self.positions)


class Adversarial(eqx.Module):
    """A generator and a discriminator that learn against each other; then the generator draws new examples.

    The generator turns noise, and a class where there are classes, into an example; the discriminator tells generated
    examples from real ones. Train it with `objectives.RelativisticPairing`, with a running average of the weights.

    Source: Goodfellow et al. 2014; convolutional: Radford, Metz & Chintala 2016; classes: Mirza & Osindero 2014.

    Args:
        in_shape: of one example: `(28, 28, 1)` for images, (time, features) for series, `(5,)` for rows of numbers.
        hidden: with positions, the features of the maps from the smallest on, each twice as large as the one before;
            else the neurons of the generator's hidden layers. The discriminator mirrors them.
        noise: how many random numbers an example is made of.
        classes: of examples to be drawn on demand; 0 for none.
        output: `"share"` for numbers from 0 to 1, such as pixels; `"number"` for any.
        activation: of the hidden neurons.
        normalisation: of the generator's hidden layers, `"none"` or `"layer"`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with inputs of another shape, or labels without classes.

    Example:
        >>> network = Adversarial((28, 28, 1), (16, 8), classes=10, key=jax.random.key(0))
        >>> network.sample(3, labels=[7, 7, 2], key=jax.random.key(1)).shape
        (3, 28, 28, 1)
    """

    generator: Generator
    discriminator: Discriminator
    settings: AdversarialSettings = eqx.field(static=True)
    members_in_turn = True

    def __init__(self, in_shape: Sequence[int] | int, hidden: Sequence[int] = (64, 32), *, noise: int = 64,
                 classes: int = 0, output: str = "share", activation: str = "leaky_relu",
                 normalisation: str = "none", key: jax.Array) -> None:
        self.settings = settings = AdversarialSettings(in_shape, hidden, noise, classes, output, activation,
                                                       normalisation)
        first, second = subkeys(key, 2)
        self.generator, self.discriminator = Generator(settings, key=first), Discriminator(settings, key=second)

    def initial_state(self) -> tuple[()]:
        """Nothing: no layer keeps statistics."""
        return ()

    def __call__(self, inputs: Any, *, state: Any = None, key: jax.Array | None = None, training: bool = False,
                 weight: jax.Array | None = None) -> tuple[jax.Array, Any]:
        """From noise to examples, (batch, *in_shape), and the state.

        Args:
            inputs: (batch, noise) standard normal numbers; with classes {"values": noise, "labels": (batch,) integers
                or (batch, classes) shares}. Noise alone is given a class row by row, in turn.
            state, key, training, weight: not used.
        """
        noise, labels = self._noise_and_labels(inputs)
        return self.generate(noise, labels), () if state is None else state

    def examples(self, inputs: Any) -> tuple[jax.Array, jax.Array | None]:
        """Training inputs as (batch, *in_shape) numbers, pixels from 0 to 1, and their labels."""
        values, labels = (inputs["values"], inputs.get("labels")) if isinstance(inputs, Mapping) else (inputs, None)
        settings = self.settings
        if jnp.shape(values)[1:] != settings.in_shape:
            raise ShapeError(f"`Adversarial` expected examples of shape (batch, {_listed(settings.in_shape)}), got "
                             f"{jnp.shape(values)}.", "pass in_shape as it is in the data; images need a last axis of "
                             "colours")
        if bool(settings.classes) != (labels is not None):
            raise ShapeError(f"`Adversarial` with {settings.classes} classes got {'no ' if labels is None else ''}"
                             "labels.", 'pass {"values": examples, "labels": classes} where there are classes, and '
                             "the examples alone where there are none")
        return shares(values, self.discriminator.output.weight.dtype), labels

    def noise(self, key: jax.Array, count: int) -> jax.Array:
        """(count, noise) standard normal numbers."""
        return normal(key, (count, self.settings.noise)).astype(self.generator.output.weight.dtype)

    def generate(self, noise: jax.Array, labels: jax.Array | None = None) -> jax.Array:
        """Examples, (batch, *in_shape), of noise, (batch, noise), and labels, (batch,) or (batch, classes) shares."""
        return self.generator.layers(self._known(noise, labels))["output"]

    def judge(self, examples: Any, labels: Any = None) -> Verdict:
        """How real the discriminator finds examples, and which class it sees in them."""
        given = examples if labels is None else {"values": examples, "labels": jnp.asarray(labels)}
        return self.discriminator(*self.examples(given))

    def sample(self, count: int, *, key: jax.Array, labels: Labels = None) -> np.ndarray:
        """New examples: (count, *in_shape).

        Args:
            count: how many.
            key: the random key.
            labels: the class of each, or one for all; drawn by chance when `None`.
        """
        first, second = subkeys(key, 2)
        noise = self.noise(first, whole_number("sample", "count", count))
        classes = self.settings.classes
        if classes and labels is None:
            labels = words(second, (count,)) % classes
        if labels is not None:
            labels = np.broadcast_to(np.asarray(labels, np.int32), (count,))
            if not classes or labels.min() < 0 or labels.max() >= classes:
                raise ShapeError(f"`sample` got labels from {labels.min()} to {labels.max()} for {classes} classes.",
                                 "pass classes from 0 on, or none for a network without classes")
        return self._draw(noise, labels)

    def walk(self, steps: int = 8, *, key: jax.Array, labels: tuple[int, int] | int | None = None) -> np.ndarray:
        """Examples along the way from one random point to another: (steps, *in_shape).

        The way is an arc at the radius that noise has, so that all of it looks like what the generator knows.

        Args:
            steps: how many, both ends included, at least 2.
            key: the random key.
            labels: the class, or those of the first and the last example, which are then blended on the way.

        Source: White 2016, "Sampling generative networks", for the arc.
        """
        share = np.linspace(0, 1, whole_number("walk", "steps", steps, 2), dtype=np.float32)[:, None]
        start, end = np.asarray(self.noise(key, 2))
        cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end))
        angle = np.arccos(np.clip(cosine, -1, 1))
        path = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
        if not self.settings.classes:
            return self._draw(path, None)
        first, last = np.broadcast_to(np.asarray(0 if labels is None else labels), (2,))
        eye = np.eye(self.settings.classes, dtype=np.float32)
        return self._draw(path, (1 - share) * eye[first] + share * eye[last])

    def _draw(self, noise: Any, labels: Any) -> np.ndarray:
        """Examples tile by tile and with classes as shares, so that few shapes are compiled."""
        if labels is not None and np.ndim(labels) == 1:
            labels = np.eye(self.settings.classes, dtype=np.float32)[np.asarray(labels)]
        made = []
        for start in range(0, len(noise), TILE):
            given = [np.asarray(one)[start:start + TILE] for one in (noise, labels) if one is not None]
            rows = len(given[0])
            padded = (np.concatenate([one, np.repeat(one[:1], -rows % PADDED, axis=0)]) for one in given)
            made.append(np.asarray(_generate(self, *padded))[:rows])
        return np.concatenate(made)

    def _noise_and_labels(self, inputs: Any) -> tuple[jax.Array, jax.Array | None]:
        if isinstance(inputs, Mapping):
            return inputs["values"], inputs.get("labels")
        if not self.settings.classes:
            return inputs, None
        return inputs, jnp.arange(len(inputs), dtype=jnp.int32) % self.settings.classes

    def _known(self, noise: jax.Array, labels: jax.Array | None) -> jax.Array:
        """Noise and class side by side; the class is as loud as half of the noise."""
        settings = self.settings
        if jnp.ndim(noise) != 2 or noise.shape[1] != settings.noise or bool(settings.classes) != (labels is not None):
            raise ShapeError(f"`Adversarial` expected noise of shape (batch, {settings.noise}) "
                             f"{'and labels' if settings.classes else 'alone'}, got {jnp.shape(noise)} and "
                             f"{'none' if labels is None else jnp.shape(labels)}.", "use `sample` to draw examples")
        if labels is None:
            return noise
        soft = jax.nn.one_hot(labels, settings.classes, dtype=noise.dtype) if jnp.ndim(labels) == 1 else labels
        return jnp.concatenate([noise, 0.5 * settings.noise**0.5 * soft], axis=1)

    def layer_outputs(self, inputs: Any, *, state: Any = None) -> dict[str, jax.Array]:
        """What each layer gives: the generator's, the discriminator's for the generated examples, `"output"`."""
        named = self.generator.layers(self._known(*self._noise_and_labels(inputs)))
        made = named.pop("output")
        return named | self.discriminator.layers(made) | {"output": made}

    def parts(self) -> Parts:
        """Noise, generator, examples, discriminator."""
        settings = self.settings
        rows = [Part("noise", "input", settings.noise, shape=(settings.noise,))]
        if settings.classes:
            rows.append(Part("class", "input", settings.classes, depth=0, shape=(settings.classes,)))
        rows += [*self.generator.parts(), *self.discriminator.parts()]
        if settings.classes:  # both verdicts are given side by side, as both inputs are
            rows[-1] = replace(rows[-1], depth=len(rows) - 3)
        return Parts(tuple(rows))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        sizes = {"in_shape": list(self.settings.in_shape), "hidden": list(self.settings.hidden)}
        return {"network": "adversarial", **asdict(self.settings), **sizes}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Adversarial:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)


@eqx.filter_jit
def _generate(network: Adversarial, noise: jax.Array, labels: jax.Array | None = None) -> jax.Array:
    return network.generate(noise, labels)


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
