"""Series: every way to write them, gaps, lengths, channels, and what cannot be read."""
from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest

from pellucid.features import series as series_module
from pellucid.features._series import Unreadable, read_series
from pellucid.features.inputs import encode_inputs
from pellucid.features.recognise import fit_feature, recognise
from pellucid.features.series import Series
from pellucid.features.types import feature_from_json


@pytest.mark.parametrize("cell, steps", [
    ("[1, 2.5, null]", [1, 2.5, np.nan]), ("(1.0, None, 3)", [1, np.nan, 3]), ("[1. 2.\n 3.]", [1, 2, 3]),
    ("1;2,5;;4", [1, 2.5, np.nan, 4]), ("1 2 3", [1, 2, 3]), ("1, 2, nan, 4,", [1, 2, np.nan, 4]),
    ("1,5 2,5", [1.5, 2.5]), ("1|2|?|", [1, 2, np.nan]), ("1,2:3,4", [[1, 3], [2, 4]]), ("1\t2\t-3e2", [1, 2, -300]),
    ("[1, Infinity]", [1, np.nan]), ("7", [7]), ('["1", "2.5"]', [1, 2.5])])
def test_ways_to_write_a_series(cell, steps):
    found = read_series(cell)
    expected = np.array(steps, np.float64)
    assert found.sure and np.array_equal(found.values, expected.reshape(len(expected), -1), equal_nan=True)


@pytest.mark.parametrize("cell, reason", [
    ("", "empty"), ("[]", "empty"), ("[[1], [1, 2]]", "different lengths, 1, 2"), ("1,2:3", "different lengths"),
    ("[1 2 ... 8]", "middle was left out"), ("1 2 three", '"three" is no number'), ("[nan, null]", "holds no number"),
    ("nowhere/a.csv", "no such file"), ("{}", "no list of numbers"), ("[1, {}]", "no list of numbers"),
    (b"\x93NUMPY", "damaged NumPy file")])
def test_what_holds_no_series(cell, reason):
    with pytest.raises(Unreadable, match=reason):
        read_series(cell)


def test_files(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)
    assert read_series(write("a.csv", "1\n2\n3\n")).values.tolist() == [[1], [2], [3]]
    assert read_series(write("b.csv", "time,left,right\n0,1,2\n1,3,\n")).values[0].tolist() == [1, 2]
    assert read_series(write("c.csv", "day;value\nMonday;1,5\nTuesday;2,5\n")).values.tolist() == [[1.5], [2.5]]
    assert read_series(write("d.txt", "1 2\n3 4\n")).values.tolist() == [[1, 2], [3, 4]]
    np.save(tmp_path / "e.npy", np.arange(6).reshape(2, 3))
    assert read_series(str(tmp_path / "e.npy")).values.shape == (2, 3)
    for text, reason in (("", "the file is empty"), ("a,b\n", "no numbers"), ("1,2\n3\n", "different numbers of"),
                         ("1\nx1\n2\n", "is no number"), ("a\0b", "neither text")):
        with pytest.raises(Unreadable, match=reason):
            read_series(write("bad.csv", text))
    np.save(tmp_path / "f.npy", np.zeros((2, 2, 2, 2)))
    with pytest.raises(Unreadable, match="no series"):
        read_series(str(tmp_path / "f.npy"))


@pytest.mark.parametrize("cells, kind", [
    ([" ".join(map(str, range(row, row + 9))) for row in range(20)], "series"),
    (["[1, 2, 3]", "[4, 5, 6]"] * 9, "series"),
    (["1.5, 2.5"] * 3 + ["2.5, 3.5"] * 9, "category"), (["2020 01 02", "2021 02 03"] * 9, "category"),
    (["10.0.0.1", "10.0.0.2"] * 9, "category"), (["1 000 000", "2 500 000"] * 9, "number"),
    (["12 apples and 3 pears, 4 plums", "1 apple"] * 9, "category"), (["12:30:15", "11:25:10"] * 9, "category")])
def test_recognised_by_what_cells_hold(cells, kind):
    assert recognise("x", pl.Series(cells)).kind == kind


