"""Names and their aliases."""
from __future__ import annotations

import pytest

from pellucid.core.registry import Registry
from pellucid.errors import SettingsError


@pytest.fixture
def colours():
    """Two colours, one of which has another spelling."""
    made = Registry("colour", {"gray": "light_grey"})
    made.add("light_grey", 0.8)
    made.add("black", 0.0)
    return made


@pytest.mark.parametrize("name", ["light_grey", "Light Grey", " light-grey ", "gray", "GRAY"])
def test_spellings(colours, name):
    assert colours[name] == 0.8 and colours.canonical(name) == "light_grey" and name in colours


def test_it_is_a_mapping(colours):
    assert list(colours) == ["light_grey", "black"] and len(colours) == 2 and dict(colours)["black"] == 0.0
    assert colours.get("white", 1.0) == 1.0 and colours.get("gray") == 0.8 and 3 not in colours


def test_an_unknown_name_is_answered_with_near_ones(colours):
    with pytest.raises(SettingsError) as caught:
        colours["blck"]
    assert caught.value.message == "Unknown colour `blck`." and caught.value.hint == "did you mean `black`?"
    with pytest.raises(SettingsError) as caught:
        colours["xyz"]
    assert caught.value.hint == "known names: `light_grey`, `black`"


def test_a_name_is_registered_once(colours):
    with pytest.raises(SettingsError, match="registered already"):
        colours.add("black", 1.0)
