"""Texts as sets of weighted grams: any script, any length, any cell."""
import json

import numpy as np
import polars as pl
import pytest

from pellucid.features._grams import BLOCKS, BUCKETS, grams_of, readable
from pellucid.features.recognise import fit_feature, recognise
from pellucid.features.text import Text
from pellucid.features.types import feature_from_json

MESSAGES = ["Free prize! Call 0871 now", "see you at home tonight", "call me when you are home",
            "WIN a prize, call 0906"]


@pytest.fixture(scope="module")
def feature():
    return Text.fit("text", pl.Series("text", MESSAGES * 3))


def sets_of(encoded):
    return [set(row[row > 0].tolist()) for row in encoded.raw["codes"]]


def test_words_and_pairs_are_counted_once_for_each_text():
    found = grams_of(["so so", "no", "", "So"], "words")
    assert found.rows.tolist() == [0, 0, 1, 3] and sorted(found.counts.tolist()) == [1, 1, 1, 2]
    so = found.numbers[found.counts == 2]
    assert found.numbers[found.rows == 3] == so  # lower case
    assert (found.numbers < BUCKETS).all()
    assert len(grams_of([], "words").rows) == len(grams_of(["", " "], "words").rows) == 0


def test_digits_count_as_one_and_shapes_tell_capitals():
    def same(one, two, block):
        found = grams_of([one, two], block)
        return np.array_equal(found.numbers[found.rows == 0], found.numbers[found.rows == 1])
    assert same("call 0871", "call 1234", "words") and not same("call 0871", "call 1234", "pieces")
    assert same("call 0871", "near 1234", "shapes") and not same("CALL me", "call me", "shapes")
    assert same("CALL me", "call  me", "pieces")


def test_texts_are_made_readable():
    assert readable("a &lt;b&gt;\n\tﬁne") == "a <b> fine"
    assert len(readable("x" * 10**6)) == 50_000


def test_portions_do_not_matter(monkeypatch):
    whole = [grams_of(MESSAGES, block) for block in BLOCKS]
    monkeypatch.setattr("pellucid.features._grams.PORTION", 20)
    for before, block in zip(whole, BLOCKS, strict=True):
        again = grams_of(MESSAGES, block)
        assert all(np.array_equal(getattr(before, name), getattr(again, name))
                   for name in ("rows", "numbers", "counts"))


def test_encoding_is_the_same_in_any_company(feature):
    together, alone = feature.encode(pl.Series(MESSAGES)), feature.encode(pl.Series(MESSAGES[2:3]))
    for name in ("codes", "weights", "words"):
        np.testing.assert_array_equal(together.raw[name][2:3], alone.raw[name])
    codes, weights = together.raw["codes"], together.raw["weights"].astype(float)
    assert codes.dtype == np.int32 and codes.shape == (4, feature.length) and codes.max() < feature.codes
    words = np.arange(codes.shape[1]) < together.raw["words"][:, None]
    np.testing.assert_allclose((weights**2 * words).sum(axis=1), 1, rtol=1e-2)  # each kind has length 1
    assert (codes[words] <= feature.sizes[0]).all() and ((codes > feature.sizes[0]) | (codes == 0))[~words].all()
    assert ((codes > 0) == (weights > 0)).all()


def test_odd_texts_are_encoded(feature):
    cells = ["", None, "🙂🙂", "&amp;", "12345", "a" * 200_000, "free " * 50_000, "我们今晚回家", "\ud800 lone",
             "\x00", "N/A", "Free prize! Call 0871 now"]
    frame = pl.Series("text", [cell and cell.encode(errors="replace").decode() for cell in cells])
    found = feature.encode(frame)
    assert found.missing.tolist() == [True, True] + [False] * 8 + [True, False] and found.counts == {"missing": 3}
    assert np.isfinite(found.raw["weights"]).all() and not found.raw["codes"][:2].any()
    assert feature.encode(pl.Series([7.5, None])).missing.tolist() == [False, True]  # numbers are texts, too


def test_long_texts_keep_what_weighs_most():
    texts = [f"word{place} common" for place in range(50) for _ in range(2)]
    short = Text.fit("text", pl.Series(texts))
    long = short.encode(pl.Series([" ".join(texts)]))
    assert (long.raw["codes"] > 0).all()
    assert long.raw["weights"].min() > 0


def test_scripts_without_blanks_have_words_of_one_character():
    found = grams_of(["今晚回家", "我今晚去"], "words")
    shared = np.intersect1d(found.numbers[found.rows == 0], found.numbers[found.rows == 1])
    assert len(shared) == 3  # two characters and their pair
    assert Text.spans("好 ok今晚") == [(0, 1), (2, 4), (4, 5), (5, 6)]


def test_parts_point_at_words():
    text = "Don't pay £50 &lt;now&gt;!! 🙂 x_1"
    assert [text[start:stop] for start, stop in Text.spans(text)] == [
        "Don't", "pay", "£", "50", "&lt;", "now", "&gt;", "!!", "🙂", "x_1"]
    assert Text.spans("") == []


def test_json_and_probe(feature):
    again = feature_from_json(json.loads(json.dumps(feature.to_json())))
    assert again == feature
    probe, real = feature.probe(5, np.random.default_rng(0)), feature.encode(pl.Series(MESSAGES)).raw
    assert {name: (array.dtype, array.shape[1:]) for name, array in probe.items()} == {
        name: (array.dtype, array.shape[1:]) for name, array in real.items()}
    assert probe["codes"].max() < feature.codes


def test_nothing_in_common_leaves_nothing_to_read():
    feature = Text.fit("text", pl.Series(["a", "b"]))
    encoded = feature.encode(pl.Series(["a", "c", None]))
    assert encoded.raw["codes"].shape == (3, feature.length)
    empty = Text.fit("text", pl.Series([None, None], dtype=pl.String))
    assert empty.codes == 1 and not empty.encode(pl.Series(["x"])).raw["codes"].any()


@pytest.mark.parametrize("name, cells, kind, reason", [
    ("x", [f"this one is number {n} of all" for n in range(30)], "text", "free text, 7 words on average"),
    ("review", [f"good {n}" for n in range(30)], "text", 'free text under the name "review", 2 words on average'),
    ("x", [f"good {n}" for n in range(30)], "identifier", None),
    ("review", ["good", "bad"] * 15, "category", None),
    ("comment", [f"{n}" for n in range(30)], "number", None),
    ("x", ["今晚回家吃饭好吗我们" + chr(0x4E00 + n) for n in range(30)], "text", "free text, 6 words on average"),
    ("x", ["a long line that is always one of two", "another long line that comes again"] * 15, "category", None),
])
def test_recognised_with_a_reason(name, cells, kind, reason):
    found = recognise(name, pl.Series(name, cells))
    assert found.kind == kind and (reason is None or found.reason == reason)


def test_fitted_by_name():
    assert isinstance(fit_feature("x", pl.Series(["a b", "a c"]), kind="text"), Text)
