"""Arrays inside a network that are data, not weights."""
from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp


class Buffer(eqx.Module):
    """Holds an array that training must not change, such as bin edges or scales fitted on the training rows.

    It is a leaf like any weight, so that it is saved and loaded with the network, but `trainable` leaves it out.

    Args:
        value: the array, of any shape.
    """

    value: jax.Array


def trainable(module: Any) -> Any:
    """Which leaves of `module` training may change.

    Args:
        module: a network, a layer, or any pytree of them.

    Returns:
        A pytree of the same structure with `True` for every floating-point array that is not inside a `Buffer`.

    Example:
        >>> weights, rest = eqx.partition(network, trainable(network))
    """
    def mark(node: Any) -> Any:
        if isinstance(node, Buffer):
            return jax.tree.map(lambda _: False, node)
        return hasattr(node, "dtype") and hasattr(node, "shape") and jnp.issubdtype(node.dtype, jnp.inexact)

    return jax.tree.map(mark, module, is_leaf=lambda node: isinstance(node, Buffer))
