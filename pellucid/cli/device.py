"""Whether the device that was asked for is there."""
from __future__ import annotations

import jax

from pellucid.errors import SettingsError


def require_device(device: str | None) -> None:
    """Raise a `SettingsError` when a GPU was asked for and there is none."""
    if device != "gpu":
        return
    try:
        jax.devices("gpu")
    except RuntimeError:
        raise SettingsError("`--device` was `gpu`, but JAX finds no GPU here.",
                            "install pellucid[cuda] on a machine with an NVIDIA GPU, or leave --device out") from None
