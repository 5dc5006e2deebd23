"""What networks for rows of numbers do with what they are given: pixels become shares, images become rows."""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from pellucid.errors import ShapeError

PREPARED = "prepared"
"""The name of inputs that have been through the frozen layers of a network already."""
BRIGHTEST = 255  # of an image of unsigned 8-bit integers


def shares(inputs: jax.Array, dtype: jnp.dtype | None = None) -> jax.Array:
    """`inputs` as floating-point numbers of type `dtype`; 8-bit integers from 0 to 255 are divided by 255."""
    inputs = jnp.asarray(inputs)
    dtype = jnp.result_type(inputs.dtype, jnp.float32) if dtype is None else dtype
    if inputs.dtype == jnp.uint8:
        return inputs.astype(dtype) / BRIGHTEST
    return inputs.astype(dtype)


def flat_rows(network: str, inputs: jax.Array, features: int, dtype: jnp.dtype | None = None) -> jax.Array:
    """`inputs` of shape (rows, …) with `features` numbers in each row as shares of shape (rows, features)."""
    shape = jnp.shape(inputs)
    if len(shape) < 2 or math.prod(shape[1:]) != features:
        raise ShapeError(f"`{network}` expected inputs of {features} numbers a row, got shape {tuple(shape)}.",
                         "pass a batch of rows or images of that size, or check for a dropped column or axis")
    return shares(inputs, dtype).reshape(shape[0], features)


def sole(inputs: Any) -> Any:
    """The array of a mapping that has only one, such as pixels; anything else, prepared inputs among it, as it is."""
    single = isinstance(inputs, Mapping) and len(inputs) == 1 and PREPARED not in inputs
    return next(iter(inputs.values())) if single else inputs
