"""Dense layers: every input neuron joined to every output neuron."""
from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from pellucid.nn._checks import last_axis, whole_number
from pellucid.nn._random import normal, subkeys
from pellucid.nn.activations import activate, activations
from pellucid.nn.initialisers import initialise, initialisers


class Dense(eqx.Module):
    """`activation(x · weight + bias)`: each neuron weighs all inputs, adds its bias and is activated.

    Args:
        in_features: number of inputs, at least 1.
        out_features: number of neurons, at least 1.
        activation: the name of an activation function.
        bias: whether a bias neuron shifts the activation.
        initialiser: the name of the rule for starting weights.
        gain: what the starting weights are multiplied by.
        bias_deviation: the standard deviation of the starting biases, which are normal around 0.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with another number of inputs.

    Example:
        >>> layer = Dense(3, 2, activation="tanh", key=jax.random.key(0))
        >>> layer(jnp.ones((5, 3))).shape
        (5, 2)
    """

    weight: jax.Array  # (in_features, out_features)
    bias: jax.Array | None  # (out_features,)
    activation: str = eqx.field(static=True)
    initialiser: str = eqx.field(static=True)

    def __init__(self, in_features: int, out_features: int, *, activation: str = "identity", bias: bool = True,
                 initialiser: str = "glorot_uniform", gain: float = 1.0, bias_deviation: float = 0.0,
                 key: jax.Array) -> None:
        shape = (whole_number("Dense", "in_features", in_features),
                 whole_number("Dense", "out_features", out_features))
        self.activation = activations.canonical(activation)
        self.initialiser = initialisers.canonical(initialiser)
        self.weight = gain * initialise(self.initialiser, key, shape)
        self.bias = None
        if bias:
            self.bias = jnp.zeros(shape[1])
            if bias_deviation:
                self.bias = bias_deviation * normal(subkeys(key, 1)[0], shape[1:])

    @property
    def in_features(self) -> int:
        """Number of inputs."""
        return self.weight.shape[-2]

    @property
    def out_features(self) -> int:
        """Number of neurons."""
        return self.weight.shape[-1]

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (..., in_features) to (..., out_features)."""
        last_axis("Dense", x, self.in_features)
        total = x @ self.weight
        return activate(self.activation, total if self.bias is None else total + self.bias)


class Scale(eqx.Module):
    """Multiplies each input by a learned factor that starts at 1, so that training can fade out useless inputs.

    Source: Holzmüller, Grinsztajn & Steinwart 2024, "Better by default" (RealMLP), section 3.

    Args:
        features: number of inputs, at least 1.
    """

    factor: jax.Array  # (features,)

    def __init__(self, features: int) -> None:
        self.factor = jnp.ones(whole_number("Scale", "features", features))

    def __call__(self, x: jax.Array) -> jax.Array:
        """From (..., features) to the same shape."""
        last_axis("Scale", x, self.factor.shape[-1])
        return x * self.factor
