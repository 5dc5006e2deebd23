"""Small tables and quick settings, of few different shapes: each new shape is compiled anew."""
from __future__ import annotations

import numpy as np
import pytest

QUICK = {"members": 2, "epochs": 4, "hidden": (8,), "learning_rate": 0.01, "column_dropout": 0.0}


@pytest.fixture(scope="session")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """120 rows of three numbers, and the two classes 0 and 1 that they tell apart."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 3))
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)


@pytest.fixture
def quick() -> dict:
    """Settings that train in no time."""
    return dict(QUICK)
