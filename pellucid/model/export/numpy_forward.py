"""Predictions of a saved model with NumPy alone: JAX is neither needed nor loaded."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.read import as_table
from pellucid.errors import ModelFileError
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import encode_inputs
from pellucid.features.targets import ClassTarget, NumberTarget, target_from_json
from pellucid.features.types import feature_from_json
from pellucid.model.archive import read_archive
from pellucid.model.calibration import Calibration
from pellucid.model.export.forward import SavedNetwork, answers
from pellucid.uncertainty.calibrator import Calibrator

if TYPE_CHECKING:
    from pellucid.model.model import Model

TILE = 1024
DRIFT = 1e-3  # as `model.load` allows
_AGAIN = "copy the file again from where it was made, or train the model anew"


@dataclass(frozen=True, eq=False)
class SavedModel:
    """What a model file says, ready to compute.

    Args:
        features: how each input column is encoded.
        target: what is predicted.
        network: the members.
        calibrator: from logits to probabilities.
    """

    features: tuple[AbstractFeature, ...]
    target: ClassTarget | NumberTarget
    network: SavedNetwork
    calibrator: Calibrator

    @property
    def single(self) -> bool:
        """Whether one logit stands for two classes."""
        return isinstance(self.target, ClassTarget) and self.network.spec["out_features"] == 1

    def outputs(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """What each member gives for encoded rows: (members, rows, outputs)."""
        numbers, codes = inputs["numbers"], inputs["codes"]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.network.outputs(numbers if numbers.shape[1] else None,
                                        [codes[:, column:column + 1] for column in range(codes.shape[1])])

    def predict(self, data: Any) -> np.ndarray:
        """As `predict_numpy`."""
        inputs = encode_inputs(self.features, as_table(data)).arrays
        tiles = [answers(self.outputs({name: array[start:start + TILE] for name, array in inputs.items()}),
                         self.target, self.calibrator, self.single)
                 for start in range(0, max(len(inputs["numbers"]), 1), TILE)]
        found = np.concatenate(tiles)
        return found if isinstance(self.target, ClassTarget) else found[:, 0]


def saved_model(source: str | Path | Model) -> SavedModel:
    """The model in a file, or a loaded one, as plain arrays; a file is checked to answer as when it was saved.

    Raises:
        ModelFileError: there is no such file, it is damaged or not a model.
        UserError: a kind of network that only Pellucid itself can run.
    """
    if not isinstance(source, (str, Path)):
        return _saved(source.to_record(), source.members.tensors())
    archive = read_archive(source)
    try:
        saved = _saved(archive.record, archive.tensors)
        expected = archive.probe["outputs"]
        away = np.max(np.abs(saved.outputs(archive.probe) - expected), initial=0)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelFileError(f"`{source}` is damaged: its parts do not fit together ({error}).", _AGAIN) from error
    if not away <= DRIFT * (1 + np.max(np.abs(expected), initial=0)):
        raise ModelFileError(f"`{source}` answers differently here than where it was saved (by up to {away:.2g} on its "
                             "own test inputs).", _AGAIN)
    return saved


def _saved(record: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> SavedModel:
    return SavedModel(tuple(feature_from_json(one) for one in record["features"]), target_from_json(record["target"]),
                      SavedNetwork(record["network"], tensors),
                      Calibration.from_json(record["calibration"]).calibrator)


def predict_numpy(source: str | Path | Model, rows: Any) -> np.ndarray:
    """Predict rows with a saved model, without JAX.

    Args:
        source: a `.pellucid` file, or a loaded model.
        rows: a file, a data frame, or a list of rows as mappings.

    Returns:
        float64: probabilities (rows, classes), or numbers (rows,); as `Model.predict` gives them, within 1e-5.

    Raises:
        DataError: a column is lacking; it is named.
        ModelFileError: there is no such file, it is damaged or not a model.

    Example:
        >>> predict_numpy("model.pellucid", "new clients.csv")  # doctest: +SKIP
    """
    return saved_model(source).predict(rows)
