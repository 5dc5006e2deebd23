"""What `import pellucid` offers, written out for readers and type checkers; `pellucid` loads each name when used."""
from __future__ import annotations

from pellucid import errors, losses, networks, nn, training
from pellucid.data.inspect import inspect_table as inspect
from pellucid.errors import (
    DataError,
    MissingExtraError,
    ModelFileError,
    PellucidError,
    SettingsError,
    ShapeError,
    StorageError,
    TrainingError,
    UserError,
)
from pellucid.estimators import Classifier, Regressor
from pellucid.model import export
from pellucid.model.dreaming import dream_of as dream
from pellucid.model.load import load
from pellucid.model.model import Model
from pellucid.tasks.learning_curve import learning_curve
from pellucid.tasks.train import train
from pellucid.training import objectives
from pellucid.training.fit import fit

__all__ = [
    "Classifier", "DataError", "MissingExtraError", "Model", "ModelFileError", "PellucidError", "Regressor",
    "SettingsError", "ShapeError", "StorageError", "TrainingError", "UserError", "dream", "errors", "export", "fit",
    "inspect", "learning_curve", "load", "losses", "networks", "nn", "objectives", "train", "training",
]
