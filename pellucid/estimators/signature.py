"""Constructors out of declared settings, so that a hyper-parameter is written down once."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pellucid.core.settings import Setting, SettingsGroup

RANDOM_STATE = Setting("random_state", "integer", None, "scikit-learn's name for `seed`; used when given.", low=0,
                       high=2**32 - 1)


def from_settings(settings: SettingsGroup) -> Callable[[type], type]:
    """A class decorator that adds an `__init__` which keeps each setting, unchanged, under its name.

    The signature is a real one: help, completion and scikit-learn's `get_params` see every setting with its default.
    """
    def decorate(cls: type) -> type:
        parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=setting.default)
                      for name, setting in settings.items()]
        known = {parameter.name for parameter in parameters}

        def __init__(self: Any, **given: Any) -> None:
            unknown = sorted(set(given) - known)
            if unknown:
                raise TypeError(f"{cls.__name__}() got an unexpected keyword argument {unknown[0]!r}")
            for parameter in parameters:
                setattr(self, parameter.name, given.get(parameter.name, parameter.default))

        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        __init__.__signature__ = inspect.Signature([own, *parameters])
        __init__.__doc__ = "Settings, all keyword-only:\n\n" + "\n".join(
            f"    {name}: {setting.help} {setting.expected.capitalize()}. Default {setting.default!r}."
            for name, setting in settings.items())
        cls.__init__ = __init__
        return cls

    return decorate
