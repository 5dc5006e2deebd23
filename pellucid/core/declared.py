"""The settings of training a table, each declared once; see `core.settings` for what is derived from them."""
from __future__ import annotations

from dataclasses import replace

from pellucid.core import names
from pellucid.core.settings import Setting, SettingsGroup

DEFAULTS_VERSION = "2026.1"
"""Which set of defaults is meant by `None`; noted in every run, so that better defaults never change a repeated one."""

NETWORK_SETTINGS = (
    Setting("network", "choice", "feedforward", "Kind of network.", "network", choices=names.NETWORKS),
    Setting("hidden", "integers", None, "Neurons of each hidden layer; chosen from the data if not given.", "network",
            low=1, high=65536),
    Setting("activation", "choice", None, "Activation function of the hidden layers.", "network",
            choices=names.ACTIVATIONS, aliases=names.ACTIVATION_ALIASES),
    Setting("output_activation", "choice", None, "Activation function of the output; by default the one that fits the "
            "loss (softmax for classes, identity for numbers).", "network", choices=names.ACTIVATIONS,
            aliases=names.ACTIVATION_ALIASES),
    Setting("bias", "flag", True, "Whether the layers have bias neurons.", "network"),
    Setting("initialiser", "choice", None, "How weights start.", "network", choices=names.INITIALISERS,
            aliases=names.INITIALISER_ALIASES),
    Setting("dropout", "number", None, "Share of hidden neurons left out at random in each iteration.", "network",
            low=0, high=1, open_high=True),
    Setting("column_dropout", "number", None, "Share of the columns that each row does without while it is learned.",
            "network", low=0, high=1, open_high=True),
    Setting("layer_normalisation", "choice", None, "Normalisation inside the hidden layers.", "network",
            choices=names.LAYER_NORMALISATIONS),
    Setting("residual", "flag", False, "Whether hidden layers add to what passes by them (residual blocks).",
            "network"),
    Setting("numeric_embedding", "choice", None, "How a number column is spread over several inputs.", "network",
            choices=names.NUMERIC_EMBEDDINGS, aliases=names.NUMERIC_EMBEDDING_ALIASES),
)

DESCRIBE_SETTINGS = (replace(NETWORK_SETTINGS[0], choices=names.ZOO), *NETWORK_SETTINGS[1:])
"""Settings of a network to look at: any of the zoo."""

TRAINING_SETTINGS = (
    Setting("normalise", "choice", None, "Scaling of number columns, learned on training rows only.",
            choices=names.NORMALISATIONS, aliases=names.NORMALISATION_ALIASES),
    Setting("loss", "choice", None, "Error function that is minimised.", choices=names.LOSSES,
            aliases=names.LOSS_ALIASES),
    Setting("label_smoothing", "number", None, "Share of each label that is spread over the other classes.",
            low=0, high=1, open_high=True),
    Setting("class_weight", "choice", "none", "`balanced` gives every class the same total weight.",
            choices=("none", "balanced")),
    Setting("augmentation", "choice", None, "How training pictures and recordings are changed at random: "
            "`photographs` are also mirrored, `characters` are not; `voices` are also heard higher and lower, `sounds` "
            "are not; found out by the training rows if not given.", choices=names.AUGMENTATIONS),
    Setting("mixup", "number", None, "Largest share of another picture that is blended into each training picture; 0 "
            "for none.", low=0, high=0.5),
    Setting("optimiser", "choice", None, "How gradients become steps.", choices=names.OPTIMISERS,
            aliases=names.OPTIMISER_ALIASES),
    Setting("learning_rate", "number", None, "Size of the steps; `find` looks for a good one first.", low=0,
            high=1000, open_low=True, words=("find",)),
    Setting("schedule", "choice", None, "How the learning rate changes while training.", choices=names.SCHEDULES,
            aliases=names.SCHEDULE_ALIASES),
    Setting("weight_decay", "number", None, "How strongly weights are pulled to zero.", low=0, high=1000),
    Setting("clip", "number", None, "Largest norm of a gradient.", low=0, open_low=True),
    Setting("epochs", "integer", None, "How often all training examples are shown, at most.", low=1, high=1_000_000),
    Setting("batch_size", "integer", None, "Examples in one iteration.", low=1, high=10_000_000),
    Setting("patience", "integer", None, "Epochs without a better held-out error after which a network stops.",
            low=1, high=1_000_000),
    Setting("members", "integer", None, "Networks trained side by side; each leaves out another part of the rows.",
            low=1, high=256),
    Setting("time_limit", "duration", None, "Training ends after this time.", unit="s", low=0, open_low=True),
    Setting("seed", "integer", 0, "Start of all chance: the same seed gives the same network.", low=0, high=2**32 - 1),
    Setting("precision", "choice", "float32", "Precision of the arithmetic.", choices=("float32", "float64")),
    Setting("device", "choice", "auto", "Where to train.", choices=("auto", "cpu", "gpu")),
)

