"""The JSON lines that every benchmark prints: which commit, on what machine, with which versions."""

import functools
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("pellucid", "jax", "scikit-learn", "numpy", "pandas", "torch", "keras")
GIB = 2**30


@functools.cache
def commit() -> str:
    """Return the short commit, with `+` behind it when files differ from it, or `unknown`."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@functools.cache
def machine() -> str:
    """Return the processor, its cores and the memory in one phrase, without the machine's name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the installed version of each package that is installed, and Python's."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def origin(seed: int) -> dict[str, Any]:
    """Return the fields that open every line: commit, machine, versions and seed."""
    return {"commit": commit(), "machine": machine(), "versions": versions(), "seed": seed}


def emit(line: Mapping[str, Any], results: Path | None = None) -> None:
    """Print one JSON line to standard output, and append it to the results file when there is one."""
    text = json.dumps(line)
    print(text, flush=True)
    if results is not None:
        with results.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def read(results: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the lines of a results file, none when it does not exist yet."""
    if results is None or not results.exists():
        return
    for number, text in enumerate(results.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            yield json.loads(text)
        except json.JSONDecodeError:
            say(f"warning: line {number} of {results} is no JSON and was skipped.")


def say(message: str) -> None:
    """Tell the user something on standard error; standard output is for data."""
    print(message, file=sys.stderr, flush=True)
