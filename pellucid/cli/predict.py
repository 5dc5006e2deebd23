"""`pellucid predict`: a prediction for every row; large files pass through in pieces."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from pellucid.cli.device import require_device
from pellucid.cli.output import say_notes, writing
from pellucid.cli.trouble import say
from pellucid.core.note import Note
from pellucid.data.read import read_chunks
from pellucid.errors import SettingsError
from pellucid.features.inputs import raw_features
from pellucid.model.base import AbstractModel
from pellucid.model.card import plain_values
from pellucid.model.load import load
from pellucid.model.model import Model
from pellucid.model.predictions import Predictions
from pellucid.model.recommender import Recommender

ROWS, RAW_ROWS = 65_536, 4096
"""Rows that are in memory at a time; fewer where they hold pictures and the like."""


def run(model: str, data: str, output: str | None, format: str | None, as_json: bool, quiet: bool,
        settings: Mapping[str, Any]) -> None:
    """Write the predictions, then say what was noticed about the rows."""
    chosen, coverage = _format(format, output, as_json), settings.get("coverage")
    require_device(settings.get("device"))
    trained, rows = _with_risk(_with_top(load(model), settings.get("top")), settings.get("risk")), 0
    notes: dict[tuple[str, str | None], list[Note]] = {}
    pieces = read_chunks(data, RAW_ROWS if raw_features(trained.features) else ROWS, trained.table)
    first = trained.predict(next(pieces), coverage=coverage)
    with writing(output) as file:
        while True:
            _write(replace(first, first_row=rows), chosen, file)
            rows += len(first)
            for note in first.notes:
                notes.setdefault((note.kind, note.column), []).append(note)
            piece = next(pieces, None)
            if piece is None:
                break
            first = trained.predict(piece, coverage=coverage)
        if chosen == "json":
            file.write("\n]\n")
        file.flush()
    if not quiet:
        say_notes((_together(found) for found in notes.values()), everything=True)
        if output:
            say("done", f"{rows:,} predictions in `{output}`", "green")


def _with_top(model: AbstractModel, top: int | None) -> AbstractModel:
    """The model with lists of the length that was asked for."""
    if top is None:
        return model
    if not isinstance(model, Recommender):
        raise SettingsError(f"`--top` is for models that recommend; the task of this one is to {model.task}.",
                            "leave --top out")
    return model.with_top(top)


def _with_risk(model: AbstractModel, risk: float | None) -> AbstractModel:
    """The model that says `unsure` where more wrong answers than this would be risked."""
    if risk is None:
        return model
    if not isinstance(model, Model):
        raise SettingsError(f"`--risk` is for models that classify; the task of this one is to {model.task}.",
                            "leave --risk out")
    return model.answering(risk)


def _format(format: str | None, output: str | None, as_json: bool) -> str:
    if format is not None and format.lower() not in ("csv", "json"):
        raise SettingsError(f"`--format` was `{format}`; expected csv or json.", "write --format csv or --format json")
    if format is not None:
        return format.lower()
    return "json" if as_json or (output and Path(output).suffix.lower() == ".json") else "csv"


def _write(predictions: Predictions, format: str, file: TextIO) -> None:
    start = predictions.first_row == 0
    if format == "csv":
        file.write(predictions.to_csv(header=start))
        return
    lines = [json.dumps(plain_values(row), ensure_ascii=False) for row in predictions.to_json()]
    file.write(("[\n" if start else ",\n") + ",\n".join(lines))


def _together(notes: list[Note]) -> Note:
    """One note for all pieces of a file."""
    if len(notes) == 1 or notes[0].count is None:
        return notes[0]
    total = sum(note.count or 0 for note in notes)
    message = f"{notes[0].message} (In all pieces of the file together: {total:,}.)"
    return replace(notes[0], message=message, count=total)
