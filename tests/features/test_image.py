"""Pictures of every kind, good and bad."""
from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow

from pellucid.data.read import read_table
from pellucid.features import _pictures
from pellucid.features._decoded import KEPT, Decoded
from pellucid.features._pictures import Look
from pellucid.features.image import Image, choose_size
from pellucid.features.inputs import encode_inputs
from pellucid.features.media import array_bytes
from pellucid.features.recognise import recognise
from pellucid.features.types import feature_from_json

GREEN, RED = (20, 200, 40), (230, 10, 20)


@pytest.fixture(autouse=True)
def forget():
    KEPT.clear()


def column(*paths) -> pl.Series:
    return pl.Series("photo", [str(path) if path is not None else None for path in paths], dtype=pl.String)


def bytes_of(image: Pillow.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pixels(cell: bytes, channels: int = 3, size: int = 8, **form) -> np.ndarray:
    """One cell as one small picture."""
    feature = Image(name="photo", height=size, width=size, channels=channels, **form)
    found = feature.encode(pl.Series("photo", [cell], dtype=pl.Binary))
    assert found.counts == {} and not found.missing.any()
    return found.raw["pixels"][0]


def flat(colour, size=(8, 8), mode="RGB") -> Pillow.Image:
    return Pillow.new(mode, size, colour)


def test_small_pictures_of_one_size_stay_as_they_are(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (4, 9, 7)).astype(np.uint8)
    paths = [tmp_path / f"{row}.png" for row in range(4)]
    for path, value in zip(paths, values, strict=True):
        Pillow.fromarray(value).save(path)
    feature = Image.fit("photo", column(*paths, None))
    assert feature.shape == (9, 7, 1) and feature.is_raw and feature.original == (9, 7)
    found = feature.encode(column(*paths, None))
    np.testing.assert_array_equal(found.raw["pixels"][:4, :, :, 0], values)
    assert found.raw["pixels"].dtype == np.uint8 and found.missing.tolist() == [False] * 4 + [True]
    assert found.counts == {"missing": 1} and found.numbers.shape == (5, 0)
    assert feature_from_json(feature.to_json()) == feature
    probe = feature.probe(3, np.random.default_rng(0))["pixels"]
    assert probe.shape == (3, 9, 7, 1) and probe.dtype == np.uint8


@pytest.mark.parametrize(("image", "expected", "options"), [
    (flat(1, mode="1"), (255, 255, 255), {}),
    (flat(77, mode="L"), (77, 77, 77), {}),
    (flat((0, 0), mode="LA"), (255, 255, 255), {}),
    (flat((*RED, 0), mode="RGBA"), (255, 255, 255), {}),
    (flat((*RED, 255), mode="RGBA"), RED, {}),
    (flat(RED).quantize(4), RED, {}),
    (flat(RED).quantize(4), (255, 255, 255), {"transparency": 0}),
    (flat(GREEN).convert("CMYK"), GREEN, {"kind": "TIFF"}),
    (flat(GREEN).convert("YCbCr"), GREEN, {"kind": "TIFF"}),
])
def test_every_mode_becomes_the_same_pixels(image, expected, options):
    found = pixels(bytes_of(image, **{"kind": "PNG", **options}))
    assert np.abs(found.astype(int) - expected).max() <= 2
    assert np.ptp(pixels(bytes_of(flat(GREEN)), channels=1)) == 0


def test_more_than_8_bits_are_scaled_by_the_training_pictures():
    ramp = np.linspace(1000, 4000, 64).reshape(8, 8)
    deep = [bytes_of(Pillow.fromarray(ramp.astype(np.uint16))),
            bytes_of(Pillow.fromarray(ramp.astype(np.float32)), "TIFF"),
            bytes_of(Pillow.fromarray(ramp.astype(np.int32)), "TIFF"), array_bytes(ramp[None])[0]]
    feature = Image.fit("photo", pl.Series(deep))
    assert feature.shape == (8, 8, 1) and (feature.low, feature.high) == (1000, 4000)
    for values in feature.encode(pl.Series(deep)).raw["pixels"]:
        np.testing.assert_allclose(values[..., 0], (ramp - 1000) / 3000 * 255, atol=0.6)


def test_cameras_note_which_side_is_up(tmp_path):
    half = np.zeros((40, 60), np.uint8)
    half[:, :30] = 255
    exif = Pillow.Exif()
    exif[274] = 6  # turned by a quarter
    Pillow.fromarray(half).save(tmp_path / "a.jpg", exif=exif)
    feature = Image.fit("photo", column(tmp_path / "a.jpg"))
    assert feature.shape == (60, 40, 1)
    found = feature.encode(column(tmp_path / "a.jpg")).raw["pixels"][0, :, :, 0]
    assert found[:25].min() > 200 and found[35:].max() < 50


def test_of_a_film_the_first_picture_counts():
    frames = [flat(RED), flat(GREEN)]
    film = bytes_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.abs(pixels(film).astype(int) - RED).max() <= 2


def test_other_shapes_are_shown_whole():
    tall = Pillow.fromarray(np.full((20, 10), 200, np.uint8))
    tall.paste(50, (0, 0, 10, 10))
    found = pixels(bytes_of(tall), channels=1)[..., 0]
    assert (found[:3, 2:6] == 50).all() and (found[5:, 2:6] == 200).all()
    assert np.ptp(found[:, :2]) == 0 and 50 <= found[0, 0] <= 200  # the sides in the colour of the border
    assert pixels(bytes_of(flat(9, (3, 3), "L")), channels=1).shape == (8, 8, 1)


BAD = {
    "text.png": (b"Dear reader", "not a picture file"), "zero.png": (b"", "not a picture file"),
    "cut.png": (bytes_of(Pillow.effect_noise((64, 64), 50))[:900], "cut short"),
    "cut.jpg": (bytes_of(Pillow.effect_noise((64, 64), 50), "JPEG")[:700], "cut short"),
    "array.npy": (array_bytes(np.zeros((1, 2, 3, 4, 5)))[0], "no picture"),
}


def huge() -> bytes:
    """A PNG of 40,000 × 40,000 pixels in a few bytes."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", [*BAD, "huge.png", "gone.png"])
def test_bad_files_are_named_and_counted(tmp_path, name):
    data, reason = BAD.get(name, (huge(), "too many pixels"))
    (tmp_path / "good.png").write_bytes(bytes_of(flat(RED)))
    if name != "gone.png":
        (tmp_path / name).write_bytes(data)
    else:
        reason = "no such file"
    paths = column(*[tmp_path / "good.png"] * 3, tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        feature = Image.fit("photo", paths)
        found = feature.encode(paths)
    assert found.missing.tolist() == [False, False, False, True] and found.counts == {"unreadable": 1}
    assert name in found.trouble[3] and reason in found.trouble[3]
    assert not found.raw["pixels"][3].any()
    note = encode_inputs([feature], read_table(pl.DataFrame({"photo": paths}))).notes[0]
    assert name in note.message and note.severity == "warning"


def test_pictures_above_the_limit_are_not_decoded(monkeypatch):
    monkeypatch.setattr(_pictures, "LARGEST", 10)
    found = Image(name="photo", height=4, width=4, channels=1).encode(pl.Series([bytes_of(flat(RED))]))
    assert found.trouble[0] == "row 0: too large: 8 × 8 pixels"


def test_nothing_but_bad_files_still_fits(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    feature = Image.fit("photo", column(tmp_path / "a.png", None))
    assert feature.encode(column(tmp_path / "a.png", None)).counts == {"missing": 1, "unreadable": 1}


@pytest.mark.parametrize(("sizes", "rows", "expected"), [
    ([(28, 28)], 60_000, (28, 28)), ([(8, 8)], 10, (8, 8)), ([(64, 64)], 400, (64, 64)), ([(64, 64)], 50_000, (32, 32)),
    ([(3000, 4000)], 100, (96, 128)), ([(3000, 4000)], 400, (72, 96)), ([(3000, 4000)], 100_000, (24, 32)),
    ([(100, 50), (120, 60), (110, 50)], 400, (96, 48)), ([(10, 300)], 100, (40, 128)),
    ([(20, 20), (24, 20)], 9, (24, 24)),
])
def test_the_size_follows_the_pictures_and_their_number(sizes, rows, expected):
    assert choose_size([Look(*size, False, "PNG") for size in sizes], rows) == expected


def test_columns_of_pictures_are_recognised(tmp_path):
    (tmp_path / "a.png").write_bytes(bytes_of(flat(RED)))
    (tmp_path / "b").write_bytes(bytes_of(flat(GREEN)))
    assert recognise("photo", column(tmp_path / "a.png", tmp_path / "b", None)).kind == "image"
    assert recognise("photo", pl.Series([bytes_of(flat(RED)), None])).kind == "image"
    assert recognise("photo", column(*[tmp_path / f"{name}.png" for name in range(9)])).kind != "image"  # none is there
    assert recognise("photo", pl.Series([b"\0\1", b"\0\2"])).kind == "ignore"


def test_files_are_decoded_once_until_they_change(tmp_path, monkeypatch):
    path, seen, original = tmp_path / "a.png", [], _pictures.pixels
    monkeypatch.setattr("pellucid.features.image.pixels", lambda *args: seen.append(1) or original(*args))
    path.write_bytes(bytes_of(flat(RED)))
    feature = Image(name="photo", height=8, width=8, channels=3)
    first = [feature.encode(column(path)).raw["pixels"][0] for _ in range(2)]
    path.write_bytes(bytes_of(flat(GREEN)) + b" ")
    changed = feature.encode(column(path)).raw["pixels"][0]
    assert len(seen) == 2 and (first[0] == first[1]).all() and (changed != first[0]).any()


def test_memory_of_decoded_files_is_limited():
    kept = Decoded(limit=800)
    for number in range(20):
        kept.put(number, f"value {number}", 100)
    kept.get(13)
    kept.put(20, "more", 100)
    assert len(kept) == 8 and kept.size == 800 and kept.get(13) and kept.get(14) == "value 14" and kept.get(12) is None
    kept.put("large", "x", 10_000)
    assert kept.get("large") is None


def test_many_pictures_in_threads_keep_their_order():
    rows = np.arange(200, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    cells = pl.Series("photo", [bytes_of(Pillow.fromarray(row)) for row in rows])
    feature = Image.fit("photo", cells)
    np.testing.assert_array_equal(feature.encode(cells).raw["pixels"][..., 0], rows)
