"""Augmentation of sound: each recording is heard a little differently each time, so that what does not matter is
learned not to matter."""
from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pellucid.errors import SettingsError
from pellucid.nn._checks import share, whole_number
from pellucid.nn._random import subkeys, uniform
from pellucid.nn.spectrogram import Manner

NOISE_RANGE = 4.0
"""Powers of ten between the loudest and the faintest noise."""
MASKS = 2
Power = Float[Array, "batch frames bands"]


class Listening(eqx.Module):
    """How far each recording is changed at random while training: in its samples, its spectrum and its spectrogram.

    Source: `warp` is vocal-tract-length perturbation, Jaitly & Hinton 2013; the masks are SpecAugment, Park and others
    2019; `tilt` is like the filter augmentation of Nam, Kim & Park 2022.

    Args:
        speed: faster or slower by up to this share, at the same pitch.
        warp: pitches higher or lower by up to this share, as from a shorter or longer vocal tract.
        shift: earlier or later by up to this share of its length.
        noise: the loudest noise, as a share of the mean power; each recording gets noise of its own loudness.
        evening: whether the share of its mean that is taken from each band is drawn by chance; see `nn.spectrogram`.
        tilt: decibels by which pitches may become louder or quieter, smoothly from low to high.
        masked_bands: the widest run of bands that is silenced, twice a recording.
        masked_time: the longest run of moments that is silenced, as a share of all, twice a recording.

    Raises:
        SettingsError: for a share outside [0, 1), a number below 0, or when used without a key.

    Example:
        >>> Listening(speed=0.1).manner(jnp.full(3, 8000), key=jax.random.key(0)).speed.shape
        (3,)
    """

    speed: float = eqx.field(static=True)
    warp: float = eqx.field(static=True)
    shift: float = eqx.field(static=True)
    noise: float = eqx.field(static=True)
    evening: bool = eqx.field(static=True)
    tilt: float = eqx.field(static=True)
    masked_bands: int = eqx.field(static=True)
    masked_time: float = eqx.field(static=True)

    def __init__(self, *, speed: float = 0.0, warp: float = 0.0, shift: float = 0.0, noise: float = 0.0,
                 evening: bool = False, tilt: float = 0.0, masked_bands: int = 0, masked_time: float = 0.0) -> None:
        for name, value in (("speed", speed), ("warp", warp), ("shift", shift), ("noise", noise),
                            ("masked_time", masked_time)):
            setattr(self, name, share("Listening", name, value))
        if not 0 <= tilt < math.inf:
            raise SettingsError(f"`Listening` got tilt={tilt!r}; expected a number of decibels, at least 0.",
                                "set tilt to 10, for example, or to 0 to switch it off")
        self.evening, self.tilt = bool(evening), float(tilt)
        self.masked_bands = whole_number("Listening", "masked_bands", masked_bands, 0)

    @property
    def changes(self) -> bool:
        """Whether anything is changed at all."""
        return any((self.speed, self.warp, self.shift, self.noise, self.evening, self.tilt, self.masked_bands,
                    self.masked_time))

    def manner(self, lengths: Int[Array, " batch"], *, key: Array) -> Manner | None:
        """How fast, how late and how high each recording is heard; `None` for all as they are.

        Args:
            lengths: samples of each.
            key: the random key.
        """
        if not (self.speed or self.warp or self.shift):
            return None
        speed_key, shift_key, warp_key = subkeys(key, 3)

        def factors(own: Array, most: float) -> Array:
            return jnp.exp(uniform(own, lengths.shape, -1, 1) * math.log1p(most))

        shift = uniform(shift_key, lengths.shape, -1, 1) * self.shift * lengths
        return Manner(factors(speed_key, self.speed), shift, factors(warp_key, self.warp))

    def noisy(self, power: Power, counts: Int[Array, " batch"], *, key: Array) -> Power:
        """Spectra tilted and with noise added, whose power is as random as that of white noise in a narrow band.

        Args:
            power: of each band around each moment.
            counts: how many moments of each recording count.
            key: the random key.
        """
        tilt_key, loud_key, noise_key = subkeys(key, 3)
        rows, _, bands = power.shape
        if self.tilt:
            place = jnp.linspace(-1, 1, bands)
            slope, bend, phase = (uniform(own, (rows, 1, 1), -1, 1) for own in subkeys(tilt_key, 3))
            curve = (slope * place + bend * jnp.cos(math.pi * (1.5 * place + phase))) / 2
            power = power * jnp.exp(curve * (self.tilt * math.log(10) / 10))
        if self.noise:
            valid = (jnp.arange(power.shape[1]) < counts[:, None])[..., None]
            mean = jnp.sum(jnp.where(valid, power, 0), axis=(1, 2), keepdims=True) / (bands * counts[:, None, None])
            loud = self.noise * 10 ** (-NOISE_RANGE * uniform(loud_key, (rows, 1, 1)))
            power = power - mean * loud * jnp.log(uniform(noise_key, power.shape))
        return power

    def masked(self, levels: Power, counts: Int[Array, " batch"], *, key: Array) -> Power:
        """Spectrograms with 0 in some runs of bands and of moments.

        Args:
            levels: of each band around each moment, 0 on average.
            counts: how many moments of each recording count.
            key: the random key.
        """
        _, frames, bands = levels.shape
        whole = jnp.full(counts.shape, bands)
        for index, own in enumerate(subkeys(key, 2 * MASKS)):
            if index % 2 and self.masked_bands:
                levels = jnp.where(_runs(bands, whole, self.masked_bands / bands, own)[:, None, :], 0, levels)
            elif not index % 2 and self.masked_time:
                levels = jnp.where(_runs(frames, counts, self.masked_time, own)[:, :, None], 0, levels)
        return levels


def _runs(size: int, counts: Int[Array, " batch"], most: float, key: Array) -> Bool[Array, "batch size"]:
    """One random run in each row, of up to the share `most` of its count."""
    width_key, first_key = subkeys(key, 2)
    width = uniform(width_key, counts.shape) * most * counts
    first = uniform(first_key, counts.shape) * (counts - width)
    place = jnp.arange(size) + 0.5
    return (place > first[:, None]) & (place < (first + width)[:, None])
