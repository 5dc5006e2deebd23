"""Feature types: fit on training rows, encode anything."""
from __future__ import annotations

import datetime
import io
import json
import wave

import numpy as np
import PIL.Image
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.names import FEATURE_TYPES, NORMALISATIONS
from pellucid.features.recognise import fit_feature, recognise
from pellucid.features.types import (
    MAX_LEVELS,
    Boolean,
    Category,
    Date,
    Ignore,
    Number,
    feature_from_json,
    feature_types,
)


def _picture(value):
    out = io.BytesIO()
    PIL.Image.fromarray(np.full((4, 5), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


def _recording(pitch):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((8000 * np.sin(pitch * np.arange(2000))).astype("<i2").tobytes())
    return out.getvalue()


def _ligand(shift):
    atoms = "".join(f"{x + shift:10.4f}{y:10.4f}{0:10.4f} {name:<3} 0  0\n" for name, x, y in (
        ("C", 0.0, 0.0), ("C", 1.5, 0.0), ("O", 2.0, 1.4)))
    return f"\n  made up\n\n  3  2  0  0  0  0            999 V2000\n{atoms}  1  2  1  0\n  2  3  1  0\nM  END\n"


def _film(seed):
    out = io.BytesIO()
    np.save(out, np.random.default_rng(seed).integers(0, 255, (4, 6, 7)).astype(np.uint8))
    return out.getvalue()


COLUMNS = {
    "video": pl.Series([_film(0), _film(1), None, b"no film", _film(2)], dtype=pl.Binary),
    "image": pl.Series([_picture(10), _picture(200), None, b"no picture", _picture(90)], dtype=pl.Binary),
    "audio": pl.Series([_recording(0.1), _recording(0.3), None, b"no recording", _recording(0.2)], dtype=pl.Binary),
    "molecule_3d": pl.Series([_ligand(0.0), _ligand(1.0), None, "no molecule", _ligand(2.0)]),
    "number": pl.Series(["1,5", "2,5", "", "abc", "1.000,0"]),
    "category": pl.Series(["red", "blue", "red", None, "green"]),
    "boolean": pl.Series(["yes", "no", None, "no", "yes"]),
    "date": pl.Series(["2020-01-01 10:00", "2021-06-15 12:00", None, "2021-06-16 12:30", "soon"]),
    "text": pl.Series(["a long story"] * 5),
    "series": pl.Series(["1 2 3", "2 4 null 7", None, "no numbers", "5 4 3 2"]),
    "molecule": pl.Series(["CCO", "c1ccccc1", None, "C1CC", "[Na+].[Cl-]"]),
    "tree": pl.Series(["(1 (0 good) (1 film))", "(0 film)", None, "(1 (2 film", "(2 (1 (0 a) (1 good)) (0 film))"]),
    "identifier": pl.Series(["a", "b", "c", "d", "e"]),
    "ignore": pl.Series([1, 1, 1, 1, 1]),
}


@pytest.fixture(autouse=True)
def installed(request):
    """Molecules and recordings are read by extras."""
    kind = request.node.callspec.params.get("kind", "") if getattr(request.node, "callspec", None) else ""
    if kind.startswith("molecule"):
        pytest.importorskip("rdkit")
    if kind == "audio":
        pytest.importorskip("soundfile")


def test_every_declared_type_is_registered():
    assert sorted(feature_types) == sorted(FEATURE_TYPES) == sorted(COLUMNS)


@pytest.mark.parametrize("kind", FEATURE_TYPES)
@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_json_keeps_a_feature_exactly(kind, normalise):
    feature = fit_feature("x", COLUMNS[kind], kind=kind, reason="because", normalise=normalise)
    back = feature_from_json(json.loads(json.dumps(feature.to_json())))
    assert back == feature and back.kind == kind and back.reason == "because"


@pytest.mark.parametrize("kind", FEATURE_TYPES)
def test_shapes_dtypes_and_no_rows(kind):
    feature = fit_feature("x", COLUMNS[kind], kind=kind)
    for column in (COLUMNS[kind], COLUMNS[kind].head(0), COLUMNS[kind].head(1)):
        one = feature.encode(column)
        assert one.numbers.dtype == np.float32 and one.numbers.shape == (len(column), len(feature.numbers))
        assert one.codes.dtype == np.int32 and one.codes.shape == (len(column), feature.cardinality is not None)
        assert one.missing.shape == (len(column),) and np.isfinite(one.numbers).all()


@pytest.mark.parametrize("kind", FEATURE_TYPES)
def test_a_cell_is_encoded_alike_alone_and_in_company(kind):
    feature = fit_feature("x", COLUMNS[kind], kind=kind)
    together = feature.encode(COLUMNS[kind])
    for row in range(5):
        alone = feature.encode(COLUMNS[kind].slice(row, 1))
        assert np.array_equal(alone.numbers[0], together.numbers[row])
        assert np.array_equal(alone.codes[0], together.codes[row])


def test_number_counts_and_fills_with_the_mean():
    feature = Number.fit("age", pl.Series(["10", "20", "", "inf", "abc"]))
    assert feature.numbers == ("age", "age is missing") and feature.center == 15
    one = feature.encode(pl.Series(["15", "", "-inf", "abc", "NA"]))
    assert one.counts == {"missing": 2, "infinite": 1, "unreadable": 1}
    assert one.numbers.tolist() == [[0, 0], [0, 1], [0, 1], [0, 1], [0, 1]]


def test_no_missing_channel_without_missing_training_values():
    feature = Number.fit("age", pl.Series([10, 20]))
    assert feature.numbers == ("age",)
    assert feature.encode(pl.Series([None, 20], dtype=pl.Int64)).missing.tolist() == [True, False]


def test_a_number_reads_text_frames_and_integers_alike():
    feature = Number.fit("age", pl.Series(["10", "20"]))
    assert feature.encode(pl.Series(["15"])).numbers == feature.encode(pl.Series([15])).numbers \
        == feature.encode(pl.Series([15.0])).numbers


def test_category_codes_fall_with_count():
    feature = Category.fit("colour", pl.Series(["b", "a", "b", None, "b", "a"]))
    assert feature.vocabulary == ("b", "a", None) and feature.cardinality == 4
    one = feature.encode(pl.Series(["a", "b", "violet", None]))
    assert one.codes[:, 0].tolist() == [2, 1, 0, 3] and one.counts == {"missing": 1, "unseen": 1}


def test_missing_has_code_zero_where_training_had_none():
    feature = Category.fit("colour", pl.Series(["a", "b"]))
    assert feature.encode(pl.Series([None], dtype=pl.String)).codes.tolist() == [[0]]


def test_ten_thousand_levels_are_capped():
    levels = [f"level {i}" for i in range(10_000)] + [f"level {i}" for i in range(3_000)] + ["level 7"] * 5
    feature = Category.fit("many", pl.Series(levels))
    assert len(feature.vocabulary) == MAX_LEVELS and feature.vocabulary[0] == "level 7"
    assert feature.rare == 10_000 + 3_000 + 5 - sum(feature.encode(pl.Series(levels)).codes[:, 0] > 0)


def test_levels_seen_once_are_rare_in_a_large_vocabulary():
    feature = Category.fit("many", pl.Series([f"once {i}" for i in range(30)] + ["often"] * 5))
    assert feature.vocabulary == ("often",) and feature.rare == 30


def test_numbers_as_categories_match_in_every_type():
    feature = Category.fit("code", pl.Series([1, 2, 2]))
    for column in (pl.Series([2]), pl.Series([2.0]), pl.Series(["2"])):
        assert feature.encode(column).codes.tolist() == [[1]]


def test_boolean():
    feature = Boolean.fit("own", pl.Series(["yes", "no", None, "yes"]))
    one = feature.encode(pl.Series(["no", "YES", None, "perhaps"]))
    assert one.numbers[:2].tolist() == [[0, 0], [1, 0]] and one.counts == {"missing": 1, "unseen": 1}
    assert one.numbers[2, 0] == pytest.approx(2 / 3)


def test_any_two_words_are_a_boolean_where_asked_for():
    feature = Boolean.fit("side", pl.Series(["left", "right", "left"]))
    assert feature.encode(pl.Series(["left", "right"])).numbers[:, 0].tolist() == [0, 1]


def test_date_channels():
    feature = Date.fit("day", COLUMNS["date"])
    assert feature.numbers[0] == "day" and feature.numbers[-1] == "day is missing"
    assert feature.circles == ("year", "week", "day")
    one = feature.encode(pl.Series([datetime.datetime(2021, 6, 15, 12), None]))
    same = feature.encode(pl.Series(["2021-06-15 12:00", None]))
    assert np.array_equal(one.numbers, same.numbers) and np.all(np.abs(one.numbers) < 10)


def test_seconds_far_from_1970_are_told_apart():
    column = pl.Series([datetime.datetime(2024, 1, 1, 0, 0, second) for second in range(10)])
    assert len(np.unique(Date.fit("t", column).encode(column).numbers[:, 0])) == 10


def test_constant_on_the_training_rows_is_left_out():
    for column in (pl.Series([5, 5, 5]), pl.Series(["a", "a"]), pl.Series([None, None], dtype=pl.Float64)):
        assert isinstance(fit_feature("x", column, kind="number"), Ignore)


CELLS = st.one_of(st.none(), st.text(max_size=8), st.floats().map(str), st.integers().map(str), st.just("2020-01-02"),
                  st.sampled_from(["yes", "no", "", "1,5", "NA", "-", "none"]))


@settings(max_examples=150, deadline=None)
@given(training=st.lists(CELLS, min_size=1, max_size=30), later=st.lists(CELLS, max_size=10),
       kind=st.sampled_from([None, *FEATURE_TYPES]), normalise=st.sampled_from(NORMALISATIONS))
def test_no_column_of_text_crashes(training, later, kind, normalise):
    column = pl.Series(training, dtype=pl.String)
    found = recognise("x", column)
    feature = fit_feature("x", column, kind=kind or found.kind, reason=found.reason, normalise=normalise)
    for cells in (column, pl.Series(later, dtype=pl.String)):
        one = feature.encode(cells)
        assert np.isfinite(one.numbers).all() and len(one.codes) == len(cells)
        if feature.cardinality:
            assert one.codes.min(initial=0) >= 0 and one.codes.max(initial=0) < feature.cardinality
    json.dumps(feature.to_json(), allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=20),
       normalise=st.sampled_from(NORMALISATIONS))
def test_no_column_of_floats_crashes(values, normalise):
    column = pl.Series(values, dtype=pl.Float64)
    found = recognise("x", column)
    feature = fit_feature("x", column, kind=found.kind, normalise=normalise)
    assert np.isfinite(feature.encode(column).numbers).all()
    json.dumps(feature.to_json(), allow_nan=False)
