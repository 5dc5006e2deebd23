"""What comes with predictions: groups, answers at a risk, likeness to the training; files of before; what is told."""
from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

from pellucid.errors import DataError, SettingsError
from pellucid.model.archive import read_archive
from pellucid.model.calibration import Calibration, Rows, calibrate_classes, calibrate_numbers, gain_of_mean
from pellucid.model.groups import Grouping, fit_grouping
from pellucid.model.load import load
from pellucid.tasks.train import train
from pellucid.uncertainty import NumberConformal
from tests.model.make_format_file import FILES, rows

SCHEMA = json.loads((Path(__file__).parents[2] / "pellucid" / "model" / "model.schema.json").read_text())
SMALL = {"members": 2, "hidden": (8,), "epochs": 40, "column_dropout": 0.0}


def table(count=600, seed=0):
    """Two groups: in one the answer is easier to find than in the other."""
    generator = np.random.default_rng(seed)
    number, sex = generator.standard_normal(count), generator.choice(["f", "m"], count, p=[0.3, 0.7])
    noise = np.where(sex == "f", 2.0, 0.6) * generator.standard_normal(count)
    return pl.DataFrame({"number": number, "sex": sex, "lend": np.where(number + noise > 0, "good", "bad"),
                         "amount": 10 * number + 5 * noise})


@pytest.fixture(scope="module")
def lender(tmp_path_factory):
    return train(table().drop("amount"), "lend", coverage_group="sex", run=tmp_path_factory.mktemp("a") / "run",
                 **SMALL)


@pytest.fixture(scope="module")
def amounts(tmp_path_factory):
    return train(table().drop("lend"), "amount", coverage_group="sex", types={"sex": "ignore"},
                 run=tmp_path_factory.mktemp("b") / "run", **SMALL)


def test_a_saved_model_keeps_its_promises(lender, amounts, tmp_path):
    for run in (lender, amounts):
        again = load(run.model.save(tmp_path / "model.pellucid"))
        one, two = (model.answering(0.2) if model.task == "classify" else model for model in (run.model, again))
        assert two.predict(table(50, 1)).to_frame().equals(one.predict(table(50, 1)).to_frame())
        jsonschema.validate(dict(read_archive(tmp_path / "model.pellucid").record), SCHEMA)


@pytest.mark.parametrize("run", ["lender", "amounts"])
def test_each_group_has_its_own_coverage(run, request):
    run, new = request.getfixturevalue(run), table(4000, 2)
    promise = run.model.evaluate(new)["promise"]
    assert set(promise["groups"]) == {"f", "m"}
    for group in promise["groups"].values():
        assert 0.84 <= group["coverage_measured"] <= 0.97
    size = "mean_set_size" if run.model.task == "classify" else "mean_interval_width"
    assert promise["groups"]["f"][size] > 1.2 * promise["groups"]["m"][size]
    metrics = run.metrics["promise"]
    assert metrics["low"] <= metrics["coverage_measured"] <= metrics["high"]
    assert sum(group["rows"] for group in metrics["groups"].values()) == metrics["rows"]


def test_unknown_groups_and_a_missing_column_get_the_coverage_of_all(lender):
    known = lender.model.predict(table(20, 1))
    other = lender.model.predict(table(20, 1).with_columns(sex=pl.lit("x")))
    assert (known.groups >= 0).all() and (other.groups == -1).all() and other.sets.any(axis=1).all()
    run = lender.model
    without = Calibration.sets(run.calibration, run.answer(run.encode(table(20, 1))[1].arrays), 0.9, None)
    assert without.shape == known.sets.shape


def test_a_column_of_groups_that_is_no_input_may_be_missing_with_a_warning(amounts):
    answers = amounts.model.predict(table(20, 1).select("number"))
    assert [note.kind for note in answers.notes if note.severity == "warning"] == ["group_missing"]
    assert answers.groups is None and np.isfinite(answers.lower).all()


def test_answers_at_a_risk(lender):
    new = table(3000, 3)
    careful, bold = (lender.model.answering(risk).predict(new) for risk in (0.1, 0.45))
    assert careful.answered.sum() <= bold.answered.sum() == len(new)
    wrong = careful.prediction != new["lend"].to_numpy()
    assert careful.answered.any() and wrong[careful.answered].mean() <= 0.13
    frame = careful.to_frame()
    assert "unsure" in set(frame["answer"]) <= {"good", "bad", "unsure"}
    assert frame.filter(pl.col("answer") != "unsure")["answer"].equals(
        frame.filter(pl.col("answer") != "unsure")["prediction"].rename("answer"))
    assert "answer" not in lender.model.predict(new).to_frame().columns
    found = lender.model.answering(0.1).evaluate(new)["promise"]["answered"]
    assert found["share_answered"] == careful.answered.mean() and found["error_measured"] <= 0.13


def test_no_answer_at_a_risk_that_cannot_be_promised(lender):
    answers = lender.model.answering(0.0001).predict(table(10, 1))
    assert not answers.answered.any()
    assert "none_answered" in [note.kind for note in answers.notes]


@pytest.mark.parametrize("change", ["numbers", "threshold", "old", "range"])
def test_a_risk_that_does_not_fit_is_told(change, lender, amounts):
    model = {"numbers": amounts.model, "threshold": lender.model.deciding(threshold=0.3),
             "old": load(FILES / "format-1.pellucid"), "range": lender.model}[change]
    with pytest.raises(SettingsError, match="risk"):
        model.answering(1.5 if change == "range" else 0.1)


