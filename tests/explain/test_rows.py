"""Explanations of rows of tables and texts: parts, masks, made-up rows, gradients, and what the whole says."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.errors import SettingsError
from pellucid.explain.gradients import tabular_slopes
from pellucid.explain.shapley import exact_shapley
from pellucid.features.background import even_shares, numbers_at
from pellucid.features.text import Text
from pellucid.features.types import Boolean, Category, Date, Number, feature_from_json

QUICK = {"epochs": 12, "members": 4, "hidden": (16,), "test_size": 0.2}


def made(rows: int = 500) -> pl.DataFrame:
    """`size` and `colour` decide, `idle` and `day` do not; some sizes are lacking."""
    random = np.random.default_rng(0)
    size, colour = random.normal(10, 3, rows), random.choice(["red", "green", "blue"], rows)
    label = np.where(size / 3 + 2 * (colour == "red") + random.normal(0, 0.4, rows) > 4, "yes", "no")
    day = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 1, 1) + pl.duration(days=rows - 1), eager=True)
    frame = pl.DataFrame({"size": np.round(size, 2), "colour": colour, "idle": random.integers(0, 2, rows) > 0,
                          "code": [f"A{one:05d}" for one in random.permutation(rows)], "day": day, "label": label})
    return frame.with_columns(pl.when(pl.int_range(rows) % 25 == 3).then(None).otherwise("size").alias("size"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small classifier."""
    return pellucid.train(made(), "label", run=tmp_path_factory.mktemp("run") / "a", **QUICK)


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    """A small regressor of something that costs about a thousand."""
    frame = made().with_columns((1000 + 20 * pl.col("size").fill_null(10) + 100 * (pl.col("colour") == "red"))
                                .alias("label"))
    return pellucid.train(frame, "label", run=tmp_path_factory.mktemp("run") / "b", **QUICK).model


def test_made_up_cells_are_as_frequent_as_those_of_the_training_rows():
    frame, generator = made(1000), np.random.default_rng(1)
    size = Number.fit("size", frame["size"])
    found = size.background(400, generator)
    assert found.missing.mean() == pytest.approx(size.missing, abs=0.01) and size.missing > 0
    assert found.numbers[:, 0].mean() == pytest.approx(0, abs=0.05)
    colour = Category.fit("colour", frame["colour"])
    codes = colour.background(300, generator).codes[:, 0]
    shares = np.bincount(codes, minlength=4)[1:] / 300
    np.testing.assert_allclose(shares, np.array(colour.counts) / sum(colour.counts), atol=0.01)
    idle = Boolean.fit("idle", frame["idle"])
    assert idle.background(200, generator).numbers.mean() == pytest.approx(idle.share, abs=0.01)
    assert Date.fit("day", frame["day"]).background(64, generator).numbers.shape[0] == 64
    for feature in (size, colour, idle):
        assert feature_from_json(feature.to_json()) == feature


def test_older_files_have_made_up_cells_too():
    frame, generator = made(), np.random.default_rng(1)
    size = replace(Number.fit("size", frame["size"]), quantiles=())
    assert abs(size.background(200, generator).numbers[:, 0].mean()) < 0.2
    colour = replace(Category.fit("colour", frame["colour"]), counts=())
    assert set(colour.background(60, generator).codes[:, 0].tolist()) == {1, 2, 3}
    assert np.isfinite(numbers_at(even_shares(9, generator), (), center=2.0)).all()


def test_parts_sum_to_the_difference_and_the_causes_come_first(run):
    rows = made()[:40]
    found = run.model.explain(rows)
    assert len(found) == 40 and {one.method for one in found} == {"gradients"}
    first = [one.parts[one.order[0]].column for one in found]
    assert np.mean([name in ("size", "colour") for name in first]) > 0.9
    for one in found:
        assert one.contributions.sum() == pytest.approx(one.difference, abs=0.01)
        assert one.completeness == pytest.approx(one.contributions.sum() - one.difference)
        assert [part.column for part in one.parts] == ["size", "colour", "idle", "day"]
    predictions = run.model.predict(rows)
    np.testing.assert_allclose([one.whole for one in found], predictions.probabilities.max(axis=1), atol=1e-6)
    assert [one.asked for one in found] == predictions.prediction.tolist()


def test_gradients_agree_with_exact_values(run):
    for question in run.model.questions(made()[:6]):
        exact = exact_shapley(question.game)
        found = question.game.gradients(24)
        assert exact.contributions.sum() == pytest.approx(question.game.difference, abs=1e-9)
        np.testing.assert_allclose(found.contributions, exact.contributions, atol=0.06)
        np.testing.assert_allclose(found.by_member.mean(axis=0), found.contributions, atol=1e-9)


