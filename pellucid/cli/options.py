"""The parameters of commands; those of training are derived from the declared settings."""
from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from pellucid.core.settings import Setting
from pellucid.errors import SettingsError

AMERICAN = {"normalize": "normalise", "optimizer": "optimiser", "initializer": "initialiser",
            "layer-normalization": "layer-normalisation"}
METAVARS = {"integer": "N", "number": "X", "choice": "NAME", "text": "TEXT", "integers": "N,N,...", "duration": "TIME",
            "texts": "NAME,NAME,..."}
COSTS_HINT = "write --costs bad:good=5,good:bad=1 (actual:decided=cost), or JSON: '{\"bad\": {\"good\": 5}}'"
TYPES_HINT = "write --type COLUMN=TYPE, for example --type zip=category"


def argument(name: str, help: str, metavar: str | None = None) -> inspect.Parameter:
    """A value that must be given, by its place."""
    info = typer.Argument(help=help, metavar=metavar or name.upper(), show_default=False)
    return _parameter(name, str, info, inspect.Parameter.empty)


def optional_argument(name: str, help: str) -> inspect.Parameter:
    """A value by its place that may be left out."""
    return _parameter(name, str | None, typer.Argument(help=help, metavar=name.upper(), show_default=False), None)


def option(name: str, help: str, *, metavar: str = "TEXT", panel: str | None = None,
           option: str | None = None) -> inspect.Parameter:
    """An option that takes a text."""
    info = typer.Option(option or spelled(name), help=help, metavar=metavar, rich_help_panel=panel,
                        show_default=False)
    return _parameter(name, str | None, info, None)


def switch(name: str, help: str, *, panel: str | None = None, option: str | None = None) -> inspect.Parameter:
    """An option that is on or off."""
    info = typer.Option(option or spelled(name), help=help, rich_help_panel=panel, show_default=False, metavar="")
    return _parameter(name, bool, info, False)


def repeated(name: str, help: str, *, option: str, metavar: str, panel: str | None = None) -> inspect.Parameter:
    """An option that may be given several times."""
    info = typer.Option(option, help=help, metavar=metavar, rich_help_panel=panel, show_default=False)
    return _parameter(name, list[str] | None, info, None)


def _parameter(name: str, kind: Any, info: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


def spellings(parameter: inspect.Parameter) -> list[str]:
    """How an option is written: `--bias` and `--no-bias`; nothing for an argument."""
    info = parameter.annotation.__metadata__[0]
    declared = getattr(info, "default", None)
    return declared.split("/") if isinstance(declared, str) and declared.startswith("-") else []


def spelled(name: str) -> str:
    """The option of a name: `learning_rate` is `--learning-rate`."""
    return "--" + name.replace("_", "-")


def normal_spelling(token: str) -> str:
    """Options may be written with underscores and in American English."""
    token = token.replace("_", "-")
    return AMERICAN.get(token, token)


def settings_options(settings: Iterable[Setting]) -> list[inspect.Parameter]:
    """One option for each declared setting, under the heading of its group; all are texts until `parse_settings`."""
    return [_setting_option(setting) for setting in settings]


def _setting_option(setting: Setting) -> inspect.Parameter:
    panel = setting.group.capitalize()
    if setting.name == "types":
        return repeated("types", "Type of a column where the inferred one is wrong; may be repeated.", option="--type",
                        metavar="COLUMN=TYPE", panel=panel)
    if setting.kind == "flag":
        info = typer.Option(f"{setting.option}/--no-{setting.option[2:]}", help=_help(setting), rich_help_panel=panel,
                            metavar="", show_default=False)
        return _parameter(setting.name, bool | None, info, None)
    if setting.kind == "texts":
        return repeated(setting.name, _help(setting), option=setting.option, metavar="NAME", panel=panel)
    metavar = "ACTUAL:DECIDED=COST,..." if setting.name == "costs" else METAVARS[setting.kind]
    info = typer.Option(setting.option, help=_help(setting), metavar=metavar, rich_help_panel=panel,
                        show_default=False)
    return _parameter(setting.name, str | None, info, None)


def _help(setting: Setting) -> str:
    if setting.name == "costs":
        return "What each mistake costs."
    text = setting.help
    if setting.choices:
        text += f" One of: {', '.join(setting.choices)}."
    if setting.default is None or setting.default == ():
        return text
    shown = {True: "yes", False: "no"}.get(setting.default, setting.default) if setting.kind == "flag" else \
        f"{setting.default:g}" if isinstance(setting.default, float) else setting.default
    return f"{text} Default: {shown}."


def parse_settings(settings: Iterable[Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of those options that were given, checked.

    Raises:
        SettingsError: a value is not permitted.
    """
    chosen = {}
    for setting in settings:
        name, text = setting.name, given.get(setting.name)
        if text is None or text == [] or text == ():
            continue
        if name == "types":
            chosen[name] = parse_types(text)
        elif name == "costs":
            chosen[name] = parse_costs(text)
        else:
            chosen[name] = setting.parse(text) if isinstance(text, str) else setting.check(text)
    return chosen


def parse_types(texts: Iterable[str]) -> dict[str, str]:
    """{column: type} from texts such as `zip=category`."""
    types = {}
    for text in texts:
        column, equals, kind = text.rpartition("=")
        if not equals or not column or not kind:
            raise SettingsError(f"`--type` was `{text}`; expected COLUMN=TYPE.", TYPES_HINT)
        types[column] = kind
    return types


def parse_costs(text: str) -> dict[str, dict[str, float]]:
    """{actual: {decided: cost}} from JSON or from `actual:decided=cost,...`."""
    try:
        if text.lstrip().startswith("{"):
            return {str(actual): {str(decided): float(cost) for decided, cost in row.items()}
                    for actual, row in json.loads(text).items()}
        costs: dict[str, dict[str, float]] = {}
        for part in text.split(","):
            classes, _, cost = part.rpartition("=")
            actual, colon, decided = classes.partition(":")
            if not colon:
                raise ValueError
            costs.setdefault(actual.strip(), {})[decided.strip()] = float(cost)
        return costs
    except (ValueError, AttributeError, TypeError):
        raise SettingsError(f"`--costs` was `{text}`, which cannot be read.", COSTS_HINT) from None