START_SETTINGS = (
    Setting("start", "text", None, "What the network for pictures, recordings or texts begins with: a model file, "
            "whose encoder goes on learning, or `efficientnet-lite0`, which knows photographs.", "network",
            spelled="--from"),
)

DECISION_SETTINGS = (
    Setting("positive", "text", None, "The class that a yes means; the rarer one if not given.", "decision"),
    Setting("threshold", "number", None, "Least probability of the positive class for a yes.", "decision", low=0,
            high=1),
    Setting("costs", "mapping", None, "What each mistake costs: {actual: {decided: cost}}.", "decision"),
    Setting("coverage", "number", 0.9, "Share of cases in which prediction sets and intervals hold the truth.",
            "decision", low=0, high=1, open_low=True, open_high=True),
)

PROMISE_SETTINGS = (
    Setting("coverage_group", "text", None, "Column whose groups are each promised the coverage, and are compared in "
            "the report.", "decision"),
    Setting("risk", "number", None, "Share of wrong answers that is permitted among the rows that are answered; the "
            "answer for the others is `unsure`.", "decision", low=0, high=1, open_low=True, open_high=True),
)

DATA_SETTINGS = (
    Setting("task", "choice", None, "What to learn; found out from the target if not given.", "data",
            choices=names.TASKS, aliases={"classification": "classify", "regression": "regress"}),
    Setting("types", "mapping", None, "Feature types of columns where the inferred one is wrong: {column: type}.",
            "data"),
    Setting("time_column", "text", None, "Column by which rows are ordered; the latest rows are the test.", "data"),
    Setting("group_column", "text", None, "Column whose groups are never split between training and test.", "data"),
    Setting("test_size", "number", 0.2, "Share of rows kept for the test.", "data", low=0, high=0.9),
)

FILE_SETTINGS = (
    Setting("keep_examples", "flag", False, "Whether the model file keeps the training rows, so that `pellucid "
            "similar` can show similar cases; else no row is in it.", "model file"),
)

FORECAST_SETTINGS = (
    Setting("horizon", "integer", None, "How many steps ahead to forecast; a season if not given.", "forecast", low=1,
            high=1000),
    Setting("season", "integer", None, "Steps of a cycle, 1 for none; found in the data if not given.", "forecast",
            low=1, high=10_000),
    Setting("series_column", "text", None, "Column that tells several series apart.", "forecast"),
)

RECOMMEND_SETTINGS = (
    Setting("user_column", "text", None, "Column that names users; found by its name if not given.", "recommend"),
    Setting("item_column", "text", None, "Column that names items; found by its name if not given.", "recommend"),
    Setting("top", "integer", 10, "How many items a list holds.", "recommend", low=1, high=100_000),
)

VERIFY_SETTINGS = (
    Setting("false_accepts", "number", 0.01, "Share of strangers that may be let through.", "verify", low=0, high=0.5,
            open_low=True),
)

DETECT_SETTINGS = (
    Setting("false_alarms", "number", 0.01, "Share of rows like those of the training that may be called anomalies.",
            "detect", low=0, high=0.5, open_low=True),
    Setting("labels", "choice", None, "Whether known anomalies and normal rows are learned from, or only judge; by "
            "default they are learned from where only some rows are known.", "detect", choices=("judge", "use")),
)

