"""A network of each kind in a sensible size, to look at before there is any data."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax

from pellucid.errors import SettingsError, did_you_mean
from pellucid.networks._registry import build, networks

SAMPLES: dict[str, dict[str, Any]] = {  # specifications by registered name; what is left out has its default
    "feedforward": {"in_features": 30, "hidden": (64, 64), "out_features": 2},
    "tabular": {"num_numbers": 7, "cardinalities": (3, 5, 50), "out_features": 2, "skip": True,
                "numbers": {"embedding": "piecewise_linear"}, "body": {"hidden": (128, 128)}},
    "convolutional": {"in_shape": (28, 28, 1), "hidden": (32, 64), "out_features": 10},
    "recurrent": {"in_features": 9, "hidden": (64, 64), "out_features": 6, "cell": "lstm"},
    "convolutional_recurrent": {"shape": (16, 16, 1), "hidden": (16, 16), "out_features": 1},
    "recursive": {"cardinality": 16_000, "out_features": 5},
    "transformer": {"in_features": 96, "out_features": 96, "width": 128, "depth": 2, "heads": 4, "causal": True,
                    "codes": True, "output": "steps"},
    "graph": {"node_features": 35, "edge_features": 9, "out_features": 1},
    "restricted_boltzmann_machine": {"visible": 784, "hidden": 500},
    "belief": {"visible": 784, "hidden": (500, 250)},
    "autoencoder": {"in_features": 784, "hidden": (256, 64), "code": 16},
    "variational_autoencoder": {"in_features": 784, "hidden": (256, 64), "code": 16},
    "adversarial": {"in_shape": (28, 28, 1), "hidden": (64, 32), "noise": 64, "classes": 10},
    "spectrogram": {"length": 8000, "rate": 8000, "out_features": 10},
    "time_series": {"length": 100, "channels": 1, "out_features": 2},
    "film": {"in_shape": (10, 20, 20, 1), "out_features": 8},
    "voxel": {"channels": 9, "out_features": 1},
    "factorisation": {"items": 1682, "size": 64, "heads": ("rating", "ranking")},
    "mixture": {"num_numbers": 9},
    "wide_and_deep": {"in_features": 50_000, "out_features": 2, "known": 8000},
    "memory": {"features": 784, "rule": "hebbian"},
    "efficient": {"in_shape": (224, 224, 3), "out_features": 1000},
    "embedder": {"in_shape": (112, 92, 1), "out_features": 384, "shrink": 2},
}
INPUTS = ("in_features", "visible", "features", "node_features", "cardinality", "num_numbers", "items")
"""Names that networks have for the same thing."""
OUTPUTS = ("out_features",)
WITHIN = ("body", "head")  # where networks that end in a feed-forward one keep its settings


def sample(name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """A network of a registered kind whose arrays have shapes and types, but no values: for `describe` and `draw`.

    Args:
        name: as registered, such as `"convolutional"`.
        settings: what differs from the sample: entries of the specification; `inputs` and `outputs` count the neurons
            whatever the specification calls them.

    Raises:
        SettingsError: for an unknown network, a setting that it does not have, or a value out of range.

    Example:
        >>> describe(sample("recurrent", {"cell": "gru", "outputs": 2})).neurons("output")
        2
    """
    name = networks.canonical(name)
    if name not in SAMPLES:
        raise SettingsError(f"There is no sample of the network `{name}`.", did_you_mean(name, SAMPLES))
    network = _shapes({"network": name, **SAMPLES[name]})
    if not settings:
        return network
    whole = network.spec()
    for setting, value in settings.items():
        _change(whole, name, setting, value)
    return _shapes(whole)


def _shapes(spec: Mapping[str, Any]) -> Any:
    return eqx.filter_eval_shape(lambda key: build(spec, key=key), jax.random.key(0))


def _change(spec: dict[str, Any], name: str, setting: str, value: Any) -> None:
    """Put a setting in its place in a specification."""
    names = {"inputs": INPUTS, "outputs": OUTPUTS}.get(setting, (setting,))
    fields = [spec, *(spec[inner] for inner in WITHIN if isinstance(spec.get(inner), dict))]
    for field in fields:
        for own in names:
            if own in field:
                single = isinstance(field[own], int) and isinstance(value, tuple | list) and len(value) == 1
                field[own] = value[0] if single else value
                return
    known = [own for field in fields for own in field if own not in ("network", *WITHIN)]
    raise SettingsError(f"The network `{name}` has no setting `{setting}`.", did_you_mean(setting, known))
