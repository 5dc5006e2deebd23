"""The activation functions of `nn.activations` in plain NumPy; a test holds both equal."""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erf, expit

from pellucid.core.names import ACTIVATION_ALIASES
from pellucid.core.registry import Registry

LEAK = 0.01
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772

Function = Callable[[np.ndarray], np.ndarray]
numpy_activations: Registry[Function] = Registry("activation", ACTIVATION_ALIASES)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def log_softmax(x: np.ndarray) -> np.ndarray:
    """x - log Σ exp(x) over the last axis, without overflow."""
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x) / Σ exp(x) over the last axis, without overflow."""
    power = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return power / np.sum(power, axis=-1, keepdims=True)


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))


def _selu(x: np.ndarray) -> np.ndarray:
    return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0.0)))


_functions: dict[str, Function] = {
    "identity": lambda x: x,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky_relu": lambda x: np.where(x >= 0, x, LEAK * x),
    "elu": _elu,
    "selu": _selu,
    "celu": _elu,
    "gelu": lambda x: x * (0.5 * (1 + erf(x * math.sqrt(0.5)))),
    "silu": lambda x: x * expit(x),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0.0, 1.0),
    "hard_tanh": lambda x: np.clip(x, -1.0, 1.0),
    "exponential": np.exp,
    "log_sigmoid": lambda x: -softplus(-x),
    "softmax": softmax,
    "log_softmax": log_softmax,
}
for _name, _function in _functions.items():
    numpy_activations.add(_name, _function)
