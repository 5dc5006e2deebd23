"""Gradient descent on an objective: by mini-batches, or by L-BFGS on all rows at once."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from pellucid.training.layout import Layout, is_bias, layout_of, one_vector, take_apart
from pellucid.training.objectives import AbstractObjective, Assessment
from pellucid.training.optimisers import Optimiser
from pellucid.training.program import Batch, Measurements, Moment

MOMENTUM = 0.9
"""The share of the running mean of the gradient that a step keeps, for weights of plain descent."""
MEASURING = 0
"""The seed of chance in measuring: the same held-out rows always get the same error."""


class DescentState(NamedTuple):
    """What changes while a network learns, and two vectors that stay beside its weights.

    `average` is the running average of the weights, empty where none is kept; `momentum` that of the gradient, and
    `plain` which weights follow it, empty where none does.
    """

    weights: Float[Array, " weights"]
    network_state: PyTree[Array]
    optimiser: PyTree[Array]
    buffers: PyTree[Array]
    decay: Float[Array, " weights"]
    rate: Float[Array, " weights"]
    average: PyTree[Array] = ()
    plain: PyTree[Array] = ()
    momentum: PyTree[Array] = ()

    @property
    def kept(self) -> Float[Array, " weights"]:
        """The weights that are measured and kept."""
        return self.weights if isinstance(self.average, tuple) else self.average


@dataclass(frozen=True)
class Descent:
    """Minimise an objective by gradient.

    Args:
        layout: the network, taken apart.
        objective: what is minimised and measured.
        optimiser: how a gradient becomes a step.
        average: the share of the running average of the weights that a step keeps, below 1; 0 for no average. It
            starts plainly (step t keeps at most (1 + t) / (10 + t)), and is what is measured and kept.
    """

    layout: Layout
    objective: AbstractObjective
    optimiser: Optimiser = Optimiser()
    average: float = 0.0

    @property
    def members_in_turn(self) -> bool:
        """Whether members are stepped one after another; the network says so."""
        return bool(getattr(self.layout.static, "members_in_turn", False))

    def start(self, weights: Array, buffers: PyTree[Array]) -> DescentState:
        """The state of one member before the first iteration."""
        network = self.layout.assemble(weights, buffers)
        plain = (self._per_weight("plain_factor", weights), jnp.zeros_like(weights)) if self._hints(
            "plain_factor") else ((), ())
        return DescentState(weights, self.objective.start_state(network), self.optimiser.direction().init(weights),
                            buffers, self._per_weight("decay_factor", weights),
                            self._per_weight("rate_factor", weights), weights if self.average else (), *plain)

    def _per_weight(self, hint: str, weights: Array) -> Array:
        """One factor per weight: the network's own hint for the leaf; else no decay for biases and no plain descent."""
        hints, parts = self._hints(hint), []
        for name, shape in zip(self.layout.names, self.layout.shapes, strict=True):
            default = 0.0 if hint == "plain_factor" or hint == "decay_factor" and is_bias(name) else 1.0
            parts.append(jnp.full(shape, hints.get(name, default), weights.dtype).reshape(-1))
        return jnp.concatenate(parts) if parts else jnp.zeros((0,), weights.dtype)

    def _hints(self, hint: str) -> Mapping[str, float]:
        return getattr(self.layout.static, hint + "s", dict)()

    def network(self, state: DescentState) -> Any:
        """The network that a state holds."""
        return self.layout.assemble(state.kept, state.buffers)

    def _error(self, pieces: list[Array], state: DescentState, batch: Batch, key: Array) -> tuple[Array, Any]:
        network = self.layout.joined(pieces, state.buffers)
        assessed = self.objective.errors(network, batch, state=state.network_state, key=key)
        weight = _counted(assessed, batch)
        total, counted = jnp.sum(assessed.errors * weight), jnp.sum(weight)
        means = {name: (jnp.sum(values * weight), counted) for name, values in assessed.also.items()}
        mean = total / jnp.maximum(counted, jnp.finfo(total.dtype).tiny)
        return self.objective.finish(mean), (means | {"error": (total, counted)}, assessed.state)

    def _gradient(self, state: DescentState, batch: Batch, moment: Moment) -> tuple[Array, dict[str, Any], Any]:
        """The gradient as one vector, what was measured, and the network's new state.

        It is taken of the pieces: of the one vector, each piece would give a vector of full length, to be added up.
        """
        (_, (measured, network_state)), pieces = jax.value_and_grad(self._error, has_aux=True)(
            self.layout.pieces(state.weights), state, batch, moment.key)
        return one_vector(pieces), measured, network_state

    def step(self, state: DescentState, batch: Batch, moment: Moment) -> tuple[DescentState, Measurements]:
        """One gradient step on a batch."""
        gradient, measured, network_state = self._gradient(state, batch, moment)
        direction, optimiser = self.optimiser.direction().update(gradient, state.optimiser, state.weights)
        momentum = state.momentum
        if self._hints("plain_factor"):
            momentum = MOMENTUM * momentum + (1 - MOMENTUM) * gradient
            direction = jnp.where(state.plain > 0, state.plain * momentum, direction)
        if self.optimiser.weight_decay:
            direction = direction + self.optimiser.weight_decay * state.decay * state.weights
        if self._hints("rate_factor"):
            direction = state.rate * direction
        weights = state.weights - moment.rate * direction
        measured |= _norm(jnp.sqrt(jnp.sum(gradient * gradient)))
        return state._replace(weights=weights, network_state=network_state, optimiser=optimiser,
                              average=self._averaged(state, weights, moment), momentum=momentum), measured

    def _averaged(self, state: DescentState, weights: Array, moment: Moment) -> PyTree[Array]:
        if not self.average:
            return state.average
        step = moment.iteration.astype(weights.dtype)
        keep = jnp.minimum(self.average, (1 + step) / (10 + step))
        return keep * state.average + (1 - keep) * weights

    def evaluate(self, state: DescentState, batch: Batch) -> Measurements:
        """The error on a batch, without learning."""
        key = jax.random.key(MEASURING, impl="threefry2x32")
        assessed = self.objective.measure(self.network(state), batch, state=state.network_state, key=key)
        weight = _counted(assessed, batch)
        return {"error": (jnp.sum(assessed.errors * weight), jnp.sum(weight))}

    def snapshot(self, state: DescentState) -> tuple[Array, PyTree[Array]]:
        """Weights and running statistics."""
        return state.kept, self.objective.network_state(state.network_state)

    def finish(self, error: Array) -> Array:
        """The error to show."""
        return self.objective.finish(error)


