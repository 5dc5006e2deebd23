"""Predictions of the time that training takes."""
from __future__ import annotations

import math

import pytest

from pellucid.training.cost import Cost


def test_one_off_costs_of_the_first_calls_do_not_count():
    cost = Cost(total=10_000, per_epoch=100, share=0.2)
    assert math.isnan(cost.seconds_left(0))
    assert not cost.learn(0, 0, 1, elapsed=3.0, seconds=3.0)  # the untrained network, with all that is new
    assert not cost.learn(16, 16, 0, elapsed=1.0, seconds=4.0)
    assert cost.learn(516, 500, 5, elapsed=0.05, seconds=4.05)
    assert cost.predicted == pytest.approx(4.05 + 9484 / 10_000)
    assert not cost.learn(1016, 500, 5, elapsed=0.1, seconds=4.15)
    assert cost.predicted == pytest.approx(4.05 + 9484 / 10_000) and cost.rate == pytest.approx(5000)


def test_chunks_that_are_too_short_to_tell_are_waited_for():
    cost = Cost(total=1_000_000, per_epoch=10, share=0.2)
    assert not cost.learn(16, 16, 1, 0.01, 0.01)
    assert not cost.learn(32, 16, 1, 0.001, 0.011)
    assert cost.learn(832, 800, 80, 0.05, 0.061)


def test_measuring_at_the_end_of_long_epochs_counts():
    cost = Cost(total=3000, per_epoch=1000, share=0.5)
    cost.learn(0, 0, 1, elapsed=2.0, seconds=2.0)
    cost.learn(16, 16, 0, 0.5, 2.5)
    assert cost.learn(116, 100, 0, 0.1, 2.6)
    assert cost.predicted == pytest.approx(2.6 + 2884 / 1000 + 2.884 * 1.0)


def test_a_run_of_a_moment_is_predicted_from_what_there_is():
    cost = Cost(total=40, per_epoch=10, share=0.0)
    cost.learn(16, 16, 1, 0.01, 0.01)
    assert cost.learn(32, 16, 1, 0.001, 0.011) and cost.predicted == pytest.approx(0.0115)
