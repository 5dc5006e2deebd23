"""What a neuron looks for: pictures made so that it answers as strongly as it can, from noise or from a photograph."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks.parts import is_array
from pellucid.nn import Augmentation

COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]], np.float32)
"""How the colours of natural photographs go together: the square root of their covariance."""
STEPS, RATE, NOISE = 256, 0.05, 0.01
SMOOTH = 1.25
"""How much weaker quicker waves are: by this power of how quick they are. 1 as in photographs leaves a net of dots."""
TURN, ZOOM, MOVE = 8.0, 0.12, 16
"""Degrees, share, and 1 / share of the side by which the picture is turned, zoomed and moved at random in each step."""
KEEP = 0.02
"""How strongly a dream that begins with a photograph is held to it."""


@dataclass(frozen=True)
class Wish:
    """What the pictures shall excite.

    Args:
        layer: as `layer_outputs` names it.
        neurons: one picture for each of these, the last axis of the layer; `None` for one picture that excites all of
            the layer.
    """

    layer: str
    neurons: tuple[int, ...] | None = None


def dream(network: Any, wish: Wish, *, shape: Sequence[int], state: Any = None, photograph: np.ndarray | None = None,
          steps: int = STEPS, seed: int = 0) -> np.ndarray:
    """Pictures that excite neurons, by gradient ascent on the pixels.

    A picture is made of waves (its Fourier transform, the slow ones first) in the colours of photographs, and is moved,
    turned and zoomed at random in each step: what is left are things that the neuron knows from anywhere, not noise.

    Args:
        network: takes (batch, height, width, channels) from 0 to 1 and has `layer_outputs`.
        wish: what to excite.
        shape: (height, width, channels) of its pictures.
        state: its running statistics.
        photograph: (height, width, channels) from 0 to 1, to begin with; noise when `None`.
        steps: of gradient ascent, at least 1.
        seed: of the noise and of the changes.

    Returns:
        float32 (pictures, height, width, channels), from 0 to 1.

    Raises:
        SettingsError: there is no such layer or neuron.

    Example:
        >>> network = pellucid.networks.Convolutional((16, 16, 1), (4,), 3, key=jax.random.key(0))
        >>> dream(network, Wish("output", (0, 2)), shape=(16, 16, 1), steps=2).shape
        (2, 16, 16, 1)

    Source: Mordvintsev, Olah & Tyka 2015, "Inceptionism"; Olah, Mordvintsev & Schubert 2017, "Feature visualization".
    """
    shape = tuple(shape)
    pictures = len(_checked(network, wish, shape, state) or (None,))
    if photograph is not None and photograph.shape != shape:
        raise SettingsError(f"`dream` got a photograph of shape {photograph.shape}; the network takes {shape}.",
                            "scale it to that size")
    noise = NOISE if photograph is None else 0.0
    waves = noise * jax.random.normal(jax.random.key(seed), (2, pictures, *_spectrum(shape).shape, shape[2]))
    base = jnp.zeros(shape) if photograph is None else _logit(jnp.asarray(photograph, jnp.float32))
    arrays, static = eqx.partition((network, state), is_array)
    leaves, structure = jax.tree.flatten(static)  # a state may hold mappings, which cannot be hashed
    fixed = (tuple(leaves), structure)
    return np.asarray(_ascend(fixed, wish, shape, photograph is not None, arrays, waves, base, steps, seed))


def _checked(network: Any, wish: Wish, shape: tuple[int, ...], state: Any) -> tuple[int, ...] | None:
    nothing = jnp.zeros((1, *shape))
    layers = eqx.filter_eval_shape(lambda one, own: one.layer_outputs(nothing, state=own), network, state)
    if wish.layer not in layers:
        raise SettingsError(f"The network has no layer `{wish.layer}`.", did_you_mean(wish.layer, layers))
    width = layers[wish.layer].shape[-1]
    for neuron in wish.neurons or ():
        if not 0 <= neuron < width:
            raise SettingsError(f"The layer `{wish.layer}` has no neuron {neuron}.",
                                f"choose one from 0 to {width - 1}")
    return wish.neurons


def _spectrum(shape: tuple[int, ...]) -> np.ndarray:
    """How strong each wave is at the start: the slower, the stronger, as in photographs."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    rate = np.hypot(down, across)
    slowest = 1 / max(shape[:2])
    return ((slowest / np.maximum(rate, slowest)) ** SMOOTH * np.sqrt(shape[0] * shape[1]) / slowest).astype(np.float32)


def _painted(waves: jax.Array, base: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """From waves (2, pictures, …) to pictures from 0 to 1."""
    scaled = (waves[0] + 1j * waves[1]) * _spectrum(shape)[..., None]
    plain = jnp.fft.irfft2(scaled, shape[:2], axes=(1, 2)) / 4
    mixed = plain @ (COLOURS.T / np.linalg.norm(COLOURS, axis=0).max()) if shape[2] == 3 else plain
    return jax.nn.sigmoid(mixed + base)


def _logit(share: jax.Array) -> jax.Array:
    held = jnp.clip(share, 0.02, 0.98)
    return jnp.log(held / (1 - held))


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _ascend(static: tuple[Any, Any], wish: Wish, shape: tuple[int, ...], held: bool, arrays: Any, waves: jax.Array,
            base: jax.Array, steps: jax.Array, seed: jax.Array) -> jax.Array:
    network, state = eqx.combine(arrays, jax.tree.unflatten(static[1], static[0]))
    changes = Augmentation(shift=max(min(shape[:2]) // MOVE, 1), rotate=TURN, zoom=ZOOM)
    optimiser = optax.adam(RATE)

    def excitement(waves: jax.Array, key: jax.Array) -> jax.Array:
        seen = changes(_painted(waves, base, shape), key=key, training=True)
        values = network.layer_outputs(seen, state=state)[wish.layer]
        values = values.reshape(len(values), -1, values.shape[-1])
        if wish.neurons is None:
            total = jnp.sum(jnp.mean(values**2, (1, 2)))
        else:
            total = jnp.sum(jnp.mean(values, 1)[jnp.arange(len(values)), jnp.array(wish.neurons)])
        return total - (KEEP * jnp.sum(jnp.square(waves)) if held else 0.0)

    def step(number: int, carried: tuple[jax.Array, Any]) -> tuple[jax.Array, Any]:
        waves, moments = carried
        key = jax.random.fold_in(jax.random.key(seed), number)
        slope = jax.grad(excitement)(waves, key)
        change, moments = optimiser.update(-slope, moments)
        return waves + change, moments

    waves, _ = jax.lax.fori_loop(0, steps, step, (waves, optimiser.init(waves)))
    return _painted(waves, base, shape)
