"""Temperature, vector scaling and beta calibration: each is found where it is the truth, and not where it is not."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid.uncertainty import (
    Calibrator,
    calibration_error,
    choose_calibrator,
    debiased_calibration_error,
    fit_calibrator,
    log_softmax,
    temper,
)


def drawn(count, spoil, classes=3, seed=0):
    """Logits that `spoil` made of honest ones, and labels drawn from the honest probabilities."""
    generator = np.random.default_rng(seed)
    honest = generator.standard_normal((count, classes)) * 2
    labels = (honest - np.log(-np.log(generator.random((count, classes))))).argmax(axis=1)
    return spoil(honest), labels


SPOILS = {
    "temperature": lambda logits: 2.5 * logits,
    "vector": lambda logits: logits + np.array([1.5, 0.0, -1.0]),
    "beta": lambda logits: log_softmax(logits) * np.array([0.4, 1.0, 1.8]) + np.array([0.0, 0.5, 0.0]),
}


@pytest.mark.parametrize("method", SPOILS)
def test_each_method_mends_what_it_is_made_for(method):
    logits, labels = drawn(4000, SPOILS[method])
    fresh, truth = drawn(20_000, SPOILS[method], seed=1)
    chosen, _ = choose_calibrator(logits, labels, np.arange(4000) % 5)
    assert chosen.method == method
    assert debiased_calibration_error(chosen(fresh), truth) < 0.02
    assert calibration_error(chosen(fresh), truth) < calibration_error(temper(fresh), truth)


def test_few_rows_are_given_a_temperature_only():
    logits, labels = drawn(150, SPOILS["vector"])
    assert choose_calibrator(logits, labels, np.arange(150) % 5)[0].method == "temperature"


def test_no_method_is_taken_by_chance_more_often_than_now_and_then():
    methods = [choose_calibrator(*drawn(400, SPOILS["temperature"], seed=seed), np.arange(400) % 5)[0].method
               for seed in range(20)]
    assert methods.count("temperature") >= 14


def test_the_crossed_probabilities_are_those_of_calibrators_that_did_not_see_the_row():
    logits, labels = drawn(600, SPOILS["vector"])
    folds = np.arange(600) % 3
    chosen, crossed = choose_calibrator(logits, labels, folds)
    expected = fit_calibrator(chosen.method, logits[folds != 1], labels[folds != 1])(logits[folds == 1])
    np.testing.assert_allclose(crossed[folds == 1], expected, atol=2e-3)


@pytest.mark.parametrize("method", SPOILS)
def test_json_gives_the_same_calibrator(method):
    fitted = fit_calibrator(method, *drawn(500, SPOILS[method]))
    assert Calibrator.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_older_records_hold_a_temperature_alone():
    assert Calibrator.from_json({"temperature": 1.5, "folds": [0]}) == Calibrator(1.5)
    with pytest.raises(ValueError, match="scales"):
        Calibrator.from_json({"temperature": 1.5, "scale": [1.0, 2.0], "bias": [0.0]})


def test_weights_count_like_repeated_rows():
    logits, labels = drawn(300, SPOILS["beta"])
    weight = np.random.default_rng(1).integers(0, 3, 300)
    once = fit_calibrator("beta", logits, labels, weight)
    repeated = fit_calibrator("beta", np.repeat(logits, weight, axis=0), np.repeat(labels, weight))
    np.testing.assert_allclose(once(logits), repeated(logits), atol=5e-3)


def test_logits_that_are_no_numbers_leave_everything_as_it_is():
    logits, labels = drawn(300, SPOILS["vector"])
    logits[3] = np.nan
    assert fit_calibrator("vector", logits, labels).method == "temperature"
