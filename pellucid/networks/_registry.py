"""Networks by name, built from their specifications."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from pellucid.core.registry import Registry
from pellucid.errors import SettingsError
from pellucid.networks.adversarial import Adversarial
from pellucid.networks.autoencoder import Autoencoder
from pellucid.networks.belief import BeliefNetwork
from pellucid.networks.boltzmann import RestrictedBoltzmannMachine
from pellucid.networks.composite import Composite
from pellucid.networks.convolutional import Convolutional
from pellucid.networks.convolutional_recurrent import ConvolutionalRecurrent
from pellucid.networks.efficient import Efficient
from pellucid.networks.embedder import Embedder
from pellucid.networks.factorisation import Factorisation
from pellucid.networks.feedforward import Feedforward
from pellucid.networks.film import Film
from pellucid.networks.graph import Graph
from pellucid.networks.memory import Memory
from pellucid.networks.mixture import Mixture
from pellucid.networks.per_example import PerExample
from pellucid.networks.pretraining import Pretraining
from pellucid.networks.recurrent import Recurrent
from pellucid.networks.recursive import Recursive
from pellucid.networks.spectrogram import Spectrogram
from pellucid.networks.tabular import Tabular
from pellucid.networks.time_series import TimeSeries
from pellucid.networks.transformer import Transformer
from pellucid.networks.variational import VariationalAutoencoder
from pellucid.networks.voxel import Voxel
from pellucid.networks.wide_and_deep import WideAndDeep

networks: Registry[Any] = Registry("network")
networks.add("feedforward", Feedforward)
networks.add("recursive", Recursive)
networks.add("tabular", Tabular)
networks.add("composite", Composite)
networks.add("embedder", Embedder)
networks.add("per_example", PerExample)
networks.add("graph", Graph)
networks.add("convolutional", Convolutional)
networks.add("convolutional_recurrent", ConvolutionalRecurrent)
networks.add("restricted_boltzmann_machine", RestrictedBoltzmannMachine)
networks.add("belief", BeliefNetwork)
networks.add("autoencoder", Autoencoder)
networks.add("variational_autoencoder", VariationalAutoencoder)
networks.add("memory", Memory)
networks.add("mixture", Mixture)
networks.add("adversarial", Adversarial)
networks.add("pretraining", Pretraining)
networks.add("recurrent", Recurrent)
networks.add("transformer", Transformer)
networks.add("wide_and_deep", WideAndDeep)
networks.add("voxel", Voxel)
networks.add("spectrogram", Spectrogram)
networks.add("time_series", TimeSeries)
networks.add("film", Film)
networks.add("factorisation", Factorisation)
networks.add("efficient", Efficient)


def build(spec: Mapping[str, Any], *, key: jax.Array) -> Any:
    """A network from its specification, with new starting weights; those inside of it are built first.

    Args:
        spec: what `network.spec()` gave, for example read from JSON.
        key: the random key for the starting weights; buffers such as bin edges come from the weights file.

    Raises:
        SettingsError: for an unknown network or option.

    Example:
        >>> network = Feedforward(3, (8,), 2, key=jax.random.key(0))
        >>> build(network.spec(), key=jax.random.key(0)).spec() == network.spec()
        True
    """
    options = {name: _inside(value, key) for name, value in spec.items() if name != "network"}
    kind = networks[spec.get("network", "")]
    try:
        return kind.from_spec(options, key=key)
    except (TypeError, KeyError) as error:
        raise SettingsError(f"The specification of the network `{spec['network']}` does not fit: {error}.",
                            "pass what `network.spec()` gave, unchanged") from error


def _inside(value: Any, key: jax.Array) -> Any:
    """An option of a network: where it is the specification of another one, or a list of such, that is built."""
    if isinstance(value, Mapping) and "network" in value:
        return build(value, key=key)
    if isinstance(value, (list, tuple)) and value and all(isinstance(one, Mapping) and "network" in one
                                                          for one in value):
        return [build(one, key=jax.random.fold_in(key, place)) for place, one in enumerate(value)]
    return value
