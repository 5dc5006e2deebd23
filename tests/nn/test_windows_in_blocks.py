"""Strided windows of whole blocks against the device's own convolution, with gradients of gradients."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.nn import _windows as windows

RANDOM = np.random.default_rng(0)
CASES = [((4, 4), (2, 2), (8, 9), ((1, 1), (1, 2))), ((6,), (3,), (10,), ((2, 3),)),
         ((4, 2), (2, 1), (5, 4), ((1, 2), (0, 1))), ((4, 4), (2, 4), (9, 9), ((0, 3), (3, 0)))]


@pytest.mark.parametrize(("size", "stride", "shape", "padding"), CASES)
def test_blocks_give_what_the_device_gives(size, stride, shape, padding):
    slide = windows.Slide(size, stride, (1,) * len(size), padding)
    x = jnp.asarray(RANDOM.normal(size=(2, *shape, 3)).astype(np.float32))
    weight = jnp.asarray(RANDOM.normal(size=(*size, 3, 2)).astype(np.float32))

    def slope(convolve):
        """The squared gradient by the inputs, and its own gradient by the weights: what a penalty needs."""
        def squared(weight):
            gradient = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(x, weight, slide, 1))))(x)
            return jnp.sum(jnp.square(gradient))
        return jax.jit(jax.value_and_grad(squared))(weight)

    for found, expected in zip(slope(windows.convolve), slope(windows._device_convolution), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    # the transpose: <conv(x), y> = <x, transpose(y)>, where the transposed layer has inputs and outputs exchanged
    y = jnp.asarray(RANDOM.normal(size=(2, *slide.positions(shape), 2)).astype(np.float32))
    back = jax.jit(lambda y: windows.convolve_transposed(y, jnp.swapaxes(weight, -1, -2), slide))(y)
    inner = tuple(slice(length) for length in back.shape[1:-1])
    np.testing.assert_allclose(jnp.vdot(windows._device_convolution(x, weight, slide, 1), y),
                               jnp.vdot(x[(slice(None), *inner)], back), rtol=2e-3, atol=2e-3)
