"""Error functions: how far outputs are from targets, for classes and for numbers."""
from pellucid.losses._registry import (
    absolute,
    arctan,
    binary_cross_entropy,
    cross_entropy,
    fits,
    focal,
    get,
    hinge,
    huber,
    log_cosh,
    losses,
    mean_squared,
    quantile,
    root_mean_squared,
)
from pellucid.losses.base import AbstractLoss
from pellucid.losses.classification import BinaryCrossEntropy, CrossEntropy, Focal, Hinge, balanced_weights
from pellucid.losses.regression import Absolute, Arctan, Huber, LogCosh, MeanSquared, Quantile, RootMeanSquared

__all__ = [
    "Absolute", "AbstractLoss", "Arctan", "BinaryCrossEntropy", "CrossEntropy", "Focal", "Hinge", "Huber", "LogCosh",
    "MeanSquared", "Quantile", "RootMeanSquared", "absolute", "arctan", "balanced_weights", "binary_cross_entropy",
    "cross_entropy", "fits", "focal", "get", "hinge", "huber", "log_cosh", "losses", "mean_squared", "quantile",
    "root_mean_squared",
]
