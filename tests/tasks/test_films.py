"""Films and series from files to a model, its report and predictions."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pellucid.features.video import Video
from pellucid.model.load import load
from pellucid.networks import build
from pellucid.tasks import overall
from pellucid.tasks.raw import Situation
from pellucid.tasks.raw.series import SERIES
from pellucid.tasks.raw.video import VIDEO
from pellucid.tasks.train import train

QUICK = {"epochs": 6, "members": 1, "batch_size": 32, "hidden": (4,)}


def waves(rows, seed=0):
    """Noisy waves, slow or quick, of 15 to 30 steps."""
    random = np.random.default_rng(seed)
    for row in range(rows):
        steps = np.arange(random.integers(15, 30))
        quick = row % 2
        yield ("slow", "quick")[quick], np.sin((0.3 + 1.2 * quick) * steps + random.uniform(0, 6)) + random.normal(
            size=len(steps)) / 10


def test_series_beside_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(overall, "EXPLAINED_ROWS", 24)
    names, found = zip(*waves(260), strict=True)
    cells = [" ".join(f"{value:.3f}" for value in one) for one in found]
    cells[3], cells[5] = "no series", None
    pl.DataFrame({"wave": cells, "size": np.arange(260) % 7, "kind": names}).write_csv(tmp_path / "waves.csv")
    run = train(tmp_path / "waves.csv", "kind", run=tmp_path / "run", **QUICK)
    assert [feature.kind for feature in run.model.features] == ["series", "number"]
    assert run.metrics["network"]["accuracy"] > 0.9
    assert any('"no" is no number' in note["message"] for note in run.metrics["warnings"])
    again = load(run.folder / "model.pellucid").predict(tmp_path / "waves.csv")
    assert (again.prediction == np.array(names)).mean() > 0.9


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A spot that goes left or right, from anywhere."""
    place, random = tmp_path_factory.mktemp("data") / "films", np.random.default_rng(0)
    for clip in range(260):
        name, step = (("left", -1), ("right", 1))[clip % 2]
        top, left = random.integers(0, 10, 2)
        folder = place / name / f"{clip:03}"
        folder.mkdir(parents=True)
        for number in range(3):
            frame = np.zeros((12, 12), np.uint8)
            frame[top:top + 3, np.arange(left + step * number, left + step * number + 3) % 12] = 255
            Image.fromarray(frame).save(folder / f"{number}.png")
    return place


def test_folders_of_frames_are_learned(films, tmp_path):
    run = train(films, run=tmp_path / "run", **(QUICK | {"epochs": 12, "hidden": (8,), "learning_rate": 0.01}))
    assert run.metrics["network"]["accuracy"] > 0.9
    frame = run.model.predict(films / "left").to_frame()
    assert len(frame) == 130 and frame["file"][0] == "000" and (frame["prediction"] == "left").mean() > 0.9
    assert run.report().stat().st_size > 10_000


def test_rules_for_films_and_series():
    feature = Video(name="v", height=20, width=30, channels=1, frames=8)
    situation = Situation(1000, 4, True, 4)
    spec = VIDEO.encoder(feature, situation, {})
    assert build(spec, key=np.array([0, 1], np.uint32)).settings.in_shape == (8, 20, 30, 1)
    assert spec["augmentation"]["shift"] == 1 and not spec["augmentation"]["mirror"]
    assert VIDEO.encoder(feature, Situation(1000, 1, True), {})["augmentation"]["shift"] == 0
    assert VIDEO.encoder(feature, situation, {"augmentation": "none"})["augmentation"] == {}
    many = Situation(90_000, 4, True, 4)
    assert VIDEO.training(feature, situation)["epochs"] >= VIDEO.training(feature, many)["epochs"]
    raw = feature.probe(4, np.random.default_rng(0))
    assert VIDEO.plain(raw).shape[0] == 4 and len(VIDEO.plain({name: one[:0] for name, one in raw.items()})) == 0


def test_the_plain_view_of_series():
    values = np.zeros((3, 8, 1), np.float32)
    values[0, :, 0], values[1, :4, 0] = np.arange(8), 5
    view = SERIES.plain({"values": values, "lengths": np.array([8, 4, 1], np.int32)})
    assert view.shape == (3, 9 + 32 + 1) and np.isfinite(view).all()
    assert view[0, 0] == 3.5 and view[0, 6] == pytest.approx(8) and view[1, 0] == 5 and view[1, 1] == 0
