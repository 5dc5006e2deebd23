"""What can be pointed at in raw columns, and what they are without it."""
import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow
from scipy.io import wavfile

from pellucid.features.audio import Audio
from pellucid.features.image import Image
from pellucid.features.molecule import FAMILIES, Molecule
from pellucid.features.molecule_3d import Molecule3D
from pellucid.features.moments import middle_pitch, moments, silenced
from pellucid.features.regions import emptied, grid, hide, labels
from pellucid.features.series import Series
from pellucid.features.tree import TreeFeature
from pellucid.features.video import Video

TREES = ["(1 (1 good) (1 (0 not) (1 bad)))", "(0 (0 bad) (1 good))", "(0 (0 not) (1 good))"]
SMILES = ["c1ccccc1O", "CCO", "CCN", "CC(=O)O"]


def media(kind, folder):
    generator = np.random.default_rng(0)
    if kind == "image":
        for row in range(3):
            Pillow.fromarray(generator.integers(0, 255, (30, 20, 3)).astype(np.uint8)).save(folder / f"{row}.png")
        return [str(folder / f"{row}.png") for row in range(3)]
    for row in range(3):
        wave = np.sin(np.arange(3000) * 0.3 * (row + 1)) * 20000
        wavfile.write(folder / f"{row}.wav", 8000, wave.astype(np.int16))
    return [str(folder / f"{row}.wav") for row in range(3)]


CASES = {"image": Image, "audio": Audio, "molecule": Molecule, "molecule_3d": Molecule3D, "tree": TreeFeature}


@pytest.mark.parametrize("kind", CASES)
def test_every_kind_of_raw_column_has_parts_that_can_be_left_out(kind, tmp_path):
    if "molecule" in kind:
        pytest.importorskip("rdkit")
    cells = SMILES if "molecule" in kind else TREES if kind == "tree" else media(kind, tmp_path)
    feature = CASES[kind].fit("it", pl.Series("it", cells))
    row = feature.encode(pl.Series("it", cells[:1]))
    parts = feature.parts(cells[0], row)
    assert len({(part.name, part.place) for part in parts}) == len(parts) > 2
    assert all(part.column == "it" and part.name for part in parts)
    keep = np.random.default_rng(1).random((6, len(parts))) < 0.5
    keep[0], keep[1] = True, False
    masked = feature.mask(cells[0], row, keep, np.random.default_rng(0))
    for name, array in row.raw.items():
        assert masked.raw[name].shape == (6, *array.shape[1:]) and masked.raw[name].dtype == array.dtype
        np.testing.assert_array_equal(masked.raw[name][0], array[0])
    assert any((masked.raw[name][1] != row.raw[name][0]).any() for name in row.raw)
    assert masked.numbers.shape == (6, 0) and not masked.missing.any()

    empty = feature.encode(pl.Series("it", [None], dtype=pl.String))
    assert [part.name for part in feature.parts(None, empty)] == ["it"]
    blank = feature.mask(None, empty, np.array([[True], [False]]), np.random.default_rng(0))
    assert all((blank.raw[name] == array).all() for name, array in empty.raw.items())


def test_hidden_steps_lie_on_the_line_between_their_neighbours(tmp_path):
    cells = [" ".join(map(str, range(row, row + 30))) for row in range(4)]
    feature = Series.fit("track", pl.Series("track", cells))
    row = feature.encode(pl.Series("track", cells[:1]))
    parts = feature.parts(cells[0], row)
    assert [part.name for part in parts[:2]] == ["steps 1 to 2", "steps 3 to 4"] and parts[0].place == (0, 2)
    keep = np.ones((3, len(parts)), bool)
    keep[1, 3], keep[2] = False, False
    found = feature.mask(cells[0], row, keep, np.random.default_rng(0)).raw["values"]
    np.testing.assert_array_equal(found[0], row.raw["values"][0])
    np.testing.assert_allclose(found[1], row.raw["values"][0], atol=1e-6)  # it is a straight line anyway
    assert np.ptp(found[2, :30]) < 1e-6

    frames = 50 * np.arange(5, dtype=np.uint8)[:, None, None, None]
    np.save(tmp_path / "film.npy", np.broadcast_to(frames, (5, 8, 8, 3)))
    films = pl.Series("film", [str(tmp_path / "film.npy")] * 2)
    feature = Video.fit("film", films)
    row = feature.encode(films[:1])
    assert [part.name for part in feature.parts(films[0], row)] == [f"frame {number}" for number in range(1, 6)]
    keep = np.array([[True, False, True, True, True], [False, False, True, False, False]])
    found = feature.mask(films[0], row, keep, np.random.default_rng(0)).raw["values"]
    assert found.dtype == np.uint8 and found[0, :5, 0, 0, 0].tolist() == [0, 50, 100, 150, 200]
    assert (found[1, :5] == 100).all()


