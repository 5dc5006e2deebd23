"""Checkpoints: the whole carry in one file, replaced atomically, so that a killed run can go on bit by bit."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pellucid.core.files import write_atomically
from pellucid.training.loop import Carry

NAME = "carry.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run keeps its carry.

    Args:
        folder: made when it is missing.
        fingerprint: stands for data and settings; a checkpoint of another run is not used.
        seconds: the least time between two writes.
    """

    folder: Path
    fingerprint: str
    seconds: float = 5.0

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.folder) / NAME

    def write(self, carry: Carry, elapsed: float) -> None:
        """Write `carry`; a full disk leaves the file before it whole."""
        leaves = jax.tree.leaves(jax.device_get(carry))
        tensors = {str(number): np.ascontiguousarray(leaf) for number, leaf in enumerate(leaves)}
        about = {"fingerprint": self.fingerprint, "elapsed": json.dumps(elapsed)}
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, save(tensors, metadata=about))

    def read(self, like: Carry) -> tuple[Carry, float] | None:
        """The carry last written and the seconds trained until then; `None` when there is none of this run."""
        try:
            content = self.path.read_bytes()
            header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
            tensors = load(content)
        except (OSError, SafetensorError, ValueError):
            return None
        about: dict[str, Any] = header.get("__metadata__", {})
        leaves, structure = jax.tree.flatten(like)
        fits = len(tensors) == len(leaves) and all(
            tensors[str(number)].shape == leaf.shape and tensors[str(number)].dtype == leaf.dtype
            for number, leaf in enumerate(leaves))
        if about.get("fingerprint") != self.fingerprint or not fits:
            return None
        restored = jax.tree.unflatten(structure, [tensors[str(number)] for number in range(len(leaves))])
        return jax.device_put(restored), float(json.loads(about["elapsed"]))
