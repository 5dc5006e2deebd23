"""The zoo: networks that take a batch, describe themselves, and are rebuilt from a JSON specification."""
from pellucid.networks._registry import build, networks
from pellucid.networks.feedforward import Feedforward, FeedforwardSettings
from pellucid.networks.per_example import PerExample
from pellucid.networks.tabular import CategoryOptions, NumberOptions, Tabular

__all__ = [
    "CategoryOptions", "Feedforward", "FeedforwardSettings", "NumberOptions", "PerExample", "Tabular", "build",
    "networks",
]
