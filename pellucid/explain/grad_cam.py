"""Grad-CAM: where in a picture a convolutional network looks for a class.

Source: Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra 2017, "Grad-CAM: visual explanations from deep networks via
gradient-based localization", equations 1 and 2.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from pellucid.training.layout import Layout


def grad_cam(network: Any, inputs: Any, score: Callable[[Array], Array], *,
             state: Any = None) -> Float[Array, "batch ..."]:
    """`relu(Σ_k a_k A_k)`, where A are the maps of the last convolution and a_k the mean over all places of the slope
    of the score with respect to A_k; a map of numbers from 0 on for each row, as coarse as that convolution's.

    Args:
        network: one with `last_maps`, such as `networks.Convolutional`.
        inputs: as the network takes them.
        score: from outputs (batch, outputs) to (batch,), before any softmax: the logit of a class, or its distance
            from that of another class.
        state: as the network takes it.

    Example:
        >>> from pellucid.networks import Convolutional
        >>> network = Convolutional((8, 8, 1), (4, 6), 3, key=jax.random.key(0))
        >>> grad_cam(network, jnp.ones((2, 8, 8, 1)), lambda outputs: outputs[:, 1]).shape
        (2, 4, 4)
    """
    maps, rest = network.last_maps(inputs, state=state)
    slopes = jax.grad(lambda values: jnp.sum(score(rest(values))))(maps)
    weights = jnp.mean(slopes, axis=tuple(range(1, maps.ndim - 1)), keepdims=True)
    return jax.nn.relu(jnp.sum(weights * maps, axis=-1))


@partial(jax.jit, static_argnums=0)
def member_maps(layout: Layout, weights: Array, buffers: PyTree[Array], network_state: PyTree[Array],
                rows: PyTree[Array], weighing: Array) -> Float[Array, "members batch ..."]:
    """`grad_cam` of each network of an ensemble.

    Args:
        layout, weights, buffers, network_state: of the networks, with a leading member axis.
        rows: as the networks take them.
        weighing: (classes,) how much each counts: 1 for the class that is asked about, -1 for one that it is compared
            with. Of networks with a single output, it is that output, for the second class.
    """
    def score(outputs: Array) -> Array:
        single = outputs.shape[-1] == 1
        return outputs[..., 0] * (weighing[-1] - weighing[0] if len(weighing) > 1 else weighing[0]) if single else (
            outputs @ weighing)
    return jax.lax.map(lambda own: grad_cam(layout.assemble(*own[:2]), rows, score, state=own[2]),
                       (weights, buffers, network_state))


def over_regions(coarse: Float[np.ndarray, "rows columns"], places: Int[np.ndarray, "height width"],
                 number: int) -> Float[np.ndarray, " regions"]:
    """A coarse map stretched over a picture and summed up in each of its regions.

    Args:
        coarse: of `grad_cam`, for one picture.
        places: the region of each pixel.
        number: of regions.

    Example:
        >>> over_regions(np.array([[1.0, 3.0]]), np.array([[0, 0, 1, 1]] * 2), 2).round(6).tolist()
        [2.5, 5.5]
    """
    smooth = np.asarray(jax.image.resize(np.asarray(coarse, np.float32), places.shape, "linear"), np.float64)
    return np.bincount(places.ravel(), smooth.ravel(), minlength=number)
