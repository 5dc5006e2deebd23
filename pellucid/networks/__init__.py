"""The zoo: networks that take a batch, describe themselves, and are rebuilt from a JSON specification."""
from pellucid.networks._registry import build, networks
from pellucid.networks.describe import Description, LayerRow, describe
from pellucid.networks.drawing import draw
from pellucid.networks.feedforward import Feedforward, FeedforwardSettings
from pellucid.networks.per_example import PerExample
from pellucid.networks.synapses import Synapse, strongest_synapses, weights
from pellucid.networks.tabular import CategoryOptions, NumberOptions, Tabular

__all__ = [
    "CategoryOptions", "Description", "Feedforward", "FeedforwardSettings", "LayerRow", "NumberOptions", "PerExample",
    "Synapse", "Tabular", "build", "describe", "draw", "networks", "strongest_synapses", "weights",
]
