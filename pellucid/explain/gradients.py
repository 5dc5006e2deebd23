"""Contributions from the slopes of the network itself: integrated gradients, averaged over starting points.

`φ_i = (x_i - z_i) · ∫₀¹ ∂f/∂x_i (z + t · (x - z)) dt`, averaged over made-up rows z (expected gradients); the parts sum
to f(x) less the mean of f(z), but for the error of the integral, which is measured and told.

Source: Sundararajan, Taly, Yan 2017, Axiomatic attribution for deep networks; Erion et al. 2021, Improving performance
of deep learning models with axiomatic attribution priors and expected gradients.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from pellucid.training.layout import Layout

STEPS = 6
"""Places along the way from a made-up row to the real one. Many ways are averaged, so that few are enough."""


@dataclass(frozen=True)
class Head:
    """From a network's outputs to the one number that is explained; hashable.

    Args:
        classes: whether outputs are logits, of which the probability is wanted.
        temperature: what logits are divided by.
        factors, bias: of the calibration: probabilities are softmax(factors · log softmax(logits / temperature) +
            bias); empty for 1 and 0.
        center, scale, low, high: of a number: `clip(output · scale + center, low, high)`.
    """

    classes: bool
    temperature: float = 1.0
    factors: tuple[float, ...] = ()
    bias: tuple[float, ...] = ()
    center: float = 0.0
    scale: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    def __call__(self, outputs: Array, weights: Array) -> Array:
        """Float (rows,) from outputs (rows, outputs) and weights (classes,), which say what is asked about."""
        if not self.classes:
            return jnp.clip(outputs[..., 0] * self.scale + self.center, self.low, self.high)
        if outputs.shape[-1] == 1:  # the logit of the second of two classes
            outputs = jnp.concatenate([jnp.zeros_like(outputs), outputs], axis=-1)
        logits = jax.nn.log_softmax(outputs / self.temperature, axis=-1)
        logits = logits * jnp.asarray(self.factors, logits.dtype) if self.factors else logits
        logits = logits + jnp.asarray(self.bias, logits.dtype) if self.bias else logits
        return jax.nn.softmax(logits, axis=-1) @ weights


def nodes(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Places in (0, 1) and weights of Gauss–Legendre integration: exact for polynomials of degree 2 · steps - 1."""
    places, weights = np.polynomial.legendre.leggauss(steps)
    return (places + 1) / 2, weights / 2


def mean_slopes(function: Callable[[PyTree], Array], start: PyTree, end: PyTree, steps: int = STEPS) -> PyTree:
    """The mean slope of a function along the straight way from `start` to `end`, of the shapes of `start`.

    Args:
        function: from arrays with a leading row axis to float (rows,), each row's answer from that row alone.
        start: arrays with a leading row axis.
        end: the same, or with one row for all.
        steps: gradients for each row; memory does not grow with them.
    """
    way = jax.tree.map(lambda one, other: other - one, start, end)
    slope = jax.grad(lambda rows: function(rows).sum())

    def step(total: PyTree, node: tuple[Array, Array]) -> tuple[PyTree, None]:
        place, weight = node
        found = slope(jax.tree.map(lambda one, ahead: one + place * ahead, start, way))
        return jax.tree.map(lambda sum_, own: sum_ + weight * own, total, found), None

    places, weights = (jnp.asarray(one, jax.tree.leaves(way)[0].dtype) for one in nodes(steps))
    return jax.lax.scan(step, jax.tree.map(jnp.zeros_like, way), (places, weights))[0]


def integrated(function: Callable[[PyTree], Array], start: PyTree, end: PyTree, steps: int = STEPS) -> PyTree:
    """Integrated gradients from `start` to `end`, of the shapes of `start`: see `mean_slopes`.

    Example:
        >>> found = integrated(lambda x: (x ** 2).sum(axis=1), jnp.zeros((1, 2)), jnp.array([[1.0, 3.0]]))
        >>> found.round(4).tolist()
        [[1.0, 9.0]]
    """
    slopes = mean_slopes(function, start, end, steps)
    return jax.tree.map(lambda one, other, slope: (other - one) * slope, start, end, slopes)


@partial(jax.jit, static_argnums=(0, 1, 2))
def tabular_slopes(layout: Layout, head: Head, steps: int, weights: Array, buffers: PyTree[Array],
                   network_state: PyTree[Array], rows: dict[str, Any], weighing: Array,
                   background: dict[str, Any]) -> Array:
    """Integrated gradients through `Tabular` networks, from what categories and numbers became inside.

    Args:
        layout, weights, buffers, network_state: of the networks, with a leading member axis.
        head: what is explained.
        steps: along each way.
        rows: `"numbers"` (rows, n) and `"codes"` (rows, c).
        weighing: (rows, classes) what is asked about for each row.
        background: `"numbers"` (draws, n) and `"codes"` (draws, c), where the ways start.

    Returns:
        float (rows, members, draws, n + c): contributions of number channels, then of categories.
    """
    def of_row(row: tuple[dict[str, Array], Array]) -> Array:
        own_row, own_weighing = row
        alone = jax.tree.map(lambda leaf: leaf[None], own_row)

        def of_member(own_weights: Array, own_buffers: PyTree[Array], own_state: PyTree[Array]) -> Array:
            network = layout.assemble(own_weights, own_buffers)
            found = integrated(lambda seen: head(network.answer(*seen, state=own_state), own_weighing),
                               network.join(background), network.join(alone), steps)
            width = network.num_numbers + len(network.cardinalities)
            joined, plain = (part @ _gathering(origins, width, part.dtype) for part, origins in zip(
                found, (network.origins, network.plain_origins), strict=True))
            return joined + plain if network.skip is not None else joined
        return jax.vmap(of_member)(weights, buffers, network_state)
    return jax.lax.map(of_row, (rows, weighing))


def _gathering(origins: tuple[int, ...], width: int, dtype: Any) -> Array:
    """(inputs, width): 1 where an input comes from a channel."""
    picks = np.zeros((len(origins), width))
    picks[np.arange(len(origins)), list(origins)] = 1
    return jnp.asarray(picks, dtype)


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def raw_slopes(layout: Layout, head: Head, steps: int, name: str, weights: Array, buffers: PyTree[Array],
               network_state: PyTree[Array], row: dict[str, Any], weighing: Array, start: Array) -> Array:
    """Mean slopes of networks with a single raw column, from an empty cell to the row's own.

    Args:
        layout, weights, buffers, network_state: of the networks, with a leading member axis.
        head: what is explained.
        steps: along the way.
        name: of the raw array along which it leads, such as `"pixels"`.
        row: encoded, one row; that array in floating-point numbers.
        weighing: (classes,) what is asked about.
        start: that array of the empty cell.

    Returns:
        float (members, *shape of the array).
    """
    column, = row["columns"]

    def of_member(own: tuple[Array, PyTree[Array], PyTree[Array]]) -> Array:
        network = layout.assemble(*own[:2])

        def ask(array: Array) -> Array:
            seen = {**row, "columns": ({**column, name: array},)}
            return head(network(seen, state=own[2], key=None, training=False)[0], weighing)
        return mean_slopes(ask, start, column[name], steps)[0]
    return jax.lax.map(of_member, (weights, buffers, network_state))
