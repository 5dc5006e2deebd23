"""Recordings: formats, rates, channels, and everything that can be wrong with a file."""
from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.io import wavfile

from pellucid.data.read import read_table
from pellucid.errors import MissingExtraError
from pellucid.features import sound
from pellucid.features.audio import Audio
from pellucid.features.recognise import fit_feature, recognise
from pellucid.features.sound import UnreadableError, loudest_part, read_sound, sound_bytes
from pellucid.features.types import feature_from_json

RATE = 8000


def tone(seconds=0.2, pitch=440.0, rate=RATE, loud=0.5):
    """A fading tone, which is nowhere silent."""
    time = np.arange(int(seconds * rate)) / rate
    return (loud * np.sin(2 * np.pi * pitch * time) * np.linspace(1, 0.5, len(time))).astype(np.float32)


def pitch_of(found):
    """The loudest pitch in Hz."""
    spectrum = np.abs(np.fft.rfft(found.samples * np.hanning(len(found.samples))))
    return spectrum.argmax() * found.rate / len(found.samples)


@pytest.fixture
def write(tmp_path):
    """From name, samples and rate to the path of a WAV file with 16-bit samples."""
    def save(name, samples, rate=RATE, dtype=np.int16):
        values = (samples * 32_767).astype(dtype) if dtype is np.int16 else samples.astype(dtype)
        wavfile.write(tmp_path / name, rate, values)
        return str(tmp_path / name)
    return save


@pytest.mark.parametrize("rate", [4000, 11_025, 44_100, 48_000])
def test_any_rate_becomes_the_one_asked_for(write, rate):
    found = read_sound(write("a.wav", tone(rate=rate), rate), RATE)
    assert found.rate == RATE and found.own_rate == rate and found.samples.dtype == np.int16
    assert abs(len(found.samples) / RATE - 0.2) < 0.005 and pitch_of(found) == pytest.approx(440, abs=8)


@pytest.mark.parametrize("ending, options", [("flac", {}), ("ogg", {}), ("mp3", {}), ("wav", {"subtype": "PCM_24"}),
                                             ("wav", {"subtype": "FLOAT"}), ("wav", {"subtype": "PCM_U8"}),
                                             ("aiff", {})])
def test_formats(tmp_path, ending, options):
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, tone(seconds=0.5, rate=16_000), 16_000, **options)
    path = path.rename(tmp_path / "named.txt")  # the content decides
    assert pitch_of(read_sound(str(path), RATE)) == pytest.approx(440, abs=8)
    assert pitch_of(read_sound(path.read_bytes(), RATE)) == pytest.approx(440, abs=8)


def test_plain_wav_needs_no_further_library(write, tmp_path, monkeypatch):
    with_library = read_sound(write("a.wav", np.stack([tone(), tone()], axis=1)))
    monkeypatch.setattr(sound, "soundfile", None)
    monkeypatch.setattr(sound, "soxr", None)
    np.testing.assert_array_equal(read_sound(write("a.wav", np.stack([tone(), tone()], axis=1))).samples,
                                  with_library.samples)
    assert pitch_of(read_sound(write("b.wav", tone(rate=11_025), 11_025), RATE)) == pytest.approx(440, abs=8)
    (tmp_path / "c.flac").write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[audio\]'"):
        read_sound(str(tmp_path / "c.flac"))


def test_channels(write):
    one, other = tone(pitch=440), tone(pitch=1000)
    silent = read_sound(write("a.wav", np.stack([one, np.zeros_like(one)], axis=1)))
    np.testing.assert_array_equal(silent.samples, read_sound(write("b.wav", one)).samples)
    assert silent.remarks == ("silent_channel",)
    both = read_sound(write("c.wav", np.stack([one, other], axis=1)))
    assert both.remarks == () and np.abs(np.fft.rfft(both.samples))[[88, 200]].min() > 1e5
    opposite = read_sound(write("d.wav", np.stack([one, -one], axis=1)))
    assert pitch_of(opposite) == pytest.approx(440, abs=8)


