"""The file format of a model: a zip of JSON and tensors; no pickle, nothing executable, sizes checked before reading.

    model.json            format, features, network, calibration, settings, metrics, versions
    weights.safetensors   tensors by pytree path, each with a leading member axis
    probe.safetensors     made-up inputs and the outputs that the model gave for them when it was saved
    card.md               the same for people
"""
from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pellucid.core.files import write_atomically
from pellucid.errors import ModelFileError, nearest

FORMAT = 1
PARTS = ("model.json", "weights.safetensors", "probe.safetensors", "card.md")
LARGEST = {"model.json": 256 * 2**20, "weights.safetensors": 16 * 2**30, "probe.safetensors": 256 * 2**20,
           "card.md": 2**20}
HIGHEST_RATIO = 200
_AGAIN = "copy the file again from where it was made, or train the model anew"


@dataclass(frozen=True)
class Archive:
    """What a model file holds, in plain values and arrays."""

    record: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]
    probe: Mapping[str, np.ndarray]
    card: str


def flatten(arrays: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Nested arrays by path, such as `"columns.0.pixels"`: what a tensor file can hold."""
    if isinstance(arrays, np.ndarray):
        return {prefix: np.ascontiguousarray(arrays)}
    inside = arrays.items() if isinstance(arrays, Mapping) else enumerate(arrays)
    return {name: leaf for key, one in inside
            for name, leaf in flatten(one, f"{prefix}.{key}" if prefix else str(key)).items()}


def like(arrays: Any, tensors: Mapping[str, np.ndarray], prefix: str = "") -> Any:
    """The arrays that `flatten` took apart, nested as `arrays` are; `KeyError` or `ValueError` where they differ."""
    if isinstance(arrays, np.ndarray):
        tensor = tensors[prefix]
        if tensor.shape != arrays.shape or tensor.dtype != arrays.dtype:
            raise ValueError("its columns are not those of its network")
        return tensor
    inside = arrays.items() if isinstance(arrays, Mapping) else enumerate(arrays)
    found = {key: like(one, tensors, f"{prefix}.{key}" if prefix else str(key)) for key, one in inside}
    return found if isinstance(arrays, Mapping) else tuple(found.values())


def write_archive(archive: Archive, path: str | Path) -> Path:
    """Write a model file in one move: a crash or a full disk leaves what was there before.

    Raises:
        StorageError: the file cannot be written.
    """
    path = Path(path)
    record = json.dumps({"format": FORMAT, **archive.record}, ensure_ascii=False, allow_nan=False, indent=1)
    contents = {"model.json": record.encode("utf-8"), "weights.safetensors": save(dict(archive.tensors)),
                "probe.safetensors": save(dict(archive.probe)), "card.md": archive.card.encode("utf-8")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in PARTS:
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            packed = zipfile.ZIP_DEFLATED if name.endswith((".json", ".md")) else zipfile.ZIP_STORED
            file.writestr(entry, contents[name], compress_type=packed)
    write_atomically(path, out.getvalue())
    return path


def read_archive(path: str | Path) -> Archive:
    """Read a model file.

    Raises:
        ModelFileError: there is no such file, or it is truncated, of another kind, from a newer format or
            unreasonably large.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as file:
            _check_entries(file, path)
            record = _record(file.read("model.json"), path)
            return Archive(record, load(file.read("weights.safetensors")), load(file.read("probe.safetensors")),
                           file.read("card.md").decode("utf-8", "replace"))
    except FileNotFoundError:
        raise ModelFileError(f"There is no file `{path}`.", _near(path)) from None
    except IsADirectoryError:
        inside = path / "model.pellucid"
        hint = f"pass the model inside: `{inside}`" if inside.exists() else "pass a file that ends in .pellucid"
        raise ModelFileError(f"`{path}` is a folder; expected a model file.", hint) from None
    except (zipfile.BadZipFile, EOFError, SafetensorError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(f"`{path}` is damaged or not a Pellucid model: {str(error).splitlines()[0]}.",
                             _AGAIN) from error
    except OSError as error:
        raise ModelFileError(f"`{path}` cannot be read: {error.strerror or error}.", "check its rights") from error


def _near(path: Path) -> str:
    others = [str(one) for one in path.parent.glob("*.pellucid")] if path.parent.is_dir() else []
    close = nearest(str(path), others, 1) or others[:1]
    return f"did you mean `{close[0]}`?" if close else "check the path; `pellucid train` prints where it saves a model"


def _check_entries(file: zipfile.ZipFile, path: Path) -> None:
    """Refuse what no model of ours looks like, before a byte is unpacked."""
    entries = {entry.filename: entry for entry in file.infolist()}
    if "model.json" not in entries:
        raise ModelFileError(f"`{path}` is a zip file, but not a Pellucid model: it has no model.json.",
                             "pass a file that `pellucid train` or `model.save` wrote")
    for name in PARTS:
        if name not in entries:
            raise ModelFileError(f"`{path}` is damaged: it has no {name}.", _AGAIN)
        entry = entries[name]
        if entry.file_size > LARGEST[name] or entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1024):
            raise ModelFileError(f"`{path}` is not read: its {name} would unpack to {entry.file_size / 1e6:,.0f} MB.",
                                 "this is not how Pellucid writes models; get the file from a source that you trust")


def _record(content: bytes, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(content)
        number = record["format"]
        newer = number > FORMAT
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFileError(f"`{path}` is damaged or not a Pellucid model: its model.json cannot be read.",
                             _AGAIN) from None
    if newer:
        raise ModelFileError(f"`{path}` has format {number}; this version of Pellucid reads up to {FORMAT}.",
                             "upgrade with: pip install --upgrade pellucid")
    return record
