"""Writes docs/settings.md from the declared settings, so that the page and the program cannot differ.

    python docs/write_settings.py
"""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pellucid.core.declared import CHANGE, CURVE_SETTINGS, DEFAULTS_VERSION, EXPLAIN, SIMILAR, TRAIN
from pellucid.core.names import FEATURE_TYPE_ALIASES, FEATURE_TYPES
from pellucid.core.settings import Setting
from pellucid.training.fit import FIT

PATH = Path(__file__).with_name("settings.md")
GROUPS = {name.capitalize(): tuple(one for one in TRAIN.values() if one.group == name)
          for name in dict.fromkeys(setting.group for setting in TRAIN.values())}
OPTIONS = {"types": "--type"}
VALUES = {"types": "{column: type}; `--type COLUMN=TYPE`, may be repeated",
          "costs": "{actual: {decided: cost}}; `--costs ACTUAL:DECIDED=COST,...` or JSON"}

PAGE = """# Settings

Each setting is declared once, in `pellucid/core/declared.py`. The command line, the Python functions, the
estimators, their error messages and this page all come from there. So the same setting has the same name, the same
range and the same default everywhere:

- command line: `pellucid train bank.csv --hidden 64,64 --learning-rate 0.001`
- Python: `pellucid.train("bank.csv", hidden=(64, 64), learning_rate=0.001)`
- estimators: `pellucid.Classifier(hidden=(64, 64), learning_rate=0.001)`

The command line also takes American spellings (`--optimizer`, `--normalize`, `--initializer`) and underscores instead
of hyphens. A name such as `relu` may be written in any case, with `_`, `-` or a space between its words.

**A default of `None` means: chosen by the recipe.** The recipe looks at the number of training rows, at whether the
target holds classes or numbers, and at the other settings that you gave. It is described in [recipe.md](recipe.md).
What it chose is in the `resolved` part of `settings.json` in the run folder. This page describes the defaults
`{version}`; the version is noted in `settings.json` too. For a few settings `None` means “off” or “not given”: the
help says so, or it follows (no `time_limit`, no `clip`, no `patience`, no `costs`).

`pellucid train` and `pellucid.train` take all settings. `Classifier` and `Regressor` take those of the groups
Network, Training and Decision, `types`, and `random_state`, scikit-learn's name for `seed`; `Regressor` has none that
only make sense for classes. The data settings `time_column`, `group_column` and `test_size` are not in the estimators:
with scikit-learn, you split the rows yourself.
{groups}
## Settings of `pellucid explain`

`model.explain` takes the same, except `row`: it explains the rows that it is given. [explain.md](explain.md) says how
to read the answer.

| option | Python | values | default | what it is |
|---|---|---|---|---|
{explain}

## Settings of `pellucid change`

`model.changes` takes the same, except `row`; there, `locked` is a list of columns. [change.md](change.md) says how to
read the answer.

| option | Python | values | default | what it is |
|---|---|---|---|---|
{change}

## Settings of `pellucid similar`

`model.similar` takes the same, except `row`; see [change.md](change.md#similar-cases).

| option | Python | values | default | what it is |
|---|---|---|---|---|
{similar}

## Settings of `pellucid learning-curve`

`pellucid.learning_curve` takes the same, and those of the groups Data, Network and Training above.
[learning-curve.md](learning-curve.md) says how to read the answer.

| option | Python | values | default | what it is |
|---|---|---|---|---|
{curve}

## Settings of `pellucid.fit`

`pellucid.fit` trains a network of your own, so it has fewer settings, and no recipe fills them in:

| name | values | default |
|---|---|---|
{fit}

Here a `None` is simpler: `optimiser` is `adam`, `learning_rate` and `weight_decay` are the optimiser's own, and
clipping, early stopping and the time limit are off. `learning_rate="find"` is not available.

## Feature types

The values of `types` are {types}. Other spellings: {aliases}. [tables.md](tables.md) says what each one means.

## Other spellings of names

{spellings}

This page is made by `python docs/write_settings.py`.
"""
GROUP = """
## {name}

| option | Python | values | default | what it is |
|---|---|---|---|---|
{rows}
"""


def main() -> None:
    """Write the page."""
    PATH.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page as Markdown."""
    groups = "".join(GROUP.format(name=name, rows="\n".join(map(row, settings))) for name, settings in GROUPS.items())
    fit = "\n".join(f"| `{one.name}` | {values(one)} | {default(one.default)} |" for one in FIT.values())
    return PAGE.format(version=DEFAULTS_VERSION, groups=groups, fit=fit,
                       explain="\n".join(map(row, EXPLAIN.values())),
                       change="\n".join(map(row, CHANGE.values())), similar="\n".join(map(row, SIMILAR.values())),
                       curve="\n".join(map(row, CURVE_SETTINGS)), types=listed(FEATURE_TYPES),
                       aliases=pairs(FEATURE_TYPE_ALIASES), spellings=spellings())


def row(setting: Setting) -> str:
    """One line of a table."""
    option = OPTIONS.get(setting.name, setting.option)
    if setting.kind == "flag":
        option = f"{option}`, `--no-{option[2:]}"
    return f"| `{option}` | `{setting.name}` | {values(setting)} | {default(setting.default)} | {setting.help} |"


def values(setting: Setting) -> str:
    """What it may be."""
    text = VALUES.get(setting.name) or setting.expected.removeprefix("one of ")
    return text.replace("|", "\\|")


def default(value: Any) -> str:
    """The default as it is written in Python."""
    return f"`{value!r}`"


def listed(names: Iterable[str]) -> str:
    """Names one after another."""
    return ", ".join(f"`{name}`" for name in names)


def pairs(aliases: dict[str, str]) -> str:
    """Aliases with what they mean."""
    return ", ".join(f"`{alias}` is `{name}`" for alias, name in sorted(aliases.items()))


def spellings() -> str:
    """The aliases of every setting that has some, one paragraph each."""
    settings = [one for group in (*GROUPS.values(), EXPLAIN.values()) for one in group if one.aliases]
    seen: dict[str, str] = {}
    for one in settings:
        text = pairs(dict(one.aliases or {}))
        seen[text] = f"{seen[text]}, `{one.name}`" if text in seen else f"`{one.name}`"
    return "\n".join(f"- {names}: {text}." for text, names in seen.items())


if __name__ == "__main__":
    main()
