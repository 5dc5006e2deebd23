"""The network for sound: recordings of different lengths, and a plain array of samples."""
import numpy as np

from pellucid.networks import Spectrogram

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(7)
SAMPLES = RANDOM.integers(-30_000, 30_000, (ROWS, 300)).astype(np.int16)
LENGTHS = np.array([300, 1, 120, 299, 16, 200], np.int32)
CHANGES = {"speed": 0.1, "warp": 0.1, "shift": 0.05, "noise": 0.1, "tilt": 6.0, "evening": True,
           "masked_bands": 2, "masked_time": 0.2}
SMALL = {"bands": 8, "window": 32, "hop": 16}

CASES = {
    "spectrogram": (lambda key: Spectrogram(300, 2000, OUT, hidden=(3, 4, 5), dense=(4,), dropout=0.2, **SMALL,
                                            listening=CHANGES, key=key), {"samples": SAMPLES, "lengths": LENGTHS}),
    "spectrogram, plain": (lambda key: Spectrogram(300, 2000, OUT, hidden=(3,), normalisation="none", evening=1.0,
                                                   activation="silu", **SMALL, key=key),
                           (SAMPLES / 32_768).astype(np.float32)),
}
