"""Learning from examples with reference answers: by mini-batch gradient descent, or by L-BFGS on all rows at once."""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from pellucid.losses import AbstractLoss
from pellucid.training.layout import Layout, is_bias, layout_of, one_vector, take_apart
from pellucid.training.optimisers import Optimiser
from pellucid.training.program import Batch, Measurements, Moment


class SupervisedState(NamedTuple):
    """What changes while a network learns, and two vectors that stay beside its weights."""

    weights: Float[Array, " weights"]
    network_state: PyTree[Array]
    optimiser: PyTree[Array]
    buffers: PyTree[Array]
    decay: Float[Array, " weights"]
    rate: Float[Array, " weights"]


@dataclass(frozen=True)
class Supervised:
    """Minimise `loss` by gradient.

    Args:
        layout: the network, taken apart.
        loss: minimised.
        measure: evaluated on held-out rows; usually `loss` without label smoothing.
        optimiser: how a gradient becomes a step.
    """

    layout: Layout
    loss: AbstractLoss
    measure: AbstractLoss
    optimiser: Optimiser = Optimiser()

    def start(self, weights: Array, buffers: PyTree[Array]) -> SupervisedState:
        """The state of one member before the first iteration."""
        network = self.layout.assemble(weights, buffers)
        return SupervisedState(weights, network.initial_state(), self.optimiser.direction().init(weights), buffers,
                               self._per_weight("decay_factor", weights), self._per_weight("rate_factor", weights))

    def _per_weight(self, hint: str, weights: Array) -> Array:
        """One factor per weight: the network's own hint for the leaf, else none of the decay for biases."""
        hints, parts = self._hints(hint), []
        for name, shape in zip(self.layout.names, self.layout.shapes, strict=True):
            default = 0.0 if hint == "decay_factor" and is_bias(name) else 1.0
            parts.append(jnp.full(shape, hints.get(name, default), weights.dtype).reshape(-1))
        return jnp.concatenate(parts) if parts else jnp.zeros((0,), weights.dtype)

    def _hints(self, hint: str) -> Mapping[str, float]:
        return getattr(self.layout.static, hint + "s", dict)()

    def network(self, state: SupervisedState) -> Any:
        """The network that a state holds."""
        return self.layout.assemble(state.weights, state.buffers)

    def _error(self, pieces: list[Array], state: SupervisedState, batch: Batch, key: Array) -> tuple[Array, Any]:
        network = self.layout.joined(pieces, state.buffers)
        outputs, network_state = network(batch.inputs, state=state.network_state, key=key, training=True,
                                         weight=batch.weight)
        total = jnp.sum(self.loss.per_example(outputs, batch.targets) * batch.weight)
        mean = total / jnp.maximum(jnp.sum(batch.weight), jnp.finfo(total.dtype).tiny)
        return self.loss.finish(mean), (total, network_state)

    def _gradient(self, state: SupervisedState, batch: Batch, moment: Moment) -> tuple[Array, Array, Any]:
        """The gradient as one vector, the summed error, and the network's new state.

        It is taken of the pieces: of the one vector, each piece would give a vector of full length, to be added up.
        """
        (_, (total, network_state)), pieces = jax.value_and_grad(self._error, has_aux=True)(
            self.layout.pieces(state.weights), state, batch, moment.key)
        return one_vector(pieces), total, network_state

    def step(self, state: SupervisedState, batch: Batch, moment: Moment) -> tuple[SupervisedState, Measurements]:
        """One gradient step on a batch."""
        gradient, total, network_state = self._gradient(state, batch, moment)
        direction, optimiser = self.optimiser.direction().update(gradient, state.optimiser, state.weights)
        if self.optimiser.weight_decay:
            direction = direction + self.optimiser.weight_decay * state.decay * state.weights
        if self._hints("rate_factor"):
            direction = state.rate * direction
        weights = state.weights - moment.rate * direction
        measured = _measured(total, batch, jnp.sqrt(jnp.sum(gradient * gradient)))
        return state._replace(weights=weights, network_state=network_state, optimiser=optimiser), measured

    def evaluate(self, state: SupervisedState, batch: Batch) -> Measurements:
        """The error on a batch, without learning."""
        outputs, _ = self.network(state)(batch.inputs, state=state.network_state, key=None, training=False)
        total = jnp.sum(self.measure.per_example(outputs, batch.targets) * batch.weight)
        return {"error": (total, jnp.sum(batch.weight))}

    def snapshot(self, state: SupervisedState) -> tuple[Array, PyTree[Array]]:
        """Weights and running statistics."""
        return state.weights, state.network_state

    def finish(self, error: Array) -> Array:
        """The error to show."""
        return self.loss.finish(error)


@dataclass(frozen=True)
class FullBatch(Supervised):
    """Minimise `loss` over all rows at once with L-BFGS and its own line search; for small data.

    Source: Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization".
    """

    def step(self, state: SupervisedState, batch: Batch, moment: Moment) -> tuple[SupervisedState, Measurements]:
        """One quasi-Newton step; the batch is the whole training set."""
        decay = self.optimiser.weight_decay

        def value(weights: Array) -> Array:
            error, _ = self._error(self.layout.pieces(weights), state, batch, moment.key)
            return error + 0.5 * decay * jnp.sum(state.decay * weights * weights)

        solver = optax.lbfgs()
        gradient, total, network_state = self._gradient(state, batch, moment)
        gradient = gradient + decay * state.decay * state.weights
        updates, optimiser = solver.update(gradient, state.optimiser, state.weights, value=value(state.weights),
                                           grad=gradient, value_fn=value)
        norm = jnp.where(jnp.all(jnp.isfinite(updates)), jnp.sqrt(jnp.sum(gradient * gradient)), jnp.nan)
        measured = _measured(total, batch, norm)
        return state._replace(weights=state.weights + updates, network_state=network_state,
                              optimiser=optimiser), measured

    def start(self, weights: Array, buffers: PyTree[Array]) -> SupervisedState:
        """The state of one member before the first iteration."""
        return super().start(weights, buffers)._replace(optimiser=optax.lbfgs().init(weights))


def _measured(total: Array, batch: Batch, norm: Array) -> Measurements:
    return {"error": (total, jnp.sum(batch.weight)), "gradient_norm": (norm, jnp.ones((), total.dtype))}


def supervised(members: Any, loss: AbstractLoss, measure: AbstractLoss,
               optimiser: Optimiser) -> tuple[Supervised, SupervisedState]:
    """A program and its start for `members`, a network whose arrays have a leading member axis."""
    kind = FullBatch if optimiser.name == "lbfgs" else Supervised
    program = kind(layout_of(members, members=True), loss, measure, optimiser)
    return program, _start(program, eqx.filter(members, eqx.is_array))


@partial(jax.jit, static_argnums=0)
def _start(program: Supervised, arrays: Any) -> SupervisedState:
    def one(leaves: Any) -> SupervisedState:
        return program.start(*take_apart(eqx.combine(leaves, program.layout.static)))
    return jax.vmap(one)(arrays)


def one_member(network: Any) -> Any:
    """`network` with a leading member axis of one."""
    return jax.tree.map(lambda leaf: leaf[None] if eqx.is_array(leaf) else leaf, network)


def plain(loss: AbstractLoss) -> AbstractLoss:
    """`loss` without label smoothing: what held-out rows are measured with."""
    smoothed = any(field.name == "label_smoothing" for field in dataclasses.fields(loss))
    return dataclasses.replace(loss, label_smoothing=0.0) if smoothed else loss
