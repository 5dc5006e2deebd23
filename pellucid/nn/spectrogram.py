"""From sound to pictures of it: how strong each pitch is at each moment, as the ear scales pitches."""
from __future__ import annotations

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn._checks import positive, whole_number

LOUDEST = 32768
"""Of 16-bit samples."""
BREAK, STEP = 700.0, 1127.0
"""The mel scale: m = 1127 · ln(1 + f / 700), about linear below 1 kHz and logarithmic above."""
WARPED_SHARE = 0.85
"""Up to this share of the highest pitch a warp is linear; above, it goes straight to the highest pitch."""
FAINT = 1e-12


class Manner(NamedTuple):
    """How each row is listened to, all (batch,): as it is when 1, 0 and 1.

    Args:
        speed: how fast, without a change of pitch: 1.1 is a tenth faster.
        shift: how many samples later.
        warp: by how much all pitches are higher, as with a vocal tract that is shorter by so much.
    """

    speed: Float[Array, " batch"]
    shift: Float[Array, " batch"]
    warp: Float[Array, " batch"]


class MelSpectrogram(eqx.Module):
    """The power of sound in each band of pitches around each of a row of moments.

    Around every `hop`-th sample a window is cut out, weighted by a Hann window and Fourier-transformed; triangular
    filters, evenly spaced on the mel scale, add up its squared magnitudes. It has no weights.

    Source: Davis & Mermelstein 1980; `Manner.warp`: Jaitly & Hinton 2013, with the warp of Lee & Rose 1998.

    Args:
        length: samples of a row, at least 1.
        rate: samples a second.
        window: samples of a window, at least 2.
        hop: samples from one window to the next, at least 1.
        bands: how many bands, at least 2.
        low, high: Hz, the lowest and the highest pitch; half of `rate` when `high` is `None`.

    Raises:
        SettingsError: for a size out of range, or a highest pitch that is not above the lowest, or above half of
            `rate`.
        ShapeError: when called with rows of another length.

    Example:
        >>> layer = MelSpectrogram(4000, 8000, window=256, hop=100, bands=40)
        >>> power, counts = layer(jnp.zeros((5, 4000)), jnp.full(5, 1000))
        >>> power.shape, counts.tolist()
        ((5, 41, 40), [11, 11, 11, 11, 11])
    """

    length: int = eqx.field(static=True)
    rate: int = eqx.field(static=True)
    window: int = eqx.field(static=True)
    hop: int = eqx.field(static=True)
    bands: int = eqx.field(static=True)
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __init__(self, length: int, rate: int, *, window: int, hop: int, bands: int, low: float = 50.0,
                 high: float | None = None) -> None:
        for name, value, least in (("length", length, 1), ("rate", rate, 1), ("window", window, 2), ("hop", hop, 1),
                                   ("bands", bands, 2)):
            setattr(self, name, whole_number("MelSpectrogram", name, value, least))
        self.low = positive("MelSpectrogram", "low", low)
        self.high = rate / 2 if high is None else positive("MelSpectrogram", "high", high)
        if not low < self.high <= rate / 2:
            raise SettingsError(f"`MelSpectrogram` got pitches from {low:g} to {self.high:g} Hz at {rate} samples a "
                                "second; expected rising ones up to half of that rate.", "leave high out")

    @property
    def frames(self) -> int:
        """How many windows."""
        return self.length // self.hop + 1

    @property
    def bins(self) -> int:
        """How many pitches the Fourier transform tells apart."""
        return self.window // 2 + 1

    def __call__(self, samples: Array, lengths: Int[Array, " batch"] | None = None,
                 manner: Manner | None = None) -> tuple[Float[Array, "batch frames bands"], Int[Array, " batch"]]:
        """From (batch, length) to the power of each band around each moment, and how many moments count.

        Args:
            samples: (batch, length); integers of 16 bits count as parts of 32,768.
            lengths: (batch,) how many samples of each row count; all when `None`. Others are never listened to.
            manner: how each row is listened to; as it is when `None`.
        """
        if jnp.ndim(samples) != 2 or samples.shape[1] != self.length:
            raise ShapeError(f"`MelSpectrogram` expected samples of shape (batch, {self.length}), got "
                             f"{jnp.shape(samples)}.", "pad or cut all rows to one length")
        rows = len(samples)
        lengths = jnp.full(rows, self.length, jnp.int32) if lengths is None else lengths
        floats = jnp.asarray(samples).dtype if jnp.issubdtype(samples.dtype, jnp.floating) else jnp.float32
        plain = Manner(jnp.ones(rows), jnp.zeros(rows), jnp.ones(rows)) if manner is None else manner
        heard = jnp.where(jnp.arange(self.length) < lengths[:, None], samples, 0)
        cut = self._windows(heard, plain).astype(floats) / (1 if floats == samples.dtype else LOUDEST)
        spectrum = jnp.fft.rfft(cut * np.hanning(self.window + 1)[:-1].astype(floats))
        power = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
        if manner is None:
            bands = power @ self.filters().astype(floats)
        else:
            bands = jnp.einsum("btf,bfm->btm", power, self._warped_filters(manner.warp).astype(floats))
        ends = (lengths - 1 + plain.shift) / (self.hop * plain.speed)
        return bands, jnp.clip(jnp.floor(ends).astype(jnp.int32) + 1, 1, self.frames)

    def _windows(self, samples: Array, manner: Manner) -> Float[Array, "batch frames window"]:
        """A window around every moment; slower or faster is a smaller or larger hop."""
        places = jnp.arange(self.frames) * (self.hop * manner.speed[:, None]) - manner.shift[:, None]
        padded = jnp.pad(samples, ((0, 0), (self.window, self.window)))
        starts = jnp.clip(jnp.round(places).astype(jnp.int32), -self.window // 2, self.length + self.window // 2 - 1)

        def cut(row: Array, start: Array) -> Array:
            return jax.lax.dynamic_slice(row, (start + self.window - self.window // 2,), (self.window,))

        return jax.vmap(lambda row, own: jax.vmap(lambda start: cut(row, start))(own))(padded, starts)

    def filters(self) -> np.ndarray:
        """(bins, bands): what each pitch adds to each band."""
        pitches = np.arange(self.bins) * self.rate / self.window
        return np.maximum(0, 1 - np.abs(_mel(pitches)[:, None] - self._middles()) / self._widths(pitches)[:, None])

    def _warped_filters(self, warp: Float[Array, " batch"]) -> Float[Array, "batch bins bands"]:
        """The filters where each pitch of a row counts as a higher one."""
        pitches = np.arange(self.bins) * self.rate / self.window
        top, warp = self.rate / 2, warp[:, None]
        edge = WARPED_SHARE * top / jnp.maximum(warp, 1)
        slope = (top - edge * warp) / (top - edge)
        heard = jnp.where(pitches <= edge, pitches * warp, edge * warp + (pitches - edge) * slope)
        distance = jnp.abs(STEP * jnp.log1p(heard / BREAK)[..., None] - self._middles())
        return jnp.maximum(0, 1 - distance / self._widths(pitches)[:, None])

    def _middles(self) -> np.ndarray:
        ends = _mel(np.array([self.low, self.high]))
        return np.linspace(*ends, self.bands + 2)[1:-1]

    def _widths(self, pitches: np.ndarray) -> np.ndarray:
        """Half the width of a filter, in mel, at each pitch: down there one step of the Fourier transform at least."""
        steps = np.diff(_mel(np.append(pitches, pitches[-1] + self.rate / self.window)))
        middles = self._middles()
        return np.maximum(steps, middles[1] - middles[0])


def _mel(pitches: np.ndarray) -> np.ndarray:
    return STEP * np.log1p(pitches / BREAK)


def loudness(power: Float[Array, "batch frames bands"], counts: Int[Array, " batch"],
             range_decibels: float = 60.0) -> Float[Array, "batch frames bands"]:
    """The logarithm of power, down to so many decibels below the loudest valid entry of a row: from 0 to 1.

    Args:
        power: of each band around each moment.
        counts: how many moments of each row are valid; 0 stands behind them.
        range_decibels: what counts as silence.
    """
    valid = (jnp.arange(power.shape[1]) < counts[:, None])[..., None]
    most = jnp.max(jnp.where(valid, power, 0), axis=(1, 2), keepdims=True)
    parts = jnp.maximum(power / jnp.maximum(most, FAINT), 10.0 ** (-range_decibels / 10))
    return jnp.where(valid, jnp.maximum(0, 1 + jnp.log(parts) * (10 / math.log(10) / range_decibels)), 0)


def evened(levels: Float[Array, "batch frames bands"], counts: Int[Array, " batch"],
           share: float | Float[Array, " batch"]) -> Float[Array, "batch frames bands"]:
    """Each row brought to mean 0 and variance 1 over its valid moments; behind them stands 0.

    With a share of 1 each band is brought to mean 0 by itself. What a microphone, a room or a throat does to all of a
    recording vanishes then, and with it what the recording sounds like on average; with 0 both stay.

    Args:
        levels: of each band around each moment.
        counts: how many moments of each row are valid.
        share: how much of its mean over time is taken from each band, from 0 to 1; for all rows or for each.

    Source: Atal 1974, cepstral mean subtraction.
    """
    valid = (jnp.arange(levels.shape[1]) < counts[:, None])[..., None].astype(levels.dtype)
    part = valid / counts[:, None, None]
    bands = jnp.sum(levels * part, axis=1, keepdims=True)
    whole = jnp.mean(bands, axis=2, keepdims=True)
    share = jnp.reshape(jnp.asarray(share, levels.dtype), (-1, 1, 1))
    centred = (levels - whole - share * (bands - whole)) * valid
    variance = jnp.mean(jnp.sum(jnp.square(centred) * part, axis=1, keepdims=True), axis=2, keepdims=True)
    return centred * jax.lax.rsqrt(variance + 1e-5)
