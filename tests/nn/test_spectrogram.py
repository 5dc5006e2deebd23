"""Spectrograms against NumPy, and how recordings are changed while training."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.nn import Listening, MelSpectrogram
from pellucid.nn.spectrogram import Manner, evened, loudness

RATE, LENGTH = 8000, 1600
LAYER = MelSpectrogram(LENGTH, RATE, window=256, hop=80, bands=24, low=60.0)


def tone(pitch, length=LENGTH):
    """A tone of one pitch."""
    return np.sin(2 * np.pi * pitch * np.arange(length) / RATE).astype(np.float32)


def middles(layer):
    """The pitch in the middle of each band, in Hz."""
    mel = np.linspace(*(1127 * np.log1p(np.array([layer.low, layer.high]) / 700)), layer.bands + 2)[1:-1]
    return 700 * np.expm1(mel / 1127)


def test_power_equals_that_of_numpy():
    rows = np.random.default_rng(0).normal(size=(2, LENGTH)).astype(np.float32)
    power, counts = jax.jit(LAYER)(rows, jnp.array([LENGTH, 801]))
    padded = np.pad(rows[0], (128, 256))
    cut = np.stack([padded[80 * frame:80 * frame + 256] for frame in range(LAYER.frames)])
    expected = np.abs(np.fft.rfft(cut * np.hanning(257)[:-1])) ** 2 @ LAYER.filters()
    np.testing.assert_allclose(power[0], expected, rtol=2e-4, atol=1e-4)
    assert counts.tolist() == [20, 11] and not power[1, 13:].any()
    assert np.argmax(jax.jit(LAYER)(tone(1000)[None])[0][0, 10]) == np.argmin(abs(middles(LAYER) - 1000))


def test_integers_are_parts_of_the_loudest():
    whole = (tone(440) * 20_000).astype(np.int16)[None]
    run = jax.jit(lambda rows: LAYER(rows)[0])
    np.testing.assert_allclose(run(whole), run((whole / 32_768).astype(np.float32)), rtol=1e-4, atol=1e-6)


def test_manners():
    rows = np.stack([tone(1000)] * 4)
    rows[:, :800] = 0
    manner = Manner(speed=jnp.array([1, 2, 1, 1.0]), shift=jnp.array([0, 0, 400, 0.0]), warp=jnp.array([1, 1, 1, 1.3]))
    power, counts = jax.jit(LAYER)(rows, jnp.full(4, LENGTH), manner)
    plain = jax.jit(LAYER)(rows)[0]
    np.testing.assert_allclose(power[0], plain[0], rtol=1e-3, atol=1e-3)
    assert counts.tolist() == [20, 10, 21, 20]
    np.testing.assert_allclose(power[1, :10], plain[0, :20:2], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(power[2, 5:], plain[0, :-5], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(power[3].argmax(axis=1)[12:18], np.argmin(abs(middles(LAYER) - 1300)))


def test_levels_lie_between_silence_and_the_loudest():
    power = jnp.array([[[1.0, 1e-3], [1e-9, 0.0], [1e9, 1e9]]])
    levels = loudness(power, jnp.array([2]), 60.0)
    np.testing.assert_allclose(levels[0], [[1, 0.5], [0, 0], [0, 0]], atol=1e-6)
    assert not np.any(loudness(jnp.zeros((1, 3, 2)), jnp.array([3])))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_evening_takes_the_mean_of_bands(share):
    random = np.random.default_rng(1)
    levels = random.normal(size=(3, 7, 4)).astype(np.float32) + random.normal(size=(3, 1, 4)).astype(np.float32)
    counts = jnp.array([7, 4, 1])
    found = np.asarray(evened(levels, counts, share))
    assert not found[1, 4:].any() and not found[2, 1:].any()
    for row, count in enumerate(counts.tolist()):
        part = levels[row, :count] - levels[row, :count].mean()
        part = part - share * part.mean(axis=0)
        np.testing.assert_allclose(found[row, :count], part / np.sqrt(np.mean(part ** 2) + 1e-5), rtol=1e-3, atol=2e-3)


def test_listening_changes_each_row_in_its_own_way_within_limits():
    layer = Listening(speed=0.2, warp=0.1, shift=0.05, noise=0.1, tilt=6.0, masked_bands=4, masked_time=0.3)
    counts = jnp.full(200, 20)
    manner = layer.manner(jnp.full(200, LENGTH), key=jax.random.key(0))
    assert 1 / 1.2 <= manner.speed.min() < 0.87 and 1.15 < manner.speed.max() <= 1.2
    assert 1 / 1.1 <= manner.warp.min() < 0.93 and 1.07 < manner.warp.max() <= 1.1
    assert 60 < abs(manner.shift).max() <= 80

    @jax.jit
    def change(key):
        power = layer.noisy(jnp.ones((200, 24, 10)), counts, key=key)
        return power, layer.masked(jnp.ones((200, 24, 10)), counts, key=key)

    power, masked = change(jax.random.key(1))
    decibels = 10 * np.log10(power)
    assert decibels.min() >= -6.5 and 3 < decibels.max() < 12
    hidden = np.asarray(masked[:, :20] == 0)
    bands, moments = hidden.all(axis=1).sum(axis=1), hidden.all(axis=2).sum(axis=1)
    assert 4 <= bands.max() <= 8 and 8 <= moments.max() <= 12 and min(bands.min(), moments.min()) == 0
    assert not Listening().changes and Listening().manner(counts, key=jax.random.key(0)) is None


@pytest.mark.parametrize("wrong", [{"length": 0}, {"bands": 1}, {"low": 5000.0}, {"high": 9000.0}])
def test_wrong_options(wrong):
    given = {"length": 100, "rate": 8000, "window": 32, "hop": 16, "bands": 4} | wrong
    with pytest.raises(SettingsError):
        MelSpectrogram(**given)


@pytest.mark.parametrize("wrong", [{"speed": 1.0}, {"noise": -0.1}, {"tilt": -3.0}, {"masked_bands": 1.5}])
def test_wrong_changes(wrong):
    with pytest.raises(SettingsError):
        Listening(**wrong)


def test_wrong_shape():
    with pytest.raises(ShapeError, match=r"\(batch, 1600\)"):
        LAYER(jnp.zeros((2, 100)))
