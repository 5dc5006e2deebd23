"""Pictures from a folder to a model, its report and predictions; and when they may be mirrored."""
from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pellucid.errors import DataError
from pellucid.estimators import Classifier
from pellucid.features.image import Image as Pictures
from pellucid.model.load import load
from pellucid.tasks import overall
from pellucid.tasks.raw.base import Situation
from pellucid.tasks.raw.image import IMAGE, decide, multiplications, shrunken
from pellucid.tasks.raw.mirror import keep_meaning
from pellucid.tasks.train import train

QUICK = {"epochs": 6, "members": 1, "batch_size": 32, "hidden": (6,)}
MARKS = {"lying": (slice(4, 6), slice(1, 9)), "standing": (slice(1, 9), slice(4, 6))}


def marks(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bright bars that lie or stand, in noise; and their names."""
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 90, (rows, 10, 10)).astype(np.uint8)
    names = np.array(list(MARKS))[np.arange(rows) % 2]
    for picture, name in zip(pictures, names, strict=True):
        picture[MARKS[name]] += 150
    return pictures, names


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "bars"
    for row, (picture, name) in enumerate(zip(*marks(260), strict=True)):
        (path / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path / name / f"{row:03}.png")
    (path / "lying" / "letter.png").write_text("Dear reader")
    cut = (path / "standing" / "001.png").read_bytes()[:60]
    (path / "standing" / "cut.png").write_bytes(cut)
    return path


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    return train(folder, run=tmp_path_factory.mktemp("run") / "a", **QUICK)


def test_a_folder_of_pictures_is_learned(run):
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["network"]["accuracy"] > 0.9 and metrics["target"] == "label"
    assert set(metrics["baselines"]) == {"majority", "logistic_regression", "gradient_boosting"}
    warned = " ".join(note["message"] for note in metrics["warnings"])
    assert "letter.png" in warned and "cut.png: the file is cut short" in warned and "mirrored" in warned
    assert run.model.features[0].shape == (10, 10, 1)


def test_the_report_shows_pictures(run):
    report = (run.folder / "report.html").read_text()
    assert "The pictures" in report and "The clearest picture of each class" in report
    assert report.count('<img src="data:image/png;base64,') >= 2 and "lying/" in report
    assert "Which columns matter" not in report  # there is only one


def test_predictions_name_the_file(run, folder):
    found = load(run.folder / "model.pellucid").predict(folder / "lying")
    frame = found.to_frame()
    assert frame.columns[:2] == ["file", "prediction"] and frame["file"][0] == "000.png" and len(found) == 130
    assert (frame["prediction"] == "lying").mean() > 0.9
    assert found.to_csv().splitlines()[1].startswith("000.png,lying,")
    assert run.model.evaluate(folder)["metrics"]["accuracy"] > 0.9


def test_pictures_beside_numbers_and_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(overall, "EXPLAINED_ROWS", 24)
    pictures, names = marks(260)
    size = np.arange(260) % 7
    table = {"picture": list(pictures), "size": size, "answer": 3.0 * (names == "lying") + 1.1 * size}
    finished = train(table, "answer", run=tmp_path / "a", **QUICK)
    assert finished.model.features[0].kind == "image" and finished.metrics["network"]["r2"] > 0.5
    assert "The worst errors" in (finished.folder / "report.html").read_text()


def test_arrays_of_pictures_fit_an_estimator():
    pictures, names = marks(240)
    fitted = Classifier(**QUICK | {"epochs": 15}).fit(pictures[:200], names[:200])
    assert fitted.score(pictures[200:], names[200:]) > 0.8
    assert fitted.predict(pictures[200:, :, :, None]).shape == (40,)


@pytest.mark.parametrize(("keep", "message"), [(["standing"], "only one class"), ([], "no sub-folders")])
def test_folders_without_classes_are_refused(folder, tmp_path, keep, message):
    for name in keep or ["standing"]:
        for path in sorted((folder / name).glob("0*.png")):
            target = tmp_path / "x" / (name if keep else "") / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=message) as caught:
        train(tmp_path / "x", run=tmp_path / "run")
    assert caught.value.hint


def test_nothing_but_broken_pictures_is_refused(tmp_path):
    for row in range(300):
        path = tmp_path / "x" / "ab"[row % 2] / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + row.to_bytes(2))
    with pytest.raises(DataError, match="cannot be read as a picture"):
        train(tmp_path / "x", run=tmp_path / "run")


def arrows(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright spots to the left or to the right."""
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 50, (rows, 10, 10, 1)).astype(np.uint8)
    answers = np.arange(rows) % 2
    for picture, answer in zip(pictures, answers, strict=True):
        picture[3:7, 1 + 5 * answer:4 + 5 * answer] += 180
    return pictures, answers


def test_pictures_that_mean_something_else_in_a_mirror_are_not_mirrored():
    feature = Pictures(name="x", height=10, width=10, channels=1)
    pictures, names = marks(200)
    symmetric = {"pixels": pictures[..., None]}, (names == "lying").astype(int)
    assert decide(feature, *symmetric, 2, {}) == {"augmentation": "photographs"}
    turned, answers = arrows(200)
    assert decide(feature, {"pixels": turned}, answers, 2, {}) == {"augmentation": "characters"}
    assert decide(feature, {"pixels": turned}, answers.astype(np.float32), 0, {}) == {"augmentation": "characters"}
    assert decide(feature, {"pixels": turned}, answers, 2, {"augmentation": "none"}) == {}
    noise = np.random.default_rng(0).standard_normal((2, 100, 5))
    assert keep_meaning(*noise, answers[:100], 2) and not keep_meaning(*noise[:, :9], answers[:9], 2)


@pytest.mark.parametrize(("rows", "shape", "epochs", "members"), [
    (100, (8, 8, 1), 100, 5), (1437, (8, 8, 1), 60, 5), (4000, (28, 28, 1), 34, 1), (48_000, (28, 28, 1), 16, 1),
    (300, (96, 96, 3), 96, 1),
])
def test_training_takes_minutes_for_any_number_and_size(rows, shape, epochs, members):
    feature = Pictures(name="x", height=shape[0], width=shape[1], channels=shape[2])
    found = IMAGE.training(feature, Situation(rows, 10, True, 10))
    assert (found["epochs"], found["members"]) == (epochs, members)
    hidden = IMAGE.encoder(feature, Situation(rows, 10, True, 10), {})["hidden"]
    assert found["epochs"] * found["members"] * rows * multiplications(shape, hidden) < 1.6e13


def test_plain_methods_see_shrunken_pictures():
    pixels = np.arange(48 * 50 * 3, dtype=np.uint8).reshape(1, 48, 50, 3).repeat(2, 0)
    small = IMAGE.plain({"pixels": pixels})
    assert small.shape[0] == 2 and small.shape[1] <= 400 and 0 <= small.min() <= small.max() <= 1
    np.testing.assert_allclose(shrunken(pixels, 10**6), pixels / 255, atol=1e-6)


def test_columns_of_paths_in_a_table(folder, tmp_path):
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png") if path.stem != "letter")
    frame = pl.DataFrame({"photo": names, "kind": [name.split("/")[0] for name in names]})
    frame.write_csv(folder / "table.csv")
    finished = train(folder / "table.csv", "kind", run=tmp_path / "a", **QUICK)
    assert finished.model.features[0].kind == "image" and finished.metrics["rows"]["test"] == 52
    (folder / "table.csv").unlink()
