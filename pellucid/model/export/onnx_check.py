"""Made-up rows, and how far an ONNX file strays from its model on them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pellucid.errors import MissingExtraError, PellucidError
from pellucid.features.targets import ClassTarget
from pellucid.features.types import Boolean, Category
from pellucid.model.export.onnx_inputs import Column

if TYPE_CHECKING:
    from pellucid.model.model import Model

ROWS = 1000
LARGEST = 1e-4
ABSENT = 0.08  # the share of cells made missing, and of those made odd


def made_up_rows(columns: Sequence[Column], rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Random cells from the ranges and vocabularies of the columns, some missing, infinite, far out or unseen."""
    generator = np.random.default_rng(seed)
    frame = {column.feature.name: _cells(column, rows, generator) for column in columns}
    return pl.DataFrame(frame, schema={column.feature.name: pl.Float64 if column.kind == "number" else pl.String
                                       for column in columns}, strict=False)


def _cells(column: Column, rows: int, generator: np.random.Generator) -> list[Any]:
    feature, luck = column.feature, generator.random(rows)
    if isinstance(feature, (Category, Boolean)):
        words = feature.words or ("no", "Yes", "1", "FALSE") if isinstance(feature, Boolean) else feature.vocabulary
        known = [word for word in words if word is not None] or ["unseen"]
        cells = [known[index] for index in generator.integers(0, len(known), rows)]
        odd: list[Any] = ["never seen", "na", "NaN", ""]
    else:
        share = generator.random(rows)
        inside = feature.low * (1 - share) + feature.high * share
        wide = feature.center + 2 * feature.scale * generator.standard_normal(rows)
        cells = np.where(luck < 0.6, inside, wide).tolist()
        odd = [np.inf, -np.inf, feature.high + 10 * feature.scale, feature.low]
    return [None if place < ABSENT else odd[row % len(odd)] if place > 1 - ABSENT else cell
            for row, (place, cell) in enumerate(zip(luck, cells, strict=True))]


def feeds(columns: Sequence[Column], frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The inputs of the graph (rows, 1) for a frame with numbers and texts."""
    found = {}
    for column in columns:
        cells = frame[column.feature.name]
        if column.kind == "number":
            found[column.name] = cells.cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(-1, 1)
        else:
            found[column.name] = np.array(cells.fill_null("").to_list(), object).reshape(-1, 1)
    return found


def run_file(content: bytes, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What onnxruntime gives for each output."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError.of("onnxruntime", "onnx", "Checking an ONNX file") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def largest_difference(model: Model, columns: Sequence[Column], content: bytes) -> float:
    """Between the file and the model on made-up rows: of probabilities, or of numbers in standard deviations of the
    target.

    Raises:
        PellucidError: above 1e-4, or the file decides otherwise.
    """
    frame = made_up_rows(columns)
    found, expected = run_file(content, feeds(columns, frame)), model.predict(frame)
    if isinstance(model.target, ClassTarget):
        difference = float(np.max(np.abs(found["probabilities"] - expected.probabilities)))
        decided = model.target.decode(model.decide(found["probabilities"]))
        same = found["prediction"].astype(str).tolist() == decided.astype(str).tolist()
    else:
        away = np.abs(found["prediction"][:, 0] - expected.prediction) / model.target.scale
        difference, same = float(np.max(away)), True
    if not difference <= LARGEST or not same:
        raise PellucidError(f"The ONNX file is not written: it answers otherwise than the model (by up to "
                            f"{difference:.1g} on {ROWS:,} made-up rows).",
                            "this is a fault of Pellucid or of onnxruntime; please report it with both versions")
    return difference
