"""What convolutional networks are stacked from: a normalised, activated convolution, and a residual pair of them.

Both are called alike: `block(x, state=..., training=..., weight=...) -> (y, state)`.
"""
from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.nn._random import subkeys
from pellucid.nn.activations import activate, activations
from pellucid.nn.blocks import BlockState, initial_state, normalise
from pellucid.nn.convolution import Convolution
from pellucid.nn.initialisers import initialiser_for
from pellucid.nn.normalisation import Normalisation, normalisation_layer


class ConvolutionBlock(eqx.Module):
    """`activation(normalisation(convolution(x)))`; with a normalisation, which shifts by itself, there is no bias.

    Args:
        in_features, out_features: features of each position before and after.
        window: entries of the window on each axis.
        stride: how far the window moves.
        groups: in how many groups the features are split; `in_features` for a depthwise convolution.
        activation: the name of an activation function.
        normalisation: `"none"`, `"layer"`, `"batch"`, `"group"` or `"root_mean_square"`.
        key: the random key for the starting weights.
    """

    convolution: Convolution
    normalisation: Normalisation
    activation: str = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, window: Sequence[int], *, stride: int = 1,
                 groups: int = 1, activation: str = "relu", normalisation: str = "batch", key: jax.Array) -> None:
        self.activation = activations.canonical(activation)
        self.normalisation = normalisation_layer(normalisation, out_features)
        self.convolution = Convolution(in_features, out_features, window, stride=stride, groups=groups,
                                       bias=self.normalisation is None,
                                       initialiser=initialiser_for(self.activation), key=key)

    def initial_state(self) -> BlockState:
        """Running statistics when the normalisation keeps some, else `None`."""
        return initial_state(self.normalisation)

    def out_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what one example of this shape becomes."""
        return self.convolution.out_shape(shape)

    def __call__(self, x: jax.Array, *, state: BlockState, training: bool,
                 weight: jax.Array | None = None) -> tuple[jax.Array, BlockState]:
        """From (batch, *positions, in_features) to (batch, *positions, out_features), and the new state."""
        total, state = normalise(self.normalisation, self.convolution(x), state=state, training=training,
                                 weight=weight)
        return activate(self.activation, total), state


class ResidualBlock(eqx.Module):
    """`activation(x + second(first(x)))`, two convolution blocks of which the second is not activated.

    What the block learns is added to its input, so that deep networks still train. A normalisation of the second
    block starts at scale 0: at first, the block only passes on what it gets.

    Source: He, Zhang, Ren & Sun 2016, "Deep residual learning", figure 2; start at 0: Goyal et al. 2017, section 5.1.

    Args:
        features: features of each position.
        window: entries of the window on each axis.
        activation: the name of an activation function.
        normalisation: `"none"`, `"layer"`, `"batch"`, `"group"` or `"root_mean_square"`.
        key: the random key for the starting weights.
    """

    first: ConvolutionBlock
    second: ConvolutionBlock
    activation: str = eqx.field(static=True)

    def __init__(self, features: int, window: Sequence[int], *, activation: str = "relu", normalisation: str = "batch",
                 key: jax.Array) -> None:
        first_key, second_key = subkeys(key, 2)
        self.activation = activations.canonical(activation)
        self.first = ConvolutionBlock(features, features, window, activation=activation, normalisation=normalisation,
                                      key=first_key)
        second = ConvolutionBlock(features, features, window, activation="identity", normalisation=normalisation,
                                  key=second_key)
        if second.normalisation is not None:
            second = eqx.tree_at(lambda block: block.normalisation.scale, second, replace_fn=jnp.zeros_like)
        self.second = second

    def initial_state(self) -> tuple[BlockState, BlockState]:
        """Running statistics of both blocks, where their normalisation keeps some."""
        return self.first.initial_state(), self.second.initial_state()

    def out_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what one example of this shape becomes: the same."""
        return tuple(shape)

    def __call__(self, x: jax.Array, *, state: tuple[BlockState, BlockState], training: bool,
                 weight: jax.Array | None = None) -> tuple[jax.Array, tuple[BlockState, BlockState]]:
        """From (batch, *positions, features) to the same shape, and the new state."""
        inner, first_state = self.first(x, state=state[0], training=training, weight=weight)
        inner, second_state = self.second(inner, state=state[1], training=training, weight=weight)
        return activate(self.activation, x + inner), (first_state, second_state)
