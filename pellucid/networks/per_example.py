"""Foreign networks that take one example at a time."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax

from pellucid.errors import SettingsError
from pellucid.networks.parts import Parts, array_parts


class PerExample(eqx.Module):
    """A foreign module, such as one of Equinox, that takes one example and is mapped over the batch.

    If its call takes a `key`, each example gets one of its own; Equinox layers with an `inference` switch have it set
    outside of training. Modules that keep a state, such as `equinox.nn.BatchNorm`, are not supported.

    Args:
        module: called as `module(example)`, or `module(example, key=key)`.

    Example:
        >>> network = PerExample(eqx.nn.MLP(3, 2, 8, 1, key=jax.random.key(0)))
        >>> network(jax.numpy.ones((5, 3)))[0].shape
        (5, 2)
    """

    module: Callable[..., jax.Array]

    def initial_state(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, inputs: Any, *, state: tuple[()] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From a batch of examples, (batch, ...), to their outputs, and the empty state; `weight` is not used."""
        module = eqx.nn.inference_mode(self.module, value=not training)
        if not _takes_key(module):
            return jax.vmap(module)(inputs), ()
        if key is None:
            return jax.vmap(lambda example: module(example, key=None))(inputs), ()
        keys = jax.random.split(key, jax.tree.leaves(inputs)[0].shape[0])
        return jax.vmap(lambda example, own: module(example, key=own))(inputs, keys), ()

    def parts(self) -> Parts:
        """Its arrays, one by one: what they mean is not known."""
        return array_parts(self)

    def spec(self) -> dict[str, Any]:
        """The name of the module, as information; such a network is not built from its specification."""
        return {"network": "per_example", "module": type(self.module).__name__}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> PerExample:
        """Not possible: nothing is ever imported because a file says so."""
        raise SettingsError(f"A network around the foreign module `{spec.get('module')}` cannot be built by name.",
                            "supply it: pellucid.networks.load(path, network=MyNetwork)")


def _takes_key(module: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(module).parameters
    except (TypeError, ValueError):
        return False
    return "key" in parameters
