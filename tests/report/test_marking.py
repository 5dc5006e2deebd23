"""Pictures, recordings, molecules, trees and series with their parts marked."""
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow
from scipy.io import wavfile

from pellucid.core.part import Part
from pellucid.explain.game import Cell
from pellucid.features.audio import Audio
from pellucid.features.image import Image
from pellucid.features.molecule import Molecule
from pellucid.features.tree import TreeFeature
from pellucid.features.video import Video
from pellucid.report.marking import colour_of, marked, strengths
from pellucid.report.structures import tint

TREE = "(1 (1 good) (1 (0 not) (1 <bad>)))"


def cell_of(kind, folder):
    if kind == "image":
        Pillow.fromarray(np.random.default_rng(0).integers(0, 255, (30, 60, 3)).astype(np.uint8)).save(folder / "a.png")
        return str(folder / "a.png")
    if kind == "audio":
        wavfile.write(folder / "a.wav", 8000, (np.sin(np.arange(3000) * 0.3) * 20000).astype(np.int16))
        return str(folder / "a.wav")
    if kind == "video":
        np.save(folder / "a.npy", np.random.default_rng(0).integers(0, 255, (11, 12, 20, 3)).astype(np.uint8))
        return str(folder / "a.npy")
    return "CC(=O)Oc1ccccc1" if kind == "molecule" else TREE


@pytest.mark.parametrize("kind", [Image, Video, Audio, Molecule, TreeFeature], ids=lambda kind: kind.kind)
def test_every_kind_is_drawn_as_a_piece_of_a_page(kind, tmp_path):
    if kind is Molecule:
        pytest.importorskip("rdkit")
    cell = cell_of(kind.kind, tmp_path)
    feature = kind.fit("it", pl.Series("it", [cell] * 3))
    parts = (Part("age", "age", "3"), *feature.parts(cell, feature.encode(pl.Series("it", [cell]))))
    values = np.random.default_rng(0).normal(size=len(parts))
    svg = marked("drawing-1", "it", Cell(kind.kind, cell), parts, values)
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and "width" not in root.attrib and "<script" not in svg
    if kind is TreeFeature:
        assert "&lt;bad&gt;" in svg and "good" in svg
    assert marked("drawing-2", "age", Cell("number", 3), parts, values) == ""
    assert "svg" in marked("drawing-3", "it", Cell(kind.kind, cell), parts, np.zeros(len(parts)))


def test_a_series_is_drawn_with_its_forecast():
    seen = {"values": [1.0, 2.0, 4.0, 3.0], "times": ["a", "b", "c", "d"], "forecast": (2, 5.0)}
    parts = (Part("sales", "c", "4", (2, 3)), Part("sales", "d", "3", (3, 4)), Part("day", "time of year"))
    svg = marked("one", "sales", Cell("forecast", seen), parts, np.array([1.0, -2.0, 3.0]))
    assert "forecast" in svg and ElementTree.fromstring(svg).tag.endswith("svg")


def test_the_strongest_part_has_the_strongest_colour():
    assert strengths(np.array([2.0, -4.0])).tolist() == [0.5, -1.0] and strengths(np.zeros(2)).tolist() == [0, 0]
    assert colour_of(-1.0)[3] > colour_of(0.5)[3] > colour_of(0.0)[3] == 0
    assert tint(0.0) == (1.0, 1.0, 1.0) and tint(1.0)[2] > tint(1.0)[0] and tint(-1.0)[0] > tint(-1.0)[2]