def test_the_reason_tells_steps_and_channels():
    cells = [json.dumps([[1, 2]] * steps) for steps in (3, 5, 4)]
    assert recognise("x", pl.Series(cells)).reason == "series of 3 to 5 steps, 2 numbers each"
    feature = Series.fit("x", pl.Series(cells))
    assert (feature.channels, feature.length, feature.turned) == (2, 5, False)
    turned = Series.fit("x", pl.Series([json.dumps([[1] * steps, [2] * steps]) for steps in (3, 5, 4)]))
    assert (turned.channels, turned.length, turned.turned) == (2, 5, True) and turned.centers == feature.centers


def test_scaled_padded_and_bridged():
    column = pl.Series(["0 10", "20 null 40 50", None, "x y z q"])
    feature = Series.fit("x", column)
    assert feature.length == 4 and feature.has_gaps and feature.width == 2 and feature.centers == (24,)
    one = feature.encode(column)
    values = one.raw["values"] * np.array([feature.scales[0], 1]) + np.array([24, 0])
    assert np.allclose(values[1], [[20, 0], [30, 1], [40, 0], [50, 0]], atol=1e-4)
    assert one.raw["lengths"].tolist() == [2, 4, 1, 1] and (one.raw["values"][0, 2:] == 0).all()
    assert one.missing.tolist() == [False, False, True, True]
    assert one.counts == {"gaps": 1, "missing": 1, "unreadable": 1} and one.trouble == {3: 'row 4: "x" is no number'} \
        or one.counts["unreadable"] == 1 and 3 in one.trouble
    assert feature_from_json(json.loads(json.dumps(feature.to_json()))) == feature


def test_notes_name_what_is_wrong():
    feature = Series.fit("x", pl.Series(["1 2 3"] * 5))
    table = pl.DataFrame({"x": ["1 2 3 4 5", "1 null 3", "1:2", "one two"]})
    one = feature.encode(table["x"])
    assert one.counts == {"cut": 1, "gaps": 1, "unreadable": 2}
    assert one.trouble[2] == "row 3: it has 2 numbers at each step instead of 1"

    class Table:
        names = ("x",)

        def column(self, name):
            return table[name]

        def __len__(self):
            return len(table)
    said = " ".join(note.message for note in encode_inputs([feature], Table()).notes)
    assert "hold a series with gaps" in said and "larger than the network takes in" in said and "row 4" in said


def test_long_series_are_averaged_and_outliers_cut(monkeypatch):
    monkeypatch.setattr(series_module, "LONGEST", 4)
    feature = Series.fit("x", pl.Series([" ".join(map(str, range(10)))] * 100 + [" ".join(["5"] * 30)]))
    assert feature.block == 3 and feature.length == 4
    one = feature.encode(pl.Series([" ".join(map(str, range(10)))]))
    assert np.allclose(one.raw["values"][0, :, 0] * feature.scales[0] + feature.centers[0], [1, 4, 7, 9], atol=1e-4)


@pytest.mark.parametrize("cells", [["5 5 5 5"] * 3, [None, None], ["x"] * 3, ["1e308 -1e308 1e308"] * 3])
def test_nothing_to_scale_by(cells):
    feature = Series.fit("x", pl.Series(cells, dtype=pl.String))
    one = feature.encode(pl.Series(cells, dtype=pl.String))
    assert np.isfinite(one.raw["values"]).all() and min(feature.scales) > 0
    json.dumps(feature.to_json(), allow_nan=False)


def test_arrays_of_files_in_memory_and_probe():
    out = io.BytesIO()
    np.save(out, np.arange(12.0).reshape(6, 2))
    column = pl.Series([out.getvalue(), None, b"nothing"], dtype=pl.Binary)
    feature = fit_feature("x", column, kind="series")
    one = feature.encode(column)
    assert feature.channels == 2 and one.missing.tolist() == [False, True, True]
    made = feature.probe(4, np.random.default_rng(0))
    assert {name: (array.shape[1:], array.dtype) for name, array in made.items()} == {
        name: (array.shape[1:], array.dtype) for name, array in one.raw.items()}
