"""The network for series: rows of different lengths, and a plain array of values."""
import numpy as np

from pellucid.networks import TimeSeries

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(11)
VALUES = RANDOM.normal(size=(ROWS, 20, 2)).astype(np.float32)
LENGTHS = np.array([20, 1, 7, 19, 2, 12], np.int32)
CHANGES = {"noise": 0.1, "scale": 0.1, "shift": 0.1, "stretch": 0.1}

CASES = {
    "time series": (lambda key: TimeSeries(20, 2, OUT, hidden=(3, 4), window=5, sections=2, dropout=0.2,
                                           jitter=CHANGES, key=key), {"values": VALUES, "lengths": LENGTHS}),
    "time series, plain": (lambda key: TimeSeries(20, 2, OUT, hidden=(3,), normalisation="none", activation="silu",
                                                  key=key), VALUES),
}
