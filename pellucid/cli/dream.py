"""`pellucid dream`: what the network for pictures in a model looks for."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.cli.device import require_device
from pellucid.cli.trouble import say
from pellucid.errors import SettingsError, StorageError
from pellucid.model.dreaming import dream_of


def run(model: str, wish: str | None, photograph: str | None, output: str | None, settings: Mapping[str, Any]) -> None:
    """Write the pictures into one file."""
    require_device(settings.get("device"))
    given = {name: value for name, value in settings.items() if name != "device"}
    path = Path(output or "dream.png")
    found = dream_of(model, wish=wish, photograph=photograph, **given)
    try:
        found.save(path)
    except ValueError:
        raise SettingsError(f"`--output` was `{path}`, whose ending names no kind of picture.",
                            "end it in .png or .jpg") from None
    except OSError as error:
        raise StorageError(f"`{path}` cannot be written: {error.strerror or error}.",
                           "name a file that you may write") from error
    say("done", f"{len(found.titles)} {'picture' if len(found.titles) == 1 else 'pictures'} in `{path}`: "
        f"{', '.join(found.titles)}", "green")
