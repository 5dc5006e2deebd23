"""Activation functions by name, each with its formula, derivative, range and when to use it."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from pellucid.core.names import ACTIVATION_ALIASES
from pellucid.core.registry import Registry

INFINITY = math.inf
LEAK = 0.01
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


@dataclass(frozen=True)
class Activation:
    """What a neuron does with the sum of its inputs.

    Args:
        name: the name in settings.
        function: from an array to an array of the same shape.
        formula: the function in plain mathematics.
        derivative_formula: its derivative in plain mathematics.
        derivative: the derivative as a function; for softmax and log-softmax each output by its own input.
        low, high: the smallest and largest values that the output comes near; infinite where there is none.
        note: when to use it.
        source: where it comes from.
    """

    name: str
    function: Callable[[jax.Array], jax.Array]
    formula: str
    derivative_formula: str
    derivative: Callable[[jax.Array], jax.Array]
    low: float
    high: float
    note: str
    source: str = ""


activations: Registry[Activation] = Registry("activation", ACTIVATION_ALIASES)


def activate(name: str, x: jax.Array) -> jax.Array:
    """Apply the activation function called `name` to `x`, of any shape.

    Example:
        >>> activate("relu", jnp.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return activations[name].function(x)


def range_warning(activation: str, low: float, high: float) -> str | None:
    """A sentence when an output through `activation` cannot hold targets from `low` to `high`, else `None`.

    Targets equal to an end of the range are accepted: a sigmoid can come as near to 0 and 1 as anyone needs.

    Example:
        >>> range_warning("tanh", -0.5, 0.5) is None
        True
    """
    entry = activations[activation]
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    if entry.low - slack <= low and high <= entry.high + slack:
        return None
    span = f"[{_short(entry.low)}, {_short(entry.high)}]".replace("[-∞", "(-∞").replace("∞]", "∞)")
    return (f"The output activation `{entry.name}` only gives values in {span}, but the targets lie in "
            f"[{_short(low)}, {_short(high)}]: the network cannot reach them. Use `identity` as the output activation, "
            "or normalise the targets into that range.")


def _short(value: float) -> str:
    return ("∞" if value > 0 else "-∞") if math.isinf(value) else f"{value:.4g}"


# ---------------------------------------------------------------- functions
def _leaky_relu(x):
    return jnp.where(x >= 0, x, LEAK * x)


def _elu(x):
    return jnp.where(x > 0, x, jnp.expm1(jnp.minimum(x, 0)))


def _selu(x):
    return SELU_SCALE * jnp.where(x > 0, x, SELU_ALPHA * jnp.expm1(jnp.minimum(x, 0)))


def _gelu(x):
    return jax.nn.gelu(x, approximate=False)


def _mish(x):
    return x * jnp.tanh(jax.nn.softplus(x))


def _hard_sigmoid(x):
    return jnp.clip(x / 6 + 0.5, 0, 1)


# ---------------------------------------------------------------- derivatives
def _step(x):
    return (x > 0).astype(x.dtype)


def _between(x, low, high):
    return ((x > low) & (x < high)).astype(x.dtype)


def _sigmoid_slope(x):
    value = jax.nn.sigmoid(x)
    return value * (1 - value)


def _elu_slope(x):
    return jnp.where(x > 0, 1, jnp.exp(jnp.minimum(x, 0)))


def _selu_slope(x):
    return SELU_SCALE * jnp.where(x > 0, 1, SELU_ALPHA * jnp.exp(jnp.minimum(x, 0)))


def _gelu_slope(x):
    return jax.scipy.stats.norm.cdf(x) + x * jax.scipy.stats.norm.pdf(x)


def _silu_slope(x):
    value = jax.nn.sigmoid(x)
    return value * (1 + x * (1 - value))


def _mish_slope(x):
    value = jnp.tanh(jax.nn.softplus(x))
    return value + x * (1 - value**2) * jax.nn.sigmoid(x)


def _softmax_slope(x):
    value = jax.nn.softmax(x)
    return value * (1 - value)


def _add(name: str, function: Callable, derivative: Callable, formulas: tuple[str, str],
         span: tuple[float, float], notes: tuple[str, str]) -> None:
    activations.add(name, Activation(name, function, formulas[0], formulas[1], derivative, *span, *notes))


_add("identity", lambda x: x, jnp.ones_like, ("x", "1"), (-INFINITY, INFINITY),
     ("The output of a regression, and logits of a classification. Between hidden layers it adds nothing.", ""))
_add("sigmoid", jax.nn.sigmoid, _sigmoid_slope, ("1 / (1 + exp(-x))", "s(x) · (1 - s(x))"), (0.0, 1.0),
     ("An output between 0 and 1. As a hidden activation it saturates: its derivative is at most 1/4.", ""))
_add("tanh", jnp.tanh, lambda x: 1 - jnp.tanh(x) ** 2, ("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "1 - tanh(x)²"),
     (-1.0, 1.0), ("An output between -1 and 1, and small smooth networks. It saturates for large inputs.", ""))
_add("relu", jax.nn.relu, _step, ("max(0, x)", "1 if x > 0, else 0"), (0.0, INFINITY),
     ("The plain default of hidden layers: fast. A neuron that never fires learns nothing more.",
      "Nair & Hinton 2010"))
_add("leaky_relu", _leaky_relu, lambda x: jnp.where(x >= 0, 1, LEAK).astype(x.dtype),
     ("x if x ≥ 0, else 0.01·x", "1 if x ≥ 0, else 0.01"), (-INFINITY, INFINITY),
     ("Like relu, but no neuron can die.", "Maas, Hannun & Ng 2013"))
_add("elu", _elu, _elu_slope, ("x if x > 0, else exp(x) - 1", "1 if x > 0, else exp(x)"), (-1.0, INFINITY),
     ("Smooth, with a mean output near 0.", "Clevert, Unterthiner & Hochreiter 2016"))
_add("selu", _selu, _selu_slope, ("λ·x if x > 0, else λ·α·(exp(x) - 1); λ = 1.0507, α = 1.6733",
                                  "λ if x > 0, else λ·α·exp(x)"), (-SELU_SCALE * SELU_ALPHA, INFINITY),
     ("Keeps mean 0 and variance 1 through deep dense networks; use the initialiser `lecun_normal`.",
      "Klambauer, Unterthiner, Mayr & Hochreiter 2017"))
_add("celu", _elu, _elu_slope, ("max(0, x) + min(0, exp(x/α) - 1)·α; α = 1", "1 if x > 0, else exp(x)"),
     (-1.0, INFINITY), ("With α = 1, as here, the same as elu.", "Barron 2017"))
_add("gelu", _gelu, _gelu_slope, ("x·Φ(x), Φ the normal distribution function", "Φ(x) + x·φ(x)"),
     (-0.16997120747, INFINITY), ("A smooth relu, usual in Transformers; exact, not the tanh approximation.",
                                  "Hendrycks & Gimpel 2016"))
_add("silu", jax.nn.silu, _silu_slope, ("x·s(x), s the sigmoid", "s(x)·(1 + x·(1 - s(x)))"),
     (-0.27846454276, INFINITY), ("A smooth relu, also called swish; a good choice for tables.",
                                  "Elfwing, Uchibe & Doya 2018"))
_add("softplus", jax.nn.softplus, jax.nn.sigmoid, ("log(1 + exp(x))", "1 / (1 + exp(-x))"), (0.0, INFINITY),
     ("An output that must be positive, such as a scale or a price.", "Dugas et al. 2001"))
_add("softsign", jax.nn.soft_sign, lambda x: 1 / (1 + jnp.abs(x)) ** 2, ("x / (1 + |x|)", "1 / (1 + |x|)²"),
     (-1.0, 1.0), ("Like tanh, but it saturates more slowly.", "Bergstra et al. 2009"))
_add("mish", _mish, _mish_slope, ("x·tanh(log(1 + exp(x)))", "t + x·(1 - t²)·s(x); t = tanh(log(1 + exp(x)))"),
     (-0.30884, INFINITY), ("A smooth relu, a little costlier than silu.", "Misra 2019"))
_add("relu6", jax.nn.relu6, lambda x: _between(x, 0, 6), ("min(max(0, x), 6)", "1 if 0 < x < 6, else 0"), (0.0, 6.0),
     ("A relu with a ceiling, for arithmetic with few bits.", "Krizhevsky 2010"))
_add("hard_sigmoid", _hard_sigmoid, lambda x: _between(x, -3, 3) / 6,
     ("min(max(0, x/6 + 1/2), 1)", "1/6 if -3 < x < 3, else 0"), (0.0, 1.0),
     ("A sigmoid of straight lines, cheap on small devices.", "Howard et al. 2019"))
_add("hard_tanh", jax.nn.hard_tanh, lambda x: _between(x, -1, 1), ("min(max(-1, x), 1)", "1 if -1 < x < 1, else 0"),
     (-1.0, 1.0), ("A tanh of straight lines.", "Collobert 2004"))
_add("exponential", jnp.exp, jnp.exp, ("exp(x)", "exp(x)"), (0.0, INFINITY),
     ("A positive output on a multiplicative scale, such as a rate or a count. It grows fast.", ""))
_add("log_sigmoid", jax.nn.log_sigmoid, lambda x: jax.nn.sigmoid(-x), ("-log(1 + exp(-x))", "1 / (1 + exp(x))"),
     (-INFINITY, 0.0), ("The logarithm of a probability, computed stably.", ""))
_add("softmax", jax.nn.softmax, _softmax_slope,
     ("exp(xᵢ) / Σⱼ exp(xⱼ)", "pᵢ·(1 - pᵢ) by its own input, -pᵢ·pⱼ by another"),
     (0.0, 1.0), ("Outputs that are probabilities and sum to 1. Train on logits instead: the losses apply it stably.",
                  "Bridle 1990"))
_add("log_softmax", jax.nn.log_softmax, lambda x: 1 - jax.nn.softmax(x),
     ("xᵢ - log Σⱼ exp(xⱼ)", "1 - pᵢ by its own input, -pⱼ by another"), (-INFINITY, 0.0),
     ("Logarithms of probabilities that sum to 1.", ""))