def test_rows_from_elsewhere_are_told(lender, amounts):
    for run in (lender, amounts):
        usual, shifted = table(500, 4), table(500, 4).with_columns(pl.col("number") + 12)
        like, unlike = run.model.predict(usual), run.model.predict(shifted)
        assert np.mean(like.p_value <= 0.05) < 0.1 and "unlike_training" not in {note.kind for note in like.notes}
        assert np.mean(unlike.p_value <= 0.05) > 0.95
        note, = (note for note in unlike.notes if note.kind == "unlike_training")
        assert note.severity == "warning" and note.count > 450
        assert unlike.unlikeness.min() > np.median(like.unlikeness)
        assert {"unlikeness", "p_value"} <= set(unlike.to_frame().columns)
        shares = run.metrics["unlikeness"]["share_at_most"]
        assert shares["0.01"] <= shares["0.05"] <= shares["0.1"] < 0.3


def test_older_files_promise_what_they_did():
    answers = load(FILES / "format-1.pellucid").predict(rows(10))
    assert answers.p_value is None and answers.groups is None and answers.sets.any(axis=1).all()
    assert "p_value" not in answers.to_frame().columns


def test_metrics_tell_calibration_before_and_after(lender):
    found = lender.metrics["calibration"]
    assert found["method"] in ("temperature", "vector", "beta")
    for when in ("before", "after"):
        assert set(found[when]) == {"calibration_error", "debiased_calibration_error", "brier"}
        assert 0 <= found[when]["brier"] <= 0.3
    assert [one["risk"] for one in lender.metrics["answering"]] == [0.01, 0.02, 0.05, 0.1, 0.2]
    rates = lender.metrics["groups"]["rates"]
    assert {"wrong", "actual", "predicted", "false_alarms", "misses", "coverage"} <= set(rates["f"])
    assert rates["f"]["wrong"]["value"] > rates["m"]["wrong"]["value"]
    json.dumps(lender.metrics, allow_nan=False)


def test_the_report_tells_all_of_it(lender, amounts):
    page = lender.report().read_text(encoding="utf-8")
    for words in ("How groups of “sex” fare", "unsure", "like the training data", "before calibration", "Brier score"):
        assert words in page, words
    assert "mean of predicted minus actual" in amounts.report().read_text(encoding="utf-8")


def test_groups_are_read_as_they_were_fitted():
    numbers = pl.Series("age", [str(age) for age in range(20, 80)])
    grouping = fit_grouping("age", numbers)
    assert grouping.names == ("up to 34", "34 to 49", "49 to 64", "above 64")
    assert grouping.read(pl.Series(["20", "34", "35", "64", "65", "x", None])).tolist() == [0, 0, 1, 2, 3, -1, -1]
    words = fit_grouping("home", pl.Series(["own", "rent", "own", "rent", "once", None]))
    assert words.names == ("own", "rent") and words.read(pl.Series([" rent", "once", None])).tolist() == [1, -1, -1]
    for one in (grouping, words):
        assert Grouping.from_json(json.loads(json.dumps(one.to_json()))) == one
    assert fit_grouping("many", pl.Series([f"word {n % 40}" for n in range(400)])).names.__len__() == 12


@pytest.mark.parametrize(("settings", "words"), [
    ({"coverage_group": "lend"}, "which is the target"), ({"coverage_group": "nobody"}, "no column"),
    ({"coverage_group": "same"}, "no two values"), ({"risk": 0.1, "threshold": 0.4}, "threshold or costs")])
def test_promises_that_cannot_be_made_are_told_before_training(settings, words, tmp_path):
    data = table(60).drop("amount").with_columns(same=pl.lit("a"))
    with pytest.raises((SettingsError, DataError), match=words):
        train(data, "lend", run=tmp_path / "run", **settings)


def test_the_gain_of_the_mean_is_seen_and_never_too_large():
    generator = np.random.default_rng(0)
    truth, row_folds = generator.standard_normal(4000), np.arange(4000) % 5
    members = truth + generator.standard_normal(4000) + 0.7 * generator.standard_normal((5, 4000))
    expected = np.sqrt((1 + 0.49 / 5) / 1.49)
    assert gain_of_mean(members, truth, (0, 1, 2, 3, 4), row_folds) == pytest.approx(expected, abs=0.02)
    assert gain_of_mean(members[:1], truth, (0,), row_folds) == 1.0
    assert gain_of_mean(members * 0, truth * 0, (0, 1, 2, 3, 4), row_folds) == 1.0


def test_intervals_of_the_mean_keep_their_coverage_where_members_differ():
    """What cross-validation of each member alone would make too wide."""
    hits, plain = [], []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        truth, row_folds = 3 * generator.standard_normal(900), np.arange(900) % 5
        members = truth + generator.standard_normal(900) + 0.8 * generator.standard_normal((5, 900))
        found = calibrate_numbers(members[:, :500], Rows(truth[:500], row_folds[:500]), (0, 1, 2, 3, 4))
        lower, upper = found.intervals(members[:, 500:], 0.9)
        hits.append(((lower <= truth[500:]) & (truth[500:] <= upper)).mean())
        residuals = truth[:500] - members[row_folds[:500], np.arange(500)]
        lower, upper = NumberConformal.fit(residuals, row_folds[:500], 5).intervals(members[:, 500:], 0.9)
        plain.append(((lower <= truth[500:]) & (truth[500:] <= upper)).mean())
    assert 0.885 <= np.mean(hits) <= 0.92 < np.mean(plain)


def test_without_held_out_rows_nothing_is_promised():
    rows = Rows(np.zeros(4, int), np.full(4, -1))
    found = calibrate_classes(np.zeros((2, 4, 3)), rows, (0, 1))
    assert found.conformal is None and found.abstention is None and found.sets(np.ones((2, 4, 3)) / 3, 0.9) is None
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))).conformal is None