@dataclass(frozen=True)
class FullBatch(Descent):
    """Minimise an objective over all rows at once with L-BFGS and its own line search; for small data.

    Source: Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization".
    """

    def step(self, state: DescentState, batch: Batch, moment: Moment) -> tuple[DescentState, Measurements]:
        """One quasi-Newton step; the batch is the whole training set."""
        decay = self.optimiser.weight_decay

        def value(weights: Array) -> Array:
            error, _ = self._error(self.layout.pieces(weights), state, batch, moment.key)
            return error + 0.5 * decay * jnp.sum(state.decay * weights * weights)

        solver = optax.lbfgs()
        gradient, measured, network_state = self._gradient(state, batch, moment)
        gradient = gradient + decay * state.decay * state.weights
        updates, optimiser = solver.update(gradient, state.optimiser, state.weights, value=value(state.weights),
                                           grad=gradient, value_fn=value)
        norm = jnp.where(jnp.all(jnp.isfinite(updates)), jnp.sqrt(jnp.sum(gradient * gradient)), jnp.nan)
        measured |= _norm(norm)
        return state._replace(weights=state.weights + updates, network_state=network_state,
                              optimiser=optimiser), measured

    def start(self, weights: Array, buffers: PyTree[Array]) -> DescentState:
        """The state of one member before the first iteration."""
        return super().start(weights, buffers)._replace(optimiser=optax.lbfgs().init(weights))


def _counted(assessed: Assessment, batch: Batch) -> Array:
    return batch.weight if assessed.amount is None else batch.weight * assessed.amount


def _norm(norm: Array) -> Measurements:
    return {"gradient_norm": (norm, jnp.ones((), norm.dtype))}


def descent(members: Any, objective: AbstractObjective, optimiser: Optimiser,
            average: float = 0.0) -> tuple[Descent, DescentState]:
    """A program and its start for `members`, a network whose arrays have a leading member axis."""
    full = optimiser.name == "lbfgs"
    program = (FullBatch if full else Descent)(layout_of(members, members=True), objective, optimiser,
                                               0.0 if full else average)
    return program, _start(program, eqx.filter(members, eqx.is_array))


@partial(jax.jit, static_argnums=0)
def _start(program: Descent, arrays: Any) -> DescentState:
    def one(leaves: Any) -> DescentState:
        return program.start(*take_apart(eqx.combine(leaves, program.layout.static)))
    return jax.vmap(one)(arrays)


def one_member(network: Any) -> Any:
    """`network` with a leading member axis of one."""
    return jax.tree.map(lambda leaf: leaf[None] if eqx.is_array(leaf) else leaf, network)

