"""How weights start: named initialisers, seeded and reproducible.

`fan_in` is the number of inputs of a neuron, `fan_out` the number of neurons that an input reaches.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from pellucid.core.names import INITIALISER_ALIASES
from pellucid.core.registry import Registry
from pellucid.errors import ShapeError
from pellucid.nn._random import normal, uniform

PLAIN_SCALE = 0.05
TRUNCATED_DEVIATION = 0.87962566103423978  # the standard deviation of a unit normal cut off at ±2


@dataclass(frozen=True)
class Initialiser:
    """A rule for starting weights.

    Args:
        name: the name in settings.
        draw: (key, shape, fan_in, fan_out, dtype) -> array.
        formula: the distribution in plain mathematics.
        source: where it comes from.
    """

    name: str
    draw: Callable[..., jax.Array]
    formula: str
    source: str


initialisers: Registry[Initialiser] = Registry("initialiser", INITIALISER_ALIASES)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs and outputs of a weight array: the last two axes are in and out, earlier ones a window.

    Example:
        >>> fans((30, 64)), fans((3, 3, 16, 32)), fans((64,))
        ((30, 64), (144, 288), (64, 64))
    """
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def initialise(name: str, key: jax.Array, shape: Sequence[int], fan_in: int | None = None,
               fan_out: int | None = None, dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Starting weights of the given shape.

    Args:
        name: an initialiser's name or alias, such as `"glorot_uniform"` or `"he"`.
        key: a random key; the same key gives the same weights.
        shape: the shape of the weights, inputs before outputs.
        fan_in, fan_out: inputs of a neuron and neurons of an input; computed from `shape` unless given.
        dtype: the type of the weights.

    Example:
        >>> initialise("zeros", jax.random.key(0), (2, 3)).shape
        (2, 3)
    """
    shape = tuple(shape)
    from_shape = fans(shape)
    fan_in = from_shape[0] if fan_in is None else fan_in
    fan_out = from_shape[1] if fan_out is None else fan_out
    return initialisers[name].draw(key, shape, max(fan_in, 1), max(fan_out, 1), dtype)


def initialiser_for(activation: str) -> str:
    """The initialiser that keeps the variance of signals through layers of this (canonical) activation.

    He for the relu family, LeCun for selu, Glorot for the rest.
    """
    if activation == "selu":
        return "lecun_normal"
    rectified = ("relu", "leaky_relu", "elu", "celu", "gelu", "silu", "softplus", "mish", "relu6")
    return "he_normal" if activation in rectified else "glorot_uniform"


def _normal(deviation: Callable[[int, int], float]) -> Callable[..., jax.Array]:
    def draw(key, shape, fan_in, fan_out, dtype):
        return deviation(fan_in, fan_out) * normal(key, shape, dtype)
    return draw


def _uniform(bound: Callable[[int, int], float]) -> Callable[..., jax.Array]:
    def draw(key, shape, fan_in, fan_out, dtype):
        limit = bound(fan_in, fan_out)
        return uniform(key, shape, -limit, limit, dtype)
    return draw


def _truncated(key, shape, fan_in, fan_out, dtype):
    reach = math.erf(math.sqrt(2))  # the share of a normal distribution within ±2 standard deviations
    scale = math.sqrt(2) * PLAIN_SCALE / TRUNCATED_DEVIATION
    return scale * jax.lax.erf_inv(uniform(key, shape, -reach, reach, dtype))


def _orthogonal(key, shape, fan_in, fan_out, dtype):
    if len(shape) < 2:
        raise ShapeError(f"The initialiser `orthogonal` expected a shape of at least two axes, got {shape}.",
                         "choose another initialiser for this array")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    long, short = max(rows, columns), min(rows, columns)
    basis, triangle = jnp.linalg.qr(normal(key, (long, short), dtype))
    basis = basis * jnp.where(jnp.diagonal(triangle) < 0, -1, 1).astype(dtype)  # uniform over all orthogonal matrices
    return (basis if rows >= columns else basis.T).reshape(shape)


def _add(name: str, draw: Callable[..., jax.Array], formula: str, source: str = "") -> None:
    initialisers.add(name, Initialiser(name, draw, formula, source))


_GLOROT, _HE, _LECUN = "Glorot & Bengio 2010", "He, Zhang, Ren & Sun 2015", "LeCun, Bottou, Orr & Müller 1998"
_add("glorot_uniform", _uniform(lambda i, o: math.sqrt(6 / (i + o))), "U(-a, a), a = √(6 / (fan_in + fan_out))",
     _GLOROT)
_add("glorot_normal", _normal(lambda i, o: math.sqrt(2 / (i + o))), "N(0, 2 / (fan_in + fan_out))", _GLOROT)
_add("he_uniform", _uniform(lambda i, o: math.sqrt(6 / i)), "U(-a, a), a = √(6 / fan_in)", _HE)
_add("he_normal", _normal(lambda i, o: math.sqrt(2 / i)), "N(0, 2 / fan_in)", _HE)
_add("lecun_uniform", _uniform(lambda i, o: math.sqrt(3 / i)), "U(-a, a), a = √(3 / fan_in)", _LECUN)
_add("lecun_normal", _normal(lambda i, o: math.sqrt(1 / i)), "N(0, 1 / fan_in)", _LECUN)
_add("orthogonal", _orthogonal, "a random orthogonal matrix: QᵀQ = I", "Saxe, McClelland & Ganguli 2014")
_add("normal", _normal(lambda i, o: PLAIN_SCALE), "N(0, 0.05²)")
_add("truncated_normal", _truncated, "N(0, s²) cut off at ±2s, with standard deviation 0.05")
_add("uniform", _uniform(lambda i, o: PLAIN_SCALE), "U(-0.05, 0.05)")
_add("zeros", lambda key, shape, fan_in, fan_out, dtype: jnp.zeros(shape, dtype), "0")
_add("ones", lambda key, shape, fan_in, fan_out, dtype: jnp.ones(shape, dtype), "1")
