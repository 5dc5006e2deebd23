"""Each declared setting is an option, checked by its declaration."""
from __future__ import annotations

import pytest

from pellucid.cli.dispatch import COMMAND_OPTIONS
from pellucid.cli.options import parse_costs, parse_settings, parse_types
from pellucid.core.declared import TRAIN
from pellucid.core.settings import Setting
from pellucid.errors import SettingsError

from .conftest import assert_user_error

SPECIAL = {"types": "--type"}


def bad_value(setting: Setting) -> str | None:
    """A text that the declaration forbids; `None` where every text is permitted."""
    if setting.kind in ("text", "flag"):
        return None
    if setting.low is not None and setting.kind in ("integer", "number", "integers", "duration"):
        return f"{setting.low - 1:g}"
    return "no-such-value"


def test_every_setting_of_training_is_an_option():
    for name, setting in TRAIN.items():
        assert SPECIAL.get(name, setting.option) in COMMAND_OPTIONS["train"]


@pytest.mark.parametrize("setting", [one for one in TRAIN.values() if bad_value(one)], ids=lambda one: one.name)
def test_a_bad_value_is_told(command, setting):
    option = SPECIAL.get(setting.name, setting.option)
    answer = command("train", "no such file.csv", option, bad_value(setting))
    assert_user_error(answer, bad_value(setting))
    assert "no such file" not in answer.err


@pytest.mark.parametrize(("option", "value", "near"), [
    ("--activation", "rellu", "`relu`"), ("--loss", "hubber", "`huber`"), ("--optimiser", "adm", "`adam`"),
    ("--optimizer", "adm", "`adam`"), ("--normalize", "quantil", "`quantile`"), ("--initializer", "glorott", "glorot"),
])
def test_unknown_names_get_the_nearest_ones(command, option, value, near):
    assert_user_error(command("train", "x.csv", option, value), f"`{value}`", near)


def test_values_are_read():
    given = {"hidden": "64,32", "learning_rate": "find", "time_limit": "5m", "bias": False, "types": ["a=b=category"],
             "costs": "bad:good=5", "epochs": None}
    assert parse_settings(TRAIN.values(), given) == {
        "hidden": (64, 32), "learning_rate": "find", "time_limit": 300.0, "bias": False, "types": {"a=b": "category"},
        "costs": {"bad": {"good": 5.0}}}


def test_costs_in_both_notations():
    expected = {"bad": {"good": 5.0, "bad": 0.0}, "good": {"bad": 1.0}}
    assert parse_costs("bad:good=5, bad:bad=0,good:bad=1") == expected
    assert parse_costs('{"bad": {"good": 5, "bad": 0}, "good": {"bad": 1}}') == expected


@pytest.mark.parametrize("text", ["", "5", "a:b", "a:b=x", "{", "[1]", '{"a": 1}', '{"a": {"b": "x"}}'])
def test_unreadable_costs(text):
    with pytest.raises(SettingsError, match="actual:decided=cost"):
        parse_costs(text)


@pytest.mark.parametrize("text", ["", "a", "=number", "a="])
def test_unreadable_types(text):
    with pytest.raises(SettingsError, match="COLUMN=TYPE"):
        parse_types([text])
