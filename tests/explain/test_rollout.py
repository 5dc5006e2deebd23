"""Attention roll-out against its definition."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.explain.rollout import attention_rollout, rollout
from pellucid.networks import Transformer


def shares_by_hand(block, x, length):
    """The attention of one block for one sequence, head by head, in NumPy."""
    attention, heads = block.attention, block.attention.heads
    inner = np.asarray(block.normalisation(jnp.asarray(x)[None]))[0]
    split = inner @ np.asarray(attention.inward.weight) + np.asarray(attention.inward.bias)
    size = x.shape[1] // heads
    queries, keys, _ = np.split(split, 3, axis=1)
    found = []
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        score = queries[:, own] @ keys[:, own].T / np.sqrt(size)
        score[:, length:] = -np.inf
        weight = np.exp(score - score.max(axis=1, keepdims=True))
        found.append(weight / weight.sum(axis=1, keepdims=True))
    return np.array(found)


@eqx.filter_jit
def asked(network, inputs):
    return attention_rollout(network, inputs), network.layer_outputs(inputs)["block 1"]


@pytest.mark.parametrize("output", ["mean", "last"])
def test_it_is_what_the_paper_says(output):
    network = Transformer(3, 2, width=8, depth=2, heads=2, output=output, positions="none", key=jax.random.key(0))
    values, lengths = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32), np.array([5, 3])
    found, first = map(np.asarray, asked(network, {"values": values, "lengths": lengths}))
    for row, length in enumerate(lengths):
        before = [np.asarray(network.enter(jnp.asarray(values[row]))), first[row]]
        flow = np.eye(5)
        for block, x in zip(network.blocks, before, strict=True):
            flow = (shares_by_hand(block, x, length).mean(axis=0) / 2 + np.eye(5) / 2) @ flow
        wanted = flow[:length].mean(axis=0) if output == "mean" else flow[length - 1]
        np.testing.assert_allclose(found[row], wanted, atol=1e-5)
        assert not found[row, length:].any()


def test_rows_of_the_flow_add_up_to_one():
    drawn = np.random.default_rng(0).random((3, 2, 3, 4, 4)).astype(np.float32)
    shares = list(drawn / drawn.sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(rollout(shares).sum(axis=2), 1, rtol=1e-6)
