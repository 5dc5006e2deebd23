"""Reading one recording: any format, rate and number of channels in, one channel of a given rate out."""
from __future__ import annotations

import io
import math
import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from pellucid.errors import MissingExtraError
from pellucid.features.media import HEAD, sniff

try:
    import soundfile
except (ImportError, OSError):  # without the extra `audio`, or without the library of the system that it needs
    soundfile = None
try:
    import soxr
except ImportError:
    soxr = None

LONGEST = 120
"""Seconds that are read of a recording at most."""
SHORTEST = 0.01
"""Seconds; a recording below that holds nothing to hear."""
SILENT_CHANNEL = 1e-4
"""A channel whose amplitude is below this part of the loudest one's is silent."""
CANCELLED = 0.1
"""Channels that are each other's opposite leave less than this part in their mean."""
MOMENT = 0.01
"""Seconds that are judged together for silence."""
QUIET = 1e-4
"""Below this part of the loudest moment's power (40 decibels) the beginning and the end are cut off."""
MARGIN = 0.025
"""Seconds of silence that stay at both ends."""
FULL, LOUD, CLIPPED_PART = 0.999, 0.2, 0.001
"""Clipped is what stays at the largest amplitude, which is not small, for three samples on end, in so large a part."""
UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0x7FFFF000, 0x7FFFFFFE)
"""What programs that write to a pipe put in place of the size."""
PEAK = 32000


class UnreadableError(ValueError):
    """A recording cannot be read; the text says why, after its name."""


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel of a recording.

    Args:
        samples: int16 (time,), without silence at both ends and as loud as the type allows.
        rate: samples a second.
        remarks: of `"cut"`, `"truncated"`, `"clipped"`, `"silent_channel"`, `"not_finite"` those that hold.
        own_rate: samples a second as recorded.
    """

    samples: np.ndarray
    rate: int
    remarks: tuple[str, ...] = ()
    own_rate: int = 0


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A recording as it is: float32 (time, channels), its rate, and how many samples were promised."""

    samples: np.ndarray
    rate: int
    promised: int


def read_sound(source: str | bytes, rate: int | None = None) -> Sound:
    """Read a recording and bring it to one channel of `rate` samples a second.

    Channels are averaged; silent ones are left out, and where channels are each other's opposite the loudest one
    counts. The mean of the samples and silence at both ends are taken away.

    Args:
        source: the path of a file or its bytes; its content decides what it is, not its name.
        rate: samples a second; as recorded when `None`.

    Raises:
        UnreadableError: it is no recording, or holds nothing.
        MissingExtraError: a format other than plain WAV, without the extra `audio`.
    """
    decoded = _decode(source)
    seconds = decoded.promised / decoded.rate
    remarks = {"cut": seconds > LONGEST, "truncated": len(decoded.samples) < min(
        decoded.promised, LONGEST * decoded.rate)}
    samples, finite = _finite(decoded.samples)
    if len(samples) < SHORTEST * decoded.rate:
        raise UnreadableError(f"holds {1000 * len(samples) / decoded.rate:.1f} ms of sound, too little to hear")
    remarks |= {"not_finite": not finite, "clipped": _is_clipped(samples)}
    mono, remarks["silent_channel"] = _one_channel(samples)
    mono = _resampled(mono, decoded.rate, rate or decoded.rate)
    mono = _without_silence(mono, rate or decoded.rate)
    loudest = float(np.abs(mono).max(initial=0))
    scaled = np.round(mono * (PEAK / loudest)).astype(np.int16)
    return Sound(scaled, rate or decoded.rate, tuple(name for name, holds in remarks.items() if holds), decoded.rate)


def _decode(source: str | bytes) -> _Decoded:
    head, size = _head(source)
    kind = sniff(head)
    if kind == "empty":
        raise UnreadableError("is empty")
    if kind in ("text", "image"):
        raise UnreadableError(f"holds {'a picture' if kind == 'image' else 'text'}, not sound")
    promised = _promised_bytes(head, size)
    try:
        decoded = _by_library(source) if soundfile is not None else _by_scipy(source, head)
    except (UnreadableError, MissingExtraError):
        raise
    except Exception as error:  # of the libraries, which raise anything on damaged files
        raise UnreadableError(f"cannot be decoded ({str(error).splitlines()[0].rstrip('.') or type(error).__name__})"
                              ) from error
    if not decoded.rate or not decoded.samples.size:
        raise UnreadableError("holds no samples")
    return _Decoded(decoded.samples, decoded.rate, int(decoded.promised * promised))


def _head(source: str | bytes) -> tuple[bytes, int]:
    if isinstance(source, bytes):
        return source[:HEAD], len(source)
    try:
        with open(source, "rb") as file:
            return file.read(HEAD), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise UnreadableError("does not exist") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be opened ({getattr(error, 'strerror', None) or error})") from error


