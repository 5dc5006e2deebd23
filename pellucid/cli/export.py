"""`pellucid export`: a model in another format."""
from __future__ import annotations

from pathlib import Path

from pellucid.cli.trouble import say
from pellucid.errors import SettingsError, did_you_mean
from pellucid.model.export import export_onnx
from pellucid.model.load import load

FORMATS = ("onnx",)


def run(model: str, to: str | None, output: str | None) -> None:
    """Write the file and say where it is."""
    name = (to or "onnx").lower()
    if name not in FORMATS:
        raise SettingsError(f"Unknown format `{to}`.", did_you_mean(name, FORMATS))
    path = Path(output) if output else Path(model).with_suffix(".onnx")
    export_onnx(load(model), path)
    say("done", f"written to `{path}`", "green")
