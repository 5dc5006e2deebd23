"""Checks that the layers share: what was passed, what was expected, how to fix it."""
from __future__ import annotations

import numbers
from typing import Any

import jax

from pellucid.errors import SettingsError, ShapeError


def whole_number(layer: str, name: str, value: Any, low: int = 1) -> int:
    """`value` as an integer of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < low:
        raise SettingsError(f"`{layer}` got {name}={value!r}; expected a whole number of at least {low}.",
                            f"set {name} to {low} or more")
    return int(value)


def share(layer: str, name: str, value: Any) -> float:
    """`value` as a number from 0 up to, but without, 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1:
        raise SettingsError(f"`{layer}` got {name}={value!r}; expected a number from 0 up to, but without, 1.",
                            f"set {name} to 0.1, for example, or to 0 to switch it off")
    return float(value)


def positive(layer: str, name: str, value: Any) -> float:
    """`value` as a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < float("inf"):
        raise SettingsError(f"`{layer}` got {name}={value!r}; expected a number above 0.",
                            f"set {name} to a number above 0")
    return float(value)


def last_axis(layer: str, x: jax.Array, features: int) -> None:
    """Raise `ShapeError` unless the last axis of `x` has `features` entries."""
    if x.ndim == 0 or x.shape[-1] != features:
        found = x.shape[-1] if x.ndim else 1
        raise ShapeError(f"`{layer}` expected x of shape (..., {features}), got {tuple(x.shape)}.",
                         f"build the layer for {found} features, or check for a dropped column")
