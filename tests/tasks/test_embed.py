"""Learning without answers: codes, groups in words, neighbours, rows that stand alone, and tests against chance."""
from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from pellucid.errors import DataError, SettingsError
from pellucid.features.recognise import fit_feature
from pellucid.features.views import resampled, shrunken
from pellucid.model.embedding import nearest
from pellucid.model.load import load
from pellucid.model.view import View
from pellucid.tasks.embed.groups import name_of
from pellucid.tasks.train import train

QUICK = {"task": "embed", "epochs": 5, "hidden": (16,)}


def flowers(rows=240, seed=0):
    """Two kinds of flowers, a column that says nothing, and one row unlike all others."""
    random, kind = np.random.default_rng(seed), np.arange(rows) % 2
    table = {"height": 10 + 6 * kind + random.normal(size=rows), "width": 3 - 2 * kind + random.normal(size=rows) / 3,
             "colour": np.where(random.uniform(size=rows) < 0.9, np.where(kind, "red", "blue"), "white"),
             "day": random.normal(size=rows), "kind": np.where(kind, "rose", "lily")}
    table["height"][7], table["width"][7] = 60.0, 25.0
    return table


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(flowers(), "kind", run=tmp_path_factory.mktemp("run") / "a", **QUICK)


def test_groups_are_found_and_named(run):
    told = run.metrics["embed"]
    assert len(told["groups"]) == 2 and told["sharpness"] > max(told["sharpness_of_chance"])
    sentences = " ".join(sentence for one in told["groups"] for sentence in one["sentences"])
    assert "`height` is high" in sentences and "`colour` is red" in sentences and "`day`" not in sentences
    assert "`kind` is rose in 100 % of its rows, in 0 % elsewhere, which was not learned from" in sentences
    assert 7 in told["outliers"] and run.metrics["task"] == "embed"
    assert run.metrics["network"]["neighbour_agreement"] > 0.9 and 0 < run.metrics["network"]["explained"] <= 1
    assert set(run.metrics["baselines"]) == {"principal_components", "columns"}
    assert run.report().stat().st_size > 10_000 and "The map" in run.report().read_text()


def test_a_group_is_explained_by_what_sets_it_apart(run):
    others = pl.DataFrame(flowers(24, seed=2)).with_row_index().filter(pl.col("index") != 7).drop("index")
    found = run.model.explain(others)
    names = [one["name"] for one in run.metrics["embed"]["groups"]]
    assert all({one.asked, one.instead_of} == set(names) and one.prediction == one.asked for one in found)
    strongest = [one.parts[one.order[0]].column for one in found]
    assert set(strongest) <= {"height", "width", "colour"} and "kind" not in {part.column for part in found[0].parts}
    assert max(abs(one.completeness) for one in found) < 1e-6 and found[0].whole > 0
    assert sum(one.faithfulness.reliable for one in found) > 4
    turned, = run.model.explain(others[:1], asked=found[0].instead_of)
    assert turned.whole == pytest.approx(-found[0].whole) and turned.prediction == found[0].prediction
    with pytest.raises(SettingsError, match="no such group"):
        run.model.explain(others[:1], asked="daisies")


def test_without_groups_it_is_told_what_keeps_a_row_apart(run):
    model = run.model.with_groups(run.model.centres[:0], ())
    far, = model.explain(flowers(), rows=[7])
    assert far.parts[far.order[0]].column in ("height", "width") and "distance" in far.unit


def test_codes_of_new_rows(run):
    model, others = load(run.folder / "model.pellucid"), flowers(40, seed=1)
    found = model.predict(others)
    frame = found.to_frame()
    assert frame.columns[:5] == ["row", "group", "outlier", "distance", "p_value"] and frame["outlier"][7]
    assert frame["p_value"][7] < 0.05 and 0.2 < frame["p_value"].median() < 0.8
    assert frame.filter(~frame["outlier"])["group"].n_unique() == 2
    assert len(json.loads(frame["neighbours"][0])) == 5 and found.to_csv().startswith("row,group,outlier")
    assert next(iter(found))["neighbours"] == found.neighbours[0].tolist()
    same = model.predict({name: cells[:1] for name, cells in others.items()})
    assert np.allclose(same.codes, found.codes[:1], atol=1e-5)
    near = model.nearest(others, 3)
    assert near.shape == (40, 3) and (flowers()["kind"][near[0]] == others["kind"][0]).all()
    assert model.evaluate(others)["metrics"]["explained"] < 1 and "2 groups" in repr(model)


