"""Hyper-parameters declared as data: name, type, range, default, unit, help.

Validation, error texts, command-line options, the JSON schema, the docs table and the bad-value tests
all come from one `Setting` each.
"""
from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pellucid.core.registry import Registry
from pellucid.errors import SettingsError, did_you_mean

Kind = Literal["integer", "number", "choice", "text", "flag", "integers", "mapping", "duration", "texts"]


@dataclass(frozen=True)
class Setting:
    """One hyper-parameter.

    Args:
        name: the keyword in Python; the command-line option is the same with hyphens.
        kind: what values it takes; `integers` is a tuple of integers, `duration` seconds (or text such as "5m").
        default: used when nothing is passed; `None` means "chosen from the data" or "off", as `help` says.
        help: one sentence for a user.
        low, high: the range of numbers; `open_low`/`open_high` leave the end itself out.
        choices: the permitted names; `aliases` are other spellings.
        words: permitted besides numbers, such as "find" for a learning rate.
        spelled: the command-line option where it is not the name.
        group: the heading under which it is listed.
    """

    name: str
    kind: Kind
    default: Any
    help: str
    group: str = "training"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] | None = None
    words: tuple[str, ...] = ()
    spelled: str = ""

    @property
    def option(self) -> str:
        """The command-line option."""
        return self.spelled or "--" + self.name.replace("_", "-")

    @property
    def expected(self) -> str:
        """The permitted values in words."""
        if self.choices:
            return "one of " + ", ".join(f"`{choice}`" for choice in self.choices)
        words = "".join(f", or `{word}`" for word in self.words)
        if self.kind in ("integer", "number", "duration", "integers"):
            noun = {"integer": "an integer", "number": "a number", "duration": "a duration such as `90s`, `5m`, `1h`,",
                    "integers": "whole numbers, separated by commas, each"}[self.kind]
            return noun + self._range + words
        return {"text": "text", "flag": "true or false", "mapping": "a mapping", "texts": "a list of names"}[
            self.kind] + words

    @property
    def _range(self) -> str:
        bounds = []
        if self.low is not None:
            bounds.append(f"{'above' if self.open_low else 'at least'} {_plain(self.low)}")
        if self.high is not None:
            bounds.append(f"{'below' if self.open_high else 'at most'} {_plain(self.high)}")
        return " " + " and ".join(bounds) if bounds else ""

    def check(self, value: Any) -> Any:
        """The value in its canonical form; `SettingsError` when it is not permitted."""
        if value is None:
            if self.default is None:
                return None
            raise self._error(value)
        if isinstance(value, str) and value in self.words:
            return value
        return getattr(self, f"_check_{self.kind}")(value)

    def parse(self, text: str) -> Any:
        """The value that `text` from a command line or a file stands for."""
        if text in self.words:
            return text
        try:
            if self.kind == "integer":
                return self.check(int(text))
            if self.kind == "number":
                return self.check(float(text))
            if self.kind == "integers":
                return self.check(tuple(int(part) for part in text.replace("x", ",").split(",") if part.strip()))
            if self.kind == "texts":
                return self.check(tuple(part.strip() for part in text.split(",") if part.strip()))
        except (ValueError, TypeError) as error:
            if isinstance(error, SettingsError):
                raise
            raise self._error(text) from None
        return self.check(text)

    def _error(self, value: Any) -> SettingsError:
        default = "" if self.default in (None, "", ()) else f" (the default is {self.default})"
        return SettingsError(f"`{self.name}` was {value!r}; expected {self.expected}.",
                             f"change {self.name}, or leave it out{default}: {self.help}")

    def _within(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        below = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return above and below

    def _check_integer(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not self._within(int(value)):
            raise self._error(value)
        return int(value)

    def _check_number(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not self._within(float(value)):
            raise self._error(value)
        return float(value)

    def _check_choice(self, value: Any) -> str:
        known: Registry[str] = Registry(self.name.replace("_", " "), self.aliases)
        for choice in self.choices:
            known.add(choice, choice)
        return known[value]

    def _check_text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._error(value)
        return value

    def _check_flag(self, value: Any) -> bool:
        if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "on", "off"):
            return value.lower() in ("true", "yes", "on")
        if type(value).__name__ not in ("bool", "bool_"):
            raise self._error(value)
        return bool(value)

    def _check_integers(self, value: Any) -> tuple[int, ...]:
        items = (value,) if isinstance(value, numbers.Integral) else value
        if isinstance(items, (str, Mapping)) or not hasattr(items, "__iter__"):
            raise self._error(value)
        return tuple(self._check_integer(item) for item in items)

    def _check_texts(self, value: Any) -> tuple[str, ...]:
        items = (value,) if isinstance(value, str) else value
        if not hasattr(items, "__iter__") or not all(isinstance(item, str) for item in items):
            raise self._error(value)
        return tuple(items)

    def _check_mapping(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self._error(value)
        return dict(value)

    def _check_duration(self, value: Any) -> float:
        if isinstance(value, str):
            factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(value.strip()[-1:].lower())
            number = value.strip()[:-1] if factor else value
            try:
                value = float(number) * (factor or 1)
            except ValueError:
                raise self._error(value) from None
        return self._check_number(value)


class SettingsGroup(Mapping[str, Setting]):
    """A fixed set of settings, looked up by name."""

    def __init__(self, *settings: Setting) -> None:
        self._settings = {setting.name: setting for setting in settings}

    def __getitem__(self, name: str) -> Setting:
        return self._settings[name]

    def __iter__(self):
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    @property
    def defaults(self) -> dict[str, Any]:
        """Each setting's default by name."""
        return {name: setting.default for name, setting in self._settings.items()}

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings, those `given` in their canonical form, the others at their defaults."""
        for name in given:
            if name not in self._settings:
                raise SettingsError(f"Unknown setting `{name}`.", did_you_mean(name, self._settings))
        return self.defaults | {name: self._settings[name].check(value) for name, value in given.items()}

    def json_schema(self) -> dict[str, Any]:
        """A JSON Schema (2020-12) of these settings."""
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                "additionalProperties": False,
                "properties": {name: _schema(setting) for name, setting in self._settings.items()}}


def _plain(bound: float) -> str:
    """The end of a range as people write it: 1000000, not 1e+06."""
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


def _schema(setting: Setting) -> dict[str, Any]:
    types = {"integer": "integer", "number": "number", "choice": "string", "text": "string", "flag": "boolean",
             "integers": "array", "mapping": "object", "duration": "number", "texts": "array"}
    schema: dict[str, Any] = {"description": setting.help, "default": setting.default,
                              "type": [types[setting.kind]]}
    if setting.kind in ("integers", "texts"):
        schema["items"] = {"type": "integer" if setting.kind == "integers" else "string"}
    if setting.words:
        schema["type"] = [*schema["type"], "string"]
    if setting.default is None:
        schema["type"] = [*schema["type"], "null"]
    if setting.choices:
        schema["enum"] = [*setting.choices, *([None] if setting.default is None else [])]
    if setting.kind in ("integer", "number", "duration"):
        if setting.low is not None:
            schema["exclusiveMinimum" if setting.open_low else "minimum"] = setting.low
        if setting.high is not None:
            schema["exclusiveMaximum" if setting.open_high else "maximum"] = setting.high
    return schema