ESTIMATOR = SettingsGroup(*NETWORK_SETTINGS, *TRAINING_SETTINGS, *DECISION_SETTINGS,
                          *(setting for setting in DATA_SETTINGS if setting.name == "types"), *FILE_SETTINGS)
"""Settings of the scikit-learn estimators."""

TRAIN = SettingsGroup(*DATA_SETTINGS, *NETWORK_SETTINGS, *START_SETTINGS, *TRAINING_SETTINGS, *DECISION_SETTINGS,
                      *PROMISE_SETTINGS, *FILE_SETTINGS, *FORECAST_SETTINGS, *RECOMMEND_SETTINGS, *DETECT_SETTINGS,
                      *VERIFY_SETTINGS)
"""Settings of `pellucid.train` and `pellucid train`."""

CURVE_SETTINGS = (
    Setting("sizes", "integer", 6, "How many sizes of the training part are tried; the largest is all of it.",
            "learning curve", low=5, high=50),
    Setting("repeats", "integer", 3, "How often each size is tried, with other test rows each time.", "learning curve",
            low=2, high=100),
)

LEARNING_CURVE = SettingsGroup(*CURVE_SETTINGS, *DATA_SETTINGS, *NETWORK_SETTINGS, *START_SETTINGS, *TRAINING_SETTINGS)
"""Settings of `pellucid.learning_curve` and `pellucid learning-curve`: its own, and how to train."""

EXPLAIN = SettingsGroup(
    Setting("asked", "text", None, "What to explain instead of what is predicted: a class, an item to recommend, the "
            "step of a forecast, or the identity that is claimed.", "explain"),
    Setting("instead_of", "text", None, "Explain why the predicted class rather than this one.", "explain"),
    Setting("method", "choice", None, "How parts are weighed; chosen for the network if not given.", "explain",
            choices=("gradients", "shapley", "evidence", "occlusion", "grad_cam"),
            aliases={"integrated_gradients": "gradients", "expected_gradients": "gradients", "ig": "gradients",
                     "shap": "shapley"}),
    Setting("row", "integer", None, "The row to explain, counted from 0; the first ten if not given.", "explain", low=0,
            high=10**12),
)
"""Settings of `pellucid explain`."""

CHANGE = SettingsGroup(
    Setting("to", "text", None, "The class that the answer should be; any other than the predicted one if not given.",
            "change"),
    Setting("at_least", "number", None, "What a predicted number should reach.", "change"),
    Setting("at_most", "number", None, "What a predicted number should not exceed.", "change"),
    Setting("locked", "texts", (), "A column that stays as it is; may be repeated.", "change", spelled="--lock"),
    Setting("most", "integer", 3, "How many columns may be changed together.", "change", low=1, high=10),
    Setting("alternatives", "integer", 3, "How many ways to look for; each changes a column that those before it leave "
            "as it is.", "change", low=1, high=100),
    Setting("row", "integer", None, "The row to look at, counted from 0; the first ten if not given.", "change", low=0,
            high=10**12),
)
"""Settings of `pellucid change`."""

SIMILAR = SettingsGroup(
    Setting("count", "integer", 3, "How many training rows to show of each kind.", "similar", low=1, high=1000),
    Setting("row", "integer", None, "The row to look at, counted from 0; the first ten if not given.", "similar", low=0,
            high=10**12),
)
"""Settings of `pellucid similar`."""

DREAM = SettingsGroup(
    Setting("layer", "text", None, "The layer to excite, as `pellucid describe` names it; the output if not given.",
            "dream"),
    Setting("neuron", "integer", None, "Which of its neurons, from 0; the whole layer if not given.", "dream", low=0,
            high=10**9),
    Setting("steps", "integer", 256, "How long to dream: the more steps, the clearer.", "dream", low=1, high=100_000),
    TRAIN["seed"],
)
"""Settings of `pellucid dream`."""
