"""What networks for sequences do alike: read their inputs, and turn steps into one answer for the whole."""
from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError, did_you_mean

OUTPUTS = ("last", "mean", "steps")
SequenceInputs = jax.Array | dict[str, jax.Array]


def known_output(network: str, output: str) -> str:
    """`output`, if it is one of `OUTPUTS`."""
    if output not in OUTPUTS:
        raise SettingsError(f"`{network}` got output={output!r}; expected one of {', '.join(OUTPUTS)}.",
                            did_you_mean(str(output), OUTPUTS))
    return output


def read_sequences(network: str, inputs: SequenceInputs, features: int,
                   codes: bool) -> tuple[Array, Int[Array, " batch"] | None]:
    """The codes (batch, time) or values (batch, time, features) of `inputs`, and the lengths where they are given.

    Args:
        network: its name, for errors.
        inputs: `{"values": …}` or `{"codes": …}`, each with or without `"lengths"`; or the bare array.
        features: of each step; for codes, how many different ones there are.
        codes: which of the two the network takes.
    """
    name = "codes" if codes else "values"
    given = inputs if isinstance(inputs, Mapping) else {name: inputs}
    if name not in given:
        raise ShapeError(f"`{network}` expected inputs `{name}`, got {sorted(given)}.",
                         f"pass {{{name!r}: array}} or the array itself; build the network with "
                         f"codes={not codes} for the other kind")
    x, lengths = jnp.asarray(given[name]), given.get("lengths")
    expected = "(batch, time) of integers" if codes else f"(batch, time, {features})"
    fits = (x.ndim == 2 and jnp.issubdtype(x.dtype, jnp.integer)) if codes else x.ndim == 3 and x.shape[2] == features
    if not fits or x.shape[1] == 0:
        raise ShapeError(f"`{network}` expected {name} of shape {expected}, got {x.dtype}{tuple(x.shape)}.",
                         "pass a batch of sequences, padded at their ends to one length")
    if lengths is not None and jnp.shape(lengths) != x.shape[:1]:
        raise ShapeError(f"`{network}` expected lengths of shape {x.shape[:1]}, got {jnp.shape(lengths)}.",
                         "pass one length for each row")
    return x, lengths


def sizes_of(inputs: SequenceInputs) -> np.ndarray:
    """The length of each sequence."""
    if isinstance(inputs, Mapping):
        if "lengths" in inputs:
            return np.asarray(inputs["lengths"])
        inputs = inputs["codes"] if "codes" in inputs else inputs["values"]
    return np.full(inputs.shape[0], inputs.shape[1])


def mean_step(x: Float[Array, "batch time features"], lengths: Int[Array, " batch"] | None) -> Array:
    """The mean over the valid steps of each row: (batch, features)."""
    if lengths is None:
        return jnp.mean(x, axis=1)
    valid = (jnp.arange(x.shape[1]) < lengths[:, None]).astype(x.dtype)
    share = valid / jnp.maximum(lengths, 1)[:, None].astype(x.dtype)
    return jnp.einsum("btf,bt->bf", jnp.where(valid[..., None] > 0, x, 0), share)


def last_step(x: Float[Array, "batch time features"], lengths: Int[Array, " batch"] | None) -> Array:
    """The last valid step of each row, zeros where there is none: (batch, features)."""
    if lengths is None:
        return x[:, -1]
    last = jnp.take_along_axis(x, jnp.maximum(lengths - 1, 0)[:, None, None], axis=1)[:, 0]
    return jnp.where(lengths[:, None] > 0, last, 0)
