"""Loading a model of any task, and checking that it still answers as it did when it was saved."""
from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from pellucid.errors import ModelFileError, PellucidError
from pellucid.model.archive import Archive, like, read_archive
from pellucid.model.base import EXTRA, AbstractModel, model_kinds
from pellucid.model.detector import Detector
from pellucid.model.embedding import Embedding
from pellucid.model.forecaster import Forecaster
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.model.recommender import Recommender
from pellucid.model.verifier import Verifier

DRIFT = 1e-3

for _kind in (Model, Forecaster, Recommender, Verifier, Detector, Embedding):
    for _task in _kind.tasks:
        model_kinds.add(_task, _kind)


def load(path: str | Path) -> AbstractModel:
    """Load a model that was saved, and check that it still answers as it did then.

    Raises:
        ModelFileError: no such file; damaged; not a model; from a newer format; or it answers differently here.
    """
    archive = read_archive(path)
    try:
        model = _model(archive)
        probe = like(model.probe_inputs(), archive.probe)
        expected, found = archive.probe["outputs"], model.members.outputs(probe)
        drift = float(np.max(np.abs(found - expected), initial=0) / (1 + np.max(np.abs(expected), initial=0)))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, PellucidError) as error:
        reason = error.message if isinstance(error, PellucidError) else f"{type(error).__name__}: {error}"
        raise ModelFileError(f"`{path}` is damaged: its parts do not fit together ({reason}).",
                             "copy the file again from where it was made, or train the model anew") from error
    if not drift <= DRIFT:
        raise ModelFileError(f"`{path}` answers differently here than where it was saved (by {drift:.1%} on its own "
                             "test inputs).", "the file was changed, or this processor computes differently: "
                             "train the model anew on this machine")
    if drift > DRIFT / 30:
        warnings.warn(f"`{path}` answers slightly differently here than where it was saved (by {drift:.2%}).",
                      stacklevel=2)
    return model


def _model(archive: Archive) -> AbstractModel:
    record, tensors = archive.record, archive.tensors
    extra = {name.removeprefix(EXTRA): array for name, array in tensors.items() if name.startswith(EXTRA)}
    return model_kinds[record["task"]].from_record(record, Members.from_tensors(record["network"], tensors), extra)
