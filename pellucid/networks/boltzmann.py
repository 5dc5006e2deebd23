"""The restricted Boltzmann machine: visible and hidden neurons that learn how likely an input is."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks._partition import LogPartition, annealed_log_partition, exact_log_partition
from pellucid.networks._rows import flat_rows
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import whole_number
from pellucid.nn._random import normal, subkeys, uniform

VISIBLE_KINDS = ("binary", "gaussian")
START_DEVIATION = 0.01  # of the weights; Hinton 2012, section 8
EDGE = 0.01  # means are kept this far from 0 and 1 before they become biases


@dataclass(frozen=True)
class RestrictedBoltzmannMachineSettings:
    """What a `RestrictedBoltzmannMachine` is built from."""

    visible: int
    hidden: int
    visible_kind: str = "binary"

    def __post_init__(self) -> None:
        for name in ("visible", "hidden"):
            size = whole_number("RestrictedBoltzmannMachine", name, getattr(self, name))
            object.__setattr__(self, name, size)
        if self.visible_kind not in VISIBLE_KINDS:
            raise SettingsError(f"`RestrictedBoltzmannMachine` got visible_kind={self.visible_kind!r}; expected "
                                "'binary' or 'gaussian'.", did_you_mean(self.visible_kind, VISIBLE_KINDS))


class RestrictedBoltzmannMachine(eqx.Module):
    """Visible neurons v and binary hidden neurons h, joined by weights W, that give every input a probability.

    `p(v, h) ∝ exp(-E(v, h))`. Binary visible neurons: `E = -v·a - h·b - v·W·h`; inputs between 0 and 1 count as
    probabilities. Gaussian ones have variance 1: `E = |v - a|²/2 - h·b - v·W·h`; standardise the inputs. Summed over
    h, the free energy is `F(v) = -v·a - Σ log(1 + exp(b + v·W))`, and the same with `|v - a|²/2` for Gaussian neurons.
    Called as a network, it gives the probabilities of the hidden neurons.

    Train it with `training.ContrastiveDivergence`.

    Source: Smolensky 1986; Hinton 2002, "Training products of experts by minimizing contrastive divergence"; Hinton
    2012, "A practical guide to training restricted Boltzmann machines".

    Args:
        visible: number of visible neurons: the numbers in an input, at least 1.
        hidden: number of hidden neurons, at least 1.
        visible_kind: `"binary"` or `"gaussian"`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown kind.
        ShapeError: when called with inputs of another size.

    Example:
        >>> machine = RestrictedBoltzmannMachine(6, 4, key=jax.random.key(0))
        >>> machine.sample(5, key=jax.random.key(1), steps=10).shape
        (5, 6)
    """

    weight: jax.Array  # (visible, hidden)
    visible_bias: jax.Array  # (visible,)
    hidden_bias: jax.Array  # (hidden,)
    settings: RestrictedBoltzmannMachineSettings = eqx.field(static=True)
    members_in_turn = True
    compiler_options: ClassVar[Mapping[str, Any]] = {"xla_cpu_use_fusion_emitters": False}
    """Draws inside of small products: the newer fusions took fifteen times as long."""

    def __init__(self, visible: int, hidden: int, *, visible_kind: str = "binary", key: jax.Array) -> None:
        self.settings = settings = RestrictedBoltzmannMachineSettings(visible, hidden, visible_kind)
        self.weight = START_DEVIATION * normal(key, (settings.visible, settings.hidden))
        self.visible_bias = jnp.zeros(settings.visible)
        self.hidden_bias = jnp.zeros(settings.hidden)

    def initial_state(self) -> tuple[()]:
        """Nothing: the network has no running statistics."""
        return ()

    def __call__(self, inputs: jax.Array, *, state: Any = None, key: jax.Array | None = None, training: bool = False,
                 weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From (batch, …) with as many numbers a row as visible neurons to the (batch, hidden) probabilities."""
        return self.hidden_probabilities(inputs), ()

    def layer_outputs(self, inputs: jax.Array, *, state: Any = None) -> dict[str, jax.Array]:
        """The probabilities of the hidden neurons, under `"output"`."""
        return {"output": self.hidden_probabilities(inputs)}

    def hidden_probabilities(self, visible: jax.Array) -> jax.Array:
        """p(h = 1 | v) = sigmoid(b + v·W): (batch, hidden)."""
        return jax.nn.sigmoid(self.hidden_input(visible))

    def visible_means(self, hidden: jax.Array) -> jax.Array:
        """E[v | h]: sigmoid(a + W·h), the probabilities, for binary neurons; a + W·h for Gaussian ones."""
        total = self.visible_bias + hidden @ self.weight.T
        return jax.nn.sigmoid(total) if self.settings.visible_kind == "binary" else total

    def hidden_input(self, visible: jax.Array) -> jax.Array:
        """b + v·W: (batch, hidden)."""
        return self.hidden_bias + self.rows(visible) @ self.weight

    def rows(self, visible: jax.Array) -> jax.Array:
        """Inputs as (batch, visible) floating-point numbers."""
        return flat_rows("RestrictedBoltzmannMachine", visible, self.settings.visible, self.weight.dtype)

    def energy(self, visible: jax.Array, hidden: jax.Array) -> jax.Array:
        """E(v, h) of each row: (batch,)."""
        visible = self.rows(visible)
        joined = jnp.sum((visible @ self.weight) * hidden, axis=1)
        return self._visible_energy(visible) - hidden @ self.hidden_bias - joined

    def free_energy(self, visible: jax.Array) -> jax.Array:
        """F(v) = -log Σ_h exp(-E(v, h)) of each row: (batch,); low for inputs that the machine finds likely."""
        visible = self.rows(visible)
        return self._visible_energy(visible) - jnp.sum(jax.nn.softplus(self.hidden_input(visible)), axis=1)

    def _visible_energy(self, visible: jax.Array) -> jax.Array:
        if self.settings.visible_kind == "binary":
            return -(visible @ self.visible_bias)
        return 0.5 * jnp.sum(jnp.square(visible - self.visible_bias), axis=1)

    def reconstruct(self, inputs: jax.Array) -> jax.Array:
        """The inputs as the hidden neurons hold them, without chance: (batch, visible)."""
        return self.visible_means(self.hidden_probabilities(inputs))

    def sample_hidden(self, visible: jax.Array, *, key: jax.Array) -> jax.Array:
        """Hidden neurons drawn for each row: (batch, hidden) of 0 and 1."""
        return _bernoulli(key, self.hidden_probabilities(visible))

    def sample_visible(self, hidden: jax.Array, *, key: jax.Array) -> jax.Array:
        """Visible neurons drawn for each row of hidden ones: (batch, visible)."""
        means = self.visible_means(hidden)
        if self.settings.visible_kind == "binary":
            return _bernoulli(key, means)
        return means + normal(key, means.shape, means.dtype)

    def gibbs(self, visible: jax.Array, *, key: jax.Array, steps: int | jax.Array = 1) -> jax.Array:
        """Visible neurons after `steps` rounds of drawing all hidden, then all visible neurons: (batch, visible)."""
        def one(key: jax.Array, visible: jax.Array) -> jax.Array:
            first, second = subkeys(key, 2)
            return self.sample_visible(self.sample_hidden(visible, key=first), key=second)
        visible = self.rows(visible)
        if isinstance(steps, int) and steps == 1:  # the usual case saves making a key
            return one(key, visible)
        return jax.lax.fori_loop(0, steps, lambda step, state: one(jax.random.fold_in(key, step), state), visible)

    def sample(self, count: int, *, key: jax.Array, steps: int = 1000) -> jax.Array:
        """Inputs that the machine makes up, by Gibbs sampling from noise; each the mean of its last step.

        Args:
            count: how many.
            key: the random key.
            steps: rounds of sampling; more come nearer to the machine's own distribution.

        Returns:
            (count, visible).
        """
        return _sample(self, whole_number("sample", "count", count), key, whole_number("sample", "steps", steps))

    def log_partition(self) -> jax.Array:
        """log Σ exp(-E) over all states, exactly, by going through all states of the smaller side.

        Raises:
            SettingsError: when the smaller side has more than 20 neurons; `estimate_log_partition` then.
        """
        return exact_log_partition(self)

    def estimate_log_partition(self, *, key: jax.Array, chains: int = 100, temperatures: int = 10_000,
                               visible_means: Any = None) -> LogPartition:
        """log Σ exp(-E) by annealed importance sampling, with an interval of three standard errors.

        Source: Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief networks", section 4.

        Args:
            key: the random key.
            chains: how many independent runs are averaged, at least 2.
            temperatures: steps from the base model to the machine; more are slower and more exact.
            visible_means: (visible,) means of the training data for the base model of binary neurons; the nearer to
                the data, the more exact. The machine's own visible biases when `None`.

        Example:
            >>> machine = RestrictedBoltzmannMachine(6, 4, key=jax.random.key(0))
            >>> estimate = machine.estimate_log_partition(key=jax.random.key(1), temperatures=100)
            >>> bool(abs(estimate.value - machine.log_partition()) < 0.1)
            True
        """
        bias = self.visible_bias if visible_means is None else log_odds(visible_means)
        return annealed_log_partition(self, jnp.asarray(bias, self.weight.dtype), key,
                                      whole_number("estimate_log_partition", "chains", chains, 2),
                                      whole_number("estimate_log_partition", "temperatures", temperatures))

    def log_likelihood(self, inputs: jax.Array, log_partition: jax.Array | float | None = None) -> jax.Array:
        """log p(v) of each row, in nats: (batch,).

        Args:
            inputs: (batch, …).
            log_partition: as estimated; computed exactly when `None`, which small machines allow.
        """
        return -self.free_energy(inputs) - (self.log_partition() if log_partition is None else log_partition)

    def centred_on(self, inputs: Any) -> RestrictedBoltzmannMachine:
        """This machine with visible biases that alone give the means of `inputs`: a good start for training.

        Source: Hinton 2012, section 8.1.
        """
        means = jnp.mean(self.rows(inputs), axis=0)
        bias = log_odds(means) if self.settings.visible_kind == "binary" else means
        return eqx.tree_at(lambda machine: machine.visible_bias, self, bias)

    def parts(self) -> Parts:
        """The visible and the hidden neurons."""
        return Parts((Part("input", "input", self.settings.visible, kind="belief"),
                      Part("output", "output", self.settings.hidden, "sigmoid",
                           (self.weight, self.visible_bias, self.hidden_bias), kind="belief")))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "restricted_boltzmann_machine", **asdict(self.settings)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> RestrictedBoltzmannMachine:
        """A new machine of this specification, with new starting weights."""
        return cls(**spec, key=key)


