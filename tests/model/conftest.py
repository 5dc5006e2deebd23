"""One small classifier with the rows that it learned from, for tests that ask about single rows."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.data.table import Table
from pellucid.model.examples import keep_examples
from pellucid.model.model import Model

ROWS = 300


@pytest.fixture(scope="session")
def clients() -> pl.DataFrame:
    """Made-up clients: what they are worth, and whether they are `good`, follows from three of five columns."""
    random = np.random.default_rng(0)
    age, rate, housing = random.integers(18, 80, ROWS), random.normal(5, 2, ROWS).round(1), random.choice(
        ["own", "rent", "free"], ROWS)
    worth = age / 60 - rate / 5 + (housing == "own")
    return pl.DataFrame({
        "age": age, "rate": [f"{value:.1f}".replace(".", ",") for value in rate], "housing": housing,
        "phone": random.choice(["yes", "no"], ROWS), "size": random.normal(size=ROWS),
        "name": [f"person {place:03}" for place in range(ROWS)], "worth": worth,
        "answer": np.where(worth.mean() < worth, "good", "bad")})


@pytest.fixture(scope="session")
def classifier(clients: pl.DataFrame) -> pellucid.Classifier:
    """Fitted on the clients."""
    return pellucid.Classifier(epochs=25, members=2, hidden=(8,), learning_rate=0.02).fit(
        clients.drop("worth", "answer"), clients["answer"].to_numpy())


@pytest.fixture(scope="session")
def keeping(classifier: pellucid.Classifier, clients: pl.DataFrame) -> Model:
    """Its model, which keeps the clients."""
    model = classifier.model_
    names = ["age", "rate", "housing", "phone", "size", model.target.name]
    frame = clients.rename({"answer": model.target.name})
    return replace(model, examples=keep_examples(Table(frame, "clients"), names, np.arange(ROWS), np.arange(ROWS) % 5,
                                                 (0, 1)))
