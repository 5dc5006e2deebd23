"""The zoo: networks that take a batch, describe themselves, and are rebuilt from a JSON specification."""
from pellucid.networks._registry import build, networks
from pellucid.networks.adversarial import Adversarial, AdversarialSettings
from pellucid.networks.autoencoder import Autoencoder
from pellucid.networks.belief import BeliefNetwork
from pellucid.networks.boltzmann import RestrictedBoltzmannMachine
from pellucid.networks.composite import Composite
from pellucid.networks.convolutional import AugmentationOptions, Convolutional, ConvolutionalSettings
from pellucid.networks.convolutional_recurrent import ConvolutionalRecurrent, ConvolutionalRecurrentSettings
from pellucid.networks.describe import Description, LayerRow, describe
from pellucid.networks.drawing import draw
from pellucid.networks.efficient import Efficient, EfficientSettings
from pellucid.networks.embedder import Embedder, EmbedderSettings
from pellucid.networks.factorisation import Factorisation
from pellucid.networks.feedforward import Feedforward, FeedforwardSettings
from pellucid.networks.film import Film, FilmSettings
from pellucid.networks.graph import Graph, GraphSettings
from pellucid.networks.memory import Memory
from pellucid.networks.mixture import Mixture, MixtureSettings
from pellucid.networks.per_example import PerExample
from pellucid.networks.pictures import draw_activations, draw_space, draw_weights
from pellucid.networks.pretrained import pretrained
from pellucid.networks.pretraining import Pretraining, start_from
from pellucid.networks.recurrent import Recurrent, RecurrentSettings
from pellucid.networks.recursive import Recursive, RecursiveSettings, Rest
from pellucid.networks.samples import sample
from pellucid.networks.spectrogram import ListeningOptions, Spectrogram, SpectrogramSettings
from pellucid.networks.storage import load, save
from pellucid.networks.synapses import Synapse, strongest_synapses, weights
from pellucid.networks.tabular import CategoryOptions, NumberOptions, Tabular
from pellucid.networks.time_series import JitterOptions, TimeSeries, TimeSeriesSettings
from pellucid.networks.transformer import Transformer, TransformerSettings
from pellucid.networks.variational import GaussianCode, VariationalAutoencoder
from pellucid.networks.voxel import Voxel, VoxelSettings
from pellucid.networks.wide_and_deep import WideAndDeep, WideAndDeepSettings

__all__ = [
    "Adversarial", "AdversarialSettings", "AugmentationOptions", "Autoencoder", "BeliefNetwork", "CategoryOptions",
    "Composite", "Convolutional", "ConvolutionalRecurrent", "ConvolutionalRecurrentSettings", "ConvolutionalSettings",
    "Description", "Efficient", "EfficientSettings", "Embedder", "EmbedderSettings", "Factorisation", "Feedforward",
    "FeedforwardSettings",
    "Film", "FilmSettings", "GaussianCode", "Graph", "GraphSettings", "JitterOptions", "LayerRow", "ListeningOptions",
    "Memory", "Mixture", "MixtureSettings",
    "NumberOptions", "PerExample", "Pretraining", "Recurrent", "RecurrentSettings", "Recursive", "RecursiveSettings",
    "Rest", "RestrictedBoltzmannMachine", "Spectrogram", "SpectrogramSettings", "Synapse", "Tabular", "TimeSeries",
    "TimeSeriesSettings", "Transformer",
    "TransformerSettings", "VariationalAutoencoder", "Voxel", "VoxelSettings", "WideAndDeep",
    "WideAndDeepSettings", "build", "describe", "draw",
    "draw_activations", "draw_space", "draw_weights", "load", "networks", "pretrained", "sample", "save", "start_from",
    "strongest_synapses", "weights",
]
