"""Folders of frames, of films and of tables of numbers."""
from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pellucid.data.films import is_numbered
from pellucid.data.folder import as_films
from pellucid.data.read import read_table


def moving(seed, count=5):
    """A square that moves by one pixel a frame, in frames of 24 pixels."""
    random, found = np.random.default_rng(seed), np.zeros((count, 24, 24), np.uint8)
    top, left = random.integers(0, 12, 2)
    for number, frame in enumerate(found):
        frame[top:top + 6, left + number:left + number + 6] = 255
    return found


@pytest.fixture
def folder(tmp_path):
    for name in ("left", "right"):
        for clip in range(4):
            place = tmp_path / "films" / name / f"clip{clip}"
            place.mkdir(parents=True)
            for number, frame in enumerate(moving(10 * clip + len(name))):
                Image.fromarray(frame).save(place / f"{number:03}.png")
    return tmp_path / "films"


def test_folders_of_frames_in_folders_of_classes(folder):
    table = read_table(folder)
    assert table.names == ("video", "label") and len(table) == 8 and table.column("label").to_list()[-1] == "right"
    assert table.files[0] == "left/clip0" and "40 numbered pictures in 8 folders" in table.notes[0].message
    assert (table.column("video")[0]) == str(folder / "left" / "clip0")


def test_films_without_classes(folder):
    table = as_films(read_table(folder / "left"))
    assert table.names == ("video",) and len(table) == 4 and table.files[0] == "clip0"
    assert len(as_films(read_table(folder / "left" / "clip0"))) == 1


def test_unlike_pictures_in_deeper_folders_stay_pictures(tmp_path):
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for breed in "ab":
            place = tmp_path / "zoo" / name / breed
            place.mkdir(parents=True)
            for number in range(4):
                Image.fromarray(random.integers(0, 255, (24, 24)).astype(np.uint8)).save(place / f"{number}.png")
    assert read_table(tmp_path / "zoo").names == ("image", "label")


def test_animated_pictures_in_folders_of_classes(tmp_path):
    for name in "ab":
        (tmp_path / "films" / name).mkdir(parents=True)
        for clip in range(3):
            first, *others = [Image.fromarray(frame) for frame in moving(clip)]
            first.save(tmp_path / "films" / name / f"{clip}.gif", save_all=True, append_images=others)
    assert read_table(tmp_path / "films").names == ("video", "label")


def test_a_table_of_films(folder):
    clips = [f"{name}/clip{clip}" for name in ("left", "right") for clip in range(4)]
    listed = [json.dumps([f"{clip}/{number:03}.png" for number in range(3)]) for clip in clips]
    pl.DataFrame({"clip": clips, "some": listed, "side": [clip.split("/")[0] for clip in clips]}).write_csv(
        folder / "table.csv")
    table = read_table(folder / "table.csv")
    assert table.column("clip")[0] == str(folder / "left" / "clip0") and table.column("side")[0] == "left"
    assert json.loads(table.column("some")[0])[1] == str(folder / "left" / "clip0" / "001.png")


def test_tables_of_numbers_in_folders_of_classes(tmp_path):
    for name in ("calm", "shaky"):
        (tmp_path / "moves" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "moves" / name / f"{number}.csv").write_text("x,y\n1,2\n3,4\n")
    table = read_table(tmp_path / "moves")
    assert table.names == ("series", "label") and table.column("label").to_list() == ["calm"] * 3 + ["shaky"] * 3


@pytest.mark.parametrize("names, answer", [
    (["a/1.png", "a/2.png", "a/3.png"], True), (["f001.png", "f004.png", "f007.png"], True),
    (["1.png", "2.png"], False), (["1.png", "50.png", "99.png"], False), (["cat.png", "dog.png", "cow.png"], False),
    (["a1.png", "b2.png", "c3.png"], False)])
def test_numbered(names, answer):
    assert is_numbered(names) is answer
