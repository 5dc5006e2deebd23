"""Folders of pictures, recordings and texts."""
from __future__ import annotations

import os
import wave

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pellucid.data.folder import read_folder
from pellucid.data.read import read_chunks, read_table
from pellucid.data.same import equal_rows
from pellucid.data.schema import infer_schema
from pellucid.data.split import duplicate_groups
from pellucid.errors import DataError


def picture(path, value=None, size=(6, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(abs(hash(path.name)) % 1000).integers(0, 255, size) if value is None else \
        np.full(size, value)
    Image.fromarray(pixels.astype(np.uint8)).save(path, "PNG")
    return path


def sound(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.arange(len(path.name) * 9, dtype=np.int16).tobytes())
    return path


def words(path, text="Some words."):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def zoo(tmp_path):
    for number in range(4):
        picture(tmp_path / "zoo" / "cat" / f"{number}.png", number)
        picture(tmp_path / "zoo" / "dog" / f"{number}.png", 10 * number + 100)
    return tmp_path / "zoo"


def kinds(table):
    return {note.kind: note.count for note in table.notes}


def test_sub_folders_are_classes(zoo):
    table = read_table(zoo)
    assert table.names == ("image", "label") and table.source == "zoo" and not table.notes
    assert table.column("label").to_list() == ["cat"] * 4 + ["dog"] * 4
    assert table.files.to_list()[0] == os.path.join("cat", "0.png")
    assert table.column("image")[0] == str(zoo / "cat" / "0.png")


def test_files_only_have_no_label(zoo):
    table = read_table(zoo / "cat")
    assert table.names == ("image",) and table.files.to_list() == [f"{number}.png" for number in range(4)]


def test_recordings_and_texts(tmp_path):
    sound(tmp_path / "a" / "low" / "1.wav")
    sound(tmp_path / "a" / "high" / "without ending")
    assert read_table(tmp_path / "a").names == ("audio", "label")
    words(tmp_path / "b" / "spam" / "51121", "Buy now!")
    words(tmp_path / "b" / "ham" / "1.txt", "Dinner at seven? Ève")
    words(tmp_path / "b" / "ham" / "2.txt", " \n")
    (tmp_path / "b" / "ham" / "3.txt").write_bytes("Café".encode("cp1252"))
    table = read_table(tmp_path / "b")
    assert table.column("text").to_list() == ["Dinner at seven? Ève", "Café", "Buy now!"]
    assert kinds(table) == {"blank_texts": 1, "encoding": 1}


def test_what_does_not_belong_is_named_and_left_out(zoo):
    words(zoo / "cat" / "letter.png")
    (zoo / "cat" / "zero.png").write_bytes(b"")
    words(zoo / "dog" / "notes.txt")
    sound(zoo / "dog" / "bark.wav")
    words(zoo / "dog" / ".hidden.png")
    words(zoo / "Thumbs.db")
    (zoo / "dog" / "gone.png").symlink_to(zoo / "nowhere.png")
    table = read_table(zoo)
    assert len(table) == 8
    assert kinds(table) == {"broken_links": 1, "empty_files": 1, "mislabelled_files": 1, "other_files": 2}
    said = " ".join(note.message for note in table.notes)
    for name in ("letter.png", "zero.png", "notes.txt", "bark.wav", "gone.png"):
        assert name in said
    assert "hidden" not in said and "named like a picture, but holds something else" in said


def test_content_decides_and_not_the_ending(tmp_path):
    picture(tmp_path / "x" / "a" / "no ending")
    picture(tmp_path / "x" / "b" / "picture.dat")
    assert read_table(tmp_path / "x").column("label").to_list() == ["a", "b"]


def test_nested_folders_links_and_loose_files(zoo):
    picture(zoo / "cat" / "2019" / "may" / "x.png", 77)
    picture(zoo / "alone.png", 78)
    (zoo / "cat" / "up").symlink_to(zoo)
    (zoo / "empty").mkdir()
    table = read_table(zoo)
    assert len(table) == 10 and kinds(table) == {"loose_files": 1, "nested_folders": 1}
    labels = dict(zip(table.files.to_list(), table.column("label").to_list(), strict=True))
    assert labels["alone.png"] is None and labels[os.path.join("cat", "2019", "may", "x.png")] == "cat"


def test_a_wrapper_is_unwrapped_and_parts_are_refused(zoo, tmp_path):
    table = read_table(zoo.parent)
    assert set(table.column("label")) == {"cat", "dog"} and kinds(table) == {"wrapped_folder": None}
    for part in ("train", "test"):
        picture(tmp_path / "parts" / part / "cat" / "1.png")
    with pytest.raises(DataError, match="parts of a data set") as caught:
        read_table(tmp_path / "parts")
    assert "parts/train" in caught.value.hint


def test_equal_files_share_a_group(zoo):
    (zoo / "dog" / "copy.png").write_bytes((zoo / "cat" / "1.png").read_bytes())
    table = read_table(zoo)
    groups = dict(zip(table.files.to_list(), duplicate_groups(table, ["image"]), strict=True))
    assert groups[os.path.join("dog", "copy.png")] == groups[os.path.join("cat", "1.png")]
    assert len(set(groups.values())) == 8


def test_the_same_picture_beside_other_numbers_stays_on_one_side(zoo):
    (zoo / "copy.png").write_bytes((zoo / "cat" / "0.png").read_bytes())
    names = [*(f"{kind}/{row}.png" for kind in ("cat", "dog") for row in range(4)), "copy.png"]
    pl.DataFrame({"photo": names, "age": range(9), "x": ["a", "b", "a"] * 3}).write_csv(zoo / "pets.csv")
    table = read_table(zoo / "pets.csv")
    groups = equal_rows(table, infer_schema(table, "x"))
    assert groups[0] == groups[8] and len(set(groups)) == 8


def test_large_files_are_compared_where_their_sizes_agree(tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.data.media.WHOLE", 16)
    for name, value in (("a/1", 1), ("a/2", 2), ("b/1", 1)):
        picture(tmp_path / "x" / name, value)
    table = read_table(tmp_path / "x")
    first, second, third = duplicate_groups(table, ["image"])
    assert first == third != second


@pytest.mark.parametrize(("make", "message"), [
    (lambda folder: None, "is empty"),
    (lambda folder: words(folder / "a.csv", "a,b\n1,2\n"), "for example .*a.csv"),
    (lambda folder: (folder / "a").write_bytes(bytes(range(256))), "None of the 1 files"),
    (lambda folder: words(folder / "a.txt", " "), "are empty"),
])
def test_folders_that_hold_nothing_to_learn_from(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        read_folder(tmp_path)
    assert caught.value.hint


def test_names_of_folders_are_classes_even_if_they_are_numbers_or_say_nothing(tmp_path):
    for name in ("NA", *map(str, range(12))):
        picture(tmp_path / "x" / name / "1.png")
    table = read_table(tmp_path / "x")
    assert table.column("label").null_count() == 0


def test_tables_name_files_relative_to_themselves(zoo):
    pl.DataFrame({"photo": ["cat/0.png", "dog\\1.png", None, "cat/none.png"], "age": [1, 2, 3, 4]}).write_csv(
        zoo / "pets.csv")
    table = read_table(zoo / "pets.csv")
    assert table.column("photo").to_list() == [str(zoo / "cat" / "0.png"), str(zoo / "dog" / "1.png"), None,
                                               str(zoo / "cat" / "none.png")]
    (zoo.parent / "elsewhere").mkdir()
    moved = (zoo / "pets.csv").rename(zoo.parent / "elsewhere" / "pets.csv")
    assert kinds(read_table(moved)) == {"no_files": None}


def test_pieces_keep_their_files(zoo):
    pieces = list(read_chunks(zoo, 3))
    assert [len(piece) for piece in pieces] == [3, 3, 2]
    assert pl.concat([piece.files for piece in pieces]).equals(read_table(zoo).files)
    assert read_table(zoo).take([2, 5]).digests.height == 2


def test_pictures_in_memory():
    table = read_table({"photo": [np.zeros((3, 4)), Image.new("CMYK", (3, 3)), None], "n": [1, 2, 3]})
    assert table.column("photo").dtype == pl.Binary and table.column("photo").null_count() == 1
    assert read_table(np.zeros((3, 4, 4, 1), np.uint8)).names == ("image",)
    assert read_table({"name": [b"abc", b"d"]}).column("name").to_list() == ["abc", "d"]