def _promised_bytes(head: bytes, size: int) -> float:
    """How many times as many bytes of samples a WAV file should have as it has; 1 for other formats."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return 1.0
    place = 12
    while place + 8 <= len(head):
        length = int.from_bytes(head[place + 4:place + 8], "little")
        if head[place:place + 4] == b"data":
            there = max(size - place - 8, 1)
            return length / there if length > there and length not in UNKNOWN_SIZES else 1.0
        place += 8 + length + length % 2
    return 1.0


def _by_library(source: str | bytes) -> _Decoded:
    with soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else source) as file:
        samples = file.read(frames=min(file.frames, LONGEST * file.samplerate), dtype="float32", always_2d=True)
        return _Decoded(samples, file.samplerate, file.frames)


def _by_scipy(source: str | bytes, head: bytes) -> _Decoded:
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64"):
        raise MissingExtraError.of("soundfile", "audio", "Reading recordings other than plain WAV files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rate, samples = wavfile.read(io.BytesIO(source) if isinstance(source, bytes) else source)
    samples = samples.reshape(len(samples), -1)
    promised, samples = len(samples), samples[:LONGEST * rate]
    if samples.dtype.kind == "u":
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples / np.float32(-float(np.iinfo(samples.dtype).min))
    return _Decoded(samples.astype(np.float32), rate, promised)


def _finite(samples: np.ndarray) -> tuple[np.ndarray, bool]:
    """The samples with 0 in place of what is no number, and whether there was nothing of that kind."""
    good = np.isfinite(samples)
    if good.all():
        return samples, True
    if 2 * good.sum() < good.size:
        raise UnreadableError("holds samples that are no numbers")
    return np.where(good, samples, 0), False


def _is_clipped(samples: np.ndarray) -> bool:
    most = np.abs(samples).max(axis=0, initial=0)
    full = (np.abs(samples) >= FULL * most) & (most > LOUD)
    held = full[2:] & full[1:-1] & full[:-2]
    return len(held) > 0 and bool((held.mean(axis=0) > CLIPPED_PART).any())


def _one_channel(samples: np.ndarray) -> tuple[np.ndarray, bool]:
    """The mean of the channels that are not silent, and whether one is."""
    samples = samples - samples.mean(axis=0)
    power = np.square(samples).mean(axis=0)
    if not power.max() > 0:
        raise UnreadableError("is silent from beginning to end")
    loud = power > SILENT_CHANNEL ** 2 * power.max()
    mono = samples[:, loud].mean(axis=1)
    if np.square(mono).mean() < CANCELLED ** 2 * power.max():
        mono = samples[:, int(power.argmax())]
    return mono, not loud.all()


def _resampled(samples: np.ndarray, before: int, after: int) -> np.ndarray:
    if before == after:
        return samples
    if soxr is not None:
        return soxr.resample(samples, before, after)
    common = math.gcd(before, after)
    return resample_poly(samples, after // common, before // common).astype(np.float32)


def _without_silence(samples: np.ndarray, rate: int) -> np.ndarray:
    step = max(int(MOMENT * rate), 1)
    power = np.add.reduceat(np.square(samples, dtype=np.float64), np.arange(0, len(samples), step))
    loud = np.flatnonzero(power > QUIET * power.max())
    margin = int(MARGIN * rate)
    return samples[max(loud[0] * step - margin, 0):(loud[-1] + 1) * step + margin]


def loudest_part(samples: np.ndarray, length: int) -> np.ndarray:
    """The `length` samples on end that hold most power; all where there are no more."""
    if len(samples) <= length:
        return samples
    total = np.concatenate([np.zeros(1), np.cumsum(np.square(samples, dtype=np.float64))])
    start = int(np.argmax(total[length:] - total[:-length]))
    return samples[start:start + length]


def sound_bytes(samples: Any, rate: int) -> bytes:
    """Samples in memory as the bytes of a WAV file that holds the very same values.

    Args:
        samples: (time,) or (time, channels), floating-point numbers or integers.
        rate: samples a second.
    """
    samples = np.asarray(samples)
    if samples.ndim == 2 and samples.shape[0] < samples.shape[1] <= 2 ** 31 and samples.shape[0] <= 8:
        samples = samples.T  # channels first, as torchaudio has them
    if samples.dtype.kind not in "iu" or samples.dtype.itemsize > 4 or samples.dtype in (np.int8, np.uint16, np.uint32):
        samples = samples.astype(np.float32)
    out = io.BytesIO()
    wavfile.write(out, int(rate), np.ascontiguousarray(samples))
    return out.getvalue()
