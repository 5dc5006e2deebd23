"""Recurrent layers against PyTorch, in value and gradient, with rows of different lengths and both directions."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import nn

GOLDEN = json.loads(Path(__file__).with_name("torch_recurrent.json").read_text())["cases"]


def arrays_of(weights, suffix, neurons, kind):
    """PyTorch's weights of one direction as ours: inputs first, two biases as one, save inside the reset gate."""
    input_weight, recurrent, bias, recurrent_bias = (
        np.array(weights[f"{name}_l0{suffix}"]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    inner = None
    if kind == "Gru":
        inner, recurrent_bias = recurrent_bias[2 * neurons:].copy(), recurrent_bias.copy()
        recurrent_bias[2 * neurons:] = 0
    return input_weight.T, recurrent.T, bias + recurrent_bias, inner


def layer_of(case, suffix):
    neurons = np.shape(case["start"])[-1]
    layer = getattr(nn, case["kind"])(2, neurons, key=jax.random.key(0))
    where = lambda one: (one.weight, one.recurrent_weight, one.bias, one.recurrent_bias)  # noqa: E731
    arrays = [None if array is None else jnp.asarray(array)
              for array in arrays_of(case["weights"], suffix, neurons, case["kind"])]
    return eqx.tree_at(where, layer, arrays, is_leaf=lambda leaf: leaf is None)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["kind"])
def test_values_and_gradients(case):
    with jax.enable_x64(True):
        lengths = jnp.asarray(case["lengths"], jnp.int32)
        suffixes = ["", "_reverse"]
        layers = [layer_of(case, suffix) for suffix in suffixes]

        def run(layers, x, start):
            parts = [layer(x, lengths=lengths, start=tuple(value[index] for value in start), reverse=index == 1)
                     for index, layer in enumerate(layers)]
            outputs = jnp.concatenate([part[0] for part in parts], axis=-1)
            return outputs, [jnp.stack(values) for values in zip(*(part[1] for part in parts), strict=True)]

        def error(*given):
            outputs, last = run(*given)
            return jnp.sum(outputs ** 3) + sum(jnp.sum(value ** 2) for value in last), (outputs, last)

        given = layers, jnp.asarray(case["x"]), [jnp.asarray(value) for value in case["start"]]
        (_, (outputs, last)), gradient = jax.jit(jax.value_and_grad(error, (0, 1, 2), has_aux=True))(*given)
        same = lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)  # noqa: E731
        same(outputs, case["outputs"])
        same(last, case["last"])
        same(gradient[1], case["by_x"])
        same(gradient[2], case["by_start"])
        for layer, suffix in zip(gradient[0], suffixes, strict=True):
            by = {name: np.array(value) for name, value in case["by_weights"].items()}
            same(layer.weight.T, by[f"weight_ih_l0{suffix}"])
            same(layer.recurrent_weight.T, by[f"weight_hh_l0{suffix}"])
            same(layer.bias, by[f"bias_ih_l0{suffix}"])
            if layer.recurrent_bias is not None:
                same(layer.recurrent_bias, by[f"bias_hh_l0{suffix}"][-layer.neurons:])
