"""`learning_rate="find"`: try several rates at once, as members of one program, and take the best on held-out rows."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.tasks.learn import try_out
from pellucid.tasks.lesson import Lesson

CANDIDATES = 8
LOWEST, HIGHEST = -2.0, 1.5
"""Powers of ten around the default rate."""


def find_rate(lesson: Lesson, settings: Mapping[str, Any]) -> float:
    """The learning rate with the lowest held-out error after a fifth of the epochs.

    All candidates learn from the same rows side by side; ties go to the smaller rate.
    """
    from_default = 10.0 ** np.linspace(LOWEST, HIGHEST, CANDIDATES)
    base = settings["default_rate"]
    short = {**settings, "learning_rate": base, "members": CANDIDATES, "epochs": max(3, settings["epochs"] // 5),
             "rates": tuple(from_default.tolist()), "same_fold": True,
             "kinds": settings["kinds"][:1]}
    errors = np.array(try_out(lesson, short).history.best_error)
    return float(base * from_default[int(np.nanargmin(np.where(np.isfinite(errors), errors, np.nan)))])
