"""The rule of decision: told at once when it does not fit the target, and found again in the metrics."""
from __future__ import annotations

import numpy as np
import pytest

import pellucid

COSTS = {"bad": {"good": 5}, "good": {"bad": 1}}
QUICK = {"members": 1, "epochs": 2, "hidden": (4,)}


def clients(numbers: bool = False) -> dict[str, list]:
    generator = np.random.default_rng(0)
    age = generator.normal(40, 10, 300).round(1).tolist()
    lent = [value * 2 for value in age] if numbers else ["good" if value > 38 else "bad" for value in age]
    return {"age": age, "lent": lent}


@pytest.mark.parametrize(("settings", "said"), [
    ({"costs": {"bad": {"god": 5}}}, "`god`"),
    ({"costs": {"bad": {"good": 5}}}, "deciding `bad` costs"),
    ({"costs": COSTS, "threshold": 0.5}, "both given"),
])
def test_a_rule_that_does_not_fit_is_told_before_training(tmp_path, settings, said):
    with pytest.raises(pellucid.SettingsError, match=said):
        pellucid.train(clients(), "lent", run=tmp_path / "run", **settings, **QUICK)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("settings", [{"costs": COSTS}, {"threshold": 0.5}, {"positive": "good"}])
def test_numbers_take_no_rule(tmp_path, settings):
    with pytest.raises(pellucid.SettingsError, match="holds numbers"):
        pellucid.train(clients(numbers=True), "lent", run=tmp_path / "run", **settings, **QUICK)


def test_the_costs_are_in_the_metrics(tmp_path):
    run = pellucid.train(clients(), "lent", run=tmp_path / "run", costs=COSTS, **QUICK)
    rules = run.metrics["decision"]["rules"]
    assert [one["chosen"] for one in rules] == [True, False, False, False]
    assert all(one["cost"] >= 0 for one in rules)
