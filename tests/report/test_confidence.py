"""The page about groups, in words and numbers."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid.report.confidence import (
    answering,
    answering_section,
    class_rates,
    fairness_section,
    number_rates,
    rates_json,
    unlike_section,
    unlike_shares,
)


def group(name, rows, wrong, sure=0.8, seed=0):
    """Two classes, a share of wrong answers, everywhere the same confidence."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, rows)
    decided = np.where(np.arange(rows) < wrong * rows, 1 - truth, truth)
    probabilities = np.where(np.eye(2)[decided] > 0, sure, 1 - sure)
    return class_rates(name, truth, decided, probabilities, probabilities > 0.15, 1)


def test_groups_that_differ_are_named_and_equal_ones_are_not():
    words = " ".join(fairness_section("sex", [group("f", 300, 0.4), group("m", 300, 0.1)], 0.9, "good").sentences)
    assert "Wrong answers: 40 % in “f”, 10 % in “m”; more than chance explains." in words
    assert "In “f” the network is too sure: its confidence is 80 %, right are 60 %." in words
    assert "In “m” the network is too modest" in words
    equal = " ".join(fairness_section("sex", [group("f", 300, 0.2), group("m", 300, 0.2)], 0.9, "good").sentences)
    assert "No two groups differ" in equal and "too sure" not in equal


def test_few_rows_are_not_compared():
    section = fairness_section("sex", [group("f", 5, 1.0), group("m", 300, 0.1)], None)
    assert section.sentences[1].startswith("No two groups differ")
    cells = {row[0]: row[1:] for row in section.grids[0].rows}
    assert cells["calibration error"][0] == "–" != cells["calibration error"][1]


def test_a_broken_promise_is_named():
    one = group("f", 400, 0.3)
    assert one.shares["coverage"].value == 1
    truth = np.zeros(400, int)
    sets = np.tile([False, True], (400, 1))
    broken = class_rates("m", truth, truth, np.tile([0.9, 0.1], (400, 1)), sets, 1)
    assert "In “m” the promise of 90 % was not kept: 0 %." in fairness_section("sex", [one, broken], 0.9).sentences


def test_numbers_have_a_bias_with_an_interval():
    generator = np.random.default_rng(0)
    truth = generator.standard_normal(400)
    rates = number_rates("a", truth, truth + 0.5, truth - 1, truth + 1)
    assert rates.means["bias"] == pytest.approx(0.5) and rates.shares["coverage"].value == 1
    low, high = number_rates("a", truth, truth + generator.standard_normal(400), None, None).intervals["bias"]
    assert low < 0 < high and high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    json.dumps(rates_json([rates, number_rates("b", truth[:1], truth[:1], None, None)]), allow_nan=False)


def test_answers_at_risks_are_counted():
    wrong = np.arange(100) < 20
    answered = np.column_stack([np.zeros(100, bool), np.arange(100) >= 10, np.ones(100, bool)])
    none, some, every = answering(wrong, answered, (0.01, 0.1, 0.2))
    assert none.error is None and none.share == 0
    assert some.error == pytest.approx(1 / 9) and some.low < some.error < some.high
    assert every.error == 0.2
    assert answering_section((none, some, every)).grids[0].rows[0] == ("1 %", "0 %", "–", "–")


def test_shares_of_strange_rows():
    assert unlike_shares(np.array([0.005, 0.03, 0.5, 0.9])) == {"0.01": 0.25, "0.05": 0.5, "0.1": 0.5}
    assert unlike_section(np.array([0.005, 0.03])).grids[0].rows[0] == ("1 %", "50 %")
