"""The run folder: model, metrics, history, settings, report and checkpoint of one run; never overwritten."""
from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.declared import DEFAULTS_VERSION, TRAIN
from pellucid.core.files import remove_leftovers, write_atomically
from pellucid.data.table import Table
from pellucid.errors import SettingsError, StorageError
from pellucid.model.card import plain_values
from pellucid.tasks.run import Run
from pellucid.training.checkpoint import Checkpoint

PARENT = Path("runs")
FILES = ("model.pellucid", "metrics.json", "history.csv", "settings.json", "report.html")


def fingerprint(table: Table, target: str | None, settings: Mapping[str, Any]) -> str:
    """A short text that stands for data and settings: equal for equal runs."""
    digest = hashlib.sha256(json.dumps([list(table.names), target, plain_values(settings)], sort_keys=True).encode())
    digest.update(table.frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()[:32]


@dataclass
class RunFolder:
    """One run's place on disk.

    Args:
        path: the folder.
        source: the data, as named by the user.
    """

    path: Path
    source: str
    target: str | None = None
    given: Mapping[str, Any] | None = None
    mark: str = ""

    @classmethod
    def open(cls, run: str | Path | None, source: str, resume: bool) -> RunFolder:
        """The folder of a new run, or of the one to resume; one that was killed before it began is a new run.

        Raises:
            SettingsError: the folder holds a run already, or something else.
            StorageError: the folder cannot be made.
        """
        path = Path(run) if run is not None else _numbered(source, resume)
        if path.is_file():
            raise SettingsError(f"`run` was `{path}`, which is a file; expected a folder.", "name another folder")
        remove_leftovers(path / "settings.json")
        used = path.is_dir() and any(path.iterdir())
        if used and not resume:
            raise SettingsError(f"The folder `{path}` is not empty; a run is never overwritten.",
                                "name another folder, or resume the run in it")
        if used and not (path / "settings.json").exists():
            raise SettingsError(f"There is no run to resume in `{path}`.", "name the folder of the run")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder `{path}` cannot be made: {error.strerror}.",
                               "name a folder that you may write to") from error
        return cls(path, source)

    @property
    def begun(self) -> bool:
        """Whether a run was started in it before."""
        return (self.path / "settings.json").exists()

    @property
    def model(self) -> Path:
        """The file of the trained model."""
        return self.path / "model.pellucid"

    def continued(self, target: str | None, given: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """Target and settings of the run in this folder, save for those that are given anew."""
        try:
            before = json.loads((self.path / "settings.json").read_text(encoding="utf-8"))
            return target or before["target"], {**before["given"], **given}
        except (OSError, ValueError, KeyError, TypeError):
            return target, dict(given)

    def begin(self, target: str | None, given: Mapping[str, Any], mark: str) -> None:
        """Note what the run is, so that it can be resumed and repeated.

        Raises:
            SettingsError: the folder's run is one of other data or settings.
        """
        self.target, self.given, self.mark = target, dict(given), mark
        file = self.path / "settings.json"
        if file.exists():
            try:
                before = json.loads(file.read_text(encoding="utf-8")).get("fingerprint")
            except (ValueError, OSError):
                before = mark
            if before != mark:
                raise SettingsError(f"The run in `{self.path}` was started with other data or settings.",
                                    f"resume it with the ones in {file}, or name another folder")
            return
        self._write("settings.json", self._settings({}))

    def checkpoint(self) -> Checkpoint:
        """Where training keeps its state."""
        return Checkpoint(self.path / "checkpoint", self.mark)

    def command(self, target: str | None) -> str:
        """The command that repeats the run, with the settings that were given."""
        words = ["pellucid", "train", self.source, *([] if target is None else ["--target", target])]
        for name, value in (self.given or {}).items():
            if value != TRAIN[name].default:
                words += _as_options(name, value)
        return shlex.join(words)

    def write(self, run: Run, resolved: Mapping[str, Any]) -> None:
        """Write everything but the checkpoint; the model first."""
        for name in FILES:
            remove_leftovers(self.path / name)
        run.model.save(self.model)
        self._write("metrics.json", run.metrics)
        write_atomically(self.path / "history.csv", run.history.to_csv())
        self._write("settings.json", self._settings(resolved))
        run.report()

    def _settings(self, resolved: Mapping[str, Any]) -> dict[str, Any]:
        return {"defaults": DEFAULTS_VERSION, "data": self.source, "target": self.target, "given": self.given,
                "resolved": resolved, "fingerprint": self.mark}

    def _write(self, name: str, value: Any) -> None:
        text = json.dumps(plain_values(value), indent=1, ensure_ascii=False)
        write_atomically(self.path / name, text + "\n")


def _numbered(source: str, resume: bool) -> Path:
    """`runs/<data>-<n>`: the next free number, or the latest one to resume."""
    stem = Path(source).name.split(".")[0] or "data"
    stem = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in stem)
    taken = [int(path.name.rsplit("-", 1)[1]) for path in PARENT.glob(f"{stem}-*")
             if path.name.rsplit("-", 1)[1].isdecimal()]
    latest = max(taken, default=0)
    return PARENT / f"{stem}-{latest if resume and latest else latest + 1}"


def _as_options(name: str, value: Any) -> list[str]:
    option = TRAIN[name].option
    if name == "types":
        return [word for column, kind in value.items() for word in ("--type", f"{column}={kind}")]
    if isinstance(value, bool):
        return [option if value else f"--no-{name.replace('_', '-')}"]
    if isinstance(value, Mapping):
        return [option, json.dumps(value, ensure_ascii=False)]
    if isinstance(value, (list, tuple)):
        return [option, ",".join(str(one) for one in value)]
    return [option, str(value)]
