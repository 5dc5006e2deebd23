"""Attention roll-out: how far each step of a sequence has flowed into the answer of a transformer, block by block.

Source: Abnar & Zuidema 2020, "Quantifying attention flow in transformers", section 3.1.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def rollout(shares: Sequence[Float[Array, "batch heads time time"]]) -> Float[Array, "batch time time"]:
    """`Ã_L · … · Ã_1` with `Ã = A / 2 + I / 2`, A the mean over the heads: as each block adds what it gathers to what
    it was given, half of a step stays itself.

    Args:
        shares: of each block, the first one first: how much each step (third axis) looks at each other (last axis).

    Returns:
        How much of each step of the last block (second axis) came from each step of the input; it adds up to 1.

    Example:
        >>> rollout([jnp.array([[[[0.0, 1.0], [0.0, 1.0]]]])]).tolist()
        [[[0.5, 0.5], [0.0, 1.0]]]
    """
    flow = jnp.eye(shares[0].shape[-1], dtype=shares[0].dtype)[None]
    for own in shares:
        flow = (0.5 * jnp.mean(own, axis=1) + 0.5 * jnp.eye(own.shape[-1], dtype=own.dtype)) @ flow
    return flow


def attention_rollout(network: Any, inputs: Any) -> Float[Array, "batch time"]:
    """The share of each step in what a transformer answers with: the mean over its last steps, or its last step.

    Args:
        network: a `networks.Transformer` with output `"mean"` or `"last"`; of `"steps"`, the mean is taken.
        inputs: as the network takes them.

    Example:
        >>> import jax
        >>> from pellucid.networks import Transformer
        >>> network = Transformer(30, 3, width=8, depth=2, heads=2, codes=True, key=jax.random.key(0))
        >>> found = attention_rollout(network, {"codes": jnp.ones((4, 6), int), "lengths": jnp.array([6, 3, 2, 1])})
        >>> found.shape, bool(jnp.allclose(found.sum(axis=1), 1)), float(found[1, 3:].sum())
        ((4, 6), True, 0.0)
    """
    flow = rollout(network.attention(inputs))
    lengths = inputs.get("lengths") if isinstance(inputs, dict) else None
    lengths = jnp.full(len(flow), flow.shape[1]) if lengths is None else jnp.asarray(lengths)
    return jnp.einsum("bq,bqk->bk", _readout(lengths, flow.shape[1], network.settings.output), flow)


def _readout(lengths: Int[Array, " batch"], time: int, output: str) -> Float[Array, "batch time"]:
    """How much each step counts in the answer."""
    places, lengths = jnp.arange(time), jnp.maximum(lengths, 1)[:, None]
    if output == "last":
        return (places == lengths - 1).astype(jnp.float32)
    return (places < lengths) / lengths
