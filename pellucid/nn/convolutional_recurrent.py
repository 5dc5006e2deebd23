"""Recurrence over images: neurons that look through a window at the present frame and at what their neighbours gave
a frame before."""
from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._cells import LstmCell
from pellucid.nn._random import subkeys
from pellucid.nn.convolution import Convolution

State = tuple[jax.Array, jax.Array]
"""What the neurons gave last, and what their cells hold: (batch, *positions, neurons) each."""
FORGET = 1  # the number of the forget gate


class ConvolutionalLstm(eqx.Module):
    """Long short-term memory at every position of an image, all with the same weights.

    `i, f, o = σ(W ∗ x + U ∗ h + b)`, `g = tanh(W ∗ x + U ∗ h + b)`, each with columns of its own in the order
    i, f, g, o; `c' = f·c + i·g`; `h' = o·tanh(c')`, where ∗ is a convolution that keeps the size. There are no
    peephole weights, so that images of any size will do. The state is (h, c).

    Fast on a CPU: all frames go through the first convolution in one product, and the gradient keeps the gates only,
    not the windows.

    Source: Shi, Chen, Wang, Yeung, Wong & Woo 2015, equation 3; the forget bias of 1: Jozefowicz, Zaremba &
    Sutskever 2015.

    Args:
        in_features: features of a position of a frame, at least 1.
        neurons: cells at each position, at least 1.
        window: entries of both windows on each axis, such as `(3, 3)`; one to three axes.
        forget_bias: what the bias of the forget gate starts from; the higher, the longer cells remember at first.
        initialiser: the name of the rule for starting weights.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> layer = ConvolutionalLstm(1, 4, (3, 3), key=jax.random.key(0))
        >>> outputs, (output, memory) = layer(jnp.ones((2, 5, 8, 8, 1)), lengths=jnp.array([5, 3]))
        >>> outputs.shape, bool(jnp.all(outputs[1, 2] == output[1])), bool(jnp.any(outputs[1, 3:]))
        ((2, 5, 8, 8, 4), True, False)
    """

    inputs: Convolution
    recurrent: Convolution

    def __init__(self, in_features: int, neurons: int, window: Sequence[int] = (3, 3), *, forget_bias: float = 1.0,
                 initialiser: str = "glorot_uniform", key: jax.Array) -> None:
        if isinstance(window, int):
            raise SettingsError(f"`ConvolutionalLstm` got window={window!r}; expected a size for each axis.",
                                f"pass window=({window}, {window}) for images")
        first, second = subkeys(key, 2)
        gates = LstmCell.gates * neurons
        inputs = Convolution(in_features, gates, window, initialiser=initialiser, key=first)
        gate = jnp.arange(gates) // neurons
        bias = jnp.where(gate == FORGET, jnp.float32(forget_bias), 0)
        self.inputs = eqx.tree_at(lambda layer: layer.bias, inputs, bias)
        self.recurrent = Convolution(neurons, gates, window, bias=False, initialiser=initialiser, key=second)

    @property
    def neurons(self) -> int:
        """Cells at each position."""
        return self.recurrent.in_features

    def initial_state(self, batch: int, positions: Sequence[int]) -> State:
        """Zeros."""
        zeros = jnp.zeros((batch, *positions, self.neurons), self.inputs.weight.dtype)
        return zeros, zeros

    def __call__(self, x: Float[Array, "batch time *positions features"], *,
                 lengths: Int[Array, " batch"] | None = None, start: State | None = None) -> tuple[Array, State]:
        """What the neurons give at each step, and their state after the last one.

        Args:
            x: frames, (batch, time, *positions, in_features), padded at the end.
            lengths: (batch,) how many frames each row has; all of them when `None`. Beyond its length a row gives 0
                and its state stays.
            start: the state to start from; zeros when `None`.

        Returns:
            (batch, time, *positions, neurons) and the state.
        """
        axes = len(self.inputs.window)
        if x.ndim != axes + 3 or x.shape[-1] != self.inputs.in_features:
            spots = ("length", "height, width", "depth, height, width")[axes - 1]
            raise ShapeError(f"`ConvolutionalLstm` expected x of shape (batch, time, {spots}, "
                             f"{self.inputs.in_features}), got {tuple(x.shape)}.",
                             "pass frames over time; an image without colours needs a last axis of 1")
        if lengths is not None and lengths.shape != x.shape[:1]:
            raise ShapeError(f"`ConvolutionalLstm` expected lengths of shape {x.shape[:1]}, got "
                             f"{tuple(lengths.shape)}.", "pass one length for each row")
        batch, time = x.shape[:2]
        frames = x.swapaxes(0, 1)
        projected = self.inputs(frames.reshape(-1, *frames.shape[2:])).reshape(*frames.shape[:-1], -1)
        start = self.initial_state(batch, x.shape[2:-1]) if start is None else start
        last, outputs = jax.lax.scan(self._stepper(batch, axes, lengths), start,
                                     (projected, jnp.arange(time, dtype=jnp.int32)))
        return outputs.swapaxes(0, 1), last

    def _stepper(self, batch: int, axes: int, lengths: Array | None):
        """One step, for a scan; of its products the gradient keeps the results, the windows it lays out again."""
        cell, wide = LstmCell(), (batch,) + (1,) * (axes + 1)

        def step(state: State, given: tuple[Array, Array]) -> tuple[State, Array]:
            projected, time = given
            new, _ = cell.step(projected, self.recurrent(state[0]), state, None)
            if lengths is None:
                return new, new[0]
            valid = (time < lengths).reshape(wide)
            state = jax.tree.map(lambda a, b: jnp.where(valid, a, b), new, state)
            return state, jnp.where(valid, new[0], 0)

        return jax.checkpoint(step, policy=jax.checkpoint_policies.dots_saveable)
