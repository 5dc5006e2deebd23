"""Recordings: a network looks at their spectrograms; the plain methods see how loud each band of pitches is."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.features.audio import Audio
from pellucid.nn import MelSpectrogram
from pellucid.tasks.raw.base import RawKind, Situation
from pellucid.tasks.raw.mirror import MOST_ROWS, keep_meaning

HIDDEN, BANDS = (16, 32, 64, 64), 40
HEARD, FEWEST, MOST = 80_000, 8, 100
"""Recordings heard in all epochs together, and limits for the number of epochs."""
FEW, CROSSED, JUDGINGS = 1000, 250, 4
"""Below so many recordings batches are smaller; below so many, quality is measured by cross-validation: many trainings,
each with less work."""
WINDOW = 0.032
"""Seconds of a window."""
FRAMES, SHORTEST_HOP = 56, 0.01
"""A recording is cut into about so many windows, but they are not closer than so many seconds."""
LOWEST = 60.0
"""Hz."""
LISTENING = {"speed": 0.2, "warp": 0.2, "shift": 0.05, "noise": 0.1, "evening": True, "tilt": 6.0,
             "masked_bands": 7, "masked_time": 0.15}
BY_THROAT = ("warp", "evening")
"""What only recordings of voices stand: other pitches, and less of what each band sounds like on average."""
HIGHER = 0.1
"""By so much higher recordings show whether pitch is the answer."""
PLAIN_WINDOW, PLAIN_HOP, PLAIN_BANDS, PLAIN_RATE = 256, 128, 32, 8000
"""What the plain view is made with; it does not know the rate, and takes pitches as they were at 8,000 Hz."""
PERCENTILES = (10, 50, 90)
FAINTEST = 1e-6
PORTION = 256  # rows at once


def encoder(feature: Audio, situation: Situation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Convolutions over a spectrogram of about as many windows whatever the length."""
    hidden = given.get("hidden") if situation.alone else None  # beside other columns, it is that of the joint network
    hop = max(SHORTEST_HOP, feature.seconds / FRAMES)
    window = max(WINDOW, 1.5 * hop)
    return {"network": "spectrogram", "length": feature.length, "rate": feature.rate,
            "out_features": situation.outputs, "hidden": list(hidden or HIDDEN), "bands": BANDS,
            "window": 2 * max(round(window * feature.rate / 2), 8), "hop": max(round(hop * feature.rate), 1),
            "low": min(LOWEST, feature.rate / 16), "dropout": 0.3, "listening": changes(given.get("augmentation"))}


def changes(augmentation: str | None) -> dict[str, Any]:
    """How recordings are changed while training: nothing, or as suits voices, or sounds whose pitch is the answer."""
    if augmentation == "none":
        return {}
    return {name: value for name, value in LISTENING.items() if augmentation != "sounds" or name not in BY_THROAT}


def decide(feature: Audio, raw: Mapping[str, np.ndarray], answers: np.ndarray, classes: int,
           given: Mapping[str, Any]) -> dict[str, Any]:
    """Whether pitches may be changed, by the recordings themselves, where the user does not say: a word stays the same
    word in a higher voice, a key of a telephone becomes another key."""
    if given.get("augmentation") is not None:
        return {}
    some = np.random.default_rng(0).permutation(len(answers))[:MOST_ROWS]
    own = {name: values[some] for name, values in raw.items()}
    features, higher = plain(own), plain(_faster(own))
    mean, spread = features.mean(axis=0), features.std(axis=0) + FAINTEST
    harmless = keep_meaning((features - mean) / spread, (higher - mean) / spread, answers[some], classes)
    return {"augmentation": "voices" if harmless else "sounds"}


def _faster(raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The recordings played faster by `HIGHER`: all pitches are higher by as much."""
    samples, most = raw["samples"], raw["samples"].shape[1]
    places = np.minimum(np.arange(most) * (1 + HIGHER), most - 1)
    before = places.astype(np.int64)
    after, part = np.minimum(before + 1, most - 1), (places - before).astype(np.float32)
    lengths = np.maximum((raw["lengths"] / (1 + HIGHER)).astype(np.int32), 1)
    played = samples[:, before] * (1 - part) + samples[:, after] * part
    return {"samples": played * (np.arange(most) < lengths[:, None]), "lengths": lengths}


def training(feature: Audio, situation: Situation) -> dict[str, Any]:
    """Fewer epochs for more recordings; a running average of the weights."""
    rows = max(situation.rows, 1)
    heard = HEARD / (JUDGINGS if rows < CROSSED else 1)
    return {**({"hidden": HIDDEN} if situation.alone else {}), "epochs": int(np.clip(heard / rows, FEWEST, MOST)),
            "batch_size": 64 if rows >= FEW else 32, "default_rate": 4e-3,
            "learning_rate": 4e-3, "weight_decay": 0.02, "average": 0.99,
            "label_smoothing": 0.1 if situation.classes else 0.0}


def plain(raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mean, spread and percentiles over time of each band's loudness, and the length: (rows, 161)."""
    samples, lengths = raw["samples"], raw["lengths"]
    room = np.zeros((len(samples), max(PLAIN_WINDOW - samples.shape[1], 0)), samples.dtype)
    samples = np.concatenate([samples, room], axis=1)
    filters = MelSpectrogram(samples.shape[1], PLAIN_RATE, window=PLAIN_WINDOW, hop=PLAIN_HOP, bands=PLAIN_BANDS,
                             low=LOWEST).filters()
    pieces = [_plain_rows(samples[start:start + PORTION], lengths[start:start + PORTION], filters)
              for start in range(0, len(samples), PORTION)]
    return np.concatenate(pieces) if pieces else np.zeros((0, PLAIN_BANDS * (2 + len(PERCENTILES)) + 1))


def _plain_rows(samples: np.ndarray, lengths: np.ndarray, filters: np.ndarray) -> np.ndarray:
    cut = np.lib.stride_tricks.sliding_window_view(samples, PLAIN_WINDOW, axis=1)[:, ::PLAIN_HOP]
    spectrum = np.abs(np.fft.rfft(cut * np.hanning(PLAIN_WINDOW).astype(np.float32))) ** 2
    levels = (spectrum @ filters).astype(np.float32)
    counts = np.clip((lengths - PLAIN_WINDOW) // PLAIN_HOP + 1, 1, levels.shape[1])
    valid = (np.arange(levels.shape[1]) < counts[:, None])[..., None]
    most = np.where(valid, levels, 0).max(axis=(1, 2), keepdims=True)
    levels = np.where(valid, np.log10(np.maximum(levels / np.maximum(most, 1e-12), FAINTEST)), np.nan)
    parts = [np.nanmean(levels, axis=1), np.nanstd(levels, axis=1), *np.nanpercentile(levels, PERCENTILES, axis=1),
             np.log(np.maximum(lengths, 1))[:, None]]
    return np.concatenate(parts, axis=1)


AUDIO = RawKind(encoder, training, plain, blends=True, decide=decide)
