"""An encoder with a head for learning without answers; afterwards the head goes and the encoder stays."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import ShapeError
from pellucid.networks.feedforward import Feedforward, body_parts
from pellucid.networks.parts import Part, Parts
from pellucid.nn._random import subkeys
from pellucid.nn.buffer import trainable


class Pretraining(eqx.Module):
    """`head(encoder(inputs))`: what `objectives.Contrastive` and `objectives.Masked` train.

    Any network that gives a row of numbers for each example can be the encoder; its outputs are the features. A head of
    its own takes what the objective asks for off the features, so that they stay general.

    Source: Chen, Kornblith, Norouzi & Hinton 2020, section 4.2, for the head.

    Args:
        encoder: gives (batch, features) numbers.
        features: how many.
        hidden: neurons of the head's hidden layers; `()` for none.
        out_features: outputs of the head: the size of a projection for contrasts, of an input for masking.
        activation: of the head's hidden neurons.
        key: the random key for the head's starting weights.

    Example:
        >>> encoder = Feedforward(64, (128,), 32, key=jax.random.key(0))
        >>> network = Pretraining(encoder, 32, (64,), 16, key=jax.random.key(1))
        >>> network(jnp.ones((5, 64)))[0].shape
        (5, 16)
    """

    encoder: Any
    head: Feedforward
    members_in_turn = True

    def __init__(self, encoder: Any, features: int, hidden: Sequence[int], out_features: int, *,
                 activation: str = "relu", key: jax.Array) -> None:
        self.encoder = encoder
        self.head = Feedforward(features, hidden, out_features, activation=activation, key=key)

    def initial_state(self) -> tuple[Any, Any]:
        """Running statistics of encoder and head."""
        return self.encoder.initial_state(), self.head.initial_state()

    def __call__(self, inputs: Any, *, state: Any = None, key: jax.Array | None = None, training: bool = False,
                 weight: jax.Array | None = None) -> tuple[jax.Array, Any]:
        """From a batch to (batch, out_features), and the new state; the arguments are those of the encoder."""
        first, second = self.initial_state() if state is None else state
        keys = (None, None) if key is None else subkeys(key, 2)
        features, first = self.encoder(inputs, state=first, key=keys[0], training=training, weight=weight)
        output, second = self.head(features, state=second, key=keys[1], training=training, weight=weight)
        return output, (first, second)

    def layer_outputs(self, inputs: Any, *, state: Any = None) -> dict[str, jax.Array]:
        """What each layer gives: the encoder's, with `"features"` last, then the head's."""
        first, second = (None, None) if state is None else state
        named = self.encoder.layer_outputs(inputs, state=first)
        features = named.pop("output")
        after = self.head.layer_outputs(features, state=second)
        return named | {"features": features} | {_in_head(name): value for name, value in after.items()}

    def parts(self) -> Parts:
        """The encoder's parts, its outputs as features, and the head's."""
        rows, paths, depth, deepest = [], (), -1, 0
        for part in self._encoder_parts().rows:
            depth = depth + 1 if part.depth is None else part.depth
            deepest = max(deepest, depth)
            role = "hidden" if part.role == "output" else part.role
            rows.append(replace(part, depth=depth, role=role, name="features" if part.name == "output" else part.name))
        paths = self._encoder_parts().paths
        head = body_parts(self.head, deepest + 1, deepest)
        return Parts((*rows, *(replace(part, name=_in_head(part.name)) for part in head.rows)), paths + head.paths)

    def _encoder_parts(self) -> Parts:
        if hasattr(self.encoder, "parts"):
            return self.encoder.parts()
        return Parts((Part("encoder", "hidden", self.head.settings.in_features, arrays=self.encoder),))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; the encoder's specification is inside."""
        settings = self.head.settings
        return {"network": "pretraining", "encoder": self.encoder.spec(), "features": settings.in_features,
                "hidden": list(settings.hidden), "out_features": settings.out_features,
                "activation": settings.activation}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Pretraining:
        """A new network around `spec["encoder"]`, which `pellucid.networks.build` has made a network already."""
        return cls(**dict(spec) | {"hidden": tuple(spec["hidden"])}, key=key)


class Start(NamedTuple):
    """A network that starts from another one's weights.

    Args:
        network: with the weights taken over.
        taken: the names of the arrays taken over.
        own: those that kept the network's own starting weights, such as the output layer.
    """

    network: Any
    taken: tuple[str, ...]
    own: tuple[str, ...]


def start_from(network: Any, encoder: Any) -> Start:
    """`network` with the weights of `encoder`, wherever an array has the same name and shape in both.

    Args:
        network: for the task at hand, freshly made: the same kind with the same settings as the encoder, but for its
            outputs.
        encoder: pre-trained, for example `fit.network.encoder` of a `Pretraining`.

    Raises:
        ShapeError: nothing fits.

    Example:
        >>> encoder = Feedforward(64, (128,), 32, key=jax.random.key(0))
        >>> start_from(Feedforward(64, (128,), 10, key=jax.random.key(1)), encoder).own
        ('output.bias', 'output.weight')
    """
    given = {name: leaf for name, leaf in _named(encoder)}
    mine = dict(_named(network))
    taken = {name for name, leaf in mine.items() if name in given and given[name].shape == leaf.shape}
    if not any(np.ndim(mine[name]) > 1 for name in taken):
        raise ShapeError(f"`start_from` found no weights of one name and shape in {type(network).__name__} and "
                         f"{type(encoder).__name__}.", "make both with the same settings but for the outputs")
    moved = jax.tree_util.tree_map_with_path(
        lambda path, leaf: jnp.copy(given[_name(path)]) if _name(path) in taken else leaf, network)
    return Start(moved, tuple(sorted(taken)), tuple(sorted(mine.keys() - taken)))


def _named(network: Any) -> list[tuple[str, Any]]:
    weights = eqx.filter(network, trainable(network))
    return [(_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(weights)]


def _name(path: tuple) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")


def _in_head(name: str) -> str:
    return name if name == "output" else f"head, {name}"