def log_odds(means: Any) -> jax.Array:
    """log(p / (1 - p)) of probabilities, which are kept 0.01 away from 0 and 1."""
    means = jnp.clip(jnp.asarray(means), EDGE, 1 - EDGE)
    return jnp.log(means) - jnp.log1p(-means)


def _bernoulli(key: jax.Array, probabilities: jax.Array) -> jax.Array:
    drawn = uniform(key, probabilities.shape, dtype=probabilities.dtype)
    return (drawn < probabilities).astype(probabilities.dtype)


@eqx.filter_jit
def _run(machine: RestrictedBoltzmannMachine, hidden: jax.Array, key: jax.Array, steps: jax.Array) -> jax.Array:
    """Means of the visible neurons after `steps` rounds from `hidden` on."""
    def one(step: jax.Array, hidden: jax.Array) -> jax.Array:
        first, second = subkeys(jax.random.fold_in(key, step), 2)
        return machine.sample_hidden(machine.sample_visible(hidden, key=first), key=second)
    return machine.visible_means(jax.lax.fori_loop(0, steps, one, hidden))


def _sample(machine: RestrictedBoltzmannMachine, count: int, key: jax.Array, steps: int) -> jax.Array:
    start, rest = subkeys(key, 2)
    noise = jnp.full((count, machine.settings.hidden), 0.5, machine.weight.dtype)
    return _run(machine, _bernoulli(start, noise), rest, jnp.asarray(steps))
