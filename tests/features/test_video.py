"""Films: folders and lists of frames, animated pictures, arrays, and what cannot be read."""
from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pellucid.features._films import film, frame_names, is_film, spread
from pellucid.features._pictures import Form, Unreadable
from pellucid.features.recognise import recognise
from pellucid.features.types import feature_from_json
from pellucid.features.video import Video

FORM = Form(6, 8, 1)


def frames(count=4, seed=0, colours=()):
    return np.random.default_rng(seed).integers(0, 255, (count, 6, 8, *colours)).astype(np.uint8)


def folder_of(place, found):
    place.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(found):
        Image.fromarray(one).save(place / f"frame {number + 8}.png")
    return str(place)


@pytest.fixture
def column(tmp_path):
    cells = [folder_of(tmp_path / f"clip{seed}", frames(3 + seed, seed)) for seed in range(3)]
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "1.png").write_text("no picture")
    return pl.Series([*cells, None, str(tmp_path / "empty"), str(tmp_path / "broken"), str(tmp_path / "none")])


def test_frames_of_a_folder_by_their_numbers(tmp_path):
    place = folder_of(tmp_path / "a", frames())
    assert [name.split()[-1] for name in frame_names(place)] == ["8.png", "9.png", "10.png", "11.png"]
    assert np.array_equal(film(place, FORM, 9)[..., 0], frames()) and len(film(place, FORM, 2)) == 2
    names = ";".join(frame_names(place)[::-1])
    assert np.array_equal(film(names, FORM, 9)[..., 0], frames()[::-1])
    assert np.array_equal(film(json.dumps(frame_names(place)), FORM, 9)[..., 0], frames())
    assert spread(10, 4).tolist() == [0, 3, 6, 9] and spread(2, 4).tolist() == [0, 1]


def test_animated_pictures_and_arrays(tmp_path):
    pictures = [Image.fromarray(np.full((6, 8), 60 * number, np.uint8)) for number in range(4)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    pictures[0].save(tmp_path / "still.gif")
    assert film(str(tmp_path / "a.gif"), FORM, 9)[:, 0, 0, 0].tolist() == [0, 60, 120, 180]
    assert is_film(str(tmp_path / "a.gif")) and not is_film(str(tmp_path / "still.gif"))
    np.save(tmp_path / "b.npy", frames(colours=(3,)))
    assert film(str(tmp_path / "b.npy"), Form(6, 8, 3), 9).shape == (4, 6, 8, 3)
    out = io.BytesIO()
    np.save(out, frames() / 255.0)
    assert is_film(out.getvalue()) and not is_film(b"nothing") and not is_film(str(tmp_path / "none"))


@pytest.mark.parametrize("place, reason", [
    ("empty", "a folder without pictures"), ("none", "no such file or folder"), ("text.gif", "neither a folder of"),
    ("picture.npy", "is no film"), ("damaged.npy", "damaged NumPy file"),
    ("broken", "frame 1.png: not a picture file")])
def test_what_is_no_film(tmp_path, place, reason):
    for name in ("empty", "broken"):
        (tmp_path / name).mkdir()
    (tmp_path / "broken" / "1.png").write_text("no picture")
    (tmp_path / "text.gif").write_text("no film")
    (tmp_path / "damaged.npy").write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "picture.npy", frames()[0])
    with pytest.raises(Unreadable, match=reason):
        film(str(tmp_path / place), FORM, 9)


def test_fitted_padded_and_named(column):
    assert recognise("clip", column).kind == "video"
    feature = Video.fit("clip", column)
    assert feature.shape == (5, 6, 8, 1) and feature.original == (4, 6, 8)
    one = feature.encode(column)
    assert one.raw["lengths"].tolist() == [3, 4, 5, 1, 1, 1, 1] and (one.raw["values"][0, 3:] == 0).all()
    assert np.array_equal(one.raw["values"][2, ..., 0], frames(5, 2))
    assert one.counts == {"missing": 1, "unreadable": 3} and "broken: frame 1.png" in one.trouble[5]
    assert feature_from_json(json.loads(json.dumps(feature.to_json()))) == feature
    made = feature.probe(3, np.random.default_rng(0))
    assert made["values"].shape == (3, 5, 6, 8, 1) and made["values"].dtype == np.uint8


def test_colours_and_large_films(tmp_path):
    places = []
    for seed in range(2):
        values = np.random.default_rng(seed).integers(0, 255, (40, 90, 160, 3))
        np.save(tmp_path / f"{seed}.npy", values.astype(np.uint8))
        places.append(str(tmp_path / f"{seed}.npy"))
    feature = Video.fit("clip", pl.Series(places))
    assert feature.channels == 3 and feature.frames == 16 and max(feature.height, feature.width) <= 64
    assert recognise("clip", pl.Series(places)).kind == "video"


def test_arrays_of_other_numbers_are_scaled_by_their_range(tmp_path):
    np.save(tmp_path / "a.npy", np.linspace(-1, 1, 4)[:, None, None] * np.ones((4, 6, 8)))
    feature = Video.fit("clip", pl.Series([str(tmp_path / "a.npy")]))
    found = feature.encode(pl.Series([str(tmp_path / "a.npy")])).raw["values"]
    assert found[0, :, 0, 0, 0].tolist() == [0, 85, 170, 255]


@pytest.mark.parametrize("cells", [["a b", "c d"] * 9, ["red", "blue"] * 9, ["1.png", "2.png"] * 9])
def test_other_columns_are_no_films(cells):
    assert recognise("x", pl.Series(cells)).kind != "video"