def test_regions_cover_a_picture_and_its_bars():
    rows, columns = grid(100, 300)
    assert (len(rows) - 1) * (len(columns) - 1) <= 49 and np.ptp(np.diff(rows)) <= 1
    assert [edges.tolist() for edges in grid(1, 1)] == [[0, 1], [0, 1]]
    places = labels(64, 64, (21, 0, 21, 64))
    assert places.shape == (64, 64) and set(np.unique(places)) == set(range(48))
    assert (places[0] == places[21]).all() and (places[-1] == places[41]).all()


def test_hidden_regions_show_the_background_or_a_blur():
    thing = np.zeros((28, 28, 1), np.uint8)
    thing[10:14, 10:14] = 200
    assert (emptied(thing) == 0).all()
    scene = np.random.default_rng(0).integers(0, 255, (28, 28, 3)).astype(np.uint8)
    assert emptied(scene).std() < 0.2 * scene.std() and abs(emptied(scene).mean() - scene.mean()) < 3
    places = labels(28, 28, (0, 0, 28, 28))
    keep = np.zeros((1, 49), bool)
    keep[0, 16] = True
    seen = hide(scene, keep[:, places])[0]
    assert (seen[8:12, 8:12] == scene[8:12, 8:12]).all() and (seen[:8] == emptied(scene)[:8]).all()


def test_plain_background_is_no_part(tmp_path):
    thing = np.zeros((28, 28), np.uint8)
    thing[9:11, 9:19] = 200
    Pillow.fromarray(thing).resize((56, 56), Pillow.Resampling.NEAREST).save(tmp_path / "a.png")
    feature = Image(name="photo", height=28, width=28, channels=1)
    cell = str(tmp_path / "a.png")
    parts = feature.parts(cell, feature.encode(pl.Series("photo", [cell])))
    assert [part.name for part in parts] == ["region 3,3", "region 3,4", "region 3,5"]
    assert parts[0].place == (16, 16, 24, 24)  # in pixels of the file


def test_moments_of_a_recording_add_up():
    generator = np.random.default_rng(0)
    samples = generator.integers(-9000, 9000, 4000).astype(np.int16)
    samples[3000:] = 0
    number = 2 * (len(moments(3000, 8000)) - 1)
    full = silenced(samples, 3000, 8000, np.ones((1, number), bool))
    np.testing.assert_array_equal(full[0], samples)
    each = silenced(samples, 3000, 8000, np.eye(number, dtype=bool)).astype(int).sum(axis=0)
    assert np.abs(each - samples).max() <= number
    low = silenced(samples, 3000, 8000, np.arange(number)[None] % 2 == 0)[0, :3000]
    spectrum, pitches = np.abs(np.fft.rfft(low)), np.fft.rfftfreq(3000, 1 / 8000)
    assert spectrum[pitches > 1.1 * middle_pitch(8000)].max() < 0.05 * spectrum.max()
    assert moments(2, 8000).tolist() == [0, 1, 2]


def test_atoms_are_those_of_the_drawing():
    pytest.importorskip("rdkit")
    feature = Molecule.fit("smiles", pl.Series("smiles", ["OCC", "CCN"]))
    row = feature.encode(pl.Series("smiles", ["OCC"]))
    parts = feature.parts("OCC", row)
    assert [part.name for part in parts[:3]] == ["C1", "C2", "O3"]  # of the canonical CCO
    assert [part.name for part in parts[3:]] == [f"as a whole: {family}" for family, _ in FAMILIES]
    keep = np.array([[True, True, False, False, *[True] * 5]])
    masked = feature.mask("OCC", row, keep, np.random.default_rng(0))
    gone = masked.raw["graph_features"][0] != row.raw["graph_features"][0]
    assert {name[:3] for name, lost in zip(feature.descriptors, gone, strict=False) if lost} <= {"fr_"}
    assert not masked.raw["nodes"][0, 2].any() and masked.raw["nodes"][0, 1].any()
    bonds = [tuple(pair) for pair in row.raw["edges"][0, :4].tolist()]
    assert {2 in pair: bool(masked.raw["edge_features"][0, place].any())
            for place, pair in enumerate(bonds)} == {True: False, False: True}
    flat = Molecule3D.fit("smiles", pl.Series("smiles", ["OCC", "CCN"]))
    assert [part.name for part in flat.parts("OCC", flat.encode(pl.Series("smiles", ["OCC"])))] == ["O1", "C2", "C3"]


def test_words_of_a_tree_keep_their_places():
    feature = TreeFeature.fit("tree", pl.Series("tree", TREES))
    row = feature.encode(pl.Series("tree", TREES[:1]))
    assert [(part.name, part.place) for part in feature.parts(TREES[0], row)] == [
        ("good", (0,)), ("not", (1,)), ("bad", (2,))]
    masked = feature.mask(TREES[0], row, np.array([[True, False, True]]), np.random.default_rng(0))
    assert masked.raw["tokens"][0, 1] == 0 and masked.raw["tokens"][0, 2] == row.raw["tokens"][0, 2]
