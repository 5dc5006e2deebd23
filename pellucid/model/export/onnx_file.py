"""A model as an ONNX file with its pre-processing inside."""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import __version__
from pellucid.core.files import write_atomically
from pellucid.features.targets import ClassTarget
from pellucid.model.decision import check_threshold, cost_matrix
from pellucid.model.export.forward import answers
from pellucid.model.export.numpy_forward import SavedModel, saved_model
from pellucid.model.export.onnx_check import largest_difference
from pellucid.model.export.onnx_graph import Graph, Wire
from pellucid.model.export.onnx_inputs import Column, columns_of, encode

if TYPE_CHECKING:
    from pellucid.model.model import Model

OUTPUTS = ("probabilities", "prediction")
INT64 = 2**63


@dataclass(frozen=True)
class OnnxFile:
    """A written ONNX file; usable as a path.

    Args:
        path: where it is.
        largest_difference: from the model on 1,000 made-up rows: of probabilities, or of numbers in standard
            deviations of the target.
        columns: its inputs: name and "number" (double, NaN for missing) or "text" (string, "" for missing).
    """

    path: Path
    largest_difference: float
    columns: tuple[tuple[str, str], ...]

    def __fspath__(self) -> str:
        return str(self.path)


def export_onnx(model: Model, path: str | Path) -> OnnxFile:
    """Write a model as an ONNX file, and check it against the model in onnxruntime on 1,000 made-up rows.

    The file takes raw columns, each (rows, 1): numbers as double with NaN for a missing value; categories and yes-or-no
    columns as text with "" for a missing value, spelled as in the table and without blanks around them. It gives
    `prediction`, and for classes `probabilities`. All members, their calibration and the rule of decision are inside;
    prediction sets and intervals are not.

    Args:
        model: of a table.
        path: of the file to write.

    Raises:
        UserError: a date is among the columns; ONNX cannot read dates.
        MissingExtraError: the extra `onnx` is not installed.
        StorageError: the file cannot be written.
        PellucidError: the file would differ from the model by more than 1e-4.

    Example:
        >>> export_onnx(model, "model.onnx").largest_difference < 1e-4  # doctest: +SKIP
        True
    """
    saved = saved_model(model)
    columns = columns_of(saved.features, OUTPUTS)
    graph = Graph(reserved=[*OUTPUTS, *(column.name for column in columns)])
    outputs = saved.network.outputs(*encode(graph, columns))
    answer = answers(outputs, saved.target, saved.calibrator, saved.single)
    if isinstance(saved.target, ClassTarget):
        graph.output("probabilities", answer, ["rows", len(saved.target.classes)])
        graph.output("prediction", _labels(graph, saved.target, _decided(model, answer)), ["rows"])
    else:
        graph.output("prediction", answer, ["rows", 1])
    content = graph.model(_about(saved, columns), __version__)
    difference = largest_difference(model, columns, content)
    write_atomically(path, content)
    return OnnxFile(Path(path), difference, tuple((column.name, column.kind) for column in columns))


def _decided(model: Model, probabilities: Wire) -> Wire:
    """The index of the class to act on, (rows,): as `model.decision.decide`."""
    costs, threshold = model.decision.get("costs"), model.decision.get("threshold")
    if costs is not None:
        return np.argmin(probabilities @ cost_matrix(costs, model.classes), axis=1)
    if threshold is None:
        return np.argmax(probabilities, axis=1)
    positive = np.arange(len(model.classes)) == model.positive
    others = np.argmax(np.where(positive[None, :], -1.0, probabilities), axis=1)
    reached = np.take(probabilities, model.positive, axis=1) >= check_threshold(threshold)
    return np.where(reached, np.int64(model.positive), others)


def _labels(graph: Graph, target: ClassTarget, index: Wire) -> Wire:
    """The labels in their own type where ONNX has it, else as text."""
    kinds = {type(label) for label in target.classes}
    plain = kinds in ({int}, {float}, {bool}) and all(abs(label) < INT64 for label in target.classes)
    table = graph.constant(np.array(target.classes if plain else [str(label) for label in target.classes]))
    return graph.node("Gather", [table, index], table.dtype)


def _about(saved: SavedModel, columns: Sequence[Column]) -> dict[str, str]:
    """What the file says about itself, as texts; lists are JSON."""
    classes: tuple[Any, ...] = saved.target.classes if isinstance(saved.target, ClassTarget) else ()
    described = [{"input": column.name, "column": column.feature.name, "type": column.feature.kind,
                  "missing": "NaN" if column.kind == "number" else ""} for column in columns]
    return {"pellucid_version": __version__, "target": saved.target.name,
            "task": "classify" if classes else "regress", "classes": json.dumps(classes, ensure_ascii=False),
            "columns": json.dumps(described, ensure_ascii=False)}
