"""Small results of both tasks, full of hostile names."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.core.note import Note
from pellucid.model.decision import decision_report
from pellucid.model.metrics import evaluate, main_metric
from pellucid.report import evidence, verdict
from pellucid.report.html import render
from pellucid.report.result import Contender, Cost, Curve, NetworkPicture, Ranking, Result, SchemaRow

HOSTILE = "<script>alert('x')</script>"


def make(task: str, classes: int = 2, rows: int = 120, skill: float = 2.0, **changes) -> Result:
    """A result with every part filled; the network is as good as `skill`."""
    generator = np.random.default_rng(0)
    if task == "classify":
        actual = generator.integers(0, classes, rows)
        names = [HOSTILE, "$x^2$", *(f"class {index}" for index in range(2, classes))][:classes]

        def outputs(strength):
            logits = generator.standard_normal((rows, classes)) + strength * np.eye(classes)[actual]
            return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        found, plain = outputs(skill), {"majority": outputs(0.0), "logistic_regression": outputs(1.0)}
        promise = evidence.class_promise(found > 0.2, actual, 0.9)
        shown = evidence.class_evidence(actual, found, names, positive=1, temperature=1.3)
        decision = decision_report(actual, found, names, positive=1)
    else:
        actual, decision, names = 10 * generator.standard_normal(rows), None, ()
        found = actual + generator.standard_normal(rows) * 20 / max(skill, 0.1)
        plain = {"mean": np.zeros(rows), "ridge": actual + 8 * generator.standard_normal(rows)}
        promise = evidence.number_promise(found - 15, found + 15, actual, 0.9)
        shown = evidence.number_evidence(actual, found, found - 15, found + 15)
    metric = main_metric(task, classes)
    baselines = tuple(Contender(name, name.replace("_", " "), evaluate(task, actual, output), 0.2)
                      for name, output in plain.items())
    network = Contender("network", "neural network", evaluate(task, actual, found), 1.5)
    compared = verdict.compare_with_best(task, metric, actual, found, plain)
    epochs = np.arange(-1, 20)
    parts = {
        "title": f"data.csv → {HOSTILE}", "task": task, "target": HOSTILE, "metric": metric,
        "verdict": verdict.write_verdict(task, network, baselines, compared, promise=promise, target=HOSTILE),
        "rows": {"train": 480, "test": rows}, "network": network, "baselines": baselines, "tested": "One fifth.",
        "promise": promise, "evidence": shown, "decision": decision,
        "curve": Curve(epochs, np.exp(-epochs / 5), np.exp(-epochs / 9), "cross-entropy", (12, 15)),
        "ranking": Ranking((HOSTILE, "$y$", "idle"), np.array([0.2, 0.1, 0.0]), np.array([0.1, -0.1, 0.0]),
                           np.array([0.3, 0.2, 0.0]), "ROC AUC", 10, rows),
        "picture": NetworkPicture(("layer", "neurons"), ((HOSTILE, "3"),), "3 inputs.", "<svg xmlns='http://x'/>",
                                  generator.standard_normal((3, 8)), (HOSTILE, "$y$", "idle")),
        "schema": (SchemaRow(HOSTILE, "category", "text with 2 values", 3, 2, (HOSTILE,), "target"),
                   SchemaRow("idle", "number", "every value reads as a number")),
        "notes": (Note("a", f"Column {HOSTILE} is constant.", severity="warning"), Note("b", "3 rows occur twice.")),
        "diagnosis": ("All is well.",), "cost": Cost(3.0, 2.5, 200.0, 240.0, {"training": 2.5}, 300, 32),
        "settings": {"hidden": (64, 64), "note": HOSTILE}, "command": f"pellucid train data.csv --target '{HOSTILE}'",
        "versions": {"pellucid": "0.1.0"}, "positive": names[1] if classes == 2 and names else None,
    }
    return Result(**(parts | changes))


@pytest.fixture(scope="session", params=[("classify", 2), ("classify", 3), ("classify", 30), ("regress", 2)],
                ids=["two classes", "three classes", "thirty classes", "numbers"])
def result(request) -> Result:
    """One result of each kind."""
    return make(*request.param)


@pytest.fixture(scope="session")
def page(result) -> str:
    """Its page, rendered once."""
    return render(result)


@pytest.fixture
def make_result():
    """`make`, for tests that choose."""
    return make
