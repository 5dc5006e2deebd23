"""Pellucid: from a table to a trained network, its honest quality and a file to keep.

    run = pellucid.train("bank.csv", target="creditability")
    run.model.predict("new clients.csv").to_frame()

What is offered here is listed in `pellucid.api`; each name is loaded when it is first used.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pellucid import errors
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
    did_you_mean,
)

if TYPE_CHECKING:
    from pellucid.api import (
        Classifier,
        Model,
        Regressor,
        dream,
        export,
        fit,
        inspect,
        learning_curve,
        load,
        losses,
        networks,
        nn,
        objectives,
        train,
        training,
    )

__version__ = "0.1.0"

_LATE = {
    "train": "tasks.train:train",
    "learning_curve": "tasks.learning_curve:learning_curve",
    "dream": "model.dreaming:dream_of",
    "load": "model.load:load",
    "inspect": "data.inspect:inspect_table",
    "fit": "training.fit:fit",
    "Classifier": "estimators:Classifier",
    "Regressor": "estimators:Regressor",
    "Model": "model.model:Model",
    "networks": "networks",
    "nn": "nn",
    "losses": "losses",
    "objectives": "training.objectives",
    "training": "training",
    "export": "model.export",
}
"""Where each public name lives: a module, or an attribute of one after the colon."""

__all__ = [
    "Classifier", "DataError", "MissingExtraError", "Model", "ModelFileError", "PellucidError", "Regressor",
    "SettingsError", "ShapeError", "StorageError", "TrainingError", "UserError", "__version__", "dream", "errors",
    "export", "fit", "inspect", "learning_curve", "load", "losses", "networks", "nn", "objectives", "train", "training",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        hint = "" if name.startswith("_") else f"; {did_you_mean(name, _LATE)}"
        raise AttributeError(f"module `pellucid` has no attribute `{name}`{hint}")
    module, _, attribute = _LATE[name].partition(":")
    value = importlib.import_module(f"pellucid.{module}")
    value = getattr(value, attribute) if attribute else value
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