def test_silence_at_both_ends_and_a_constant_offset_go(write):
    nothing = np.zeros(RATE // 2)
    found = read_sound(write("a.wav", np.concatenate([nothing, tone(), nothing]) + 0.1))
    assert 0.2 <= len(found.samples) / RATE < 0.28 and abs(found.samples).max() == sound.PEAK
    assert abs(found.samples.astype(float).mean()) < 200


def test_a_long_recording_gives_its_loudest_part(write):
    samples = np.concatenate([0.1 * tone(0.3), tone(0.1, pitch=900), 0.1 * tone(0.3)])
    feature = Audio(name="a", rate=RATE, length=800)
    encoded = feature.encode(pl.Series([write("a.wav", samples)]))
    assert encoded.counts == {"longer": 1} and encoded.raw["lengths"].tolist() == [800]
    assert np.abs(np.fft.rfft(encoded.raw["samples"][0])).argmax() == pytest.approx(90, abs=1)
    assert loudest_part(np.array([1, 5, 5, 1]), 2).tolist() == [5, 5]


def damaged(write, tmp_path):
    """Files with something wrong, and the words that tell it."""
    def raw(name, data):
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    whole = Path(write("whole.wav", tone())).read_bytes()
    return {
        raw("empty.wav", b""): "is empty", raw("text.wav", b"This is a text, and no sound at all. " * 9): "holds text",
        raw("picture.wav", b"\x89PNG\r\n\x1a\n" + bytes(200)): "holds a picture", str(tmp_path / "none.wav"):
        "does not exist", raw("header.wav", whole[:40]): "", raw("noise.wav", bytes(range(256)) * 9): "cannot be",
        write("nan.wav", np.full(900, np.nan), dtype=np.float32): "no numbers", write("short.wav", tone()[:9]): "too",
        write("silent.wav", np.zeros(900)): "silent", write("no samples.wav", tone()[:0]): "", str(tmp_path): "opened",
    }


def test_what_cannot_be_read_is_named(write, tmp_path):
    expected = damaged(write, tmp_path)
    feature = Audio(name="a", rate=RATE, length=800)
    encoded = feature.encode(pl.Series([*expected, None, write("good.wav", tone())]))
    assert encoded.counts["unreadable"] == len(expected) and encoded.counts["missing"] == 1
    assert encoded.missing.tolist() == [True] * (len(expected) + 1) + [False]
    for (path, words), told in zip(expected.items(), encoded.trouble.values(), strict=True):
        assert path.split("/")[-1] in told and words in told
    assert not encoded.raw["samples"][:-1].any() and (encoded.raw["lengths"][:-1] == 1).all()
    for path in expected:
        with pytest.raises(UnreadableError):
            read_sound(path)


def test_what_is_odd_is_used_and_named(write, tmp_path):
    whole = Path(write("whole.wav", tone())).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:len(whole) // 2])
    holes = tone()
    holes[5:9] = np.nan
    cells = [str(tmp_path / "cut.wav"), write("holes.wav", holes, dtype=np.float32),
             write("loud.wav", np.clip(4 * tone(), -1, 1))]
    encoded = Audio(name="a", rate=RATE, length=4000).encode(pl.Series(cells))
    assert encoded.counts == {"truncated": 1, "not_finite": 1, "clipped": 1} and not encoded.missing.any()
    assert [names[0].split("/")[-1] for names in encoded.named.values()] == ["cut.wav", "holes.wav", "loud.wav"]
    assert 700 <= encoded.raw["lengths"][0] <= 800


def test_very_long_recordings_are_read_in_part(write, monkeypatch):
    monkeypatch.setattr(sound, "LONGEST", 1)
    found = read_sound(write("a.wav", tone(3.0)))
    assert len(found.samples) == RATE and found.remarks == ("cut",)


def test_fitted_on_training_rows_and_kept_as_json(write):
    cells = [write(f"{index}.wav", tone(0.1 + index / 100, rate=rate), rate) for index in range(10)
             for rate in (16_000, 32_000)[index % 2:index % 2 + 1]]
    column = pl.Series("audio", [*cells, None])
    feature = fit_feature("audio", column, kind="audio", reason="because")
    assert feature.rate == 16_000 and feature.length == pytest.approx(0.19 * 16_000, rel=0.02)
    again = feature_from_json(json.loads(json.dumps(feature.to_json())))
    assert again == feature and again.seconds == pytest.approx(0.19, rel=0.02)
    encoded, probe = again.encode(column), feature.probe(3, np.random.default_rng(0))
    assert encoded.counts["missing"] == 1 and not encoded.counts.get("unreadable")
    for name, array in encoded.raw.items():
        assert array.dtype == probe[name].dtype and array.shape[1:] == probe[name].shape[1:]
    shifted = fit_feature("audio", pl.Series([None, "nowhere.wav"], dtype=pl.String), kind="audio")
    assert shifted.length > 0


def test_recognised_by_content(write, tmp_path):
    cells = [write(f"{index}.wav", tone()) for index in range(6)]
    assert recognise("clip", pl.Series(cells)).kind == "audio"
    renamed = []
    for index, cell in enumerate(cells):
        (tmp_path / f"{index}.bin").write_bytes(Path(cell).read_bytes())
        renamed.append(str(tmp_path / f"{index}.bin"))
    assert recognise("clip", pl.Series(renamed)).kind == "audio"
    assert recognise("clip", pl.Series(["a", "b", "c"])).kind == "category"
    assert recognise("clip", pl.Series([Path(cell).read_bytes() for cell in cells])).kind == "audio"


@pytest.mark.parametrize("cell", [
    {"array": tone(), "sampling_rate": RATE}, (RATE, tone()), (RATE, (tone() * 30_000).astype(np.int16)),
    {"array": np.stack([tone(), tone()]), "sampling_rate": RATE}])
def test_arrays_with_their_rate_are_recordings(cell):
    table = read_table({"clip": [cell, cell], "label": ["a", "b"]})
    assert recognise("clip", table.column("clip")).kind == "audio"
    found = read_sound(table.column("clip")[0])
    assert found.rate == RATE and pitch_of(found) == pytest.approx(440, abs=8)


def test_bytes_of_samples_are_exact():
    ramp = np.arange(-500, 500, dtype=np.int16)
    assert wavfile_values(sound_bytes(ramp, 10)) == ramp.tolist()
    assert wavfile_values(sound_bytes(ramp / 512, 10)) == (ramp / 512).tolist()


def wavfile_values(data):
    """The samples in the bytes of a WAV file."""
    return wavfile.read(io.BytesIO(data))[1].tolist()
