"""A small convolutional classifier, cheap on a CPU, that several benchmarks of Fashion-MNIST share."""

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid import nn

WINDOW = (4, 4)


class SmallConvolution(eqx.Module):
    """Two strided convolutions, a dense layer, dropout, and the output.

    Args:
        maps: neurons at each position of the two convolutions.
        hidden: neurons of the dense layer.
        out_features: outputs.
        dropout: the share of the dense layer's neurons that rest in training.
        key: the random key.
    """

    first: nn.Convolution
    second: nn.Convolution
    hidden: nn.Dense
    dropout: nn.Dropout
    output: nn.Dense
    members_in_turn = True

    def __init__(self, maps: tuple[int, int], hidden: int, out_features: int, *, dropout: float = 0.0,
                 key: jax.Array) -> None:
        keys = jax.random.split(key, 4)
        options = {"stride": 2, "activation": "relu"}
        self.first = nn.Convolution(1, maps[0], WINDOW, key=keys[0], **options)
        self.second = nn.Convolution(maps[0], maps[1], WINDOW, key=keys[1], **options)
        self.hidden = nn.Dense(49 * maps[1], hidden, activation="relu", initialiser="he_normal", key=keys[2])
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Dense(hidden, out_features, key=keys[3])

    def initial_state(self) -> tuple:
        """Nothing is remembered from batch to batch."""
        return ()

    def features(self, images: jax.Array) -> jax.Array:
        """What the dense layer gives: (batch, hidden)."""
        pixels = images.astype(jnp.float32) / 255 if images.dtype == jnp.uint8 else images
        maps = self.second(self.first(pixels))
        return self.hidden(maps.reshape(len(maps), -1))

    def __call__(self, images, *, state=None, key=None, training=False, weight=None) -> tuple[jax.Array, tuple]:
        """From images, (batch, 28, 28, 1), to (batch, out_features)."""
        features = self.dropout(self.features(images), key=key, training=training)
        return self.output(features), () if state is None else state
