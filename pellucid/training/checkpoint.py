"""Checkpoints: all that a run is in one file, replaced atomically, so that a killed run can go on bit by bit."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pellucid.core.files import remove_leftovers, write_atomically
from pellucid.training.loop import Carry

NAME = "carry.safetensors"


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    Args:
        carry: the carry of the compiled loop.
        members: measurement name to an array (epochs, members), all epochs so far.
        seconds: the end of each of these epochs.
        elapsed: seconds of training so far.
        ending: why training had ended; empty when it had not.
    """

    carry: Carry
    members: Mapping[str, np.ndarray]
    seconds: np.ndarray
    elapsed: float
    ending: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run keeps its state.

    Args:
        folder: made when it is missing.
        fingerprint: stands for data and settings; a checkpoint of another run is not used.
        seconds: the least time between two writes.
        first: the least time before the first one.
    """

    folder: Path
    fingerprint: str
    seconds: float = 5.0
    first: float = 1.0

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.folder) / NAME

    def write(self, saved: Saved) -> None:
        """Write `saved`; a full disk leaves the file before it whole.

        Raises:
            StorageError: the file cannot be written.
        """
        leaves = dict(zip(_names(saved.carry), jax.tree.leaves(jax.device_get(saved.carry)), strict=True))
        tensors = leaves | {f"history {name}": values for name, values in saved.members.items()}
        tensors["seconds"] = np.asarray(saved.seconds, np.float64)
        about = {"fingerprint": self.fingerprint, "elapsed": json.dumps(saved.elapsed), "ending": saved.ending}
        content = save({name: np.asarray(values, order="C") for name, values in tensors.items()}, metadata=about)
        write_atomically(self.path, content, make_folder=True)

    def read(self, like: Carry) -> Saved | None:
        """What was last written; `None` when there is nothing whole of this run."""
        remove_leftovers(self.path)
        try:
            return self._parsed(self.path.read_bytes(), like)
        except (OSError, SafetensorError, ValueError, KeyError):
            return None

    def _parsed(self, content: bytes, like: Carry) -> Saved | None:
        about: dict[str, Any] = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        tensors = load(content)
        leaves, structure = jax.tree.flatten(like)
        found = [tensors.pop(name) for name in _names(like)]
        fits = all(one.shape == leaf.shape and one.dtype == leaf.dtype for one, leaf in zip(found, leaves, strict=True))
        if about["fingerprint"] != self.fingerprint or not fits:
            return None
        carry = jax.tree.unflatten(structure, [jnp.array(one, copy=True) for one in found])
        members = {name.removeprefix("history "): values for name, values in tensors.items() if name != "seconds"}
        return Saved(carry, members, tensors["seconds"], float(json.loads(about["elapsed"])), about["ending"])


def _names(carry: Carry) -> list[str]:
    paths, _ = jax.tree_util.tree_flatten_with_path(carry)
    return ["carry" + jax.tree_util.keystr(path) for path, _ in paths]
