"""Attention against PyTorch, in value and gradient, with rows of different lengths, causal or not."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.nn import Attention

GOLDEN = json.loads(Path(__file__).with_name("torch_attention.json").read_text())["cases"]
ARRAYS = {"in_proj_weight": lambda layer: layer.inward.weight, "in_proj_bias": lambda layer: layer.inward.bias,
          "out_proj.weight": lambda layer: layer.outward.weight, "out_proj.bias": lambda layer: layer.outward.bias}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: "causal" if case["causal"] else "all")
def test_values_and_gradients(case):
    with jax.enable_x64(True):
        layer, lengths = Attention(4, case["heads"], causal=case["causal"], key=jax.random.key(0)), case["lengths"]
        for name, where in ARRAYS.items():
            layer = eqx.tree_at(where, layer, jnp.asarray(case["weights"][name]).T)
        valid = np.arange(4) < np.array(lengths)[:, None]

        def error(layer, x):
            outputs = jnp.where(valid[..., None], layer(x, lengths=jnp.asarray(lengths)), 0)
            return jnp.sum(outputs ** 3), (outputs, layer.shares(x, lengths=jnp.asarray(lengths)))

        (_, (outputs, shares)), (by_layer, by_x) = jax.jit(jax.value_and_grad(error, (0, 1), has_aux=True))(
            layer, jnp.asarray(case["x"]))
        same = lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)  # noqa: E731
        same(outputs, case["outputs"])
        same(np.moveaxis(np.asarray(shares), 1, 2)[valid], np.moveaxis(np.array(case["shares"]), 1, 2)[valid])
        same(by_x, case["by_x"])
        for name, where in ARRAYS.items():
            same(where(by_layer).T, case["by_weights"][name])