def test_no_groups_among_rows_without_any(tmp_path):
    random = np.random.default_rng(0)
    found = train({name: random.normal(size=200) for name in "abc"}, run=tmp_path / "a", **QUICK)
    assert found.model.groups == () and "No groups are named" in " ".join(found.result.verdict.sentences)
    assert (found.model.predict({name: [0.0] for name in "abc"}).group == -1).all()


def test_pictures_texts_and_series_are_looked_at(tmp_path):
    random, kind = np.random.default_rng(0), np.arange(60) % 2
    left = np.arange(64).reshape(8, 8) % 8 < 4
    pixels = [np.where(left, 200 * own, 200 - 200 * own).astype(np.uint8) for own in kind]
    words = [" ".join(random.choice(["sun", "moon", "star", "sky"] if own else ["cat", "dog", "cow", "hen"], 6))
             for own in kind]
    waves = [" ".join(f"{value:.2f}" for value in random.normal(size=9) + 4 * own) for own in kind]
    found = train({"photo": pixels, "words": words, "wave": waves, "kind": [f"k{own}" for own in kind]}, "kind",
                  types={"words": "text"}, run=tmp_path / "a", **QUICK)
    codes = found.model.codes(found.model.view.rows(found.model.features, found.model.encode(
        {"photo": pixels, "words": words, "wave": waves})[1].arrays))
    _, places = nearest(codes, codes, 1, own=True)
    assert (kind[places[:, 0]] == kind).all()
    assert len(found.model.features) == 3 and not found.model.view.rows(found.model.features, found.model.encode(
        {"photo": pixels[:0], "words": words[:0], "wave": waves[:0]})[1].arrays).size


@pytest.mark.parametrize("table, settings, error", [
    ({"a": [1, 2, 3]}, {}, DataError), ({"a": [1] * 40, "b": ["x"] * 40}, {}, DataError),
    (flowers(), {"learning_rate": "find"}, SettingsError), (flowers(), {"optimiser": "lbfgs"}, SettingsError)])
def test_what_cannot_be_learned(tmp_path, table, settings, error):
    with pytest.raises(error):
        train(table, run=tmp_path / "a", task="embed", **settings)


def test_columns_are_comparable():
    table = {"n": pl.Series([1.0, 2.0, 30.0, 4.0]), "c": pl.Series(["x", "y", "x", "x"])}
    features = tuple(fit_feature(name, column, kind=kind) for (name, column), kind in
                     zip(table.items(), ("number", "category"), strict=True))
    arrays = {"numbers": features[0].encode(table["n"]).numbers, "codes": features[1].encode(table["c"]).codes}
    view = View.fit(features, arrays)
    rows = view.rows(features, arrays)
    assert view.sources.tolist() == [0, 1, 1, 1] and rows[:, 0].var() == pytest.approx(1, abs=1e-4)
    assert rows[:, 1:].var(axis=0).sum() == pytest.approx(1, abs=1e-4)
    assert (view.without(rows, 1)[:, 1:] == 0).all()


def test_plain_views():
    assert shrunken(np.full((2, 5, 7, 1), 255, np.uint8), 12).shape == (2, 3, 4, 1)
    places = resampled(np.arange(8.0).reshape(2, 4, 1), np.array([4, 2]), 3)
    assert [one[:, 0].tolist() for one in places] == [[0, 4], [1.5, 4.5], [3, 5]]
    assert name_of([], 2, []) == "group 3" and name_of([], 2, ["group 3"]) == "group 3 (3)"
