"""The inverted residual block: many features for a moment, each looked at by a window of its own, then few again."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax

from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys
from pellucid.nn.convolution_blocks import ConvolutionBlock


class InvertedResidual(eqx.Module):
    """`project(depthwise(expand(x)))`, added to `x` where the shape stays.

    A dense layer at every position makes `expand` times as many features; each of them has a small window of its own
    (a depthwise convolution); a second dense layer, not activated, joins them to few features again. That takes a
    fraction of the weights and multiplications of a convolution over all features.

    Source: Sandler, Howard, Zhu, Zhmoginov & Chen 2018, "MobileNetV2", figure 4.

    Args:
        in_features, out_features: features of each position before and after.
        expand: how many times as many features lie between; 1 for no first layer.
        window: entries of the windows on each of the two axes.
        stride: how far the windows move.
        activation: the name of an activation function.
        normalisation: `"none"`, `"batch"` or another one, after each convolution.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1.

    Example:
        >>> block = InvertedResidual(16, 24, expand=6, window=3, stride=2, key=jax.random.key(0))
        >>> block.out_shape((28, 28, 16))
        (14, 14, 24)
    """

    expand: ConvolutionBlock | None
    depthwise: ConvolutionBlock
    project: ConvolutionBlock

    def __init__(self, in_features: int, out_features: int, *, expand: int = 6, window: int = 3, stride: int = 1,
                 activation: str = "relu6", normalisation: str = "batch", key: jax.Array) -> None:
        inner = in_features * whole_number("InvertedResidual", "expand", expand)
        first_key, second_key, third_key = subkeys(key, 3)
        make = {"activation": activation, "normalisation": normalisation}
        self.expand = None if expand == 1 else ConvolutionBlock(in_features, inner, (1, 1), **make, key=first_key)
        self.depthwise = ConvolutionBlock(inner, inner, (window, window), stride=stride, groups=inner, **make,
                                          key=second_key)
        self.project = ConvolutionBlock(inner, out_features, (1, 1), activation="identity",
                                        normalisation=normalisation, key=third_key)

    @property
    def blocks(self) -> tuple[ConvolutionBlock, ...]:
        """Its convolutions, in order."""
        return tuple(block for block in (self.expand, self.depthwise, self.project) if block is not None)

    @property
    def adds(self) -> bool:
        """Whether the block's input is added to what it makes of it."""
        before = self.blocks[0].convolution.in_features
        return before == self.project.convolution.out_features and set(self.depthwise.convolution.stride) == {1}

    def initial_state(self) -> tuple[Any, ...]:
        """Running statistics of the convolutions, where their normalisation keeps some."""
        return tuple(block.initial_state() for block in self.blocks)

    def out_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what one example of this shape becomes."""
        for block in self.blocks:
            shape = block.out_shape(shape)
        return tuple(shape)

    def __call__(self, x: jax.Array, *, state: tuple[Any, ...], training: bool,
                 weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From (batch, height, width, in_features) to (batch, …, out_features), and the new state."""
        value, states = x, []
        for block, own in zip(self.blocks, state, strict=True):
            value, own = block(value, state=own, training=training, weight=weight)
            states.append(own)
        return (x + value if self.adds else value), tuple(states)