def test_one_row_is_explained_like_many(run):
    alone = run.model.explain(made()[5:6], faithfulness=False)[0]
    among = run.model.explain(made()[:20], faithfulness=False)[5]
    np.testing.assert_allclose(alone.contributions, among.contributions, atol=1e-6)


def test_this_class_rather_than_that_one(run):
    rows = made()[:12]
    found = run.model.explain(rows, instead_of="no", faithfulness=False)
    probabilities = run.model.predict(rows).probabilities
    names = list(run.model.classes)
    for one, row in zip(found, probabilities, strict=True):
        assert one.asked == "yes" and one.instead_of == "no"
        assert one.whole == pytest.approx(row[names.index("yes")] - row[names.index("no")], abs=1e-6)
        assert "rather than “no”" in one.question
    assert any("itself" in " ".join(one.notes) for one in found)


def test_numbers_are_explained_in_their_own_units(priced):
    found = priced.explain(made()[:8])
    for one, said in zip(found, priced.predict(made()[:8]).prediction, strict=True):
        assert one.whole == pytest.approx(float(said), rel=1e-6) and not one.percent
        assert abs(one.completeness) < 0.02 * 1200 and "predicted “label”" in one.unit
    with pytest.raises(SettingsError, match="is a number, not a class"):
        priced.explain(made()[:1], instead_of="yes")


@pytest.mark.parametrize("method", ["shapley", "occlusion"])
def test_other_methods_are_complete(run, method):
    one = run.model.explain(made()[:1], method=method)[0]
    assert one.completeness == pytest.approx(0, abs=1e-6) and one.method == method and one.reason == "as asked for"


def test_wrong_values_are_told(run):
    with pytest.raises(SettingsError, match="none of the classes"):
        run.model.explain(made()[:1], instead_of="maybe")
    with pytest.raises(SettingsError, match="shaply"):
        run.model.explain(made()[:1], method="shaply")


def test_the_model_is_checked_once_and_the_checks_are_stored(run):
    kept = pellucid.load(run.folder / "model.pellucid")
    assert kept.checks == run.model.checks and kept.checks.rows > 0
    assert kept.checks.stability > 0.7 > kept.checks.skill > 0.2 and not kept.checks.troubles()
    assert run.metrics["explaining"]["troubles"] == [] and run.metrics["skill"]["low"] > 0
    assert "Why it answers as it does" in run.report().read_text()


def test_what_was_not_learned_cannot_be_explained(tmp_path):
    frame = made().with_columns(pl.col("label").shuffle(seed=3))
    found = pellucid.train(frame, "label", run=tmp_path / "noise", **QUICK)
    assert any(note.kind == "nothing_learned" for note in found.result.notes)
    verdicts = [one.faithfulness.verdict for one in found.model.explain(frame[:5])]
    assert all(words.startswith("Do not rely on this explanation") for words in verdicts)


def test_words_are_parts_and_can_be_left_out():
    cells = pl.Series("text", ["good film, truly good", "bad film", "a dull, dull film", "truly bad"])
    feature = Text.fit("text", cells)
    row, generator = feature.encode(cells[:1]), np.random.default_rng(0)
    parts = feature.parts(cells[0], row)
    assert [part.name for part in parts] == ["good", "film", ",", "truly", "good"]
    assert [cells[0][slice(*part.place)] for part in parts] == [part.name for part in parts]
    keep = np.array([[True] * 5, [False] * 5, [False, True, False, False, False]])
    masked = feature.mask(cells[0], row, keep, generator)
    np.testing.assert_array_equal(masked.raw["codes"][0], row.raw["codes"][0])
    assert not masked.raw["codes"][1].any()
    alone = feature.encode(pl.Series("text", ["film"]))
    np.testing.assert_array_equal(masked.raw["codes"][2], alone.raw["codes"][0])


def test_a_long_text_has_groups_of_words_as_parts():
    text = " ".join(f"word{place}" for place in range(1000))
    feature = Text.fit("text", pl.Series("text", [text, text]))
    parts = feature.parts(text, feature.encode(pl.Series("text", [text])))
    assert len(parts) <= 160 and " ".join(part.name for part in parts) == text
    assert feature.parts(None, feature.encode(pl.Series("text", [""]))) == ()


def test_slopes_are_compiled_once(run):
    run.model.explain(made()[:20], faithfulness=False)
    compiled = tabular_slopes._cache_size()
    run.model.explain(made()[100:147], faithfulness=False)
    assert tabular_slopes._cache_size() == compiled
