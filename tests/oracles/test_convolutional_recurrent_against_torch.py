"""The convolutional LSTM against PyTorch's convolutions, forward and backward (recorded values)."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.nn.convolutional_recurrent import ConvolutionalLstm

GOLDEN = json.loads(Path(__file__).with_name("torch_convolutional_recurrent.json").read_text())
PLACES = {"inputs": lambda layer: layer.inputs.weight, "bias": lambda layer: layer.inputs.bias,
          "recurrent": lambda layer: layer.recurrent.weight}


def test_layer():
    with jax.enable_x64(True):
        layer = ConvolutionalLstm(2, 2, key=jax.random.key(0))
        for name, place in PLACES.items():
            layer = eqx.tree_at(place, layer, jnp.asarray(GOLDEN["weights"][name]))
        lengths = [len(row) for row in GOLDEN["frames"]]
        frames = np.full((len(lengths), 4, *np.shape(GOLDEN["frames"][0])[1:]), 9.0)  # padding that would show
        for row, values in zip(frames, GOLDEN["frames"], strict=True):
            row[:len(values)] = values

        def run(layer, frames):
            outputs, (last, memory) = layer(frames, lengths=jnp.asarray(lengths))
            return jnp.sum(outputs ** 3) + jnp.sum(memory ** 2), (outputs, last, memory)

        gradient, (outputs, last, memory) = jax.jit(jax.grad(run, (0, 1), has_aux=True))(layer, jnp.asarray(frames))
    for row, (length, expected) in enumerate(zip(lengths, GOLDEN["outputs"], strict=True)):
        np.testing.assert_allclose(outputs[row, :length], expected, rtol=1e-9)
        np.testing.assert_array_equal(last[row], outputs[row, length - 1])
        np.testing.assert_allclose(memory[row], GOLDEN["memories"][row], rtol=1e-9)
        np.testing.assert_allclose(gradient[1][row, :length], GOLDEN["frames_gradient"][row], rtol=1e-8, atol=1e-12)
        assert not np.any(outputs[row, length:]) and not np.any(gradient[1][row, length:])
    for name, place in PLACES.items():
        np.testing.assert_allclose(place(gradient[0]), GOLDEN["gradient"][name], rtol=1e-8, err_msg=name)
