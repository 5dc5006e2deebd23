"""`pellucid describe`: layers, neurons and synapses of a trained model, or of a network before training."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.cli.output import print_json
from pellucid.cli.trouble import say
from pellucid.core.settings import Setting
from pellucid.errors import SettingsError, StorageError
from pellucid.model.load import load
from pellucid.networks import Description, describe, draw, sample

PICTURES = (".png", ".svg", ".pdf")
HINT = "write `pellucid describe MODEL`, `pellucid describe --network convolutional`, or `pellucid describe " \
       "--network feedforward --inputs 30 --hidden 64,64 --outputs 2`"
OWN_NAMES = {"layer_normalisation": "normalisation"}
NO_CHANGE = ("network", "numeric_embedding")


def run(model: str | None, inputs: str | None, outputs: str | None, draw: str | None, as_json: bool,
        settings: Mapping[str, Any]) -> None:
    """Print the description, and draw it if asked to."""
    if (model is None) == (inputs is None and outputs is None and not settings):
        raise SettingsError("Nothing to describe." if model is None else
                            "A model was given, and a network too.", HINT)
    if draw is not None and Path(draw).suffix.lower() not in PICTURES:
        raise SettingsError(f"`--draw` was `{draw}`; expected a file that ends in {', '.join(PICTURES)}.",
                            "name it network.png, for example")
    description = _planned(inputs, outputs, settings) if model is None else load(model).describe()
    if as_json:
        print_json(description.to_json())
    else:
        print(description)
    if draw is not None:
        _draw(description, draw)


def _planned(inputs: str | None, outputs: str | None, settings: Mapping[str, Any]) -> Description:
    """A network before training: the sample of its kind, with what was given changed."""
    sizes = {name: Setting(name, "integer", None, "", low=1, high=1_000_000).parse(text)
             for name, text in (("inputs", inputs), ("outputs", outputs)) if text is not None}
    changes = {OWN_NAMES.get(name, name): value for name, value in settings.items() if name not in NO_CHANGE}
    return describe(sample(settings.get("network", "feedforward"), sizes | changes))


def _draw(description: Description, path: str) -> None:
    try:
        draw(description).savefig(path)
    except OSError as error:
        raise StorageError(f"Could not write `{path}`: {error.strerror or error}.",
                           "name a file that you may write") from error
    say("done", f"drawn in `{path}`", "green")
