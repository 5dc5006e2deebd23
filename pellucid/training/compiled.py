"""Compiled loops, kept: in this process by program and shapes, and on disk by engine version and processor."""
from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np

from pellucid.training.loop import Carry, Data, Limits, Rows, Shape, run_chunk
from pellucid.training.program import Program

KEPT = 32
MOST_BYTES = 512 * 1024 * 1024
_kept: OrderedDict[Any, Compiled] = OrderedDict()
_lock = threading.Lock()


def cache_folder() -> Path | None:
    """Where compiled programs are kept on disk; `PELLUCID_CACHE` names another folder, or `off` for none."""
    named = os.environ.get("PELLUCID_CACHE", "")
    if named.lower() in ("off", "none", "0"):
        return None
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pellucid"
    return base / f"jaxlib-{jaxlib.__version__}-{_processor()}"


def _processor() -> str:
    """A short name for this processor's features: code compiled for others may not run here."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        features = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        features = platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(features.encode()).hexdigest()[:8]}"


def enable_disk_cache() -> None:
    """Turn on the compile cache on disk, unless the process has one already or the folder cannot be written."""
    folder = cache_folder()
    if folder is None or jax.config.jax_compilation_cache_dir:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache")
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # JAX can limit the folder's size itself, but then reads all entries' ages, under a lock, for each new entry: with
    # some thousands of them that takes longer than most compilations.
    jax.config.update("jax_compilation_cache_max_size", -1)
    _make_room(folder)


def _make_room(folder: Path) -> None:
    """Remove the entries that were not read for longest, down to half of `MOST_BYTES`, where there are more."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [(max(entry.stat().st_atime, entry.stat().st_mtime), entry.stat().st_size, entry.path)
                 for entry in entries]
    total = sum(size for _, size, _ in found)
    if total <= MOST_BYTES:
        return
    for _, size, path in sorted(found):
        with contextlib.suppress(OSError):  # another process may be at the same work
            os.unlink(path)
        total -= size
        if total <= MOST_BYTES // 2:
            return


def _signature(arguments: Any) -> Any:
    leaves, structure = jax.tree.flatten(arguments)
    return structure, tuple((np.shape(leaf), str(leaf.dtype)) for leaf in leaves)


@dataclass(frozen=True)
class Compiled:
    """A compiled loop.

    Args:
        call: from (carry, data, rows, limits) to the next carry.
        bytes: memory that it needs beside its arguments.
    """

    call: Any
    bytes: int


def _needs(executable: Any) -> int:
    analysis = executable.memory_analysis()
    if analysis is None:
        return 0
    return int(analysis.temp_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes)


def _compile(lowered: Any, program: Program) -> Any:
    """With the options that the program's network asks for on processors, unless this compiler does not know them."""
    network = getattr(getattr(program, "layout", None), "static", None)
    options = dict(getattr(network, "compiler_options", {})) if jax.default_backend() == "cpu" else {}
    with contextlib.suppress(jax.errors.JaxRuntimeError, ValueError):
        if options:
            return lowered.compile(compiler_options=options)
    return lowered.compile()


def compiled_chunk(program: Program, shape: Shape, carry: Carry, data: Data, rows: Rows, limits: Limits) -> Compiled:
    """`run_chunk` compiled for these arguments; the carry is donated. Equal programs and shapes compile once."""
    arguments = (carry, data, rows, limits)
    key = (program, shape, _signature(arguments))
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    enable_disk_cache()
    jitted = jax.jit(run_chunk, static_argnums=(0, 1), donate_argnums=(2,))
    executable = _compile(jitted.lower(program, shape, *arguments), program)
    compiled = Compiled(executable, _needs(executable))
    with _lock:
        _kept[key] = compiled
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
    return compiled
