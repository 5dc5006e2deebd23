"""The variational autoencoder: a code with a known distribution, so that new examples can be drawn from it."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks._rows import flat_rows
from pellucid.networks.autoencoder import half_outputs, halves, hidden_sizes, joined_parts
from pellucid.networks.feedforward import Feedforward, State
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import whole_number
from pellucid.nn._random import normal, subkeys

OUTPUTS = ("bernoulli", "gaussian")


class GaussianCode(NamedTuple):
    """The distribution of the code of each input.

    Args:
        mean: (batch, code).
        log_variance: (batch, code).
    """

    mean: jax.Array
    log_variance: jax.Array

    def draw(self, key: jax.Array) -> jax.Array:
        """One code of each: mean + deviation · noise."""
        return self.mean + jnp.exp(0.5 * self.log_variance) * normal(key, self.mean.shape, self.mean.dtype)

    def divergence(self) -> jax.Array:
        """KL(code ‖ standard normal) in nats: (batch,)."""
        terms = jnp.square(self.mean) + jnp.exp(self.log_variance) - 1 - self.log_variance
        return 0.5 * jnp.sum(terms, axis=-1)


@dataclass(frozen=True)
class VariationalAutoencoderSettings:
    """What a `VariationalAutoencoder` is built from."""

    in_features: int
    hidden: tuple[int, ...]
    code: int
    output: str = "bernoulli"
    activation: str = "relu"
    dropout: float = 0.0
    normalisation: str = "none"
    residual: bool = False
    skip: bool = False

    code_activation = output_activation = "identity"

    def __post_init__(self) -> None:
        whole_number("VariationalAutoencoder", "in_features", self.in_features)
        whole_number("VariationalAutoencoder", "code", self.code)
        object.__setattr__(self, "hidden", hidden_sizes("VariationalAutoencoder", self.hidden))
        if self.output not in OUTPUTS:
            raise SettingsError(f"`VariationalAutoencoder` got output={self.output!r}; expected 'bernoulli' or "
                                "'gaussian'.", did_you_mean(str(self.output), OUTPUTS))


class VariationalAutoencoder(eqx.Module):
    """An encoder gives each input a normal distribution of codes, a decoder each code a distribution of inputs.

    `training.EvidenceBound` trains both to raise a lower bound of log p(x):
    `E[log p(x | z)] - KL(q(z | x) ‖ N(0, 1))`, with z drawn from q(z | x). Then codes drawn from N(0, 1) decode to new
    examples. Called as a network, it gives the mean of the reconstruction: of the mean code, or of a drawn code in
    training.

    Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", equations 7 and 10; the learned variance of
    Gaussian outputs: Rybkin, Daniilidis & Levine 2021, "Simple and effective VAE training with calibrated decoders".

    Args:
        in_features: numbers in an input, at least 1; images are flattened.
        hidden: neurons in each hidden layer of the encoder; the decoder has the same in reverse.
        code: numbers in a code, at least 1.
        output: `"bernoulli"` for inputs from 0 to 1, `"gaussian"`, with one learned variance, for any numbers.
        activation, dropout, normalisation, residual, skip: of the layers, as in `Feedforward`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with inputs of another size.

    Example:
        >>> network = VariationalAutoencoder(64, (32,), 2, key=jax.random.key(0))
        >>> network.sample(5, key=jax.random.key(1)).shape
        (5, 64)
    """

    encoder: Feedforward
    decoder: Feedforward
    log_variance: jax.Array | None  # (1,), of Gaussian outputs
    settings: VariationalAutoencoderSettings = eqx.field(static=True)
    members_in_turn = True

    def __init__(self, in_features: int, hidden: Sequence[int], code: int, *, output: str = "bernoulli",
                 activation: str = "relu", dropout: float = 0.0, normalisation: str = "none", residual: bool = False,
                 skip: bool = False, key: jax.Array) -> None:
        self.settings = settings = VariationalAutoencoderSettings(in_features, hidden, code, output, activation,
                                                                  dropout, normalisation, residual, skip)
        self.encoder, self.decoder = halves(settings, 2 * code, in_features, key)
        self.log_variance = jnp.zeros(1) if output == "gaussian" else None

    def initial_state(self) -> tuple[State, State]:
        """Running statistics of encoder and decoder."""
        return self.encoder.initial_state(), self.decoder.initial_state()

    def __call__(self, inputs: jax.Array, *, state: tuple[State, State] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[State, State]]:
        """From (batch, …) to the means of their reconstruction, (batch, in_features), and the new state."""
        raw, _, state = self.outputs(inputs, state=state, key=key, training=training, weight=weight)
        return self._means(raw), state

    def outputs(self, inputs: jax.Array, *, state: tuple[State, State] | None, key: jax.Array | None, training: bool,
                weight: jax.Array | None) -> tuple[jax.Array, GaussianCode, tuple[State, State]]:
        """What the decoder gives before it becomes means (logits for Bernoulli), the code, and the new state.

        Args:
            inputs: (batch, …).
            state, training, weight: as in a call.
            key: the random key; without it the mean code is decoded.
        """
        first, second = self.initial_state() if state is None else state
        draw, *keys = (None, None, None) if key is None else subkeys(key, 3)
        flat, first = self.encoder(self.rows(inputs), state=first, key=keys[0], training=training, weight=weight)
        code = GaussianCode(*jnp.split(flat, 2, axis=-1))
        drawn = code.mean if draw is None else code.draw(draw)
        raw, second = self.decoder(drawn, state=second, key=keys[1], training=training, weight=weight)
        return raw, code, (first, second)

    def rows(self, inputs: jax.Array) -> jax.Array:
        """Inputs as (batch, in_features) floating-point numbers; 8-bit integers are divided by 255."""
        dtype = self.decoder.output.weight.dtype
        return flat_rows("VariationalAutoencoder", inputs, self.settings.in_features, dtype)

    def log_density(self, inputs: jax.Array, raw: jax.Array) -> jax.Array:
        """log p(x | z) of each row in nats: (batch,).

        Args:
            inputs: (batch, …).
            raw: (batch, in_features) what the decoder gives for z.
        """
        inputs = self.rows(inputs)
        if self.settings.output == "bernoulli":
            return jnp.sum(inputs * raw - jax.nn.softplus(raw), axis=-1)
        scaled = jnp.square(inputs - raw) * jnp.exp(-self.log_variance)
        return -0.5 * jnp.sum(scaled + self.log_variance + math.log(2 * math.pi), axis=-1)

    def evidence_bound(self, inputs: jax.Array, *, key: jax.Array, samples: int = 1,
                       state: tuple[State, State] | None = None) -> jax.Array:
        """The lower bound of log p(x) of each row in nats: (batch,), averaged over `samples` codes."""
        keys = jax.random.split(key, whole_number("evidence_bound", "samples", samples))

        def one(own: jax.Array) -> jax.Array:
            raw, code, _ = self.outputs(inputs, state=state, key=own, training=False, weight=None)
            return self.log_density(inputs, raw) - code.divergence()
        return jnp.mean(jax.lax.map(one, keys), axis=0)

    def encode(self, inputs: jax.Array, *, state: tuple[State, State] | None = None) -> GaussianCode:
        """The distribution of the code of each input; its `mean` is the code to compare and to draw."""
        flat, _ = self.encoder(self.rows(inputs), state=None if state is None else state[0])
        return GaussianCode(*jnp.split(flat, 2, axis=-1))

    def decode(self, code: jax.Array, *, state: tuple[State, State] | None = None) -> jax.Array:
        """The means of what a code stands for: (batch, in_features)."""
        return self._means(self.decoder(code, state=None if state is None else state[1])[0])

    def _means(self, raw: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(raw) if self.settings.output == "bernoulli" else raw

    def sample(self, count: int, *, key: jax.Array, state: tuple[State, State] | None = None) -> jax.Array:
        """New examples: the means of codes drawn from N(0, 1), (count, in_features)."""
        code = normal(key, (whole_number("sample", "count", count), self.settings.code))
        return self.decode(code.astype(self.decoder.output.weight.dtype), state=state)

    def interpolate(self, start: jax.Array, end: jax.Array, steps: int = 8, *,
                    state: tuple[State, State] | None = None) -> jax.Array:
        """Examples on the straight line between the codes of two inputs: (steps, in_features).

        Args:
            start, end: one input each, of any shape with `in_features` numbers.
            steps: how many, both ends included, at least 2.
            state: running statistics; the initial ones when `None`.
        """
        both = jnp.stack([jnp.asarray(start), jnp.asarray(end)])
        first, last = self.encode(both, state=state).mean
        share = jnp.linspace(0, 1, whole_number("interpolate", "steps", steps, 2), dtype=first.dtype)[:, None]
        return self.decode((1 - share) * first + share * last, state=state)

    def layer_outputs(self, inputs: jax.Array, *, state: tuple[State, State] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, from the mean code on; `"code"` holds means."""
        first, second = (None, None) if state is None else state
        named = half_outputs("encoder", self.encoder, self.rows(inputs), first)
        named["code"] = jnp.split(named.pop("output"), 2, axis=-1)[0]
        named |= half_outputs("decoder", self.decoder, named["code"], second)
        return named | {"output": self._means(named["output"])}

    def parts(self) -> Parts:
        """The inputs, the encoder's layers, the code's means and variances, the decoder's layers."""
        parts = joined_parts(self.settings.in_features, self.encoder, self.decoder)
        if self.log_variance is None:
            return parts
        depth = max(part.depth or 0 for part in parts.rows)
        return Parts((*parts.rows, Part("variance", "output", 0, arrays=self.log_variance, depth=depth)), parts.paths)

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "variational_autoencoder", **asdict(self.settings), "hidden": list(self.settings.hidden)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> VariationalAutoencoder:
        """A new network of this specification, with new starting weights."""
        return cls(**dict(spec) | {"hidden": tuple(spec["hidden"])}, key=key)
