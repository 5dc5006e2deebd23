"""Layers, activation functions and initialisers: the parts that networks are made of."""
from pellucid.nn.activations import Activation, activate, activations, range_warning
from pellucid.nn.attention import Attention, LearnedPositions
from pellucid.nn.augmentation import Augmentation
from pellucid.nn.blocks import Hidden, Residual
from pellucid.nn.buffer import Buffer, trainable
from pellucid.nn.convolution import Convolution
from pellucid.nn.convolutional_recurrent import ConvolutionalLstm
from pellucid.nn.dense import Dense, Scale
from pellucid.nn.dropout import Dropout, VariableDropout
from pellucid.nn.embedding import Embedding, OneHot, embedding_size
from pellucid.nn.initialisers import Initialiser, fans, initialise, initialiser_for, initialisers
from pellucid.nn.jitter import Jitter
from pellucid.nn.listening import Listening
from pellucid.nn.message_passing import DirectedMessagePassing, MessagePassing, Readout
from pellucid.nn.normalisation import (
    BatchNormalisation,
    GroupNormalisation,
    LayerNormalisation,
    RootMeanSquareNormalisation,
)
from pellucid.nn.numeric import FeatureDense, PeriodicEmbedding, PiecewiseLinearEmbedding, quantile_edges
from pellucid.nn.pooling import AdaptivePooling, AveragePooling, GlobalPooling, MaxPooling
from pellucid.nn.recurrent import Gru, Lstm, SimpleRecurrence
from pellucid.nn.spectrogram import MelSpectrogram
from pellucid.nn.tree import ChildSumTreeLstm, NaryTreeLstm, TensorTree
from pellucid.nn.voxels import VoxelGrid

__all__ = [
    "Activation", "AdaptivePooling", "Attention", "Augmentation", "AveragePooling", "BatchNormalisation", "Buffer",
    "ChildSumTreeLstm", "Convolution", "ConvolutionalLstm", "Dense", "DirectedMessagePassing", "Dropout",
    "Embedding", "FeatureDense", "GlobalPooling", "GroupNormalisation", "Gru", "Hidden", "Initialiser",
    "Jitter", "LayerNormalisation", "LearnedPositions", "Listening", "Lstm", "MaxPooling", "MelSpectrogram",
    "MessagePassing", "NaryTreeLstm", "OneHot", "PeriodicEmbedding", "PiecewiseLinearEmbedding", "Readout",
    "Residual", "RootMeanSquareNormalisation", "Scale", "SimpleRecurrence", "TensorTree", "VariableDropout",
    "VoxelGrid", "activate", "activations", "embedding_size", "fans", "initialise", "initialiser_for", "initialisers",
    "quantile_edges", "range_warning", "trainable",
]
