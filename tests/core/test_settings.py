"""One declaration gives validation, error texts and the JSON schema; bad values are derived from it."""
from __future__ import annotations

import json
import math

import jsonschema
import numpy as np
import pytest

from pellucid.core.declared import ESTIMATOR, TRAIN
from pellucid.core.settings import Setting, SettingsGroup
from pellucid.errors import SettingsError
from pellucid.training.fit import FIT

GROUPS = {"train": TRAIN, "estimator": ESTIMATOR, "fit": FIT}
DECLARED = [pytest.param(setting, id=f"{name}-{setting.name}") for name, group in GROUPS.items()
            for setting in group.values()]


def bad_values(setting):
    """Values that a setting must refuse, by its kind and range."""
    wrong = {"integer": [1.5, "many", True, [], math.nan, object()], "number": ["much", True, [], math.nan, math.inf],
             "choice": ["no such name", 3], "text": [3, ["a"]], "flag": [3, "perhaps", [], 1.0],
             "integers": ["64", 1.5, {"a": 1}, [1.5], [True], object()], "mapping": [3, "a", ["a"]],
             "duration": ["soon", "5 weeks", True, math.nan, "m"], "texts": [3, [3]]}[setting.kind]
    beyond = []
    if setting.low is not None:
        beyond.append(setting.low if setting.open_low else setting.low - 1)
    if setting.high is not None:
        beyond.append(setting.high if setting.open_high else setting.high + 1)
    if setting.kind in ("integer", "integers"):
        beyond = [int(value) for value in beyond]
    return wrong + ([[value] for value in beyond] if setting.kind == "integers" else beyond)


def good_values(setting):
    """Values that a setting must take."""
    values = [*setting.choices, *(setting.aliases or ()), *setting.words]
    if setting.kind in ("integer", "number", "duration") and setting.low is not None:
        values.append(setting.low + 1 if setting.high is None or setting.low + 1 < setting.high else setting.low + 0.1)
    return values + {"flag": [True, np.True_, "yes", "off"], "mapping": [{}, {"a": 1}], "text": ["a"],
                     "integers": [(8, 4), [8], 8, np.int64(8), np.array([3, 2])],
                     "duration": ["90s", "1.5m", "2h", 30]}.get(setting.kind, [])


@pytest.mark.parametrize("setting", DECLARED)
def test_bad_values_are_refused_with_what_was_expected(setting):
    for value in bad_values(setting):
        with pytest.raises(SettingsError) as caught:
            setting.check(value)
        assert caught.value.hint, value
        if setting.kind != "choice":
            assert f"`{setting.name}` was" in caught.value.message and "expected" in caught.value.message


@pytest.mark.parametrize("setting", DECLARED)
def test_good_values_are_taken(setting):
    for value in good_values(setting):
        found = setting.check(value)
        assert setting.check(found) == found
        if setting.choices and value not in setting.words:
            assert found in setting.choices


@pytest.mark.parametrize("setting", DECLARED)
def test_the_default_is_permitted(setting):
    assert setting.check(setting.default) == setting.default


@pytest.mark.parametrize("setting", DECLARED)
def test_each_is_explained(setting):
    spelled = setting.spelled or "--" + setting.name.replace("_", "-")
    assert setting.help.endswith(".") and setting.option == spelled and setting.expected


@pytest.mark.parametrize("name", GROUPS)
def test_the_json_schema_agrees_with_the_checks(name):
    group = GROUPS[name]
    schema = json.loads(json.dumps(group.json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(group.defaults)), schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert not validator.is_valid({"no_such_setting": 1})
    for setting in group.values():
        for value in (value for value in setting.choices + setting.words):
            assert validator.is_valid({setting.name: value}), (setting.name, value)
        for value in bad_values(setting):
            if isinstance(value, (int, float, str)) and not isinstance(value, bool) and math.isfinite(
                    value if not isinstance(value, str) else 0) and not (isinstance(value, str) and setting.words):
                assert not validator.is_valid({setting.name: value}), (setting.name, value)


def test_a_group_fills_in_defaults_and_knows_near_names():
    group = SettingsGroup(Setting("epochs", "integer", 20, "How often.", low=0),
                          Setting("clip", "number", None, "Norm."))
    assert group.check({"epochs": np.int64(3)}) == {"epochs": 3, "clip": None}
    with pytest.raises(SettingsError) as caught:
        group.check({"epoch": 3})
    assert caught.value.hint == "did you mean `epochs`?"
    with pytest.raises(SettingsError, match="`epochs` was None"):
        group.check({"epochs": None})


@pytest.mark.parametrize(("kind", "text", "value"), [
    ("integer", "12", 12), ("number", "1e-3", 0.001), ("integers", "64,32", (64, 32)), ("integers", "64x32", (64, 32)),
    ("integers", "8", (8,)), ("texts", "a, b", ("a", "b")), ("flag", "no", False), ("duration", "5m", 300.0),
    ("duration", "1.5 h", 5400.0), ("duration", "20", 20.0), ("text", "12", "12")])
def test_text_from_a_command_line(kind, text, value):
    assert Setting("s", kind, None, "It.").parse(text) == value


@pytest.mark.parametrize(("kind", "text"), [("integer", "1.5"), ("integer", ""), ("number", "x"), ("integers", "a,b"),
                                            ("duration", "5 weeks"), ("flag", "maybe")])
def test_odd_text_from_a_command_line(kind, text):
    with pytest.raises(SettingsError, match="`s` was"):
        Setting("s", kind, None, "It.").parse(text)


def test_words_beside_numbers():
    setting = Setting("learning_rate", "number", None, "Size.", low=0, open_low=True, words=("find",))
    assert setting.check("find") == setting.parse("find") == "find" and setting.parse("0.1") == 0.1
    assert setting.expected == "a number above 0, or `find`"
    with pytest.raises(SettingsError):
        setting.check("fnd")


def test_ranges_in_words():
    share = Setting("s", "number", 0.5, "It.", low=0, high=1, open_high=True)
    assert share.expected == "a number at least 0 and below 1"
    assert Setting("s", "integer", 1, "It.", low=1).expected == "an integer at least 1"
