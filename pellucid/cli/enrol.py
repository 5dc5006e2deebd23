"""`pellucid enrol`: teach a model that verifies further people or things, from a few examples each."""
from __future__ import annotations

from pathlib import Path

from pellucid.cli.trouble import say
from pellucid.data.read import as_table
from pellucid.errors import SettingsError
from pellucid.model.load import load
from pellucid.model.verifier import Verifier


def run(model: str, data: str, output: str | None) -> None:
    """Write the model that knows them as well."""
    found = load(model)
    if not isinstance(found, Verifier):
        raise SettingsError(f"`{model}` is a model for the task {found.task}; only models that verify can enrol.",
                            "train one with: pellucid train FOLDER --task verify")
    taught = found.enrol(as_table(data))
    path = Path(output) if output else Path(model).with_name(f"{Path(model).stem}-enrolled.pellucid")
    taught.save(path)
    known, before = len(taught.gallery.names), len(found.gallery.names)
    say("done", f"{known:,} identities are enrolled, {known - before:,} of them new, in `{path}`", "green")
