"""Two opponents: a generator that makes examples up, and a discriminator that tells them from real ones."""
from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pellucid.errors import SettingsError
from pellucid.nn._random import subkeys
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch

MEASURED_SAMPLES = 2


@dataclass(frozen=True)
class RelativisticPairing(AbstractObjective):
    """Generator against discriminator, pair by pair: is this real example more real than that generated one?

    With D the discriminator's logit, x a real row, g a generated one of the same class, and softplus(u) = log(1 + eᵘ):

        discriminator: softplus(D(g) - D(x)) + penalty / 2 · (|∂D/∂x|² + |∂D/∂g|²)
        generator:     softplus(D(x) - D(g))

    Comparing pairs leaves the discriminator no way to be content with one mode of the data, and the penalties on its
    slope at real and at generated rows make the contest settle. Both learn in the same step, each by its own error.
    The penalty, of the second order and dear, is taken of the first `penalised` share of each shuffled batch, which
    has the same mean. Where there are classes, the discriminator also learns to name those of real rows, and the
    generator is pulled with weight `class_pull` to rows that it names right.

    Let `fit` keep a running average of the weights (`average=0.998`): samples of the average are much the better ones.
    Of the optimisers take one without momentum, which follows where the opponent was: `optimiser="rmsprop"` with a
    falling learning rate from about 0.006 (`schedule="cosine"`).
    Data are the examples alone, or {"values": examples, "labels": integer classes}. `error` of the history is the sum
    of both errors and says little; `lead` is how far real rows are ahead, `right` how often the discriminator names
    generated rows as asked. Held-out rows are measured by the energy score `|x - g| - |g - g'| / 2` of samples of their
    class, which is lowest when samples are distributed as the data are.

    Source: Jolicoeur-Martineau 2019 for the pairing; Mescheder, Geiger & Nowozin 2018 for the penalties; Huang,
    Gokaslan, Kuleshov & Tompkin 2024, "The GAN is dead; long live the GAN!", equations 2 and 4, for both together;
    Odena, Olah & Shlens 2017 for the classes; Gneiting & Raftery 2007, equation 21, for the energy score.

    Args:
        penalty: how dear slope is, at least 0.
        penalised: the share of each batch that the penalty is taken of, above 0, at most 1.
        class_pull: how strongly the generator is pulled to what is recognised, at least 0.

    Example:
        >>> network = networks.Adversarial((28, 28, 1), classes=10, key=key)  # doctest: +SKIP
        >>> data = {"values": images, "labels": labels}
        >>> options = {"optimiser": "rmsprop", "learning_rate": 0.006, "schedule": "cosine", "average": 0.998}
        >>> fit = pellucid.fit(network, objectives.RelativisticPairing(), data, **options)  # doctest: +SKIP
    """

    penalty: float = 0.1
    penalised: float = 0.25
    class_pull: float = 1.0
    falls: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, high in (("penalty", float("inf")), ("penalised", 1.0), ("class_pull", float("inf"))):
            value = getattr(self, name)
            low = 1e-6 if name == "penalised" else 0
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not low <= value <= high:
                raise SettingsError(f"`RelativisticPairing` got {name}={value!r}; expected a number from {low} to "
                                    f"{high}.", f"leave {name} out for {getattr(type(self), name)}")

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The errors of both opponents, added up; neither gets a gradient of the other's."""
        real, labels = network.examples(batch.inputs)
        made = network.generate(network.noise(key, len(real)), labels)
        still = jax.lax.stop_gradient(made)
        judge, held = network.discriminator, jax.lax.stop_gradient(network.discriminator)
        of_real, of_still, of_made = judge(real, labels), judge(still, labels), held(made, labels)
        lead = of_real.logit - of_still.logit
        discriminating = jax.nn.softplus(-lead)
        generating = jax.nn.softplus(jax.lax.stop_gradient(of_real.logit) - of_made.logit)
        slope = self.slope(judge, real, still, labels, batch.weight)
        also = {"discriminator": discriminating, "generator": generating, "slope": slope, "lead": lead}
        total = discriminating + generating + 0.5 * self.penalty * slope
        if labels is not None:
            right = _named(of_made.classes, labels)
            total = total - _named(of_real.classes, labels) - self.class_pull * right
            also["right"] = (jnp.argmax(of_made.classes, axis=1) == labels).astype(total.dtype)
        return Assessment(total, state, also)

    def slope(self, judge: Any, real: Array, made: Array, labels: Array | None,
              weight: Float[Array, " batch"]) -> Float[Array, " batch"]:
        """|∂D/∂x|² + |∂D/∂g|² of the penalised rows, scaled up to the batch; 0 for the others."""
        rows = max(1, round(self.penalised * len(real)))
        few = None if labels is None else jnp.concatenate([labels[:rows]] * 2)
        gradient = jax.grad(lambda inputs: jnp.sum(judge(inputs, few).logit))(
            jnp.concatenate([real[:rows], made[:rows]]))
        squares = jnp.sum(jnp.square(gradient), axis=tuple(range(1, gradient.ndim)))
        share = jnp.sum(weight[:rows]) / jnp.maximum(jnp.sum(weight), jnp.finfo(weight.dtype).tiny)
        scaled = (squares[:rows] + squares[rows:]) / jnp.maximum(share, jnp.finfo(weight.dtype).tiny)
        return jnp.zeros_like(weight, scaled.dtype).at[:rows].set(scaled)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The energy score of two samples for each held-out row."""
        real, labels = network.examples(batch.inputs)
        first, second = (network.generate(network.noise(own, len(real)), labels)
                         for own in subkeys(key, MEASURED_SAMPLES))
        near = 0.5 * (_distance(real, first) + _distance(real, second))
        return Assessment(near - 0.5 * _distance(first, second), state)


def _named(logits: Float[Array, "batch classes"], labels: Array) -> Float[Array, " batch"]:
    """The log probability of the right class."""
    return jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]


def _distance(a: Array, b: Array) -> Float[Array, " batch"]:
    squares = jnp.sum(jnp.square(a - b), axis=tuple(range(1, a.ndim)))
    return jnp.sqrt(squares + jnp.finfo(squares.dtype).tiny)
