"""The names that settings may take: pure data, so that help and validation need no engine.

The functions behind the names are registered in `nn`, `losses`, `features` and `training`;
a test holds both sides equal.
"""
from __future__ import annotations

TASKS = ("classify", "regress", "detect", "forecast", "recommend", "verify", "embed")

NETWORKS = ("feedforward",)
"""Those that train on tables by name."""
ZOO = (
    "feedforward", "tabular", "convolutional", "recurrent", "convolutional_recurrent", "recursive", "transformer",
    "graph", "restricted_boltzmann_machine", "belief", "autoencoder", "variational_autoencoder", "adversarial",
    "memory", "embedder", "mixture", "spectrogram", "time_series", "film", "voxel", "factorisation",
    "wide_and_deep", "efficient",
)
"""All that can be looked at by name."""

ACTIVATIONS = (
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "softplus",
    "softsign", "mish", "relu6", "hard_sigmoid", "hard_tanh", "exponential", "log_sigmoid", "softmax", "log_softmax",
)
ACTIVATION_ALIASES = {
    "linear": "identity", "none": "identity", "logistic": "sigmoid", "hyperbolic_tangent": "tanh",
    "leakyrelu": "leaky_relu", "swish": "silu", "softmax_function": "softmax", "exp": "exponential",
}

INITIALISERS = (
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "orthogonal", "normal", "truncated_normal", "uniform", "zeros", "ones",
)
INITIALISER_ALIASES = {
    "glorot": "glorot_uniform", "xavier": "glorot_uniform", "xavier_uniform": "glorot_uniform",
    "xavier_normal": "glorot_normal", "he": "he_normal", "kaiming": "he_normal", "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal", "lecun": "lecun_normal", "random_normal": "normal", "random_uniform": "uniform",
}

LOSSES = (
    "mean_squared", "root_mean_squared", "arctan", "absolute", "huber", "log_cosh", "quantile",
    "binary_cross_entropy", "cross_entropy", "focal", "hinge",
)
LOSS_ALIASES = {
    "mse": "mean_squared", "mean_squared_error": "mean_squared", "squared": "mean_squared",
    "rmse": "root_mean_squared", "root_mean_squared_error": "root_mean_squared", "mae": "absolute",
    "mean_absolute": "absolute", "mean_absolute_error": "absolute", "l1": "absolute", "l2": "mean_squared",
    "pinball": "quantile", "logcosh": "log_cosh", "bce": "binary_cross_entropy",
    "categorical_cross_entropy": "cross_entropy", "log_loss": "cross_entropy", "atan": "arctan",
}

NORMALISATIONS = ("standard", "minmax", "symmetric", "quantile", "robust", "asinh", "none")
NORMALISATION_ALIASES = {"standardise": "standard", "standardize": "standard", "zscore": "standard"}

LAYER_NORMALISATIONS = ("none", "layer", "batch")

NUMERIC_EMBEDDINGS = ("none", "periodic", "piecewise_linear")
NUMERIC_EMBEDDING_ALIASES = {"ple": "piecewise_linear", "plr": "periodic", "piecewise": "piecewise_linear"}

OPTIMISERS = (
    "sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "nadam", "radam", "amsgrad",
    "adamax", "lion", "lbfgs",
)
OPTIMISER_ALIASES = {"l_bfgs": "lbfgs", "bfgs": "lbfgs", "rms_prop": "rmsprop", "sgd_momentum": "momentum"}

SCHEDULES = ("constant", "cosine", "warm_cosine", "one_cycle", "linear", "exponential", "step")
SCHEDULE_ALIASES = {"onecycle": "one_cycle", "cosine_decay": "cosine"}

PRETRAINED = ("efficientnet-lite0",)
"""Networks with published weights that a new one may start from."""

AUGMENTATIONS = ("none", "characters", "photographs", "voices", "sounds")
"""How training pictures and recordings are changed at random: not at all; pictures without mirroring and with it;
recordings with other pitches and without."""

FEATURE_TYPES = (
    "number", "category", "boolean", "date", "text", "image", "video", "audio", "series", "molecule", "molecule_3d",
    "tree", "identifier", "ignore",
)
MEDIA_TYPES = ("image", "video", "audio")
"""Those whose cells are paths of files, or their bytes."""
UNUSED_TYPES = ("identifier", "ignore")
"""Those that no network gets to see."""
FEATURE_TYPE_ALIASES = {
    "numeric": "number", "float": "number", "integer": "number", "int": "number", "categorical": "category",
    "bool": "boolean", "binary": "boolean", "datetime": "date", "time": "date", "id": "identifier", "skip": "ignore",
    "string": "category", "str": "category", "picture": "image", "photo": "image", "images": "image",
    "sequence": "series", "signal": "series", "film": "video", "videos": "video", "time_series": "series",
}
