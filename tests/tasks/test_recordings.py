"""Recordings from a folder to a model, its report and predictions."""
from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.io import wavfile

from pellucid.errors import DataError
from pellucid.features.audio import Audio
from pellucid.model.load import load
from pellucid.networks import build
from pellucid.tasks import overall
from pellucid.tasks.raw.audio import AUDIO, BY_THROAT, LISTENING, decide
from pellucid.tasks.raw.base import Situation
from pellucid.tasks.train import train

QUICK = {"epochs": 8, "members": 1, "batch_size": 32, "hidden": (4,)}
RATE = 4000
PITCHES = {"low": 300, "high": 1200}


def calls(rows, seed=0):
    """Short tones in noise, of two pitches and any length."""
    random = np.random.default_rng(seed)
    for row in range(rows):
        name = list(PITCHES)[row % 2]
        time = np.arange(int(random.uniform(0.05, 0.1) * RATE)) / RATE
        samples = np.sin(2 * np.pi * PITCHES[name] * random.uniform(0.8, 1.25) * time) * np.hanning(len(time))
        yield name, (12_000 * (samples + random.normal(size=len(time)) / 20)).astype(np.int16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "calls"
    for row, (name, samples) in enumerate(calls(260)):
        (path / name).mkdir(parents=True, exist_ok=True)
        wavfile.write(path / name / f"{row:03}.wav", RATE, samples)
    (path / "low" / "empty.wav").touch()
    (path / "low" / "letter.wav").write_text("Dear reader")
    wavfile.write(path / "high" / "silent.wav", RATE, np.zeros(400, np.int16))
    return path


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    return train(folder, run=tmp_path_factory.mktemp("run") / "a", **QUICK)


def test_a_folder_of_recordings_is_learned(run):
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["network"]["accuracy"] > 0.9 and metrics["baselines"]["logistic_regression"]["accuracy"] > 0.9
    warned = " ".join(note["message"] for note in metrics["warnings"])
    assert "empty.wav" in warned and "letter.wav" in warned and "silent.wav is silent" in warned
    assert run.model.features[0].rate == RATE and run.report().stat().st_size > 10_000


def test_predictions_name_the_file(run, folder, tmp_path):
    found = load(run.folder / "model.pellucid").predict(folder / "low")
    frame = found.to_frame()
    assert frame["file"][0] == "000.wav" and (frame["prediction"] == "low").mean() > 0.9
    lines = [f"{folder}/high/001.wav", f"{tmp_path}/none.wav"]
    (tmp_path / "table.csv").write_text("\n".join(["audio", *lines]))
    found = run.model.predict(tmp_path / "table.csv")
    assert found.prediction[0] == "high" and any("none.wav does not exist" in note.message for note in found.notes)


def test_recordings_in_memory_beside_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(overall, "EXPLAINED_ROWS", 24)
    names, samples = zip(*calls(260), strict=True)
    size = np.arange(260) % 7
    table = {"call": [(RATE, one) for one in samples], "size": size,
             "answer": 3.0 * (np.array(names) == "low") + size}
    finished = train(table, "answer", run=tmp_path / "a", **(QUICK | {"epochs": 2}))
    assert finished.metrics["network"] and [feature.kind for feature in finished.model.features] == ["audio", "number"]


def test_nothing_that_can_be_heard(tmp_path):
    for row in range(30):
        (tmp_path / "calls" / "ab"[row % 2]).mkdir(parents=True, exist_ok=True)
        wavfile.write(tmp_path / "calls" / "ab"[row % 2] / f"{row}.wav", RATE, np.zeros(400 + row, np.int16))
    with pytest.raises(DataError, match="silent from beginning to end"):
        train(tmp_path / "calls", run=tmp_path / "run", **QUICK)


@pytest.mark.parametrize("rate, length", [(2000, 64), (8000, 5840), (16_000, 160_000)])
def test_the_encoder_suits_any_length(rate, length):
    feature, situation = Audio(name="a", rate=rate, length=length), Situation(2400, 10, True, 10)
    spec = AUDIO.encoder(feature, situation, {})
    assert spec["listening"] == LISTENING and spec["window"] >= spec["hop"]
    assert 2 <= build(spec, key=np.array([0, 1], np.uint32)).mel.frames <= 60
    assert AUDIO.encoder(feature, situation, {"augmentation": "none", "hidden": (3,)})["listening"] == {}
    assert AUDIO.training(feature, situation)["epochs"] < AUDIO.training(feature, Situation(300, 2, True, 2))["epochs"]


def test_plain_view_tells_pitches_apart():
    samples, lengths = np.zeros((40, 400), np.int16), np.zeros(40, np.int32)
    for row, (_, one) in enumerate(calls(40)):
        samples[row, :len(one)], lengths[row] = one, len(one)
    view = AUDIO.plain({"samples": samples, "lengths": lengths})
    assert view.shape == (40, 161) and np.isfinite(view).all()
    loudest = view[:, :32].argmax(axis=1)  # by their means, which come first
    assert loudest[::2].max() < loudest[1::2].min()
    short = AUDIO.plain({"samples": samples[:, :100], "lengths": np.minimum(lengths, 100)})
    assert short.shape == (40, 161) and np.isfinite(short).all() and AUDIO.plain(
        {"samples": samples[:0], "lengths": lengths[:0]}).shape == (0, 161)


def tones(pitches, rows, spread):
    """Encoded recordings of one tone each, at a pitch of its class or near it."""
    random = np.random.default_rng(0)
    answers, time = np.arange(rows) % len(pitches), np.arange(1200) / RATE
    pitch = np.asarray(pitches)[answers] * random.uniform(1 / spread, spread, rows)
    samples = np.sin(2 * np.pi * pitch[:, None] * time) + random.normal(size=(rows, 1200)) / 20
    return {"samples": (9000 * samples).astype(np.int16), "lengths": np.full(rows, 1200, np.int32)}, answers


def test_where_pitch_is_the_answer_recordings_keep_their_pitch():
    feature = Audio(name="x", rate=RATE, length=1200)
    keys, voices = tones((500, 550, 605, 665), 200, 1.01), tones((300, 1200), 200, 1.25)
    assert decide(feature, *keys, 4, {}) == {"augmentation": "sounds"}
    assert decide(feature, *voices, 2, {}) == {"augmentation": "voices"}
    assert decide(feature, *keys, 4, {"augmentation": "none"}) == {}
    heard = AUDIO.encoder(feature, Situation(200, 4, True, 4), {"augmentation": "sounds"})["listening"]
    assert heard and not heard.keys() & set(BY_THROAT)
