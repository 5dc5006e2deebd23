"""Plain forecasts that the network is held against."""
from __future__ import annotations

import numpy as np
from sklearn.linear_model import RidgeCV

from pellucid.data.windows import Frame, Windows

LABELS = {
    "last_value": "the last value", "last_season": "the value one season before", "drift": "the last value and the "
    "mean change", "autoregression": "linear regression on the past steps",
}
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)


def plain_forecasts(learned: Windows, asked: Windows, frame: Frame, season: int) -> dict[str, np.ndarray]:
    """What each plain method forecasts: (windows, horizon) in raw units, by name.

    Args:
        learned: windows of the training part, for those that learn.
        asked: windows to forecast from.
        frame: how they were cut.
        season: steps of a cycle; 1 for none.
    """
    ahead = np.arange(1, frame.horizon + 1)
    found = {"last_value": np.zeros((len(asked), frame.horizon))}
    if season > 1:
        back = np.ceil(ahead / season).astype(int) * season - ahead  # steps before the last one
        found["last_season"] = asked.past[:, frame.length - 1 - np.minimum(back, frame.length - 1)]
    else:
        slope = -asked.past[:, 0] / (frame.length - 1)
        found["drift"] = slope[:, None] * ahead
    found["autoregression"] = _autoregression(learned, asked, frame)
    return {name: asked.raw(outputs, frame) for name, outputs in found.items()}


def _autoregression(learned: Windows, asked: Windows, frame: Frame) -> np.ndarray:
    targets = learned.scaled(learned.future, frame)
    rows = np.isfinite(targets).all(axis=1)
    if rows.sum() < 8:
        return np.zeros((len(asked), frame.horizon))
    model = RidgeCV(PENALTIES).fit(learned.numbers[rows].astype(np.float64), targets[rows])
    return model.predict(asked.numbers.astype(np.float64)).reshape(len(asked), frame.horizon)


def seasonal_scale(values: np.ndarray, observed: np.ndarray, season: int) -> float:
    """The mean error of repeating the value one season before, on the training part: the unit of MASE.

    Source: Hyndman & Koehler 2006, Another look at measures of forecast accuracy.
    """
    both = observed[season:] & observed[:-season]
    errors = np.abs(values[season:] - values[:-season])[both]
    return float(errors.mean()) if len(errors) else 0.0
