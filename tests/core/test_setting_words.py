"""How the permitted values of a setting are said."""
from __future__ import annotations

import pytest

from pellucid.core.declared import TRAIN
from pellucid.errors import SettingsError


@pytest.mark.parametrize(("name", "words"), [
    ("epochs", "an integer at least 1 and at most 1000000"),
    ("seed", "an integer at least 0 and at most 4294967295"),
    ("test_size", "a number at least 0 and at most 0.9"),
    ("learning_rate", "a number above 0 and at most 1000, or `find`"),
    ("hidden", "whole numbers, separated by commas, each at least 1 and at most 65536"),
    ("time_limit", "a duration such as `90s`, `5m`, `1h`, above 0"),
])
def test_ranges_are_written_as_people_write_them(name, words):
    assert TRAIN[name].expected == words
    with pytest.raises(SettingsError) as raised:
        TRAIN[name].check(-3)
    assert words in raised.value.message
